"""Numbers as levels that lie denser near zero: float32 in units of the root mean square of a
stream."""

from __future__ import annotations

import numpy as np

MOST, BEND = 12.0, 5.0
"""The outermost level, and how much closer the levels near zero are."""


def levels(count: int) -> np.ndarray:
    """The values of levels, float32 (count,), rising, symmetric about zero."""
    steps = np.linspace(-1, 1, count)
    return (MOST * np.sinh(BEND * steps) / np.sinh(BEND)).astype(np.float32)


def nearest(values: np.ndarray, count: int) -> np.ndarray:
    """The level nearest to each value, int64."""
    known = levels(count)
    return np.searchsorted((known[1:] + known[:-1]) / 2, values).astype(np.int64)
