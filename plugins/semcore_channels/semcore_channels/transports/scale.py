"""A scale as a number that a header can hold: 12 bits of its logarithm.

Analog symbols have unit power whatever they carry, so the receiver can undo the scale only if a header says it.
"""

from __future__ import annotations

import math

STEPS_PER_OCTAVE = 128
"""Resolution: a factor of 2^(1/128), 0.047 dB, so that the power is at most 0.024 dB from what it should be."""
LEVELS = 4096
SMALLEST = 2.0**-16
"""The range is 2^-16 to 2^16, less one step."""
LARGEST = 2.0**16


def level_of(scale: float) -> int:
    """The level nearest to `scale`."""
    octaves = math.log2(max(scale, SMALLEST) / SMALLEST)
    return min(round(octaves * STEPS_PER_OCTAVE), LEVELS - 1)


def scale_of(level: int) -> float:
    """The scale that `level` stands for."""
    return SMALLEST * 2 ** (level / STEPS_PER_OCTAVE)
