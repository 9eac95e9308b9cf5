"""The other side of the benchmark: two links as plain, well-written Sionna 2.2 scripts have them.

Every stage is a method, so that both sides are timed alike. Nothing of semcore is in here.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from sionna.phy.channel import (
    ApplyOFDMChannel,
    cir_to_ofdm_channel,
    gen_single_sector_topology,
    subcarrier_frequencies,
)
from sionna.phy.channel.tr38901 import PanelArray, UMa
from sionna.phy.fec.ldpc import LDPC5GDecoder, LDPC5GEncoder
from sionna.phy.mapping import BinarySource, Demapper, Mapper
from sionna.phy.mimo import StreamManagement
from sionna.phy.ofdm import (
    LMMSEEqualizer,
    LSChannelEstimator,
    PilotPattern,
    ResourceGrid,
    ResourceGridMapper,
    ZFEqualizer,
)


class Link:
    """Bits to bits; subclasses say what the channel is."""

    bits_per_symbol: int
    grid: ResourceGrid
    equaliser: torch.nn.Module

    def __init__(self) -> None:
        self.n = int(self.grid.num_data_symbols) * self.bits_per_symbol
        self.k = self.n // 2
        self.source = BinarySource()
        self.encoder = LDPC5GEncoder(self.k, self.n, num_bits_per_symbol=self.bits_per_symbol)
        self.decoder = LDPC5GDecoder(self.encoder, num_iter=20)
        self.mapper = Mapper("qam", self.bits_per_symbol)
        self.demapper = Demapper("app", "qam", self.bits_per_symbol)
        self.grid_mapper = ResourceGridMapper(self.grid)
        self.estimator = LSChannelEstimator(self.grid, interpolation_type="lin")
        self.apply = ApplyOFDMChannel()

    def bits(self, batch: int) -> torch.Tensor:
        return self.source([batch, 1, 1, self.k])

    def encode(self, bits: torch.Tensor) -> torch.Tensor:
        return self.encoder(bits)

    def modulate(self, coded: torch.Tensor) -> torch.Tensor:
        return self.mapper(coded)

    def draw(self, batch: int) -> torch.Tensor:
        """The response of every resource element."""
        raise NotImplementedError

    def cross(
        self, symbols: torch.Tensor, response: torch.Tensor, no: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Grid, channel, noise, estimation, equalisation."""
        received = self.apply(self.grid_mapper(symbols), response, no)
        estimate, error = self.estimator(received, no)
        return self.equaliser(received, estimate, error, no)

    def demodulate(self, symbols: torch.Tensor, no: torch.Tensor) -> torch.Tensor:
        return self.demapper(symbols, no)

    def decode(self, soft: torch.Tensor) -> torch.Tensor:
        return self.decoder(soft)

    def run(self, batch: int, snr_db: float) -> int:
        """Wrong blocks of a batch."""
        bits, no = self.bits(batch), torch.tensor(10 ** (-snr_db / 10))
        symbols, left = self.cross(self.modulate(self.encode(bits)), self.draw(batch), no)
        decoded = self.decode(self.demodulate(symbols, left))
        return int((decoded != bits).any(-1).sum())


class UMaLink(Link):
    """UMa at 28 GHz: 128 x 14 resource elements at 240 kHz, Kronecker pilots, 1 x 2 antennas,
    normalised slots, 4-QAM, 1/2.
    """

    bits_per_symbol = 2

    def __init__(self) -> None:
        self.grid = ResourceGrid(
            14,
            128,
            240e3,
            1,
            1,
            cyclic_prefix_length=9,
            pilot_pattern="kronecker",
            pilot_ofdm_symbol_indices=[2, 11],
        )
        self.equaliser = LMMSEEqualizer(self.grid, StreamManagement(np.array([[1]]), 1))
        arrays = [PanelArray(1, columns, "single", "V", "omni", 28e9) for columns in (1, 2)]
        self.model = UMa(
            28e9, "low", *arrays, "uplink", enable_pathloss=False, enable_shadow_fading=False
        )
        self.frequencies = subcarrier_frequencies(128, 240e3)
        super().__init__()

    def draw(self, batch: int) -> torch.Tensor:
        where = gen_single_sector_topology(
            batch,
            1,
            "uma",
            indoor_probability=0.0,
            min_ut_velocity=60 / 3.6,
            max_ut_velocity=120 / 3.6,
        )
        self.model.reset_topology()
        self.model.set_topology(*where, los="random")
        paths = self.model(14, 1 / float(self.grid.ofdm_symbol_duration))
        return cir_to_ofdm_channel(self.frequencies, *paths, normalize=True)


class NTNLink(Link):
    """NTN-TDL-A, 2 GHz, 3 km/h: 120 x 14 resource elements in 20 MHz, comb pilots, 64-QAM, 1/2."""

    bits_per_symbol = 6

    def __init__(self) -> None:
        mask = np.zeros([1, 1, 14, 120], bool)
        mask[..., ::4] = True
        angles = np.random.default_rng(0).integers(0, 4, 420)
        pilots = np.exp(1j * (math.pi / 4 + math.pi / 2 * angles)).astype(np.complex64)
        pattern = PilotPattern(mask, pilots[None, None])
        self.grid = ResourceGrid(
            14, 120, 20e6 / 120, 1, 1, cyclic_prefix_length=8, pilot_pattern=pattern
        )
        self.equaliser = ZFEqualizer(self.grid, StreamManagement(np.array([[1]]), 1))
        self.frequencies = subcarrier_frequencies(120, 20e6 / 120)
        powers = torch.tensor([10 ** (db / 10) for db in (0.0, -4.675, -6.482)])
        self.amplitudes = (powers / powers.sum()).sqrt()
        self.delays = torch.tensor([0.0, 1.0811, 2.8416]) * 100e-9
        super().__init__()

    def draw(self, batch: int) -> torch.Tensor:
        shift = 3 / 3.6 * 2e9 / 299_792_458
        times = torch.arange(14) * float(self.grid.ofdm_symbol_duration)
        angles, phases = (torch.rand(batch, 3, 16, 1) * 2 * math.pi for _ in range(2))
        waves = torch.polar(torch.ones(()), 2 * math.pi * shift * angles.cos() * times + phases)
        gains = waves.sum(2) / 4 * self.amplitudes[:, None]
        return cir_to_ofdm_channel(
            self.frequencies, gains[:, None, None, None, None], self.delays.expand(batch, 1, 1, 3)
        )
