"""Rain attenuation by ITU-R P.618, from the package itur, which works offline."""

from __future__ import annotations

import functools
import warnings

from semcore import ComponentError, extra

LEAST_ELEVATION_DEG = 5.0
"""ITU-R P.618-13, 2.2.1.1, holds for paths of 5 degrees and more."""
MOST_FREQUENCY_HZ = 55e9
"""ITU-R P.618-13, 2.2.1.1, holds for frequencies up to 55 GHz."""


def outside(frequency_hz: float, elevation_deg: float) -> str:
    """What of a rainy path ITU-R P.618-13 does not cover; "" if it covers the path."""
    if frequency_hz > MOST_FREQUENCY_HZ:
        return (
            f"a carrier of {frequency_hz / 1e9:g} GHz: "
            f"ITU-R P.618-13 gives its loss up to {MOST_FREQUENCY_HZ / 1e9:g} GHz"
        )
    if elevation_deg < LEAST_ELEVATION_DEG:
        return (
            f"an elevation of {elevation_deg:g} degrees: "
            f"ITU-R P.618-13 gives its loss from {LEAST_ELEVATION_DEG:g} degrees"
        )
    return ""


@functools.lru_cache(maxsize=4096)
def rain_loss_db(
    frequency_hz: float,
    elevation_deg: float,
    latitude_deg: float,
    longitude_deg: float,
    *,
    rate_mm_h: float | None = None,
    exceedance_percent: float = 0.01,
    tilt_deg: float = 45.0,
) -> float:
    """Rain attenuation of a slant path, dB; satellite paper eq. 6.

    Specific attenuation times effective path length, ITU-R P.618-13, 2.2.1: k R^alpha of P.838, on
    the path below the rain height of P.839, shortened to its effective length, scaled from 0.01 %
    to other percentages of an average year.

    Args:
        frequency_hz: carrier frequency, 1e9..55e9 (below 1 GHz the result is 0)
        elevation_deg: elevation of the path, 5..90
        latitude_deg, longitude_deg: of the ground site
        rate_mm_h: rain rate; None: that of the site for 0.01 % of a year, by P.837
        exceedance_percent: share of an average year in which the attenuation is exceeded, 0.001..5;
            with a rate, 0.01 gives the attenuation at exactly that rate
        tilt_deg: tilt of the polarisation against the horizon; 45 for circular

    Raises:
        ComponentError: frequency or elevation are outside the validity of the recommendation
    """
    if rate_mm_h == 0 or frequency_hz < 1e9:
        return 0.0
    if reason := outside(frequency_hz, elevation_deg):
        raise ComponentError(f"rain at {reason}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the packages that itur uses
        with extra("semcore-channels[rain]", "the loss in rain is computed by itur"):
            import itur

        loss = itur.rain_attenuation(
            latitude_deg,
            longitude_deg,
            frequency_hz / 1e9,
            elevation_deg,
            p=exceedance_percent,
            R001=rate_mm_h,
            tau=tilt_deg,
        )
    return float(loss.value)
