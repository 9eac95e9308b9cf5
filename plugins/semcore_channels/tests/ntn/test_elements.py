"""Two-line elements of all kinds: which are used, and which are refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from semcore import RunError
from semcore_channels.ntn.channels import Satellite
from semcore_channels.ntn.orbit import (
    ILLUSTRATION,
    Elements,
    Site,
    _checksum,
    circular_pass,
    site_pass,
)
from semcore_channels.ntn.scenarios import moments


def test_elements_that_cannot_be_used_say_why(tmp_path):
    damaged = tmp_path / "damaged.tle"
    damaged.write_text(ILLUSTRATION.read_text().replace("53.2000", "53.3000"))
    with pytest.raises(RunError, match="damaged: the checksum of the line '2 62270"):
        Elements.read(damaged)
    (tmp_path / "empty.tle").write_text("nothing\n")
    with pytest.raises(RunError, match="holds no two-line elements"):
        Elements.read(tmp_path / "empty.tle")
    with pytest.raises(RunError, match="cannot be read"):
        Elements.read(tmp_path / "missing.tle")
    with pytest.raises(
        RunError,
        match="is not above 10 degrees at every site at 2025-12-09 06:00:00 UTC, but it is at",
    ):
        site_pass(
            Elements.read(ILLUSTRATION), [Site(39.9, 116.4)], datetime(2025, 12, 9, 6, tzinfo=UTC)
        )


def lines(number: int, name: str = "", epoch: str = "25340.50000000", orbit: str = "") -> str:
    """Elements with right checksums: a name, and two lines."""
    orbit = orbit or "53.0000 120.0000 0001234  90.0000 270.0000 15.20000000"
    pair = (
        f"1 {number:05d}U 25001A   {epoch}  .00001234  00000+0  12345-4 0  999",
        f"2 {number:05d} {orbit:>55s}    1",
    )
    return (
        "\n".join([*([name] if name else []), *(one + str(_checksum(one)) for one in pair)]) + "\n"
    )


EPOCH = datetime(2025, 12, 6, 12, tzinfo=UTC)
BEIJING = Site(39.9, 116.4)
GEO = " 0.0500  80.0000 0002000  90.0000 100.0000  1.00270000"
MOLNIYA = "63.4000 250.0000 7200000 270.0000   0.0000  2.00600000"


def file_of(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "some.tle"
    path.write_bytes(text.encode())
    return path


def test_a_byte_order_mark_is_no_part_of_elements(tmp_path):
    found = Elements.read(file_of(tmp_path, "\ufeff" + lines(91234)))
    assert (found.name, found.number) == ("91234", "91234")
    assert abs(found.epoch - EPOCH) < timedelta(seconds=1)


@pytest.mark.parametrize("days", [-700, -22, 22, 840])
def test_elements_are_not_used_far_from_their_time(tmp_path, days):
    elements = Elements.read(file_of(tmp_path, lines(91234, "DRAG")))
    when = EPOCH + timedelta(days=days, minutes=1 if days > 0 else -1)
    where = "after" if days > 0 else "before"
    words = f"elements of DRAG are of 2025-12-06, and {when:%Y-%m-%d} is {abs(days)} days {where}"
    with pytest.raises(RunError, match=words):
        site_pass(elements, [BEIJING], when)
    elements.check_age(EPOCH + timedelta(days=20 if days > 0 else -20))


def test_a_satellite_of_several_is_chosen_by_name_or_number(tmp_path):
    path = file_of(tmp_path, lines(91234, "FIRST") + lines(95555, "0 SECOND") + lines(42, "THIRD"))
    assert [one.name for one in Elements.read_all(path)] == ["FIRST", "SECOND", "THIRD"]
    assert Elements.read(path, "second").number == Elements.read(path, "95555").number == "95555"
    assert Elements.read(path, "42").name == Elements.read(path, "00042").name == "THIRD"
    with pytest.raises(
        RunError,
        match=r"holds 3 satellites: choose one with --satellite.*FIRST \(91234\), SECOND \(95555\)",
    ):
        Elements.read(path)
    with pytest.raises(RunError, match=r"holds no satellite 'FOURTH'; it holds FIRST \(91234\)"):
        Elements.read(path, "FOURTH")
    twice = file_of(tmp_path, lines(91234, "ONE") + lines(91234, "ONE", "25341.50000000"))
    with pytest.raises(RunError, match="holds 2 sets of elements of 'ONE'"):
        Elements.read(twice, "ONE")


def test_of_a_history_of_a_satellite_the_nearest_elements_are_taken(tmp_path):
    history = "".join(lines(91234, "ONE", f"253{day}.50000000") for day in (38, 40, 45))
    path = file_of(tmp_path, history)
    for satellite in (None, "ONE", "91234"):
        for days, day in ((0, 340), (2.4, 340), (2.6, 345), (-30, 338)):
            when = EPOCH + timedelta(days=days)
            found = Elements.read(path, satellite, when)
            assert found.epoch == EPOCH + timedelta(days=day - 340)
            assert Elements.read(path, satellite, when.replace(tzinfo=None)) == found
    mixed = file_of(tmp_path, history + lines(95555, "ONE"))
    with pytest.raises(RunError, match="holds 4 sets of elements of 'ONE'"):
        Elements.read(mixed, "ONE", EPOCH)


def test_lines_of_two_satellites_are_not_mixed(tmp_path):
    one, other = (lines(number).splitlines() for number in (91234, 95555))
    for text in (f"MIXED\n{one[0]}\n{other[1]}\n", f"{one[0]}\n{one[1]}\n{other[0]}\n{one[1]}\n"):
        with pytest.raises(RunError, match="mixes the lines of two satellites: 9"):
            Elements.read_all(file_of(tmp_path, text))
    with pytest.raises(RunError, match="stands no line that begins with '2 '"):
        Elements.read_all(file_of(tmp_path, f"{one[0]}\n{other[0]}\n{other[1]}\n"))


def test_a_geostationary_satellite_stands_still(tmp_path):
    elements = Elements.read(file_of(tmp_path, lines(91234, "GEO", orbit=GEO)))

    def height(longitude: int) -> float:
        return next(elements.looks(Site(0.0, float(longitude)), EPOCH, [0.0])).elevation_deg

    under = Site(0.0, float(max(range(-180, 180), key=height)))
    begin, looks = site_pass(elements, [under], EPOCH, step_s=3600)
    assert len(looks) == 49 and begin == EPOCH - timedelta(days=1)
    assert all(
        abs(look.doppler_hz(20e9)) < 1500 and 35_700 < look.altitude_km < 35_900
        for (look,) in looks
    )
    channel = Satellite(snr_db=5.0, carrier_frequency_hz=20e9)
    for one in moments(channel, looks, turning=True):
        assert abs(one.channel.link_state()["doppler_hz"]) < 1500
        assert one.environment["channel.range_rate_km_s"] == pytest.approx(
            one.look.range_rate_km_s, abs=1e-4
        )
    still = Satellite(
        snr_db=5.0,
        carrier_frequency_hz=20e9,
        altitude_km=35_786.0,
        elevation_deg=30.0,
        precompensation=False,
    )
    assert still.link_state()["doppler_hz"] == 0 == still.offset_hz(30.0)
    with pytest.raises(
        RunError, match=r"35786 km the rotation of the earth cannot be neglected .* give two-line"
    ):
        circular_pass(35_786.0)


def test_a_molniya_orbit_is_followed_to_its_apogee(tmp_path):
    elements = Elements.read(file_of(tmp_path, lines(91234, "MOLNIYA", orbit=MOLNIYA)))
    site, day = Site(60.0, 40.0), [600.0 * step for step in range(144)]
    best = max(elements.looks(site, EPOCH, day), key=lambda look: look.elevation_deg)
    _, looks = site_pass(elements, [site], EPOCH + timedelta(seconds=best.time_s), step_s=300)
    rates = np.gradient([look.range_km for (look,) in looks], 300)[1:-1]
    assert np.allclose(rates, [look.range_rate_km_s for (look,) in looks][1:-1], atol=0.05)
    highest = max(look.altitude_km for (look,) in looks)
    assert 38_000 < highest < 41_000 and len(looks) > 60  # in view for hours
    passing = moments(Satellite(tx_power_dbm=80.0), looks, turning=True)
    assert max(one.channel.altitude_km for one in passing) == highest
