"""Urban Macro: the calibration of the ensemble, the receiver against Sionna's own, the accounts of a row."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from semcore_channels import drops
from semcore_channels.sionna_rng import sionna_phy, sionna_rng
from semcore_channels.uma import UMa


def test_the_ensemble_has_unit_mean_gain(rng):
    """Path loss off is not enough: antennas that do not stand upright would lose power to the other polarisation."""
    gains = torch.cat([part.response.abs().square().mean((1, 2, 3)) for part in UMa(snr_db=0.0).channel(rng, "a", 1600)])
    assert float(gains.mean()) == pytest.approx(1, abs=2.58 * float(gains.std()) / math.sqrt(len(gains)))
    assert float(gains.std()) > 0.2  # and slots fade


def test_with_block_snr_every_slot_has_unit_energy(rng):
    parts = list(UMa(block_snr_db=3.0).channel(rng, "a", 40))
    energy = torch.cat([part.response.abs().square().mean((1, 2, 3)) for part in parts])
    torch.testing.assert_close(energy, torch.ones(40), rtol=1e-5, atol=0)


def test_the_report_has_the_realised_snr(rng, as_symbols, qpsk):
    symbols = as_symbols([qpsk(5000)[0]])
    assert UMa(block_snr_db=3.0).transmit(symbols, rng).report[0]["snr_db"] == pytest.approx(3, abs=1e-4)
    channel = UMa(snr_db=3.0)
    mean = torch.cat([part.response for part in channel.channel(rng, "row0", 4)]).abs().square().mean()
    report = channel.transmit(symbols, rng).report[0]
    assert report["snr_db"] == pytest.approx(3 + 10 * math.log10(mean), abs=1e-4)


@pytest.mark.parametrize(("length", "slots"), [(0, 0), (1, 1), (1535, 1), (1536, 1), (1537, 2), (30 * 1536, 30)])
def test_a_row_pays_for_its_slots(length, slots, rng, as_symbols, qpsk):
    received = UMa(snr_db=3.0).transmit(as_symbols([qpsk(length)[0]]), rng)
    assert received.overhead == ({"pilots": 256 * slots, "padding": 1536 * slots - length},)
    report = received.report[0]
    assert report["duration_s"] == pytest.approx(slots * 14 / 240e3)
    assert report["air_time_s"] == pytest.approx(slots * 1e-3 / 16)  # a slot of numerology 4, TS 38.211, 4.3.2
    assert (report["slots"], report["ofdm_symbols"]) == (slots, 14 * slots)


def test_speeds_are_those_configured(rng):
    fast = torch.cat([part.speed_mps for part in UMa(snr_db=0.0).channel(rng, "a", 320)]) * 3.6
    assert 60 <= float(fast.min()) < 63 and 117 < float(fast.max()) <= 120.01
    still = next(UMa(snr_db=0.0, speed_kmh=(0.0, 0.0)).channel(rng, "a", 4)).response
    torch.testing.assert_close(still, still[:, :, :1].expand_as(still), rtol=1e-3, atol=1e-3)


def test_doppler_is_reported(rng, as_symbols, qpsk):
    report = UMa(snr_db=0.0, speed_kmh=(90.0, 90.0)).transmit(as_symbols([qpsk(10)[0]]), rng).report[0]
    assert report["doppler_hz"] == pytest.approx(28e9 * 25 / 299_792_458, rel=1e-4)


def test_line_of_sight_fades_less(rng):
    spread = {}
    for los in ("always", "never"):
        response = torch.cat([part.response for part in UMa(snr_db=0.0, los=los).channel(rng, "a", 160)])
        spread[los] = float(response.abs().square().var())
    assert spread["always"] < spread["never"] / 1.5


@pytest.mark.parametrize("pilots", [(2, 11), (0, 13), (5,), (1, 6, 12)])
def test_estimation_is_exact_without_noise_where_the_response_is_linear(pilots, rng):
    grid = UMa(snr_db=0.0, pilot_symbols=pilots).grid
    generator = rng.torch()
    start, slope = torch.randn(2, 3, 2, 1, 128, dtype=torch.complex64, generator=generator)
    response = start + (slope * torch.arange(14).unsqueeze(1) / 13 if len(pilots) > 1 else 0 * start)
    data = torch.randn(3, grid.data_uses, dtype=torch.complex64, generator=generator)
    response = response.expand(3, 2, 14, 128)
    values, _ = grid.transmit(data, response, torch.zeros_like(response), 1e-9, estimated=True)
    torch.testing.assert_close(values, data, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("csi", ["ls", "perfect"])
def test_the_receiver_is_that_of_sionna(csi, rng, qpsk):
    """The same received slots through Sionna's least-squares estimator and LMMSE equaliser give the same symbols.

    With estimation, up to how far the estimate is trusted: Sionna takes it for the truth, and its error for N0 everywhere.
    """
    sionna_phy()
    from sionna.phy.mimo import StreamManagement
    from sionna.phy.ofdm import LMMSEEqualizer, LSChannelEstimator, PilotPattern, ResourceGrid

    channel = UMa(snr_db=5.0, csi=csi)
    grid, slots = channel.grid, 8
    noise_var = torch.tensor(10**-0.5)
    response = next(channel.channel(rng, "a", slots)).response
    noise = torch.randn(response.shape, dtype=torch.complex64, generator=rng.torch())
    data = qpsk(slots * grid.data_uses)[0].reshape(slots, -1)
    ours, left = grid.transmit(data, response, noise, float(noise_var), estimated=csi == "ls")

    mask = np.zeros((1, 1, 14, 128), bool)
    mask[..., grid.pilot_symbols, :] = True
    with sionna_rng(rng):
        pattern = PilotPattern(mask, grid.pilots.reshape(1, 1, -1).numpy())
        theirs = ResourceGrid(14, 128, 240e3, 1, 1, pilot_pattern=pattern, device="cpu")
    arrived = (response * grid.fill(data).unsqueeze(1) + noise_var.sqrt() * noise).unsqueeze(1)
    estimate, error = response[:, None, :, None, None], torch.zeros(1)
    if csi == "ls":
        estimate, error = LSChannelEstimator(theirs, interpolation_type="lin", device="cpu")(arrived, noise_var)
    equaliser = LMMSEEqualizer(theirs, StreamManagement(np.array([[1]]), 1), device="cpu")
    values, variance = equaliser(arrived, estimate, error, noise_var)
    if csi == "perfect":
        torch.testing.assert_close(ours, values[:, 0, 0], rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(left, variance[:, 0, 0], rtol=1e-3, atol=1e-4)
    else:
        own = grid.estimate(arrived[:, 0])
        torch.testing.assert_close(own[0], estimate[:, 0, :, 0, 0], rtol=1e-3, atol=1e-3)
        trust = (1 / (1 + noise_var * own[1]))[list(grid.data_symbols)].repeat_interleave(128)
        torch.testing.assert_close(ours * trust, values[:, 0, 0], rtol=1e-3, atol=1e-3)


def test_the_error_of_the_estimate_is_known(rng):
    """Variance of the least-squares error: sum of the squared interpolation weights, 0.5 mid-slot and 1.5 at the edges."""
    grid = UMa(snr_db=0.0).grid
    noise = torch.randn(200, 2, 14, 128, dtype=torch.complex64, generator=rng.torch())
    estimate, error = grid.estimate(grid.fill(torch.zeros(200, grid.data_uses, dtype=torch.complex64)).unsqueeze(1) + noise)
    torch.testing.assert_close((estimate - 1).abs().square().mean((0, 1, 3)), error, rtol=0.03, atol=0)
    assert float(error[0]) == pytest.approx(1.543, abs=1e-3) and float(error[6]) == pytest.approx(0.506, abs=1e-3)


def test_a_sweep_draws_its_channels_once(rng, as_symbols, qpsk, monkeypatch):
    calls = []
    draw = drops.UMaDrops.draw
    monkeypatch.setattr(drops.UMaDrops, "draw", lambda *args: calls.append(args) or draw(*args))
    symbols = as_symbols([qpsk(100)[0], qpsk(40_000)[0]])
    for snr_db in (0.0, 5.0, 10.0):
        for csi in ("ls", "perfect"):
            UMa(snr_db=snr_db, csi=csi).transmit(symbols, rng.at("sweep"))
            UMa(block_snr_db=snr_db, csi=csi).transmit(symbols, rng.at("sweep"))
    assert len(calls) == 1 + 2  # one slot; 27 slots, 16 at once
    UMa(snr_db=0.0, speed_kmh=(3.0, 3.0)).transmit(symbols, rng.at("sweep"))
    assert len(calls) == 2 * 3


def test_what_is_kept_is_bounded(rng, monkeypatch):
    monkeypatch.setattr(drops, "KEPT_BYTES", 100_000)
    channel = UMa(snr_db=0.0)
    parts = [next(channel.channel(rng.at("bounded"), key, 2)) for key in ("a", "b", "a")]
    assert torch.equal(parts[0].response, parts[2].response)
    assert sum(one.response.nbytes for one in drops._kept.values()) <= 100_000


PATH_LOSS = {
    (28e9, True): (92.690, 101.200, 116.331), (28e9, False): (105.983, 121.099, 147.978),
    (3.5e9, True): (74.629, 83.138, 98.269), (3.5e9, False): (87.921, 103.038, 129.916),
}  # fmt: skip
"""(carrier in Hz, line of sight) -> path loss in dB at 35, 100 and 500 m, TR 38.901 Table 7.4.1-1, BS 25 m, UT 1.5 m."""


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
        scenario.set_topology(terminals, stations, nothing, nothing, nothing, torch.zeros(3, 1, dtype=torch.bool), los=los)
    torch.testing.assert_close(scenario.basic_pathloss.flatten(), torch.tensor(expected), rtol=0, atol=0.01)
