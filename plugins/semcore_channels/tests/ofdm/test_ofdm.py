"""The grid, the estimators and the equalisers against closed forms and Sionna's receiver."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from semcore import ComponentError, Rng
from semcore_channels.ofdm import reception
from semcore_channels.ofdm.channel import OFDMChannel
from semcore_channels.ofdm.equalisation import Combined
from semcore_channels.ofdm.estimation import Correlation, Estimator
from semcore_channels.ofdm.grid import Grid
from semcore_channels.ofdm.slots import SLOTS_AT_ONCE, SlotRange, Slots
from semcore_channels.sionna_rng import sionna_phy, sionna_rng

KRONECKER = Grid(48, 14, (2, 11))
COMB = Grid(48, 14, tuple(range(14)), 4)
LATTICE = Grid(48, 14, (0, 4, 8, 12), 3)
GRIDS = pytest.mark.parametrize(
    "grid", [KRONECKER, COMB, LATTICE], ids=["kronecker", "comb", "lattice"]
)


def correlation(grid: Grid, doppler: float = 0.02, spread: float = 0.01) -> Correlation:
    """Clarke's fading in time, an exponential delay profile in frequency (per OFDM symbol and per
    subcarrier).
    """
    lags = torch.arange(grid.ofdm_symbols)
    over_time = torch.special.bessel_j0(2 * math.pi * doppler * lags).to(torch.complex64)
    return Correlation(over_time, 1 / (1 + 2j * math.pi * spread * torch.arange(grid.subcarriers)))


def gaussian(known: Correlation, slots: int, antennas: int, seed: int = 0) -> torch.Tensor:
    """Responses with exactly that correlation."""

    def root(lags: torch.Tensor) -> torch.Tensor:
        places = torch.arange(len(lags))
        lag = places.unsqueeze(1) - places
        matrix = torch.where(lag < 0, lags[lag.abs()].conj(), lags[lag.abs()]).to(torch.complex128)
        values, vectors = torch.linalg.eigh(matrix)
        return (vectors * values.clamp_min(0).sqrt()).to(torch.complex64)

    generator = torch.Generator().manual_seed(seed)
    shape = (slots, antennas, len(known.time), len(known.frequency))
    white = torch.randn(shape, dtype=torch.complex64, generator=generator)
    return root(known.time) @ white @ root(known.frequency).mT


@dataclass(frozen=True)
class Drawn(OFDMChannel):
    """A channel whose realisations are Gaussian with the correlation above."""

    rx_antennas: int = 1

    def draw(self, parts: Sequence[SlotRange], rng: Rng) -> Slots:
        drawn = [
            gaussian(
                self.correlation(),
                p.count,
                self.rx_antennas,
                rng.at(p.key, p.first).integer() % 2**31,
            )
            for p in parts
        ]
        return Slots(torch.cat(drawn), torch.zeros(sum(p.count for p in parts)))

    def correlation(self) -> Correlation:
        return correlation(self.grid)


@GRIDS
def test_every_element_is_a_pilot_or_data(grid):
    data = torch.arange(1, 2 * grid.data_uses + 1).reshape(2, -1).to(torch.complex64)
    slots = grid.fill(data)
    assert torch.equal(grid.data_of(slots), data)
    torch.testing.assert_close(
        grid.at_pilots(slots.unsqueeze(1))[0, 0], torch.ones_like(grid.pilots)
    )
    assert grid.pilot_uses + grid.data_uses == 48 * 14
    order = grid.data_of(torch.arange(48 * 14).reshape(1, 14, 48))[0]
    assert torch.equal(order, order.sort().values)  # in the order of time, then of frequency


def test_the_comb_of_the_satellite_paper_has_30_pilots_and_90_data_a_symbol():
    grid = Grid(120, 14, tuple(range(14)), 4)
    assert (grid.pilot_uses, grid.data_uses) == (14 * 30, 14 * 90)


@GRIDS
@pytest.mark.parametrize(("length", "slots"), [(0, 0), (1, 1), (400, 1), (10_000, 0)])
def test_a_row_pays_for_its_slots(grid, length, slots, rng, as_symbols, qpsk):
    channel = Drawn(
        snr_db=3.0,
        subcarriers=48,
        pilot_symbols=grid.pilot_symbols,
        pilot_spacing=grid.pilot_spacing,
        cyclic_prefix=4,
    )
    slots = slots or -(-length // grid.data_uses)
    received = channel.transmit(as_symbols([qpsk(length)[0]]), rng)
    spent = {
        "pilots": slots * grid.pilot_uses,
        "cyclic-prefix": slots * 14 * 4,
        "padding": slots * grid.data_uses - length,
    }
    assert received.overhead == (spent,)
    assert length + sum(spent.values()) == slots * 14 * (48 + 4)  # every sample that is sent
    report = received.report[0]
    assert report["air_time_s"] == pytest.approx(slots * 14 * 52 / 48 / 30e3)
    assert report["duration_s"] == pytest.approx(slots * 14 / 30e3)


@GRIDS
@pytest.mark.parametrize("method", ["linear", "nearest", "lmmse"])
@pytest.mark.parametrize(("noise_var", "gain"), [(1.0, 1.0), (0.05, 3.0), (1e-4, 0.3)])
@pytest.mark.default_cases(9)
def test_the_receiver_knows_the_error_of_its_estimate(grid, method, noise_var, gain):
    """Over the ensemble E|h - trust e|^2 = unknown for every element, with E[(h - trust e) e*] = 0:
    no better scaling.
    """
    known, slots = correlation(grid), 4000
    response = gain**0.5 * gaussian(known, slots, 1)
    known = Correlation(known.time, gain * known.frequency)
    noise = torch.randn(
        response.shape, dtype=torch.complex64, generator=torch.Generator().manual_seed(1)
    )
    pilots_only = grid.fill(torch.zeros(slots, grid.data_uses, dtype=torch.complex64)).unsqueeze(1)
    estimator = Estimator(
        grid,
        known,
        "lmmse" if method == "lmmse" else "ls",
        "nearest" if method == "nearest" else "linear",
    )
    var = torch.tensor([noise_var])
    found = estimator.interpolated(response * pilots_only + noise_var**0.5 * noise, var)
    trust, unknown = estimator.reliability(var)
    error = response - trust * found
    seen = error.abs().square().mean((0, 1))
    assert float(((seen - unknown[0]) / (unknown[0] / slots**0.5)).abs().max()) < 5
    assert float((error * found.conj()).mean((0, 1)).abs().max()) < 5 * max(gain, 1) / slots**0.5


@GRIDS
def test_wiener_is_the_textbook_filter_and_the_best(grid):
    """Against R_hp (R_pp + N0 I)^-1 over all elements; and no interpolation has a smaller error."""
    known, noise_var = correlation(grid), 0.1
    arrived = gaussian(known, 2, 1) * grid.fill(
        torch.ones(2, grid.data_uses, dtype=torch.complex64)
    ).unsqueeze(1)
    var, wiener = torch.tensor([noise_var]), Estimator(grid, known, "lmmse")

    def matrix(lags: torch.Tensor, rows: Sequence[int], columns: Sequence[int]) -> torch.Tensor:
        lag = torch.tensor(rows).unsqueeze(1) - torch.tensor(columns)
        return torch.where(lag < 0, lags[lag.abs()].conj(), lags[lag.abs()]).to(torch.complex128)

    times, bands = range(grid.ofdm_symbols), range(grid.subcarriers)
    pilots = grid.pilot_symbols, grid.pilot_subcarriers
    cross = torch.kron(
        matrix(known.time, times, pilots[0]), matrix(known.frequency, bands, pilots[1])
    )
    own = torch.kron(
        matrix(known.time, pilots[0], pilots[0]), matrix(known.frequency, pilots[1], pilots[1])
    )
    filter_ = torch.linalg.solve(own + noise_var * torch.eye(len(own)), cross.mH).mH
    expected = filter_ @ grid.at_pilots(arrived).flatten(1).to(torch.complex128).mT
    found = wiener.interpolated(arrived, var).flatten(1).mT.to(torch.complex128)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    left = (1 - (filter_ * cross.conj()).sum(1).real).reshape(grid.ofdm_symbols, -1).float()
    unknown = wiener.reliability(var)[1][0]
    torch.testing.assert_close(unknown, left, rtol=1e-3, atol=1e-4)
    for interpolation in ("linear", "nearest"):
        assert (
            unknown < Estimator(grid, known, "ls", interpolation).reliability(var)[1][0] + 1e-6
        ).all()


@GRIDS
def test_linear_interpolation_is_exact_for_a_response_that_is_linear(grid):
    at, bands = torch.arange(14.0).unsqueeze(1), torch.arange(48.0)
    response = ((1 + 1j) + 0.1j * at - 0.05 * bands + 0.01 * at * bands).reshape(1, 1, 14, 48)
    arrived = response * grid.fill(torch.zeros(1, grid.data_uses, dtype=torch.complex64)).unsqueeze(
        1
    )
    found = Estimator(grid, correlation(grid)).interpolated(arrived, torch.tensor([1e-9]))
    torch.testing.assert_close(found, response, rtol=1e-4, atol=1e-4)


@GRIDS
def test_nearest_interpolation_takes_the_nearest_pilot(grid):
    response = torch.randn(
        1, 1, 14, 48, dtype=torch.complex64, generator=torch.Generator().manual_seed(3)
    )
    arrived = response * grid.fill(torch.zeros(1, grid.data_uses, dtype=torch.complex64)).unsqueeze(
        1
    )
    found = Estimator(grid, correlation(grid), "ls", "nearest").interpolated(
        arrived, torch.tensor([1e-9])
    )
    times, bands = grid.pilot_symbols, grid.pilot_subcarriers
    for at, band in itertools.product(range(14), range(48)):
        early, near = (
            min(abs(pilot - x) for pilot in pilots) for x, pilots in ((at, times), (band, bands))
        )
        nearest = [
            response[0, 0, t, f]
            for t in times
            for f in bands
            if (abs(t - at), abs(f - band)) == (early, near)
        ]
        assert min(float((found[0, 0, at, band] - one).abs()) for one in nearest) < 1e-5


@pytest.mark.parametrize("method", ["lmmse", "zf"])
@pytest.mark.parametrize("csi", ["ls", "lmmse", "perfect"])
@pytest.mark.parametrize("antennas", [1, 3])
def test_the_noise_that_is_left_is_told(method, csi, antennas, rng, as_symbols, qpsk):
    channel = Drawn(snr_db=12.0, subcarriers=48, csi=csi, equaliser=method, rx_antennas=antennas)
    symbols = as_symbols([qpsk(10 * channel.grid.data_uses, seed)[0] for seed in range(60)])
    received = channel.transmit(symbols, rng)
    ratio = ((received.values - symbols.values).abs().square() / received.noise_var).mean(1)
    assert float(ratio.mean()) == pytest.approx(1, abs=0.01 + 4 * float(ratio.std()) / 60**0.5)


def test_zero_forcing_is_element_wise_division():
    """Satellite paper, eq. 8: with one antenna the estimate divides what arrived."""
    generator = torch.Generator().manual_seed(0)
    signal, noise, e, f = (
        torch.randn(2, 1, 15, dtype=torch.complex64, generator=generator) for _ in range(4)
    )
    combined = Combined.of(signal, noise, e, f)
    trust, unknown = torch.full((1, 15), 0.8 + 0j), torch.full((1, 15), 0.3)
    for s in (0.0, 0.5, 3.0):
        values, left = combined.equalised(s, trust, unknown, "zf")
        torch.testing.assert_close(
            values, ((signal + s * noise) / (e + s * f))[:, 0], rtol=1e-3, atol=1e-3
        )
        torch.testing.assert_close(
            left, (0.3 / (e + s * f).abs().square() + 0.04)[:, 0], rtol=1e-3, atol=1e-3
        )


@pytest.mark.parametrize("csi", ["ls", "lmmse", "perfect"])
def test_what_a_sweep_shares_changes_nothing(csi, rng, as_symbols, qpsk):
    """The points of a sweep in any order, between other rows, give what each gives alone."""
    rows = [as_symbols([qpsk(700, seed)[0]]) for seed in range(2)]
    points = [Drawn(snr_db=snr_db, subcarriers=48, csi=csi) for snr_db in (0.0, 10.0, 20.0)]
    together = [point.transmit(row, rng) for row in rows for point in (*points, *reversed(points))]
    alone = []
    for row in rows:
        for point in (*points, *reversed(points)):
            reception._entries.clear()
            alone.append(point.transmit(row, rng))
    for one, other in zip(together, alone, strict=True):
        assert torch.equal(one.values, other.values) and torch.equal(one.noise_var, other.noise_var)
        assert one.report == other.report
    whole = as_symbols([qpsk(4 * points[0].grid.data_uses)[0]])
    points[0].transmit(whole, rng)
    whole.values.mul_(-1)  # in place: the reception of the former symbols must not be reused
    now = points[0].transmit(whole, rng).values
    reception._entries.clear()
    assert torch.equal(now, points[0].transmit(whole, rng).values)


@pytest.mark.parametrize("grid", [KRONECKER, COMB], ids=["kronecker", "comb"])
@pytest.mark.parametrize("csi", ["ls", "perfect"])
def test_the_receiver_is_that_of_sionna(grid, csi, rng):
    """The same received slots through Sionna's estimator and equaliser give the same symbols.

    Of an estimate, if it is taken for the truth: that is what Sionna's equaliser does.
    """
    sionna_phy()
    from sionna.phy.mimo import StreamManagement
    from sionna.phy.ofdm import LMMSEEqualizer, LSChannelEstimator, PilotPattern, ResourceGrid

    slots, noise_var, known = 6, torch.tensor(0.3), correlation(grid)
    response = gaussian(known, slots, 2)
    generator = torch.Generator().manual_seed(2)
    data = torch.randn(slots, grid.data_uses, dtype=torch.complex64, generator=generator)
    noise = torch.randn(response.shape, dtype=torch.complex64, generator=generator)
    arrived = response * grid.fill(data).unsqueeze(1) + noise_var.sqrt() * noise

    mask = np.zeros((1, 1, 14, 48), bool)
    mask[..., list(grid.pilot_symbols), :: grid.pilot_spacing] = True
    with sionna_rng(rng):
        pattern = PilotPattern(mask, grid.pilots.reshape(1, 1, -1).numpy())
        theirs = ResourceGrid(14, 48, 30e3, 1, 1, pilot_pattern=pattern, device="cpu")
    ours, estimate = response, response[:, None, :, None, None]
    if csi == "ls":
        ours = Estimator(grid, known).interpolated(arrived, noise_var.reshape(1))
        estimate, _ = LSChannelEstimator(theirs, interpolation_type="lin", device="cpu")(
            arrived.unsqueeze(1), noise_var
        )
        torch.testing.assert_close(ours, estimate[:, 0, :, 0, 0], rtol=1e-3, atol=1e-3)
    equaliser = LMMSEEqualizer(theirs, StreamManagement(np.array([[1]]), 1), device="cpu")
    values, variance = equaliser(arrived.unsqueeze(1), estimate, torch.zeros(1), noise_var)
    one = torch.ones(1, 1, 1, dtype=torch.complex64)
    combined, left = Combined.of(arrived, 0 * arrived, ours, None).equalised(
        1.0, one, noise_var.reshape(1, 1, 1), "lmmse"
    )
    torch.testing.assert_close(grid.data_of(combined), values[:, 0, 0], rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(grid.data_of(left), variance[:, 0, 0], rtol=1e-3, atol=1e-4)


def test_the_slots_of_a_long_row_do_not_depend_on_how_many_come_at_once(rng, as_symbols, qpsk):
    channel = Drawn(snr_db=10.0, subcarriers=24)
    uses = channel.grid.data_uses
    long = qpsk((SLOTS_AT_ONCE + 3) * uses)[0]
    rows = [qpsk(uses + 1)[0], long, qpsk(5)[0]]
    together = channel.transmit(as_symbols(rows), rng)
    alone = channel.transmit(as_symbols([long], ["row1"]), rng)
    assert torch.equal(together.values[1, : len(long)], alone.values[0])
    assert together.report[1] == alone.report[0]


def test_large_scale_gain_and_louder_noise_shift_the_snr(rng, as_symbols, qpsk, monkeypatch):
    channel = Drawn(snr_db=0.0, subcarriers=24, csi="perfect")
    draw = Drawn.draw

    def other(self, parts, rng):
        slots = draw(self, parts, rng)
        count = len(slots.response)
        return replace(
            slots, gain=torch.full((count,), 100.0), noise=torch.full(slots.response.shape, 2.0)
        )

    symbols = as_symbols([qpsk(3 * channel.grid.data_uses)[0]])
    plain = channel.transmit(symbols, rng)
    monkeypatch.setattr(Drawn, "draw", other)
    reception._entries.clear()
    better = channel.transmit(symbols, rng)
    torch.testing.assert_close(better.noise_var, plain.noise_var / 50)
    assert better.report[0]["snr_db"] == pytest.approx(
        plain.report[0]["snr_db"] + 10 * math.log10(50), abs=1e-4
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "Drawn needs one reading of the SNR, snr_db or block_snr_db, and has none"),
        ({"snr_db": 1.0, "block_snr_db": 1.0}, "not snr_db and block_snr_db at once"),
        (
            {"snr_db": 1.0, "pilot_symbols": ()},
            r"pilot_symbols must name OFDM symbols 0..13 \(ofdm_symbols - 1\), ascending",
        ),
        ({"snr_db": 1.0, "pilot_symbols": (3, 14)}, "ascending, not"),
        ({"snr_db": 1.0, "pilot_symbols": None}, "leave no resource element for data"),
        (
            {"snr_db": 1.0, "subcarriers": 8},
            "cyclic_prefix must not be longer than an OFDM symbol, 8 samples",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(settings, words):
    with pytest.raises(ComponentError, match=words):
        Drawn(**settings)
