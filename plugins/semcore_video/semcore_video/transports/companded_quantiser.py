"""Companded quantiser: levels that are denser near zero, in units of the root mean square of a
stream."""

from __future__ import annotations

import numpy as np

MOST, BEND = 12.0, 5.0
"""Outermost level, and strength of the companding."""


def levels(count: int) -> np.ndarray:
    """The values of the levels, float32 (count,), rising, symmetric about zero."""
    steps = np.linspace(-1, 1, count)
    return (MOST * np.sinh(BEND * steps) / np.sinh(BEND)).astype(np.float32)


def quantise(values: np.ndarray, count: int) -> np.ndarray:
    """The index of the level nearest to each value, int64."""
    outputs = levels(count)
    thresholds = (outputs[1:] + outputs[:-1]) / 2
    return np.searchsorted(thresholds, values).astype(np.int64)
