"""TR 38.901: our sum over the rays against Sionna's, the calibration of the ensembles, the
standard's tables, the pool.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import special, stats

from semcore import LRU, Rng
from semcore_channels.ofdm.estimation import Correlation
from semcore_channels.ofdm.sampling import Sampling
from semcore_channels.ofdm.slots import SlotRange
from semcore_channels.sionna_rng import sionna_phy, sionna_rng
from semcore_channels.tr38901 import pool
from semcore_channels.tr38901.cells import RMa, UMa, UMi
from semcore_channels.tr38901.drops import precoded
from semcore_channels.tr38901.profiles import CDL, TDL

CELLS = pytest.mark.parametrize("cell", [UMa, UMi, RMa])
SMALL = {"subcarriers": 24, "cyclic_prefix": 2}


def realised(channel, count, seed=0):
    return channel.channel([SlotRange("a", 0, count)], Rng(seed))


# ----------------------------------------------------------------------------------- against Sionna


@CELLS
@pytest.mark.parametrize(("los", "tolerance"), [("never", 2e-4), ("always", 5e-2)])
def test_the_response_is_that_of_sionna(cell, los, tolerance, rng):
    """The same random numbers give the same drop.

    The phase of a line of sight of 10^5 wavelengths is coarse in float32.
    """
    sionna_phy()
    from sionna.phy.channel import (
        cir_to_ofdm_channel,
        gen_single_sector_topology,
        subcarrier_frequencies,
        tr38901,
    )

    channel = cell(snr_db=0.0, los=los, rx_antennas=3, tx_antennas=2, **SMALL)
    carrier, slots = channel.carrier_frequency_hz, 32

    def upright(columns):
        return tr38901.PanelArray(1, columns, "single", "V", "omni", carrier, device="cpu")

    model = getattr(tr38901, cell.__name__)
    kind = () if cell is RMa else ("low",)
    theirs = model(carrier, *kind, upright(2), upright(3), "uplink", device="cpu")
    slowest, fastest = (speed / 3.6 for speed in channel.speed_kmh)
    with sionna_rng(rng), torch.no_grad():
        terminals, stations, tilts, station_tilts, velocities, indoor = gen_single_sector_topology(
            slots,
            1,
            channel.cell,
            indoor_probability=0.0,
            min_ut_velocity=slowest,
            max_ut_velocity=fastest,
            device="cpu",
        )
        outdoors = {"in_car": torch.zeros_like(indoor)} if cell is RMa else {}
        theirs.set_topology(
            terminals,
            stations,
            torch.zeros_like(tilts),
            torch.zeros_like(station_tilts),
            velocities,
            indoor,
            los=los == "always",
            **outdoors,
        )
        paths = theirs(14, 1 / channel.symbol_s)
        frequencies = subcarrier_frequencies(24, channel.subcarrier_spacing_hz, device="cpu")
        expected = cir_to_ofdm_channel(frequencies, *paths)[:, 0, :, 0]
    with sionna_rng(rng), torch.no_grad():
        drop = channel.ensemble.drop(slots)
    shift = fastest * carrier / 299_792_458
    ours = drop.paths.response(channel.sampling, shift) * drop.gain.sqrt().reshape(-1, 1, 1, 1, 1)
    scale = drop.gain.sqrt().reshape(-1, 1, 1, 1, 1)  # path loss and shadowing, too
    torch.testing.assert_close(ours / scale, expected / scale, rtol=0, atol=tolerance)


@pytest.mark.parametrize("line", [TDL, CDL])
@pytest.mark.parametrize("speed_kmh", [3.0, 500.0])
def test_the_response_of_a_profile_is_that_of_sionna(line, speed_kmh, rng):
    sionna_phy()
    from sionna.phy.channel import cir_to_ofdm_channel, subcarrier_frequencies

    from semcore_channels.tr38901 import profiles

    channel = line(
        snr_db=0.0,
        model="B",
        delay_spread_s=300e-9,
        rx_antennas=2,
        speed_kmh=(speed_kmh,) * 2,
        **SMALL,
    )
    ours = channel.ensemble.draw(rng, 16).response
    with sionna_rng(rng), torch.no_grad():
        paths = profiles._line(channel.ensemble)(16, 14, 1 / channel.symbol_s)
    expected = cir_to_ofdm_channel(subcarrier_frequencies(24, 30e3, device="cpu"), *paths)[
        :, 0, :, 0, 0
    ]
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-3)


# -------------------------------------------------------------------------------------- calibration


@pytest.mark.parametrize(
    "channel",
    [UMa(snr_db=0.0, **SMALL), UMi(snr_db=0.0, **SMALL), RMa(snr_db=0.0, **SMALL)]
    + [line(snr_db=0.0, model=model, **SMALL) for line in (TDL, CDL) for model in "ABCDE"],
    ids=lambda channel: f"{type(channel).__name__} {getattr(channel, 'model', '')}",
)
@pytest.mark.default_cases(4)
def test_the_ensemble_has_unit_mean_gain(channel):
    """Path loss off is not enough: antennas that do not stand upright would lose power to the other
    polarisation.
    """
    gains = channel.ensemble.draw(Rng(3), 1600).response.abs().square().mean((1, 2, 3))
    assert float(gains.mean()) == pytest.approx(
        1, abs=2.58 * float(gains.std()) / math.sqrt(len(gains))
    )
    assert float(gains.std()) > 0.1  # and slots fade


def test_with_block_snr_every_slot_has_unit_energy():
    energy = realised(UMa(block_snr_db=3.0), 40).response.abs().square().mean((1, 2, 3))
    torch.testing.assert_close(energy, torch.ones(40), rtol=1e-5, atol=0)


def test_the_report_has_the_realised_snr(rng, as_symbols, qpsk):
    symbols = as_symbols([qpsk(5000)[0]])
    assert UMa(block_snr_db=3.0).transmit(symbols, rng).report[0]["snr_db"] == pytest.approx(
        3, abs=1e-4
    )
    channel = UMa(snr_db=3.0)
    mean = channel.channel([SlotRange("row0", 0, 4)], rng).response.abs().square().mean()
    assert channel.transmit(symbols, rng).report[0]["snr_db"] == pytest.approx(
        3 + 10 * math.log10(mean), abs=1e-4
    )


def test_a_slot_of_numerology_4_takes_a_sixteenth_of_a_millisecond(rng, as_symbols, qpsk):
    """TS 38.211, 4.3.2; its first prefix of half a subframe is longer by 16 Ts, which a slot of
    equal symbols leaves out.
    """
    report = UMa(snr_db=3.0).transmit(as_symbols([qpsk(1536)[0]]), rng).report[0]
    assert report["air_time_s"] == pytest.approx(1e-3 / 16, rel=2e-3)


def test_speeds_are_those_configured():
    shifts = UMa(snr_db=0.0).ensemble.draw(Rng(0), 640).doppler_hz * 299_792_458 / 28e9 * 3.6
    assert 60 <= float(shifts.min()) < 63 and 117 < float(shifts.max()) <= 120.01
    still = realised(UMa(snr_db=0.0, speed_kmh=(0.0, 0.0)), 4).response
    torch.testing.assert_close(still, still[:, :, :1].expand_as(still), rtol=1e-3, atol=1e-3)


def test_doppler_is_reported(rng, as_symbols, qpsk):
    report = (
        UMa(snr_db=0.0, speed_kmh=(90.0, 90.0)).transmit(as_symbols([qpsk(10)[0]]), rng).report[0]
    )
    assert report["doppler_hz"] == pytest.approx(28e9 * 25 / 299_792_458, rel=1e-4)


@CELLS
def test_line_of_sight_fades_less(cell):
    spread = {
        los: float(realised(cell(snr_db=0.0, los=los, **SMALL), 200).response.abs().square().var())
        for los in ("always", "never")
    }
    assert spread["always"] < spread["never"] / 1.5


@pytest.mark.parametrize("model", ["A", "D"])
def test_a_tapped_delay_line_has_the_profile_of_the_standard(model):
    """E[h(f) h*(f')] = sum p exp(-2 pi i (f - f') tau), with the delays and powers of TR 38.901
    Table 7.7.2.
    """
    sionna_phy()
    from sionna.phy.channel.tr38901 import TDL as Theirs

    channel = TDL(snr_db=0.0, model=model, delay_spread_s=1e-6, **SMALL)
    profile = Theirs(model, 1e-6, 3.5e9, device="cpu")
    powers, delays = profile.mean_powers.double(), profile.delays.double()
    mean = (powers * delays).sum()
    assert float(((powers * delays.square()).sum() - mean**2).sqrt()) == pytest.approx(
        1e-6, rel=0.02
    )
    expected = torch.exp(-2j * math.pi * 30e3 * torch.arange(24).unsqueeze(1) * delays) @ powers.to(
        torch.complex128
    )
    seen = Correlation.of(channel.ensemble.draw(Rng(1), 6000).response).frequency
    torch.testing.assert_close(seen.to(torch.complex128), expected, rtol=0, atol=0.05)


def test_the_doppler_spectrum_is_that_of_jakes():
    """E[h(t) h*(t')] = J0(2 pi fd (t - t')), TR 38.901, 7.7.2."""
    channel = TDL(snr_db=0.0, speed_kmh=(500.0, 500.0), carrier_frequency_hz=10e9, **SMALL)
    shift = 500 / 3.6 * 10e9 / 299_792_458
    seen = Correlation.of(channel.ensemble.draw(Rng(1), 6000).response).time
    expected = special.j0(2 * math.pi * shift * channel.symbol_s * np.arange(14))
    assert np.abs(seen.numpy() - expected).max() < 0.04


def test_taps_without_line_of_sight_fade_as_rayleigh():
    response = (
        TDL(snr_db=0.0, model="A", delay_spread_s=0.0, **SMALL)
        .ensemble.draw(Rng(4), 3000)
        .response[:, 0, 0, 0]
    )
    assert stats.kstest(response.abs().square().numpy(), "expon").pvalue > 0.01
    assert stats.kstest(response.angle().numpy(), "uniform", (-math.pi, 2 * math.pi)).pvalue > 0.01


@pytest.mark.parametrize("doppler_hz", [0.0, 5.0, 500.0, 3100.0, 20_000.0])
def test_interpolation_over_time_is_exact_to_its_precision(doppler_hz):
    sampling = Sampling(14, 4.46e-6, 1, 240e3, 0.0)
    instants = sampling.instants(doppler_hz)

    def wave(times):
        return torch.exp(2j * math.pi * doppler_hz * times).unsqueeze(-1).to(torch.complex64)

    dense = sampling.over_time(wave(sampling.times_s(instants)))
    assert float((dense - wave(sampling.times_s(14))).abs().max()) < 1e-4
    assert instants <= 14 and (doppler_hz > 1000 or instants < 5)


@pytest.mark.parametrize(("late", "expected"), [(0.0, 0.0), (-0.5, 0.0), (0.1, 0.19), (0.5, 0.75)])
def test_interference_beyond_the_prefix(late, expected):
    """One path, late by a share e of a symbol: 1 - (1 - e)^2 of its power."""
    sampling = Sampling(14, 1 / 30e3, 64, 30e3, 1e-6)
    delays = torch.tensor([[1e-6 + late / 30e3]])
    assert float(sampling.isi(delays, torch.ones(1, 1))) == pytest.approx(expected, abs=1e-4)


def test_the_short_prefix_of_28_ghz_is_told(rng, as_symbols, qpsk):
    """0.29 us are shorter than many channels without line of sight: the report says what the model
    leaves out.
    """

    def late(**settings):
        return float(realised(UMa(snr_db=0.0, **settings), 200).isi.mean())

    assert late(los="never") > 2 * late(los="always") > 0
    assert late(los="never", cyclic_prefix=64) < late(los="never") / 5
    assert (
        "isi_db"
        in UMa(snr_db=0.0, los="never").transmit(as_symbols([qpsk(4000)[0]]), rng).report[0]
    )


# ---------------------------------------------------------------------------- antennas, link budget


def test_precoding_keeps_the_power_and_eigenbeams_use_it():
    generator = torch.Generator().manual_seed(0)
    response = torch.randn(500, 2, 4, 3, 5, dtype=torch.complex64, generator=generator)
    equal, beam = (
        precoded(response, kind).abs().square().mean((1, 2, 3)) for kind in ("equal", "eigenbeam")
    )
    assert float(equal.mean()) == pytest.approx(1, abs=0.02)
    flat = response.transpose(1, 2).flatten(2)
    strongest = torch.linalg.eigvalsh(flat @ flat.mH)[:, -1] / 30
    torch.testing.assert_close(beam, strongest, rtol=1e-3, atol=1e-3)
    assert torch.equal(
        precoded(response[:, :, :1], "equal"), precoded(response[:, :, :1], "eigenbeam")
    )


def test_a_link_budget_is_power_less_path_loss_less_noise():
    """-174 dBm/Hz + 10 log10(240 kHz) + 5 dB of noise a resource element, the power shared by 128
    of them.
    """
    channel = UMa(tx_power_dbm=23.0)
    noise_dbm = -173.975 + 53.802 + 5
    assert channel.noise_power_dbm == pytest.approx(noise_dbm, abs=0.01)
    assert channel.unit_gain_snr_db() == pytest.approx(
        23 - 10 * math.log10(128) - noise_dbm, abs=0.01
    )
    gains_db = 10 * torch.log10(realised(channel, 1000).gain)
    assert -150 < float(gains_db.quantile(0.05)) < float(gains_db.quantile(0.95)) < -85
    assert realised(UMa(snr_db=3.0), 4).gain is None


def test_a_stronger_terminal_is_heard_better(rng, as_symbols, qpsk):
    symbols = as_symbols([qpsk(1536)[0]])
    reports = [
        UMa(tx_power_dbm=power).transmit(symbols, rng).report[0]["snr_db"] for power in (10.0, 23.0)
    ]
    assert reports[1] - reports[0] == pytest.approx(13, abs=1e-3)


PATH_LOSS = {
    (28e9, True): (92.690, 101.200, 116.331), (28e9, False): (105.983, 121.099, 147.978),
    (3.5e9, True): (74.629, 83.138, 98.269), (3.5e9, False): (87.921, 103.038, 129.916),
}  # fmt: skip
"""(carrier in Hz, line of sight) -> path loss in dB at 35, 100 and 500 m, TR 38.901 Table 7.4.1-1,
BS 25 m, UT 1.5 m.
"""


@pytest.mark.parametrize(("case", "expected"), PATH_LOSS.items())
def test_path_loss_of_the_model(case, expected, rng):
    sionna_phy()
    from sionna.phy.channel.tr38901 import PanelArray, UMaScenario

    carrier, los = case
    array = PanelArray(1, 1, "single", "V", "omni", carrier, device="cpu")
    scenario = UMaScenario(carrier, "low", array, array, "uplink", device="cpu")
    distances = torch.tensor([35.0, 100.0, 500.0])
    terminals = torch.stack((distances, torch.zeros(3), torch.full((3,), 1.5)), dim=-1).unsqueeze(1)
    stations = torch.tensor([0.0, 0.0, 25.0]).expand(3, 1, 3)
    nothing = torch.zeros(3, 1, 3)
    with sionna_rng(rng):
        scenario.set_topology(
            terminals,
            stations,
            nothing,
            nothing,
            nothing,
            torch.zeros(3, 1, dtype=torch.bool),
            los=los,
        )
    torch.testing.assert_close(
        scenario.basic_pathloss.flatten(), torch.tensor(expected), rtol=0, atol=0.01
    )


# ----------------------------------------------------------------------------------------- the pool


def test_a_sweep_draws_its_channels_once(rng, as_symbols, qpsk, monkeypatch):
    calls = []
    ensemble = type(UMa(snr_db=0.0).ensemble)
    draw = ensemble.draw
    monkeypatch.setattr(ensemble, "draw", lambda *args: calls.append(args) or draw(*args))
    symbols = as_symbols([qpsk(100)[0], qpsk(40_000)[0]])
    sweep, counts = Rng(77).at("sweep"), []
    for snr_db in (0.0, 5.0, 10.0):
        for reading in ("snr_db", "block_snr_db"):
            for csi in ("ls", "perfect"):
                UMa(**{reading: snr_db}, csi=csi, realisations=1000).transmit(symbols, sweep)
                counts.append(len(calls))
    assert (
        counts == counts[:1] * 12 and counts[0] <= 4
    )  # blocks of 256, and what the receiver has observed
    for number in range(20):
        UMa(snr_db=0.0, realisations=1000).transmit(symbols, sweep.at(number))
    assert len(calls) <= 1 + 4


def test_rows_take_their_slots_from_the_pool_at_places_of_their_own():
    channel = UMa(snr_db=0.0, realisations=100, **SMALL)
    whole = realised(channel, 64).response
    again = channel.channel([SlotRange("a", 64, 64)], Rng(0)).response
    assert torch.equal(again[36:], whole[:28])  # 100 realisations, then the first one again
    assert not torch.equal(channel.channel([SlotRange("b", 0, 1)], Rng(0)).response, whole[:1])
    assert not torch.equal(channel.channel([SlotRange("a", 0, 1)], Rng(1)).response, whole[:1])
    assert torch.equal(
        replace(channel, snr_db=9.0).channel([SlotRange("a", 3, 2)], Rng(0)).response, whole[3:5]
    )


def test_what_is_kept_is_bounded(monkeypatch):
    monkeypatch.setattr(pool, "_blocks", LRU(size=20_000_000, size_of=pool._bytes))
    channel = UMa(snr_db=0.0)
    parts = [channel.channel([SlotRange(key, 0, 2)], Rng(5)) for key in ("a", "b", "c", "a")]
    assert torch.equal(parts[0].response, parts[3].response)
    assert sum(pool._bytes(one) for one in pool._blocks._values.values()) <= 20_000_000
