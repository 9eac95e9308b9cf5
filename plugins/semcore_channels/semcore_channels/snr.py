"""Signal-to-noise ratios: the type of a setting in dB, and the noise variance of one."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Le

Decibels = Annotated[float, Ge(-50), Le(100)]
"""An SNR that single precision can hold, dB."""


def noise_variance(snr_db: float) -> float:
    """N0 at Es = 1."""
    return 10 ** (-snr_db / 10)
