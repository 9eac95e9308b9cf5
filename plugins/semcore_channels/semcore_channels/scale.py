"""A scale as a short protected header: 12 bits of its logarithm in the extended Golay code, decoded softly.

Analog symbols have unit power whatever they carry, so the receiver can only undo the scale if it is told.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

from semcore_channels.modulation import modulate

if TYPE_CHECKING:
    import torch

STEPS_PER_OCTAVE = 128
"""Resolution: a factor of 2^(1/128), 0.047 dB, so that the power is at most 0.024 dB from what it should be."""
SMALLEST = 2.0**-16
"""The range is 2^-16 to 2^16, less one step."""
LARGEST = 2.0**16
REPEATS = 2
USES = 12 * REPEATS
"""Channel uses of the header."""
_GENERATOR = 0xC75  # x^11 + x^10 + x^6 + x^5 + x^4 + x^2 + 1 generates the (23, 12) Golay code


@functools.cache
def codebook() -> torch.Tensor:
    """Symbols of every level, complex64 (4096, USES): 24 bits of minimum distance 8, 4-QAM, sent twice."""
    import torch

    levels = torch.arange(4096)
    words = torch.zeros_like(levels)
    for place in range(12):
        words ^= (levels >> place & 1) * (_GENERATOR << place)
    bits = words.unsqueeze(1) >> torch.arange(23) & 1
    bits = torch.cat((bits, bits.sum(1, keepdim=True) % 2), dim=1)
    return modulate(bits, 2).repeat(1, REPEATS)


def level_of(scale: float) -> int:
    """The level nearest to `scale`."""
    octaves = math.log2(max(scale, SMALLEST) / SMALLEST)
    return min(round(octaves * STEPS_PER_OCTAVE), 4095)


def scale_of(level: int) -> float:
    """The scale that `level` stands for."""
    return SMALLEST * 2 ** (level / STEPS_PER_OCTAVE)


def decode_level(values: torch.Tensor, noise_var: torch.Tensor) -> int:
    """The most likely level behind received header symbols (USES,) with noise of variance `noise_var` (USES,)."""
    return int(((codebook().conj() * (values / noise_var)).real.sum(1)).argmax())
