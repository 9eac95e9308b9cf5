"""The bent pipe: two hops, rain, and the noise that the relay sends on."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from scipy import special

from semcore import ComponentError, Rng
from semcore_channels.ntn.channels import Satellite
from semcore_channels.ntn.rain import rain_loss_db
from semcore_channels.ofdm.slots import SlotRange

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
