"""The base class of OFDM channels: a subclass draws the channel response of each slot."""

from __future__ import annotations

import abc
import functools
import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Gt, Le

from semcore import ChannelModel, ComponentError, Received, Rng, Symbols
from semcore_channels.budget import Term
from semcore_channels.ofdm.equalisation import Combined, Equaliser
from semcore_channels.ofdm.estimation import Correlation, Estimator
from semcore_channels.ofdm.grid import Grid
from semcore_channels.ofdm.reception import Reception, received_once
from semcore_channels.ofdm.slots import SLOTS_AT_ONCE, SlotRange, Slots, repeat_last
from semcore_channels.simd import LANES
from semcore_channels.snr import Decibels, noise_variance

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class OFDMChannel(ChannelModel, abc.ABC):
    """OFDM with pilots, channel estimation and equalisation over a doubly selective channel.

    A row of n symbols takes ceil(n / data elements per slot) slots; known symbols pad the last one.
    `Received.overhead` counts what the channel itself spends: pilots, padding, and the cyclic
    prefix in complex samples.

    The model is y = h x + n for every resource element. It leaves out interference between OFDM
    symbols from paths beyond the cyclic prefix, and between subcarriers from Doppler. The report
    says how strong the former would be (`isi_db`); where it comes near -SNR, the model is
    optimistic.

    Report of a row: `snr_db` (realised mean of |h|^2 / N0), `slots`, `ofdm_symbols`, `duration_s`
    (OFDM symbols divided by the subcarrier spacing), `air_time_s` (the same with cyclic prefixes),
    `doppler_hz` (the largest), `isi_db`.

    Fields:
        snr_db: Es/N0 per resource element and antenna before fading, E|h|^2 = 1, dB, -50..100
        block_snr_db: Es/N0 of each slot after normalising it to unit energy, dB, -50..100; excludes
            snr_db
        subcarriers: number of subcarriers, all of them used
        subcarrier_spacing_hz: subcarrier spacing, Hz
        ofdm_symbols: OFDM symbols per slot
        cyclic_prefix: length of the cyclic prefix in samples; an OFDM symbol without it has as many
            samples as subcarriers
        pilot_symbols: OFDM symbols with pilots, ascending, from 0; null: all of them
        pilot_spacing: subcarriers from one pilot to the next
        csi: channel knowledge of the receiver: `ls` and `lmmse` estimate the response from the
            pilots, `perfect` knows it
        interpolation: between the pilots, for csi `ls`
        equaliser: `lmmse` weighs the estimate by its reliability, `zf` divides by it
    """

    snr_db: Decibels | None = None
    block_snr_db: Decibels | None = None
    subcarriers: Annotated[int, Ge(1), Le(4096)] = 128
    subcarrier_spacing_hz: Annotated[float, Gt(0), Le(1e7)] = 30e3
    ofdm_symbols: Annotated[int, Ge(1), Le(140)] = 14
    cyclic_prefix: Annotated[int, Ge(0), Le(4096)] = 9
    pilot_symbols: tuple[Annotated[int, Ge(0)], ...] | None = (2, 11)
    pilot_spacing: Annotated[int, Ge(1), Le(4096)] = 1
    csi: Literal["ls", "lmmse", "perfect"] = "ls"
    interpolation: Literal["linear", "nearest"] = "linear"
    equaliser: Equaliser = "lmmse"

    @abc.abstractmethod
    def draw(self, parts: Sequence[SlotRange], rng: Rng) -> Slots:
        """The channel responses of all slots of `parts`, in order.

        The random numbers of a part are those at `rng.at(..., part.key, part.first)`.
        """

    @abc.abstractmethod
    def correlation(self) -> Correlation:
        """The statistics of the response that the receiver knows."""

    def readings(self) -> dict[str, float | None]:
        """The settings that can state the SNR, and their values; exactly one must be given."""
        return {"snr_db": self.snr_db, "block_snr_db": self.block_snr_db}

    def unit_gain_snr_db(self) -> float:
        """Es/N0 per resource element at a channel gain of one, dB."""
        return next(value for value in self.readings().values() if value is not None)

    def mean_snr_db(self) -> float:
        return self.budget()[-1].value

    def budget(self) -> list[Term]:
        """The terms of the SNR, in order; here, the setting that states it."""
        name = next(key for key, value in self.readings().items() if value is not None)
        return [Term("SNR", self.unit_gain_snr_db(), "dB", f"{name} as given")]

    def check(self) -> None:
        name, readings = type(self).__name__, self.readings()
        given = [key for key, value in readings.items() if value is not None]
        if len(given) != 1:
            had = f"not {' and '.join(given)} at once" if given else "and has none"
            raise ComponentError(
                f"{name} needs one reading of the SNR, {' or '.join(readings)}, {had}"
            )
        pilots = self.grid.pilot_symbols
        if not pilots or list(pilots) != sorted(set(pilots)) or pilots[-1] >= self.ofdm_symbols:
            raise ComponentError(
                f"{name}.pilot_symbols must name OFDM symbols 0..{self.ofdm_symbols - 1} "
                f"(ofdm_symbols - 1), ascending, not {pilots}"
            )
        if not self.grid.data_uses:
            raise ComponentError(
                f"{name}.pilot_symbols and pilot_spacing leave no resource element for data"
            )
        if self.cyclic_prefix > self.subcarriers:
            raise ComponentError(
                f"{name}.cyclic_prefix must not be longer than an OFDM symbol, "
                f"{self.subcarriers} samples (subcarriers), not {self.cyclic_prefix}"
            )

    @functools.cached_property
    def grid(self) -> Grid:
        """The resource elements of a slot."""
        pilots = self.pilot_symbols
        if pilots is None:
            pilots = tuple(range(self.ofdm_symbols))
        return Grid(self.subcarriers, self.ofdm_symbols, pilots, self.pilot_spacing)

    @property
    def prefix_s(self) -> float:
        """Duration of the cyclic prefix, s."""
        return self.cyclic_prefix / self.subcarriers / self.subcarrier_spacing_hz

    @property
    def symbol_s(self) -> float:
        """Duration of an OFDM symbol with its cyclic prefix, s."""
        return 1 / self.subcarrier_spacing_hz + self.prefix_s

    @functools.cached_property
    def estimator(self) -> Estimator:
        """Estimates the response from the pilots, for a `csi` other than `perfect`."""
        method: Literal["ls", "lmmse"] = "lmmse" if self.csi == "lmmse" else "ls"
        correlation = self.correlation()
        if self.block_snr_db is not None:
            correlation = correlation.at_unit_power()
        return Estimator(self.grid, correlation, method, self.interpolation)

    def channel(self, parts: Sequence[SlotRange], rng: Rng) -> Slots:
        """`draw`, with each slot scaled to unit energy if `block_snr_db` states the SNR."""
        slots = self.draw(parts, rng)
        if self.block_snr_db is None:
            return slots
        scale = _energy(slots.response).rsqrt().reshape(-1, 1, 1, 1)
        return replace(slots, response=slots.response * scale, gain=None)

    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        import torch

        layout, grid = symbols.layout, self.grid
        counts = [-(-length // grid.data_uses) for length in layout.lengths]
        # where the responses are drawn and estimated
        data, device = self._in_slots(symbols, counts).cpu(), symbols.values.device
        chunks = list(_chunks(layout.keys, counts))
        batches = (
            data.split([sum(part.count for part in parts) for parts in chunks]) if chunks else ()
        )
        results = [
            self._transmit(batch, parts, rng) for batch, parts in zip(batches, chunks, strict=True)
        ]
        results = results or [(data, data.real, data.real.new_empty(0, 3))]
        values, left, per_slot = (
            torch.cat(tensors) if len(tensors) > 1 else tensors[0]
            for tensors in zip(*results, strict=True)
        )
        to_rows = functools.partial(
            _in_rows, counts=counts, lengths=layout.lengths, width=symbols.values.shape[1]
        )
        prefixes = self.ofdm_symbols * self.cyclic_prefix
        overhead = [
            {
                "pilots": count * grid.pilot_uses,
                "cyclic-prefix": count * prefixes,
                "padding": count * grid.data_uses - length,
            }
            for count, length in zip(counts, layout.lengths, strict=True)
        ]
        return symbols.received(
            to_rows(values, filling=0.0).to(device),
            to_rows(left, filling=1.0).to(device),
            overhead=overhead,
            report=self._reports(per_slot, counts),
        )

    def _in_slots(self, symbols: Symbols, counts: Sequence[int]) -> torch.Tensor:
        """The symbols of all rows, each padded to whole slots, complex64 (slots, data_uses)."""
        import torch

        uses, lengths = self.grid.data_uses, symbols.layout.lengths
        padding = self.grid.padding.to(symbols.values.device)
        spare = [count * uses - length for count, length in zip(counts, lengths, strict=True)]
        if counts and min(lengths) == max(lengths):
            if not spare[0]:
                return symbols.values[:, : lengths[0]].reshape(-1, uses)
            filling = padding[uses - spare[0] :].expand(len(counts), -1)
            return torch.cat((symbols.values[:, : lengths[0]], filling), 1).reshape(-1, uses)
        pieces = [symbols.values.new_empty(0)]
        for row, length, missing in zip(symbols.values, lengths, spare, strict=True):
            pieces += [row[:length], padding[uses - missing :]]
        return torch.cat(pieces).reshape(-1, uses)

    def _transmit(
        self, data: torch.Tensor, parts: Sequence[SlotRange], rng: Rng
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Equalised data, the noise variance left in it, and the terms of each slot's report.

        Returns:
            complex64 and float32 (slots, data_uses), and float32 (slots, 3): SNR, Doppler, ISI
        """
        import torch

        unit, count = noise_variance(self.unit_gain_snr_db()), len(data)
        reception, deviation = self._received(data, parts, rng, unit), unit**0.5
        noise_var = unit * reception.noise_var
        if self.csi == "perfect":
            trust, unknown = noise_var.new_ones(1, 1), unit * reception.local_var
        else:
            reliability = self.estimator.reliability(noise_var)
            trust, unknown = (self.grid.data_of(values) for values in reliability)
            unknown = unknown + noise_var.unsqueeze(1)
        values, left = reception.combined.equalised(deviation, trust, unknown, self.equaliser)
        per_slot = (reception.energy / noise_var, reception.doppler_hz, reception.isi)
        return values[:count], left.expand(values.shape)[:count], torch.stack(per_slot, 1)[:count]

    def apart_from_snr(self) -> Hashable | None:
        """Equal for channels that differ in the SNR only; None: receptions must not be shared."""
        readings = self.readings()
        given = [name for name, value in readings.items() if value is not None]
        others = [field.name for field in fields(self) if field.name not in readings]
        return (*given, *(getattr(self, name) for name in others))

    def _received(
        self, data: torch.Tensor, parts: Sequence[SlotRange], rng: Rng, unit: float
    ) -> Reception:
        """`_receive`, from memory if another point of an SNR sweep has computed it.

        `lmmse` estimates are not shared, because their filter depends on the noise variance.
        """
        shared = None
        if not data.requires_grad and self.csi != "lmmse":
            shared = self.apart_from_snr()
        if shared is None:
            return self._receive(data, parts, rng, unit)
        key = (type(self), shared, rng, tuple(parts))
        return received_once(key, data, lambda: self._receive(data, parts, rng, unit))

    def _receive(
        self, data: torch.Tensor, parts: Sequence[SlotRange], rng: Rng, unit: float
    ) -> Reception:
        """Send slots over the channel; `unit` is the noise variance at unit gain."""
        import torch

        grid, device, spare = self.grid, data.device, -len(data) % self._lanes
        slots = self.channel(parts, rng)
        noise = torch.cat(
            [
                _noise(rng.at("noise", part.key, part.first), part.count, slots.response)
                for part in parts
            ]
        )
        slots = slots.repeat_last(spare)
        variance = slots.noise_var.to(device)
        response = slots.response.to(device)
        noise = repeat_last(noise, spare).to(device) * variance.sqrt()
        signal = response * repeat_last(grid.fill(data), spare).unsqueeze(1)
        mean = variance.mean((1, 2, 3))  # known to the receiver
        if self.csi == "perfect":
            combined = Combined.of(signal, noise, response, None)
        else:
            estimates = (
                self.estimator.interpolated(arrived, unit * mean) for arrived in (signal, noise)
            )
            combined = Combined.of(signal, noise, *estimates)
        local = mean.unsqueeze(1) if slots.noise is None else grid.data_of(variance.mean(1))
        isi = torch.zeros_like(slots.doppler_hz) if slots.isi is None else slots.isi
        per_slot = (_energy(response), slots.doppler_hz, isi)
        energy, doppler_hz, isi = (values.to(device) for values in per_slot)
        return Reception(combined.on(grid.data_of), mean, local, energy, doppler_hz, isi)

    @functools.cached_property
    def _lanes(self) -> int:
        """Slots are padded to a multiple of this number, and all arrays so to one of `LANES`."""
        return LANES // math.gcd(LANES, self.grid.pilot_uses, self.grid.data_uses)

    def _reports(self, per_slot: torch.Tensor, counts: Sequence[int]) -> list[dict[str, float]]:
        """The report of each row: times, and from its slots the SNR, Doppler and interference.

        Args:
            per_slot: SNR, Doppler, ISI, float32 (slots, 3)
            counts: slots of each row
        """
        import numpy as np

        times = {count: self._times(count) for count in set(counts)}
        reports = [dict(times[count]) for count in counts]
        rows = [row for row, count in enumerate(counts) if count]
        if not rows:
            return reports
        sizes = np.array([counts[row] for row in rows])
        starts = np.cumsum([0, *sizes[:-1]])
        values = per_slot.detach().cpu().double().numpy()
        means = np.add.reduceat(values, starts, axis=0) / sizes[:, None]
        dopplers = np.maximum.reduceat(values[:, 1], starts)
        in_db = 10 * np.log10(np.maximum(means, 1e-30))
        columns = zip(rows, means.tolist(), in_db.tolist(), dopplers.tolist(), strict=True)
        for row, mean, mean_db, doppler_hz in columns:
            reports[row] |= {"snr_db": mean_db[0], "doppler_hz": doppler_hz}
            if mean[2] > 0:
                reports[row]["isi_db"] = mean_db[2]
        return reports

    def _times(self, slots: int) -> dict[str, float]:
        """The part of the report that depends on the number of slots only."""
        symbols = slots * self.ofdm_symbols
        return {
            "slots": slots,
            "ofdm_symbols": symbols,
            "duration_s": symbols / self.subcarrier_spacing_hz,
            "air_time_s": symbols * self.symbol_s,
        }


def _in_rows(
    slots: torch.Tensor, counts: Sequence[int], lengths: Sequence[int], width: int, filling: float
) -> torch.Tensor:
    """Slots (slots, elements) -> rows (rows, width): the elements of each row, then `filling`."""
    import torch

    if not counts:
        return slots.new_zeros(0, width)
    if min(lengths) == max(lengths) == width:
        return slots.reshape(len(counts), -1)[:, :width]
    per_row = zip(slots.split(list(counts)), lengths, strict=True)
    rows = [elements.flatten()[:length] for elements, length in per_row]
    return torch.stack(
        [torch.nn.functional.pad(row, (0, width - len(row)), value=filling) for row in rows]
    )


def _energy(response: torch.Tensor) -> torch.Tensor:
    """Mean of |h|^2 of each slot."""
    import torch

    return torch.view_as_real(response).square().flatten(1).mean(1) * 2


def _noise(rng: Rng, slots: int, like: torch.Tensor) -> torch.Tensor:
    """Circular Gaussian noise of unit variance, complex64 (slots, ...), shaped like `like`."""
    import torch

    shape = (slots, *like.shape[1:])
    return torch.randn(shape, dtype=torch.complex64, generator=rng.torch())


def _chunks(keys: Sequence[str], counts: Sequence[int]) -> Iterator[list[SlotRange]]:
    """All slots of all rows in order, about `SLOTS_AT_ONCE` at a time."""
    chunk, slots = list[SlotRange](), 0
    for key, count in zip(keys, counts, strict=True):
        for first in range(0, count, SLOTS_AT_ONCE):
            chunk.append(SlotRange(key, first, min(SLOTS_AT_ONCE, count - first)))
            slots += chunk[-1].count
            if slots >= SLOTS_AT_ONCE:
                yield chunk
                chunk, slots = [], 0
    if chunk:
        yield chunk
