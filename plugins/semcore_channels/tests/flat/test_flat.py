"""AWGN and Rayleigh against closed forms (Proakis, Digital Communications) and the numbers that
follow from them.
"""

from __future__ import annotations

import math

import pytest
import torch
from scipy import stats

from semcore_channels.flat import AWGN, Rayleigh
from semcore_channels.modulation.qam import QAM, QAM4
from semcore_channels.snr import noise_variance

MILLION = 1_000_000


def within_binomial(errors: int, trials: int, probability: float, level: float = 0.99) -> bool:
    low, high = stats.binom.interval(level, trials, probability)
    return low <= errors <= high


@pytest.mark.parametrize("snr_db", [-10.0, 0.0, 10.0, 25.0])
def test_awgn_delivers_the_snr_on_its_label(snr_db, rng, as_symbols, qpsk):
    symbols = as_symbols([qpsk(MILLION)[0]])
    received = AWGN(snr_db=snr_db).transmit(symbols, rng)
    noise = received.values - symbols.values
    assert 10 * math.log10(1 / noise.abs().square().mean()) == pytest.approx(snr_db, abs=0.05)
    assert float(received.noise_var[0, 0]) == pytest.approx(noise_variance(snr_db))
    assert float(noise.real.var() / noise.imag.var()) == pytest.approx(1, abs=0.01)  # circular


@pytest.mark.parametrize(("ebn0_db", "ber"), [(0, 7.865e-2), (5, 5.954e-3)])
def test_uncoded_bpsk_and_qpsk_in_awgn(ebn0_db, ber, rng, as_symbols, qpsk):
    """With Gray labels each dimension of QPSK is BPSK: BER = Q(sqrt(2 Eb/N0)), and Es = 2 Eb."""
    sent, bits = qpsk(MILLION)
    received = AWGN(snr_db=ebn0_db + 10 * math.log10(2)).transmit(as_symbols([sent]), rng)
    errors = int(((QAM4.demodulate(received.values[0], received.noise_var[0]) > 0) != bits).sum())
    closed = stats.norm.sf(math.sqrt(2 * 10 ** (ebn0_db / 10)))
    assert closed == pytest.approx(ber, rel=1e-3)
    assert within_binomial(errors, len(bits), closed)


@pytest.mark.parametrize(
    ("ebn0_db", "ber"),
    [(0, 1.4645e-1), (5, 6.418e-2), (10, 2.327e-2), (15, 7.723e-3), (20, 2.481e-3)],
)
def test_uncoded_bpsk_and_qpsk_in_flat_rayleigh_fading(ebn0_db, ber, rng, as_symbols, qpsk):
    """BER = (1 - sqrt(g / (1 + g))) / 2, Proakis eq. 14.3-7.

    The two bits of a symbol share a fade: one is counted.
    """
    sent, bits = qpsk(MILLION)
    channel = Rayleigh(snr_db=ebn0_db + 10 * math.log10(2), coherence="symbol")
    received = channel.transmit(as_symbols([sent]), rng)
    errors = int(((received.values[0].real < 0) != bits[::2]).sum())
    gamma = 10 ** (ebn0_db / 10)
    closed = (1 - math.sqrt(gamma / (1 + gamma))) / 2
    assert closed == pytest.approx(ber, rel=1e-3)
    assert within_binomial(errors, len(sent), closed)


@pytest.mark.parametrize(("snr_db", "ber"), [(0, 0.2873), (5, 0.1642), (9, 7.786e-2)])
def test_uncoded_16qam_in_awgn(snr_db, ber, rng, as_symbols):
    """(3 Q(a) + 2 Q(3a) - Q(5a)) / 4 with a = sqrt(Es/N0 / 5): decisions for the nearest point."""
    points = QAM(4).modulate((torch.arange(16).unsqueeze(1) >> torch.tensor([3, 2, 1, 0])) & 1)[
        :, 0
    ]
    sent = torch.randint(0, 16, (MILLION // 4,), generator=torch.Generator().manual_seed(1))
    received = AWGN(snr_db=snr_db).transmit(as_symbols([points[sent]]), rng)
    decided = (received.values[0].unsqueeze(1) - points).abs().argmin(1)
    wrong = ((sent ^ decided).unsqueeze(1) >> torch.arange(4) & 1).float()
    arms = math.sqrt(10 ** (snr_db / 10) / 5)
    closed = (3 * stats.norm.sf(arms) + 2 * stats.norm.sf(3 * arms) - stats.norm.sf(5 * arms)) / 4
    assert closed == pytest.approx(ber, rel=1e-3)
    deviation = float(wrong.mean(1).std()) / math.sqrt(
        len(sent)
    )  # the bits of a symbol go wrong together
    assert float(wrong.mean()) == pytest.approx(closed, abs=2.58 * deviation)


@pytest.mark.parametrize(
    ("snr_db", "outage"),
    [
        (0, 0.6321),
        (10, 0.0952),
        pytest.param(5, 0.2711, marks=pytest.mark.slow),
        pytest.param(15, 0.0311, marks=pytest.mark.slow),
        pytest.param(20, 0.0100, marks=pytest.mark.slow),
    ],
)
@pytest.mark.default_cases(1)
def test_slow_fading_has_its_outage(snr_db, outage, rng, as_symbols):
    """P(log2(1 + |h|^2 SNR) < 1) = 1 - exp(-1 / SNR): a channel that scales its noise with the fade
    has none.
    """
    rows = 20_000
    received = Rayleigh(snr_db=snr_db, coherence="frame").transmit(
        as_symbols([torch.ones(2)] * rows), rng
    )
    realised = 1 / received.noise_var[:, 0]
    closed = 1 - math.exp(-1 / 10 ** (snr_db / 10))
    assert closed == pytest.approx(outage, abs=1e-4)
    assert within_binomial(int((realised < 1).sum()), rows, closed)
    assert received.report[7]["snr_db"] == pytest.approx(
        float(10 * torch.log10(realised[7])), abs=1e-3
    )


def test_gains_are_complex_rayleigh_of_unit_mean_power(rng, as_symbols):
    gains = Rayleigh(coherence="symbol").gains(as_symbols([torch.ones(200_000)]), rng)[0]
    power, phase = gains.abs().square().numpy(), gains.angle().numpy()
    assert float(power.mean()) == pytest.approx(1, abs=0.01)
    assert stats.kstest(power, "expon").pvalue > 0.01
    assert stats.kstest(phase, "uniform", (-math.pi, 2 * math.pi)).pvalue > 0.01


@pytest.mark.parametrize(("coherence", "hold"), [("symbol", 1), ("block", 7), ("frame", 30)])
def test_a_gain_lasts_exactly_as_long_as_configured(coherence, hold, rng, as_symbols):
    symbols = as_symbols([torch.ones(30), torch.ones(17)])
    gains = Rayleigh(coherence=coherence, block_symbols=7).gains(symbols, rng)
    for row, length in zip(gains, (30, 17), strict=True):
        blocks = row[:length].split(hold)
        assert all((block == block[0]).all() for block in blocks)
        assert len({complex(block[0]) for block in blocks}) == len(blocks)
        assert (row[length:] == 1).all()


def test_noise_is_independent_of_the_fade(rng, as_symbols):
    count = 200_000
    symbols = as_symbols([torch.ones(count)])
    channel = Rayleigh(snr_db=3.0, coherence="symbol")
    gains = channel.gains(symbols, rng)[0]
    received = channel.transmit(symbols, rng)
    noise = (received.values[0] - 1) * gains
    bound = 4 / math.sqrt(count)
    assert abs((noise * gains.conj()).mean()) / noise_variance(3.0) ** 0.5 < bound
    assert abs(torch.corrcoef(torch.stack((noise.abs(), gains.abs())))[0, 1]) < bound
    assert float(noise.abs().square().mean()) == pytest.approx(noise_variance(3.0), rel=0.01)
