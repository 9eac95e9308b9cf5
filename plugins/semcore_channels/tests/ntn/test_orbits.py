"""Orbits: a circular pass, SGP4 over a site, and scenarios for a planner."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from semcore_channels.ntn.channels import Satellite
from semcore_channels.ntn.geometry import doppler_hz, slant_range_km
from semcore_channels.ntn.orbit import ILLUSTRATION, Elements, Site, circular_pass, site_pass
from semcore_channels.ntn.scenarios import moments, scenarios

NOON = datetime(2025, 12, 9, 12, tzinfo=UTC)


@pytest.mark.parametrize("altitude_km", [300.0, 600.0, 1200.0])
@pytest.mark.parametrize("highest_deg", [90.0, 45.0])
def test_a_circular_pass(altitude_km, highest_deg):
    looks = circular_pass(altitude_km, highest_deg, lowest_deg=10, step_s=5)
    middle = looks[len(looks) // 2]
    assert middle.elevation_deg == pytest.approx(highest_deg, abs=1e-4)
    assert middle.range_km == pytest.approx(slant_range_km(altitude_km, highest_deg), rel=1e-6)
    assert middle.range_rate_km_s == pytest.approx(0, abs=1e-9)
    for before, after in zip(looks, reversed(looks), strict=True):
        assert (
            before.elevation_deg == pytest.approx(after.elevation_deg)
            and before.elevation_deg >= 10
        )
        assert before.range_km == pytest.approx(
            slant_range_km(altitude_km, before.elevation_deg), rel=1e-6
        )
        assert before.range_rate_km_s == pytest.approx(-after.range_rate_km_s)
    rates = np.gradient([look.range_km for look in looks], 5)[1:-1]
    assert np.allclose(rates, [look.range_rate_km_s for look in looks][1:-1], atol=0.05)
    if highest_deg == 90:  # the satellite comes straight on: TR 38.811, eq. 6.7-1
        first = looks[0]
        assert first.doppler_hz(2e9) == pytest.approx(
            doppler_hz(altitude_km, first.elevation_deg, 2e9), rel=1e-6
        )


def test_sgp4_over_a_site():
    """Range and range rate agree with each other, the height is that of the orbit, and the site is
    where it should be.
    """
    elements = Elements.read(ILLUSTRATION)
    begin, both = site_pass(elements, [Site(39.9, 116.4), Site(32.06, 118.8)], NOON, step_s=1)
    looks = [one for one, _ in both]
    assert begin <= NOON <= begin.replace(minute=59) or begin.hour in (11, 12)
    assert all(look.elevation_deg >= 10 for pair in both for look in pair)
    rates = np.gradient([look.range_km for look in looks])[1:-1]
    assert np.allclose(rates, [look.range_rate_km_s for look in looks][1:-1], atol=0.02)
    assert all(340 < look.altitude_km < 385 for look in looks)
    best = max(looks, key=lambda look: look.elevation_deg)
    assert best.range_km == pytest.approx(
        slant_range_km(best.altitude_km, best.elevation_deg), rel=0.02
    )
    x, y, z = Site(0, 90).position_km()
    assert (x, y, z) == pytest.approx((0, 6378.137, 0), abs=1e-6)
    assert Site(90, 0).position_km()[2] == pytest.approx(6356.752, abs=1e-3)


def test_the_earth_turns_as_the_almanac_says():
    """Greenwich mean sidereal time at 2000-01-01 12:00 is 18 h 41 m 50.55 s."""
    from semcore_channels.ntn.orbit import _sidereal_angle

    assert math.degrees(_sidereal_angle(2_451_545.0, 0.0)) / 15 == pytest.approx(
        18 + 41 / 60 + 50.55 / 3600, abs=1e-5
    )


def test_the_illustration_says_that_it_is_one():
    assert "NOT that satellite's elements" in ILLUSTRATION.read_text()


def test_a_pass_becomes_scenarios_for_a_planner():
    channel = Satellite(tx_power_dbm=55.0, rain_rate_mm_h=10.0)
    passing = moments(channel, [(look,) for look in circular_pass(500, 70)])
    found = scenarios(passing, task="verify a face")
    assert [one.segment for one in found] == list(range(len(passing))) and found[
        0
    ].task == "verify a face"
    best = max(passing, key=lambda one: one.snr_db)
    assert best.look.elevation_deg == pytest.approx(70, abs=0.01)
    again = replace(
        channel,
        **{path.removeprefix("channel."): value for path, value in best.environment.items()},
    )
    assert again.unit_gain_snr_db() == pytest.approx(best.snr_db, abs=1e-3)
