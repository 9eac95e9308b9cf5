"""Taps of the profiles of TR 38.811: powers, delays, K-factor and Doppler."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import special, stats

from semcore import ComponentError, Rng
from semcore_channels.ntn.channels import NTNTDL
from semcore_channels.ntn.taps import PROFILES
from semcore_channels.ofdm.estimation import Correlation
from semcore_channels.ofdm.slots import SlotRange


def drawn(channel, slots, seed=0, key="a"):
    return channel.draw([SlotRange(key, 0, slots)], Rng(seed)).response[:, 0]


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
@pytest.mark.default_cases(1)
def test_unit_mean_gain_and_the_correlation_that_the_receiver_knows(model):
    channel = NTNTDL(
        snr_db=0.0, model=model, speed_kmh=900.0, delay_spread_s=300e-9, carrier_frequency_hz=20e9
    )
    response = drawn(channel, 8000)
    assert float(response.abs().square().mean()) == pytest.approx(1, abs=0.04)
    seen, known = Correlation.of(response.unsqueeze(1)), channel.correlation()
    assert float((seen.time - known.time).abs().max()) < 0.05
    assert float((seen.frequency - known.frequency).abs().max()) < 0.05


@pytest.mark.slow
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
