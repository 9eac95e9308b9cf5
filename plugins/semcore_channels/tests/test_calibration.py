"""Labels, error rates and fading against closed forms: what 10 dB means here.

Proakis, Digital Communications, 4th ed.; M. K. Simon and M.-S. Alouini, Digital Communication over
Fading Channels, 2nd ed.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from semcore import Bitstream, ComponentError, Rng, Semantics
from semcore_channels.flat import AWGN, Rayleigh, Rician
from semcore_channels.modulation.qam import QAM
from semcore_channels.modulation.registry import BUILT_IN
from semcore_channels.transports.uncoded import Uncoded

RNG = Rng(1, ("calibration",))
"""Of 64 intervals of 99 %, one misses by chance every other time; with this seed none does."""
SNRS = (-3.0, 0.0, 3.0, 5.0, 8.0, 10.0, 13.0, 16.0)
SYMBOLS = 200_000


def gray_ber(order: int, snr: np.ndarray | float) -> np.ndarray:
    """Bit error rate of Gray-labelled BPSK or square QAM at Es/N0, by what each amplitude is taken
    for.

    Every dimension is an amplitude modulation of m = 2^(order/2) levels with the labels of TS
    38.211: its bit errors follow from the probability that level i lands in the region of level j.
    (For order 2 this is Q(sqrt(Es/N0)).)
    """
    if order == 1:
        return stats.norm.sf(np.sqrt(2 * np.asarray(snr)))
    half = order // 2
    labels = np.arange(2**half)
    bits = torch.from_numpy((labels[:, None] >> np.arange(half - 1, -1, -1)) & 1)
    levels = QAM(order).modulate(bits.repeat_interleave(2, dim=1)).real[:, 0].double().numpy()
    by_level = np.argsort(levels)
    edges = np.concatenate(
        ([-np.inf], (levels[by_level][1:] + levels[by_level][:-1]) / 2, [np.inf])
    )
    deviation = np.sqrt(1 / (2 * np.asarray(snr, float)))
    wrong = np.zeros(deviation.shape)
    for sent in labels:
        for place, taken in enumerate(by_level):
            share = stats.norm.cdf((edges[place + 1] - levels[sent]) / deviation) - stats.norm.cdf(
                (edges[place] - levels[sent]) / deviation
            )
            wrong += share * bin(int(sent ^ taken)).count("1") / half / len(labels)
    return wrong


def test_the_closed_form_is_that_of_the_books():
    """numbers: 7.865e-2 and 5.954e-3 at Eb/N0 of 0 and 5 dB; 16-QAM 0.2873, 0.1642, 7.786e-2 at
    Es/N0 of 0, 5, 9 dB.
    """
    for order in (1, 2):
        found = [float(gray_ber(order, order * 10 ** (db / 10))) for db in (0, 5, 10)]
        assert found == pytest.approx([7.865e-2, 5.954e-3, 3.872e-6], rel=1e-3)
    assert [float(gray_ber(4, 10 ** (db / 10))) for db in (0, 5, 9)] == pytest.approx(
        [0.2873, 0.1642, 7.786e-2], rel=1e-3
    )


def bit_errors(modulation: str, channel) -> tuple[int, int]:
    """Symbols with a wrong first bit, and symbols: the bits of a symbol share its noise, so one of
    them is counted.
    """
    order = BUILT_IN[modulation].bits_per_symbol
    data = np.random.default_rng(order).bytes(SYMBOLS * order // 8)
    transport = Uncoded(modulation)
    sent = Semantics("a", {"x": Bitstream(data)})
    [arrived] = transport.receive(
        channel.transmit(transport.send([sent], RNG), RNG.at(modulation, channel.snr_db))
    )
    errors = np.unpackbits(np.frombuffer(data, np.uint8)) ^ np.unpackbits(
        np.frombuffer(arrived.streams["x"].data, np.uint8)
    )
    return errors.reshape(-1, order), SYMBOLS


def inside(errors: np.ndarray, expected: float) -> bool:
    """Whether the rate agrees within its 99 % interval; of a symbol's bits, which go wrong
    together, by their spread.
    """
    each = errors.mean(1)
    if errors.shape[1] == 1:
        low, high = stats.binom.interval(0.99, len(each), expected)
        return bool(low <= each.sum() <= high)
    return bool(
        abs(each.mean() - expected)
        <= 2.58 * max(each.std(), expected**0.5 / errors.shape[1]) / math.sqrt(len(each))
    )


@pytest.mark.parametrize("snr_db", SNRS)
@pytest.mark.parametrize("modulation", ["bpsk", "4qam", "16qam", "64qam"])
def test_bit_errors_in_awgn(modulation, snr_db):
    errors, _ = bit_errors(modulation, AWGN(snr_db=snr_db))
    assert inside(
        errors, float(gray_ber(BUILT_IN[modulation].bits_per_symbol, 10 ** (snr_db / 10)))
    )


@pytest.mark.parametrize(
    ("modulation", "snr_db"),
    [
        pytest.param(modulation, snr_db, marks=() if snr_db == of_default else pytest.mark.slow)
        for modulation, of_default in (
            ("bpsk", 0.0),
            ("4qam", 10.0),
            ("16qam", 0.0),
            ("64qam", None),
        )
        for snr_db in SNRS
    ],
)
def test_bit_errors_in_rayleigh_fading(modulation, snr_db):
    """The closed form of AWGN, averaged over exponentially distributed power."""
    order, ratio = BUILT_IN[modulation].bits_per_symbol, 10 ** (snr_db / 10)
    expected = integrate.quad(
        lambda power: math.exp(-power) * float(gray_ber(order, ratio * power)), 0, 40, limit=200
    )[0]
    if order <= 2:  # Proakis eq. 14.3-7
        assert expected == pytest.approx(
            (1 - math.sqrt(ratio / order / (1 + ratio / order))) / 2, rel=1e-4
        )
    errors, _ = bit_errors(modulation, Rayleigh(snr_db=snr_db, coherence="symbol"))
    assert inside(errors, expected)


@pytest.mark.parametrize("k_factor_db", [-10.0, 0.0, 6.0, 12.0])
def test_rician_gains(k_factor_db, as_symbols):
    """2 (K + 1) |h|^2 is non-central chi-squared with 2 degrees of freedom and non-centrality 2 K;
    the phase is uniform.
    """
    gains = Rician(coherence="symbol", k_factor_db=k_factor_db).gains(
        as_symbols([torch.ones(100_000)]), RNG
    )[0]
    k_factor, power = 10 ** (k_factor_db / 10), gains.abs().square().double().numpy()
    assert power.mean() == pytest.approx(1, abs=0.01)
    assert power.var() == pytest.approx(
        (1 + 2 * k_factor) / (1 + k_factor) ** 2, rel=0.03
    )  # Simon and Alouini, eq. 2.16
    assert stats.kstest(2 * (k_factor + 1) * power, "ncx2", (2, 2 * k_factor)).pvalue > 0.01
    assert stats.kstest(gains.angle().numpy(), "uniform", (-math.pi, 2 * math.pi)).pvalue > 0.01


@pytest.mark.parametrize("snr_db", [0.0, 5.0, 10.0])
@pytest.mark.default_cases(1)
def test_slow_rician_fading_has_its_outage(snr_db, as_symbols):
    """P(log2(1 + |h|^2 SNR) < 1) = 1 - Q1(sqrt(2 K), sqrt(2 (K + 1) / SNR)), with Marcum's Q."""
    rows, k_factor = 20_000, 10**0.6
    channel = Rician(snr_db=snr_db, coherence="frame", k_factor_db=6.0)
    realised = 1 / channel.transmit(as_symbols([torch.ones(2)] * rows), RNG).noise_var[:, 0]
    expected = stats.ncx2.cdf(2 * (k_factor + 1) / 10 ** (snr_db / 10), 2, 2 * k_factor)
    low, high = stats.binom.interval(0.99, rows, expected)
    assert low <= int((realised < 1).sum()) <= high


@pytest.mark.parametrize("channel", [AWGN, Rayleigh, Rician])
@pytest.mark.parametrize(("distance_m", "snr_db"), [(50.0, 26.02), (100.0, 20.0), (200.0, 13.98)])
def test_path_loss(channel, distance_m, snr_db, as_symbols):
    """MMSemCom, section VI-B: L(d) = sqrt(d^-2), 20 dBm; here against -40 dBm of noise."""
    budget = channel(snr_db=None, tx_power_dbm=20.0, distance_m=distance_m, noise_power_dbm=-40.0)
    assert budget.nominal_snr_db() == pytest.approx(snr_db, abs=0.01)
    assert sum(term.value for term in budget.budget()[:2]) + 40 == pytest.approx(
        budget.budget()[-1].value
    )
    symbols = as_symbols([torch.ones(500)])
    plain = channel(snr_db=budget.nominal_snr_db()).transmit(symbols, RNG)
    assert torch.allclose(budget.transmit(symbols, RNG).values, plain.values, rtol=1e-5)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"tx_power_dbm": 20.0, "noise_power_dbm": -40.0},
            "snr_db or tx_power_dbm, not both: write `snr_db: null`",
        ),
        ({"snr_db": None}, "and has neither"),
        ({"snr_db": None, "tx_power_dbm": 20.0}, "noise_power_dbm goes with tx_power_dbm"),
        ({"noise_power_dbm": -40.0}, "noise_power_dbm goes with tx_power_dbm"),
    ],
)
def test_one_reading_of_the_snr(settings, words):
    with pytest.raises(ComponentError, match=words):
        AWGN(**settings)


@pytest.mark.parametrize("channel", [Rayleigh, Rician])
@pytest.mark.parametrize(("pilots", "cost_db"), [(1, 3.0), (4, 0.97), (50, 0.09)])
def test_what_estimated_gains_cost(channel, pilots, cost_db, as_symbols):
    """With N0 / pilots of error in the gain, the noise of a symbol grows by 1 + 1 / pilots in high
    SNR.
    """
    symbols = as_symbols([torch.ones(640)] * 200)
    known = channel(snr_db=30.0).transmit(symbols, RNG)
    found = channel(snr_db=30.0, csi="estimated", pilots=pilots).transmit(symbols, RNG)
    assert found.overhead[0] == {"pilots": 10 * pilots}
    ratio = ((found.values - symbols.values).abs().square() / found.noise_var).mean()
    assert float(ratio) == pytest.approx(1, abs=0.1)
    gain = (found.noise_var / known.noise_var).median()
    assert 10 * math.log10(gain) == pytest.approx(cost_db, abs=0.3)


@pytest.mark.parametrize("modulation", BUILT_IN)
def test_uncoded_bytes_are_those_of_the_grant(modulation):
    transport = Uncoded(modulation)
    batch = [Semantics(str(size), {"x": Bitstream(bytes(range(size)))}) for size in range(20)]
    symbols = transport.send(batch, RNG)
    assert [
        one.streams.get("x") for one in transport.receive(symbols.received(symbols.values, 1e-3))
    ] == [one.streams["x"] for one in batch]
    for span in symbols.layout.spans:
        assert (
            sum(span.bits.values())
            == (span.stop - span.start) * BUILT_IN[modulation].bits_per_symbol
        )
