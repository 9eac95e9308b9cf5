"""Slant range, free-space loss and Doppler shift of a satellite over a spherical earth."""

from __future__ import annotations

import math

from semcore_channels.constants import SPEED_OF_LIGHT_M_S

EARTH_RADIUS_KM = 6371.0
"""Mean radius, as in TR 38.811 and TR 38.821."""
EARTH_MU_KM3_S2 = 398_600.4418
"""Gravitational parameter of the earth."""
GEOSTATIONARY_KM = 35_786.0
"""Altitude of the geostationary orbit."""
STILL_KM = 500.0
"""A satellite within this distance of that altitude counts as stationary over the ground."""


def slant_range_km(altitude_km: float, elevation_deg: float) -> float:
    """Distance of a satellite seen at an elevation, TR 38.811, eq. 6.6-3.

    d = sqrt(R^2 sin^2 a + h^2 + 2 h R) - R sin a
    """
    vertical = EARTH_RADIUS_KM * math.sin(math.radians(elevation_deg))
    square = vertical**2 + altitude_km**2 + 2 * altitude_km * EARTH_RADIUS_KM
    return math.sqrt(square) - vertical


def free_space_loss_db(distance_km: float, frequency_hz: float) -> float:
    """Free-space path loss (4 pi d f / c)^2, dB; satellite paper eq. 5, TR 38.811 eq. 6.6-2."""
    return 20 * math.log10(4 * math.pi * distance_km * 1e3 * frequency_hz / SPEED_OF_LIGHT_M_S)


def orbital_speed_km_s(altitude_km: float) -> float:
    """Speed on a circular orbit, sqrt(mu / (R + h))."""
    return math.sqrt(EARTH_MU_KM3_S2 / (EARTH_RADIUS_KM + altitude_km))


def doppler_hz(altitude_km: float, elevation_deg: float, frequency_hz: float) -> float:
    """Doppler shift of a satellite that approaches the site in the plane of its zenith.

    TR 38.811, eq. 6.7-1, on an earth that does not rotate: f = (v / c) (R / (R + h)) cos(a) fc. At
    the geostationary altitude it is 0.
    """
    if abs(altitude_km - GEOSTATIONARY_KM) <= STILL_KM:
        return 0.0
    ratio = EARTH_RADIUS_KM / (EARTH_RADIUS_KM + altitude_km)
    share = ratio * math.cos(math.radians(elevation_deg))
    return orbital_speed_km_s(altitude_km) * 1e3 / SPEED_OF_LIGHT_M_S * share * frequency_hz
