"""The scale of analog symbols as 12 bits of a header: its logarithm, in steps of 0.047 dB.

Analog symbols have unit power whatever they carry; the receiver needs the scale to undo that.
"""

from __future__ import annotations

import math

STEPS_PER_OCTAVE = 128
"""Resolution: a factor of 2^(1/128), 0.047 dB, so that the power is within 0.024 dB."""
LEVELS = 4096
SMALLEST = 2.0**-16
"""The range is 2^-16 to 2^16, less one step."""
LARGEST = 2.0**16


def level_of(scale: float) -> int:
    """The level nearest to `scale`, 0..4095."""
    octaves = math.log2(max(scale, SMALLEST) / SMALLEST)
    return min(round(octaves * STEPS_PER_OCTAVE), LEVELS - 1)


def scale_of(level: int) -> float:
    """The scale of a level."""
    return SMALLEST * 2 ** (level / STEPS_PER_OCTAVE)
