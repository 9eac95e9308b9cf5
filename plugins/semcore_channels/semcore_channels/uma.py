"""3GPP Urban Macro over OFDM."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le

from semcore.errors import ComponentError
from semcore.interfaces import ChannelModel
from semcore.rng import Rng
from semcore.types import Received, Symbols
from semcore_channels.drops import SLOTS_AT_ONCE, SPEED_OF_LIGHT, Slots, UMaDrops, drawn
from semcore_channels.flat import Decibels, noise_variance
from semcore_channels.ofdm import Grid

if TYPE_CHECKING:
    import torch

Speed = Annotated[float, Ge(0), Le(1000)]


@dataclass(frozen=True)
class UMa(ChannelModel):
    """Uplink of an outdoor terminal in a 3GPP Urban Macro cell: OFDM with pilots, channel estimation and equalisation.

    A row of n symbols takes ceil(n / data elements of a slot) slots; known symbols fill the last one. Every slot is a
    drop of its own (position, line of sight, large- and small-scale parameters, speed) from Sionna's TR 38.901 model,
    and its response changes from one OFDM symbol to the next. The receiver combines its antennas for the least mean
    square error; of an estimated response it knows how far to trust it. Pilots and filling are counted in
    `Received.overhead`.

    One of two readings of SNR must be given. `snr_db` is Es/N0 per resource element and receive antenna before fading,
    with E|h|^2 = 1 over the ensemble (path loss and shadowing off): slots fade, and some are lost. `block_snr_db`
    scales the response of every slot to unit mean energy, as scripts with `normalize_channel=True` do: every slot has
    exactly that SNR, and only selectivity in frequency, time and space remains.

    Report of a row: `snr_db` (realised mean of |h|^2 / N0), `slots`, `ofdm_symbols`, `duration_s` = symbols divided by
    the subcarrier spacing, `air_time_s` (the same with the normal cyclic prefix of TS 38.211, 1/14 longer),
    `doppler_hz` (the largest).

    Left out: interference between OFDM symbols from paths beyond the cyclic prefix, and between subcarriers from
    Doppler. With the defaults the Doppler part is negligible; the prefix of 0.29 us is shorter than many channels
    without line of sight, so above about 10 dB the model is optimistic.

    Fields:
        snr_db: Es/N0 per resource element and antenna before fading, dB, -50..100
        block_snr_db: Es/N0 of every single slot, dB, -50..100; excludes snr_db
        carrier_frequency_hz: carrier, Hz, 0.5e9..100e9
        subcarriers: subcarriers, all of them used
        subcarrier_spacing_hz: spacing, Hz
        ofdm_symbols: OFDM symbols of a slot
        pilot_symbols: which of them hold a pilot on every subcarrier (Kronecker pattern), ascending, from 0
        rx_antennas: antennas of the base station
        speed_kmh: slowest and fastest terminal, km/h; uniform in between
        los: line of sight: `random` with the probability of TR 38.901 Table 7.4.2-1, `always` or `never`
        csi: `ls` estimates the response by least squares at the pilots, linear in between; `perfect` knows it
    """

    reference: ClassVar[str] = "3GPP TR 38.901, 7.2-7.6 (UMa); S. Ribouh and O. Saleem, section III and Table I"
    cites: ClassVar[tuple[str, ...]] = ("tr38901", "ts38211", "hoydis2022sionna", "ribouh2025large")
    tried_with = ({"snr_db": 5.0},)
    snr_db: Decibels | None = None
    block_snr_db: Decibels | None = None
    carrier_frequency_hz: Annotated[float, Ge(0.5e9), Le(100e9)] = 28e9
    subcarriers: Annotated[int, Ge(1), Le(4096)] = 128
    subcarrier_spacing_hz: Annotated[float, Gt(0), Le(1e7)] = 240e3
    ofdm_symbols: Annotated[int, Ge(2), Le(140)] = 14
    pilot_symbols: tuple[Annotated[int, Ge(0)], ...] = (2, 11)
    rx_antennas: Annotated[int, Ge(1), Le(64)] = 2
    speed_kmh: tuple[Speed, Speed] = (60.0, 120.0)
    los: Literal["random", "always", "never"] = "random"
    csi: Literal["ls", "perfect"] = "ls"

    def check(self) -> None:
        if (self.snr_db is None) == (self.block_snr_db is None):
            given = "not both" if self.snr_db is not None else "and has neither"
            raise ComponentError(f"UMa needs either snr_db (slots fade) or block_snr_db (every slot has that SNR), {given}")
        pilots = self.pilot_symbols
        if not pilots or list(pilots) != sorted(set(pilots)) or pilots[-1] >= self.ofdm_symbols:
            raise ComponentError(
                f"UMa.pilot_symbols must name OFDM symbols 0..{self.ofdm_symbols - 1} (ofdm_symbols - 1), ascending, "
                f"not {pilots}"
            )
        if len(pilots) == self.ofdm_symbols:
            raise ComponentError("UMa.pilot_symbols leaves no OFDM symbol for data")
        if self.speed_kmh[0] > self.speed_kmh[1]:
            raise ComponentError(f"UMa.speed_kmh must be (slowest, fastest), not {self.speed_kmh}")

    @functools.cached_property
    def grid(self) -> Grid:
        """The resource elements of a slot."""
        return Grid(self.subcarriers, self.ofdm_symbols, self.pilot_symbols)

    @property
    def drops(self) -> UMaDrops:
        """The ensemble that slots are drawn from; the SNR is no part of it."""
        symbol_s = 15 / 14 / self.subcarrier_spacing_hz  # with the normal cyclic prefix, TS 38.211, 5.3.1
        return UMaDrops(
            self.carrier_frequency_hz, self.rx_antennas, self.speed_kmh, self.los, self.subcarriers,
            self.subcarrier_spacing_hz, self.ofdm_symbols, symbol_s,
        )  # fmt: skip

    def channel(self, rng: Rng, key: str, slots: int) -> Iterator[Slots]:
        """The channels of the `slots` slots of the row with address `key`, some slots at a time."""
        for start in range(0, slots, SLOTS_AT_ONCE):
            part = drawn(self.drops, rng.at("drops", key, start), min(SLOTS_AT_ONCE, slots - start))
            if self.block_snr_db is None:
                yield part
            else:
                energy = part.response.abs().square().mean((1, 2, 3), keepdim=True)
                yield Slots(part.response / energy.sqrt(), part.speed_mps)

    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        import torch

        layout, width, grid = symbols.layout, symbols.values.shape[1], self.grid
        values, noise_vars, overhead, report = [], [], [], []
        for sent, key, length in zip(symbols.values, layout.keys, layout.lengths, strict=True):
            slots = -(-length // grid.data_uses)
            padding = slots * grid.data_uses - length
            filled = torch.cat((sent[:length], grid.padding[grid.data_uses - padding :].to(sent.device)))
            got, noise_var, seen = self._row(filled.reshape(slots, grid.data_uses), key, rng)
            values.append(torch.nn.functional.pad(got[:length], (0, width - length)))
            noise_vars.append(torch.nn.functional.pad(noise_var[:length], (0, width - length), value=1.0))
            overhead.append({"pilots": slots * grid.pilot_uses, "padding": padding})
            report.append(seen)
        if not values:
            return symbols.received(symbols.values, 1.0)
        return symbols.received(torch.stack(values), torch.stack(noise_vars), overhead=overhead, report=report)

    def _row(self, data: torch.Tensor, key: str, rng: Rng) -> tuple[torch.Tensor, torch.Tensor, dict[str, float]]:
        """One row's data (slots, data_uses): equalised, with the noise left in them, and the report."""
        import torch

        label = self.block_snr_db if self.snr_db is None else self.snr_db
        noise_var = noise_variance(label or 0.0)
        values, left, energies, fastest = [data.new_empty(0)], [data.new_empty(0).real], [], 0.0
        for number, part in enumerate(self.channel(rng, key, len(data))):
            response = part.response.to(data.device)
            own = (f"{number}",)
            noise = rng.at("noise", key).complex_normal(own, (response.numel(),)).to(data.device)
            batch = data[number * SLOTS_AT_ONCE :][: len(response)]
            got, after = self.grid.transmit(
                batch, response, noise.reshape(response.shape), noise_var, estimated=self.csi == "ls"
            )
            values.append(got.flatten())
            left.append(after.flatten())
            energies.append(response.abs().square().mean((1, 2, 3)))
            fastest = max(fastest, float(part.speed_mps.max()))
        ofdm_symbols = len(data) * self.ofdm_symbols
        duration_s = ofdm_symbols / self.subcarrier_spacing_hz
        report = {"slots": len(data), "ofdm_symbols": ofdm_symbols, "duration_s": duration_s}
        report["air_time_s"] = ofdm_symbols * self.drops.symbol_duration_s
        report["doppler_hz"] = fastest * self.carrier_frequency_hz / SPEED_OF_LIGHT
        if energies:
            report["snr_db"] = float(10 * torch.log10(torch.cat(energies).mean() / noise_var))
        return torch.cat(values), torch.cat(left), report
