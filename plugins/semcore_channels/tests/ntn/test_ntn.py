"""Satellite links against TR 38.811, TR 38.821, ITU-R P.618, Table I of the paper, and the
mechanics of an orbit.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import special, stats

from semcore import ComponentError, Rng, RunError
from semcore_channels.budget import noise_power_dbm
from semcore_channels.ntn.channels import NTNTDL, Satellite
from semcore_channels.ntn.geometry import doppler_hz, free_space_loss_db, slant_range_km
from semcore_channels.ntn.orbit import (
    ILLUSTRATION,
    Elements,
    Site,
    _checksum,
    circular_pass,
    site_pass,
)
from semcore_channels.ntn.rain import rain_loss_db
from semcore_channels.ntn.scenarios import moments, scenarios
from semcore_channels.ntn.taps import PROFILES
from semcore_channels.ofdm.estimation import Correlation
from semcore_channels.ofdm.slots import SlotRange

NOON = datetime(2025, 12, 9, 12, tzinfo=UTC)


def drawn(channel, slots, seed=0, key="a"):
    return channel.draw([SlotRange(key, 0, slots)], Rng(seed)).response[:, 0]


# -------------------------------------------------------------------------------------------
# geometry, losses


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


# ------------------------------------------------------------------------------------------- the
# taps


@pytest.mark.parametrize("model", PROFILES)
def test_a_profile_has_the_rms_delay_spread_it_is_scaled_by(model):
    line = NTNTDL(snr_db=0.0, model=model, delay_spread_s=100e-9).line(50)
    mean = (line.powers * line.delays_s).sum()
    assert float(((line.powers * (line.delays_s - mean).square()).sum()).sqrt()) == pytest.approx(
        100e-9, rel=1e-3
    )
    assert float(line.powers.sum()) == pytest.approx(1, abs=1e-6)


def realised_taps(channel, slots):
    """Gains of the taps, found in realised responses: the delays are known, so a least-squares fit
    over the subcarriers.
    """
    delays = sorted({tap.delay * channel.delay_spread_s for tap in PROFILES[channel.model]})
    bands = (
        torch.arange(channel.subcarriers) - channel.subcarriers // 2
    ) * channel.subcarrier_spacing_hz
    phases = -2 * math.pi * bands.double().unsqueeze(1) * torch.tensor(delays, dtype=torch.float64)
    basis = torch.polar(torch.ones_like(phases), phases)
    response = drawn(channel, slots)[:, 0].to(torch.complex128)
    fitted = torch.linalg.lstsq(basis, response.mT)
    assert (
        float((basis @ fitted.solution - response.mT).abs().max()) < 1e-3
    )  # nothing at any other delay
    return delays, fitted.solution


@pytest.mark.parametrize("model", PROFILES)
def test_realised_responses_have_delays_powers_and_k_factor_of_the_table(model):
    channel, slots = NTNTDL(snr_db=0.0, model=model, delay_spread_s=1e-6), 6000
    delays, gains = realised_taps(channel, slots)
    total = sum(10 ** (tap.power_db / 10) for tap in PROFILES[model])
    for delay, gain in zip(delays, gains, strict=True):
        own = [tap for tap in PROFILES[model] if tap.delay * channel.delay_spread_s == delay]
        power = sum(10 ** (tap.power_db / 10) for tap in own) / total
        seen = gain.abs().square()
        assert float(seen.mean()) == pytest.approx(
            power, rel=0.02 + 4 * float(seen.std() / seen.mean()) / slots**0.5
        )
        if own[
            0
        ].line_of_sight:  # E|g|^4 = s^4 + 4 s^2 d^2 + 2 d^4 of a Rician gain gives K = s^2 / d^2
            fourth, second = float(seen.square().mean()), float(seen.mean())
            steady = math.sqrt(max(2 * second**2 - fourth, 0))
            k_factor_db = 10 * math.log10(steady / (second - steady))
            assert k_factor_db == pytest.approx({"C": 10.224, "D": 11.707}[model], abs=0.3)
        else:
            assert stats.kstest((seen / seen.mean()).numpy(), "expon").pvalue > 0.01


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(model, marks=() if model in ("A", "D") else pytest.mark.slow)
        for model in PROFILES
    ],
)
def test_unit_mean_gain_and_the_correlation_that_the_receiver_knows(model):
    channel = NTNTDL(
        snr_db=0.0, model=model, speed_kmh=900.0, delay_spread_s=300e-9, carrier_frequency_hz=20e9
    )
    response = drawn(channel, 8000)
    assert float(response.abs().square().mean()) == pytest.approx(1, abs=0.04)
    seen, known = Correlation.of(response.unsqueeze(1)), channel.correlation()
    assert float((seen.time - known.time).abs().max()) < 0.05
    assert float((seen.frequency - known.frequency).abs().max()) < 0.05


def test_the_autocorrelation_is_that_of_jakes_over_a_whole_frame():
    """One realisation goes on over the slots of a row: E[h(t) h*(0)] = J0(2 pi fd t)."""
    channel = NTNTDL(
        snr_db=0.0,
        coherence="frame",
        speed_kmh=300.0,
        carrier_frequency_hz=20e9,
        delay_spread_s=0.0,
    )
    rows = torch.stack(
        [drawn(channel, 3, key=f"row{number}")[:, :, 0].flatten() for number in range(4000)]
    )
    shift = 300 / 3.6 * 20e9 / 299_792_458
    expected = special.j0(2 * math.pi * shift * channel.symbol_s * np.arange(42))
    seen = (rows * rows[:, :1].conj()).mean(0).numpy()
    assert np.abs(seen - expected).max() < 0.07
    parts = torch.cat(
        [
            channel.draw([SlotRange("row7", at, 1)], Rng(0)).response[:, 0, :, 0].flatten()
            for at in range(3)
        ]
    )
    torch.testing.assert_close(parts, rows[7], rtol=1e-4, atol=1e-4)  # however it is cut


def test_a_residual_offset_turns_the_phase_from_symbol_to_symbol():
    still = NTNTDL(snr_db=0.0, speed_kmh=0.0, delay_spread_s=0.0)
    turning = replace(still, residual_doppler_hz=2000.0)
    ratio = drawn(turning, 4)[:, :, 0] / drawn(still, 4)[:, :, 0]
    expected = torch.arange(14) * 2 * math.pi * 2000 * still.symbol_s
    torch.testing.assert_close(
        ratio, torch.polar(torch.ones(14), expected).expand(4, -1), rtol=1e-3, atol=1e-3
    )


def test_a_shift_that_the_model_cannot_hold_is_refused():
    with pytest.raises(
        ComponentError,
        match="precompensation leaves a frequency offset of 29635 Hz, 18% of subcarrier",
    ):
        NTNTDL(snr_db=0.0, precompensation=False)
    with pytest.raises(ComponentError, match="residual_doppler_hz leaves"):
        NTNTDL(snr_db=0.0, residual_doppler_hz=-9000.0)
    wide = NTNTDL(snr_db=0.0, precompensation=False, subcarrier_spacing_hz=960e3)
    assert wide.offset_hz(50) == pytest.approx(29_635, rel=1e-3)


# ------------------------------------------------------------------------------------------- the
# bent pipe


PRINTED = {(300, 90): -5.1, (600, 90): -17.1, (1200, 90): -29.1, (300, 30): -16, (600, 30): -27}
"""(altitude in km, elevation in degrees) -> SNR in dB of Table I as it stands."""


@pytest.mark.parametrize(
    ("power_dbm", "reading", "snrs"),
    [
        (25.0, "Table I as printed: 25 dBm", PRINTED),
        (55.0, "Table I read as 25 dBW", {place: snr_db + 30 for place, snr_db in PRINTED.items()}),
    ],
)
def test_table_one_under_both_readings(power_dbm, reading, snrs):
    for (altitude_km, elevation_deg), snr_db in snrs.items():
        channel = Satellite(
            tx_power_dbm=power_dbm, altitude_km=altitude_km, elevation_deg=elevation_deg
        )
        terms = {term.name: term for term in channel.budget()}
        assert terms["SNR"].value == pytest.approx(snr_db, abs=0.5 if elevation_deg == 30 else 0.06)
        assert terms["transmit power"].note == reading
        parts = [term.value for term in channel.budget()[:-3]]
        assert sum(parts) - terms["noise"].value == pytest.approx(channel.unit_gain_snr_db())


def test_rain_costs_what_it_says(rng, as_symbols, qpsk):
    clear = Satellite(tx_power_dbm=80.0, carrier_frequency_hz=20e9, elevation_deg=40)
    wet = replace(clear, rain_rate_mm_h=25.0)
    loss = 2 * rain_loss_db(20e9, 40, 39.9, 116.4, rate_mm_h=25.0)
    assert clear.unit_gain_snr_db() - wet.unit_gain_snr_db() == pytest.approx(loss) and loss > 10
    symbols = as_symbols([qpsk(3000)[0]])
    one, other = (channel.transmit(symbols, rng).report[0]["snr_db"] for channel in (clear, wet))
    assert one - other == pytest.approx(loss, abs=1e-3)
    seldom = replace(clear, rain_exceedance_percent=0.01)
    assert (
        seldom.unit_gain_snr_db() < replace(clear, rain_exceedance_percent=1.0).unit_gain_snr_db()
    )
    with pytest.raises(ComponentError, match="either rain_rate_mm_h or rain_exceedance_percent"):
        replace(wet, rain_exceedance_percent=1.0)


def test_two_hops_fade_independently_and_multiply():
    channel = Satellite(snr_db=0.0, speed_kmh=0.0, delay_spread_s=0.0)
    slots = channel.draw([SlotRange("a", 0, 6000)], Rng(1))
    power = slots.response[:, 0, 0, 0].abs().square()
    assert float(power.mean()) == pytest.approx(1, abs=0.1)
    assert float(power.square().mean()) == pytest.approx(4, rel=0.3)  # E|h|^4 = 2 of each
    expected = (
        special.k1(2 * math.sqrt(0.1)) * 2 * math.sqrt(0.1)
    )  # P(|h1 h2|^2 > x) = 2 sqrt(x) K1(2 sqrt(x))
    assert float((power > 0.1).float().mean()) == pytest.approx(expected, abs=0.03)


def test_the_relay_sends_its_own_noise_on():
    """Noise at the receiver: N0 + N_relay |h_down|^2, and E|h_down|^2 = 1."""
    quiet = Satellite(snr_db=10.0)
    assert quiet.draw([SlotRange("a", 0, 3)], Rng(0)).noise is None
    noisy = replace(quiet, relay_snr_db=4.0).draw([SlotRange("a", 0, 4000)], Rng(0)).noise
    assert float(noisy.mean()) == pytest.approx(1 + 10**0.6, rel=0.05) and float(noisy.min()) >= 1


@pytest.mark.parametrize("settings", [{}, {"snr_db": 3.0, "tx_power_dbm": 25.0}])
def test_one_reading_of_the_snr(settings):
    with pytest.raises(ComponentError, match="snr_db or block_snr_db or tx_power_dbm"):
        Satellite(**settings)


# ------------------------------------------------------------------------------------------- orbits


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
        site_pass(Elements.read(ILLUSTRATION), [Site(39.9, 116.4)], NOON.replace(hour=6))


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


# ----------------------------------------------------------------------------------------------
# elements of all kinds


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
        RunError, match=r"35786 km does not pass as over an earth at rest .* give its elements"
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
