"""What holds for every channel, whatever it models."""

from __future__ import annotations

import pickle
import random

import numpy as np
import pytest
import torch

from semcore import ComponentError
from semcore_channels.flat import AWGN, Rayleigh, Rician
from semcore_channels.ntn.channels import NTNTDL, Satellite
from semcore_channels.sionna_rng import sionna_phy
from semcore_channels.tr38901.cells import RMa, UMa, UMi
from semcore_channels.tr38901.profiles import CDL, TDL

SMALL = {"subcarriers": 24, "ofdm_symbols": 8, "pilot_symbols": (1, 6)}
CHANNELS = {
    "awgn": AWGN(snr_db=6.0),
    "rayleigh-symbol": Rayleigh(snr_db=6.0, coherence="symbol"),
    "rayleigh-block": Rayleigh(snr_db=6.0, coherence="block", block_symbols=16),
    "rayleigh-frame": Rayleigh(snr_db=6.0, coherence="frame"),
    "uma-ls": UMa(snr_db=6.0, **SMALL),
    "uma-perfect": UMa(snr_db=6.0, csi="perfect", **SMALL),
    "uma-block": UMa(block_snr_db=6.0, **SMALL),
    "rayleigh-estimated": Rayleigh(snr_db=6.0, csi="estimated", pilots=2, block_symbols=16),
    "rician": Rician(snr_db=6.0, block_symbols=16),
    "umi": UMi(snr_db=6.0, **SMALL),
    "rma": RMa(snr_db=6.0, **SMALL),
    "tdl": TDL(snr_db=6.0, **SMALL),
    "cdl": CDL(snr_db=6.0, **SMALL),
    "ntn-tdl": NTNTDL(snr_db=6.0, subcarriers=24, ofdm_symbols=7),
    "ntn-tdl-frame": NTNTDL(
        snr_db=6.0, subcarriers=25, ofdm_symbols=7, coherence="frame", model="C"
    ),
    "satellite": Satellite(snr_db=6.0, subcarriers=24),
}
LENGTHS = (100, 0, 1, 3000, 144, 145)


@pytest.fixture(params=CHANNELS.values(), ids=CHANNELS)
def channel(request):
    return request.param


@pytest.fixture
def rows(qpsk):
    return [qpsk(length, seed)[0] for seed, length in enumerate(LENGTHS)]


def at_snr(channel, snr_db):
    settings = {name: value for name, value in channel.__getstate__().items() if value is not None}
    return type(channel)(
        **{**settings, "snr_db" if "snr_db" in settings else "block_snr_db": snr_db}
    )


def test_the_same_address_gives_the_same_result(channel, rng, as_symbols, rows):
    one, two = (channel.transmit(as_symbols(rows), rng) for _ in range(2))
    assert torch.equal(one.values, two.values) and torch.equal(one.noise_var, two.noise_var)
    other = channel.transmit(as_symbols(rows), rng.at("elsewhere"))
    assert not torch.equal(one.values, other.values)


def test_a_row_does_not_depend_on_its_batch(channel, rng, as_symbols, rows):
    keys = [f"row{number}" for number in range(len(rows))]
    together = channel.transmit(as_symbols(rows), rng)
    order = list(reversed(range(len(rows))))
    apart = [channel.transmit(as_symbols([rows[at]], [keys[at]]), rng) for at in order]
    for at, alone in zip(order, apart, strict=True):
        length = len(rows[at])
        assert torch.equal(together.values[at, :length], alone.values[0])
        assert torch.equal(together.noise_var[at, :length], alone.noise_var[0])
        assert together.overhead[at] == alone.overhead[0]
        assert together.report[at] == alone.report[0]


def test_no_global_random_state_is_touched(channel, rng, as_symbols, rows):
    generator = sionna_phy().config.torch_rng("cpu")
    states = (
        torch.get_rng_state(),
        np.random.get_state()[1].copy(),
        random.getstate(),
        generator.get_state(),
    )
    channel.transmit(as_symbols(rows), rng.at("fresh"))
    assert torch.equal(states[0], torch.get_rng_state())
    assert (states[1] == np.random.get_state()[1]).all()
    assert states[2] == random.getstate()
    assert torch.equal(states[3], generator.get_state())


@pytest.mark.parametrize("snr_db", [-5.0, 5.0, 15.0])
def test_noise_variance_is_that_of_the_noise(channel, snr_db, rng, as_symbols, qpsk):
    """Averaged over the ensemble |received - sent|^2 / noise_var is 1 and received / sent is 1,
    with any knowledge of h.
    """
    symbols = as_symbols([qpsk(3000, seed)[0] for seed in range(40)])
    received = at_snr(channel, snr_db).transmit(symbols, rng)
    ratio = ((received.values - symbols.values).abs().square() / received.noise_var).mean()
    gain = ((received.values * symbols.values.conj()).real / received.noise_var).sum() / (
        1 / received.noise_var
    ).sum()
    estimated = getattr(channel, "csi", "perfect") != "perfect"
    assert float(ratio) == pytest.approx(1, abs=0.03 if estimated else 0.015)
    if (
        getattr(channel, "equaliser", "") != "zf"
    ):  # which takes a noisy estimate for the truth, and so shrinks symbols
        assert float(gain) == pytest.approx(1, abs=0.06)


def test_gradients_flow_and_are_right(channel, rng, as_symbols, rows):
    """Every channel is affine in the symbols, so a finite difference of any step is exact up to
    rounding.
    """
    generator = torch.Generator().manual_seed(5)
    start = [row.clone().requires_grad_() for row in rows]
    step = [torch.randn(len(row), dtype=torch.complex64, generator=generator) for row in rows]
    received = channel.transmit(as_symbols(start), rng)
    probe = torch.randn(received.values.shape, dtype=torch.complex64, generator=generator)
    probe = probe * (
        received.noise_var < 0.5
    )  # deep fades have huge gains of no use to a numerical test
    (probe.conj() * received.values).real.sum().backward()
    moved = channel.transmit(
        as_symbols([row.detach() + by for row, by in zip(start, step, strict=True)]), rng
    )
    difference = (probe.conj() * (moved.values - received.values.detach())).real.sum()
    slope = sum(
        float((row.grad.conj() * by).real.sum()) for row, by in zip(start, step, strict=True)
    )
    assert slope == pytest.approx(float(difference), rel=1e-3, abs=1e-2)
    for row, mine in zip(
        start, probe, strict=True
    ):  # a symbol is probed exactly where it has a gradient
        assert torch.equal(row.grad != 0, mine[: len(row)] != 0)


def test_more_snr_never_means_more_error(channel, rng, as_symbols, rows):
    """The points of a sweep share fading and noise, so this holds for the mean error of one
    realisation.
    """
    symbols = as_symbols(rows)
    errors = []
    for snr_db in (-10.0, 0.0, 5.0, 10.0, 20.0, 30.0):
        received = at_snr(channel, snr_db).transmit(symbols, rng)
        wrong = (received.values.real.sign() != symbols.values.real.sign()).float()
        errors.append(float(wrong[symbols.values != 0].mean()))
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 0.15 > errors[-1]


def test_an_empty_batch_and_empty_rows_pass(channel, rng, as_symbols):
    received = channel.transmit(as_symbols([torch.zeros(0, dtype=torch.complex64)] * 2), rng)
    assert received.values.shape == (2, 0)
    assert all(sum(spent.values()) == 0 for spent in received.overhead)


def test_a_channel_pickles(channel):
    assert pickle.loads(pickle.dumps(channel)) == channel


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: AWGN(snr_db="high"), "snr_db"),
        (lambda: Rayleigh(coherence="slow"), "coherence"),
        (lambda: Rayleigh(block_symbols=0), "block_symbols"),
        (lambda: UMa(), "block_snr_db"),
        (lambda: UMa(snr_db=1.0, block_snr_db=1.0), "block_snr_db"),
        (lambda: UMa(snr_db=1.0, pilot_symbols=(2, 14)), "pilot_symbols"),
        (lambda: UMa(snr_db=1.0, pilot_symbols=(11, 2)), "pilot_symbols"),
        (lambda: UMa(snr_db=1.0, speed_kmh=(120.0, 60.0)), "speed_kmh"),
        (lambda: UMa(snr_db=1.0, carrier_frequency_hz=28.0), "carrier_frequency_hz"),
    ],
)
def test_bad_values_are_refused_by_name(make, named):
    with pytest.raises(ComponentError, match=named):
        make()


@pytest.mark.parametrize(
    "through",
    [
        AWGN(snr_db=8.0),
        Rayleigh(snr_db=12.0, csi="estimated", pilots=4),
        UMi(snr_db=10.0, csi="lmmse"),
        TDL(snr_db=12.0, equaliser="zf"),
        Satellite(snr_db=18.0),
        *(
            pytest.param(one, marks=pytest.mark.slow)
            for one in (
                Rayleigh(snr_db=12.0),
                Rician(snr_db=10.0),
                UMa(snr_db=10.0),
                RMa(snr_db=12.0),
                CDL(snr_db=12.0, rx_antennas=2),
                NTNTDL(snr_db=14.0),
            )
        ),
    ],
    ids=lambda one: type(one).__name__,
)
def test_a_codec_trains_over_any_channel(through, rng, as_symbols):
    """A linear pair that sends 8 numbers in 6 symbols learns to weigh its symbols by noise_var, and
    halves its error.
    """
    generator = torch.Generator().manual_seed(0)
    encoder, decoder = torch.nn.Linear(8, 12), torch.nn.Linear(12, 8)
    for weights in (encoder.weight, decoder.weight):
        torch.nn.init.normal_(weights, std=0.3, generator=generator)
    optimiser = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.02)
    losses = []
    for step in range(60):
        numbers = torch.randn(200, 8, generator=generator)
        rows = torch.view_as_complex(encoder(numbers).reshape(1, -1, 2))
        sent = as_symbols([row / row.abs().square().mean().sqrt() for row in rows])
        got = through.transmit(sent, rng.at("step", step))
        trusted = got.values / (1 + got.noise_var)
        loss = (decoder(torch.view_as_real(trusted).reshape(200, 12)) - numbers).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert sum(losses[-10:]) < 0.5 * sum(losses[:10])
