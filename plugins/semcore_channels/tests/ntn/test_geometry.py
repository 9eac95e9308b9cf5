"""Geometry and losses of a link to a satellite, against TR 38.811, TR 38.821 and P.618."""

from __future__ import annotations

import pytest

from semcore import ComponentError
from semcore_channels.budget import noise_power_dbm
from semcore_channels.ntn.channels import Satellite
from semcore_channels.ntn.geometry import doppler_hz, free_space_loss_db, slant_range_km
from semcore_channels.ntn.rain import rain_loss_db


@pytest.mark.parametrize(
    ("altitude_km", "elevation_deg", "range_km", "frequency_hz", "loss_db"),
    [
        (600, 30, 1075.09, 2e9, 159.10),
        (600, 30, 1075.09, 20e9, 179.10),
        (1200, 30, 1998.88, 2e9, 164.49),
        (35_786, 12.5, 40_316.7, 2e9, 190.58),
    ],
)
def test_slant_range_and_free_space_loss(
    altitude_km, elevation_deg, range_km, frequency_hz, loss_db
):
    """TR 38.821, Table 6.1.3.3-1."""
    assert slant_range_km(altitude_km, elevation_deg) == pytest.approx(range_km, rel=1e-4)
    assert free_space_loss_db(range_km, frequency_hz) == pytest.approx(loss_db, abs=0.01)
    assert slant_range_km(altitude_km, 90) == pytest.approx(altitude_km)


@pytest.mark.parametrize(("altitude_km", "shift_hz"), [(600, 29_635), (1200, 26_183)])
def test_doppler_of_the_satellite(altitude_km, shift_hz):
    assert doppler_hz(altitude_km, 50, 2e9) == pytest.approx(shift_hz, rel=1e-4)
    assert doppler_hz(altitude_km, 90, 2e9) == pytest.approx(0, abs=1e-6)


def test_thermal_noise():
    assert noise_power_dbm(20e6, 290) == pytest.approx(-100.97, abs=0.01)


RAIN = {
    14.25e9: {1: 0.4953, 0.1: 2.1858, 0.01: 6.7981, 0.001: 14.900},
    29e9: {1: 2.2078, 0.1: 8.5701, 0.01: 23.4444, 0.001: 45.1987},
}
"""ITU-R P.618-13 validation examples, London: carrier -> percentage of time -> dB.

Horizontal polarisation.
"""


@pytest.mark.parametrize("frequency_hz", RAIN)
def test_rain_is_that_of_p618(frequency_hz):
    for percent, loss_db in RAIN[frequency_hz].items():
        found = rain_loss_db(
            frequency_hz,
            31.077,
            51.5,
            -0.14,
            rate_mm_h=26.481,
            exceedance_percent=percent,
            tilt_deg=0,
        )
        assert found == pytest.approx(
            loss_db, rel=1e-3
        )  # itur takes the site's height from its own map: 1e-4


def test_rain_grows_with_rate_and_frequency_and_ends_with_it():
    losses = [rain_loss_db(20e9, 40, 39.9, 116.4, rate_mm_h=rate) for rate in (0, 1, 10, 50)]
    assert losses[0] == 0 and losses == sorted(losses)
    assert rain_loss_db(2e9, 40, 39.9, 116.4) < 0.05 < 20 < rain_loss_db(20e9, 40, 39.9, 116.4)
    assert rain_loss_db(20e9, 40, 39.9, 116.4) == pytest.approx(
        22.2, abs=0.1
    )  # the place's own rain, 0.01 %


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"rain_rate_mm_h": 5.0, "elevation_deg": 3.0},
            "rain_rate_mm_h with elevation_deg: an elevation of 3 degrees",
        ),
        (
            {"rain_exceedance_percent": 0.1, "elevation_deg": 4.9},
            "rain_exceedance_percent with elevation_deg",
        ),
        ({"rain_rate_mm_h": 5.0, "downlink_elevation_deg": 2.0}, "an elevation of 2 degrees"),
        (
            {"rain_rate_mm_h": 5.0, "carrier_frequency_hz": 60e9},
            "carrier_frequency_hz: a carrier of 60 GHz: .* up to 55 GHz",
        ),
    ],
)
def test_rain_outside_of_the_recommendation_is_refused(settings, words):
    settings = {"carrier_frequency_hz": 20e9, **settings}
    with pytest.raises(ComponentError, match=words):
        Satellite(snr_db=5.0, **settings)
    dry = {name: value for name, value in settings.items() if not name.startswith("rain")}
    assert Satellite(snr_db=5.0, **dry).link_state()["rain_db"] == 0.0
    with pytest.raises(ComponentError, match=r"rain at .* ITU-R P\.618-13"):
        rain_loss_db(20e9, 3.0, 39.9, 116.4, rate_mm_h=5.0)
