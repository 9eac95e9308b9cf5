"""Rain by ITU-R P.618, through the package itur, which is offline and loads its maps when first asked."""

from __future__ import annotations

import functools
import warnings


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
    """Attenuation of a slant path by rain, dB; satellite paper eq. 6: specific attenuation times effective path.

    ITU-R P.618-13, 2.2.1: the specific attenuation k R^alpha of P.838, the path below the rain height of P.839, shortened
    to its effective length, scaled from 0.01 % to other percentages of an average year.

    Args:
        frequency_hz: carrier, 1e9..100e9 (below 1 GHz rain does nothing)
        elevation_deg: elevation of the path
        latitude_deg, longitude_deg: of the ground site
        rate_mm_h: the rain rate; None: the one that the site has for 0.01 % of a year, by P.837
        exceedance_percent: share of an average year in which the loss is exceeded, 0.001..5; with a rate, 0.01 is the loss
            at that very rate
        tilt_deg: of the polarisation against the horizon; 45 for circular
    """
    if rate_mm_h == 0 or frequency_hz < 1e9:
        return 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the packages below it
        import itur

        loss = itur.rain_attenuation(
            latitude_deg, longitude_deg, frequency_hz / 1e9, max(elevation_deg, 5.0), p=exceedance_percent, R001=rate_mm_h,
            tau=tilt_deg,
        )  # fmt: skip
    return float(loss.value)
