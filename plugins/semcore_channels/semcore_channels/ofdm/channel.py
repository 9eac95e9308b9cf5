"""The base class of every OFDM channel: a subclass says how the channel of a slot is drawn, and no more."""

from __future__ import annotations

import abc
import functools
import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Gt, Le

from semcore.errors import ComponentError
from semcore.interfaces import ChannelModel
from semcore.rng import Rng
from semcore.types import Received, Symbols
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
    """OFDM with pilots, channel estimation and equalisation over a channel that varies in time and frequency.

    A row of n symbols takes ceil(n / data elements of a slot) slots; known symbols fill the last one. What the channel
    itself spends is in `Received.overhead`: pilots, padding, and the cyclic prefix, counted in complex samples.

    Frequency domain: y = h x + n for every resource element. Left out is interference between OFDM symbols from paths
    beyond the cyclic prefix, and between subcarriers from Doppler. The report says how strong the former would have been
    (`isi_db`); where it comes near -SNR, the model is optimistic.

    Report of a row: `snr_db` (realised mean of |h|^2 / N0), `slots`, `ofdm_symbols`, `duration_s` = symbols divided by the
    subcarrier spacing, `air_time_s` (the same with cyclic prefixes), `doppler_hz` (the largest), `isi_db`.

    Fields:
        snr_db: Es/N0 per resource element and antenna before fading, E|h|^2 = 1, dB, -50..100
        block_snr_db: Es/N0 of every single slot, normalised to unit energy, dB, -50..100; excludes snr_db
        subcarriers: subcarriers, all of them used
        subcarrier_spacing_hz: spacing, Hz
        ofdm_symbols: OFDM symbols of a slot
        cyclic_prefix: samples of the cyclic prefix; an OFDM symbol without it has as many as subcarriers
        pilot_symbols: OFDM symbols with pilots, ascending, from 0; null: all of them
        pilot_spacing: subcarriers from one pilot to the next
        csi: how the receiver knows the response: `ls` and `lmmse` estimate it from the pilots, `perfect` knows it
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
        """The channels of all slots of `parts`, in order; random numbers of a part at `rng.at(..., part.key, part.first)`."""

    @abc.abstractmethod
    def correlation(self) -> Correlation:
        """What the receiver knows of the response before it sees it."""

    def readings(self) -> dict[str, float | None]:
        """The settings that say what the SNR is, and their values; one of them must be given."""
        return {"snr_db": self.snr_db, "block_snr_db": self.block_snr_db}

    def unit_gain_snr_db(self) -> float:
        """Es/N0 per resource element at a gain of one, dB, by whichever reading is given."""
        return next(value for value in self.readings().values() if value is not None)

    def mean_snr_db(self) -> float:
        return self.budget()[-1].value

    def budget(self) -> list[Term]:
        """What the SNR is made of: here, the setting that says it."""
        name = next(key for key, value in self.readings().items() if value is not None)
        return [Term("SNR", self.unit_gain_snr_db(), "dB", f"{name} as given")]

    def check(self) -> None:
        name, readings = type(self).__name__, self.readings()
        given = [key for key, value in readings.items() if value is not None]
        if len(given) != 1:
            had = f"not {' and '.join(given)} at once" if given else "and has none"
            raise ComponentError(f"{name} needs one reading of the SNR, {' or '.join(readings)}, {had}")
        pilots = self.grid.pilot_symbols
        if not pilots or list(pilots) != sorted(set(pilots)) or pilots[-1] >= self.ofdm_symbols:
            raise ComponentError(
                f"{name}.pilot_symbols must name OFDM symbols 0..{self.ofdm_symbols - 1} (ofdm_symbols - 1), ascending, "
                f"not {pilots}"
            )
        if not self.grid.data_uses:
            raise ComponentError(f"{name}.pilot_symbols and pilot_spacing leave no resource element for data")
        if self.cyclic_prefix > self.subcarriers:
            raise ComponentError(
                f"{name}.cyclic_prefix must not be longer than an OFDM symbol, {self.subcarriers} samples (subcarriers), "
                f"not {self.cyclic_prefix}"
            )

    @functools.cached_property
    def grid(self) -> Grid:
        """The resource elements of a slot."""
        pilots = tuple(range(self.ofdm_symbols)) if self.pilot_symbols is None else self.pilot_symbols
        return Grid(self.subcarriers, self.ofdm_symbols, pilots, self.pilot_spacing)

    @property
    def prefix_s(self) -> float:
        """Duration of the cyclic prefix."""
        return self.cyclic_prefix / self.subcarriers / self.subcarrier_spacing_hz

    @property
    def symbol_s(self) -> float:
        """Time from one OFDM symbol to the next."""
        return 1 / self.subcarrier_spacing_hz + self.prefix_s

    @functools.cached_property
    def estimator(self) -> Estimator:
        """Estimates the response from the pilots, for a `csi` other than `perfect`."""
        method: Literal["ls", "lmmse"] = "lmmse" if self.csi == "lmmse" else "ls"
        known = self.correlation() if self.block_snr_db is None else self.correlation().at_unit_power()
        return Estimator(self.grid, known, method, self.interpolation)

    def channel(self, parts: Sequence[SlotRange], rng: Rng) -> Slots:
        """`draw`, with every slot at unit energy if `block_snr_db` is what the SNR means."""
        slots = self.draw(parts, rng)
        if self.block_snr_db is None:
            return slots
        scale = _energy(slots.response).rsqrt().reshape(-1, 1, 1, 1)
        return replace(slots, response=slots.response * scale, gain=None)

    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        import torch

        layout, grid = symbols.layout, self.grid
        counts = [-(-length // grid.data_uses) for length in layout.lengths]
        data, chunks = self._in_slots(symbols, counts), list(_chunks(layout.keys, counts))
        batches = data.split([sum(part.count for part in parts) for parts in chunks]) if chunks else ()
        through = [self._transmit(batch, parts, rng) for batch, parts in zip(batches, chunks, strict=True)]
        through = through or [(data, data.real, data.real.new_empty(0, 3))]
        values, left, seen = (torch.cat(one) if len(one) > 1 else one[0] for one in zip(*through, strict=True))
        width = symbols.values.shape[1]
        rows = functools.partial(_in_rows, counts=counts, lengths=layout.lengths, width=width)
        pilots, prefixes, uses = grid.pilot_uses, self.ofdm_symbols * self.cyclic_prefix, grid.data_uses
        overhead = [
            {"pilots": count * pilots, "cyclic-prefix": count * prefixes, "padding": count * uses - length}
            for count, length in zip(counts, layout.lengths, strict=True)
        ]
        return symbols.received(
            rows(values, filling=0.0), rows(left, filling=1.0), overhead=overhead, report=self._reports(seen, counts)
        )

    def _in_slots(self, symbols: Symbols, counts: Sequence[int]) -> torch.Tensor:
        """The symbols of all rows, each filled up to whole slots, complex64 (slots, data_uses)."""
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
        for sent, length, own in zip(symbols.values, lengths, spare, strict=True):
            pieces += [sent[:length], padding[uses - own :]]
        return torch.cat(pieces).reshape(-1, uses)

    def _transmit(
        self, data: torch.Tensor, parts: Sequence[SlotRange], rng: Rng
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Slots of data: equalised, with the noise left in them, and what the report of each is made of (slots, 3)."""
        import torch

        unit, count = noise_variance(self.unit_gain_snr_db()), len(data)
        heard, deviation = self._heard(data, parts, rng, unit), unit**0.5
        noise_var = unit * heard.noise_var
        if self.csi == "perfect":
            trust, unknown = noise_var.new_ones(1, 1), unit * heard.local_var
        else:
            trust, unknown = (self.grid.data_of(one) for one in self.estimator.reliability(noise_var))
            unknown = unknown + noise_var.unsqueeze(1)
        values, left = heard.combined.equalised(deviation, trust, unknown, self.equaliser)
        report = torch.stack((heard.energy / noise_var, heard.doppler_hz, heard.isi), 1)
        return values[:count], left.expand(values.shape)[:count], report[:count]

    def apart_from_snr(self) -> Hashable | None:
        """Equal for channels that differ in nothing but the SNR; None: they share nothing."""
        given = [name for name, value in self.readings().items() if value is not None]
        return (*given, *(getattr(self, one.name) for one in fields(self) if one.name not in self.readings()))

    def _heard(self, data: torch.Tensor, parts: Sequence[SlotRange], rng: Rng, unit: float) -> Reception:
        """What arrives, apart from the strength of the noise: from memory, if another point of a sweep has worked it out.

        `lmmse` is not in there, because its filter depends on that strength.
        """
        shared = None if data.requires_grad or self.csi == "lmmse" else self.apart_from_snr()
        if shared is None:
            return self._hear(data, parts, rng, unit)
        return received_once((type(self), shared, rng, tuple(parts)), data, lambda: self._hear(data, parts, rng, unit))

    def _hear(self, data: torch.Tensor, parts: Sequence[SlotRange], rng: Rng, unit: float) -> Reception:
        import torch

        grid, device, spare = self.grid, data.device, -len(data) % self._lanes
        slots = self.channel(parts, rng)
        noise = torch.cat([_noise(rng.at("noise", part.key, part.first), part.count, slots.response) for part in parts])
        slots = slots.repeat_last(spare)
        variance = slots.noise_var.to(device)
        response, noise = slots.response.to(device), repeat_last(noise, spare).to(device) * variance.sqrt()
        signal = response * repeat_last(grid.fill(data), spare).unsqueeze(1)
        mean = variance.mean((1, 2, 3))  # what a receiver can know of the noise beforehand
        if self.csi == "perfect":
            combined = Combined.of(signal, noise, response, None)
        else:
            estimates = (self.estimator.interpolated(one, unit * mean) for one in (signal, noise))
            combined = Combined.of(signal, noise, *estimates)
        local = mean.unsqueeze(1) if slots.noise is None else grid.data_of(variance.mean(1))
        isi = torch.zeros_like(slots.doppler_hz) if slots.isi is None else slots.isi
        energy, doppler_hz, isi = (one.to(device) for one in (_energy(response), slots.doppler_hz, isi))
        return Reception(combined.on(grid.data_of), mean, local, energy, doppler_hz, isi)

    @functools.cached_property
    def _lanes(self) -> int:
        """Slots come in a multiple of this many: then every array is a multiple of `LANES` long."""
        return LANES // math.gcd(LANES, self.grid.pilot_uses, self.grid.data_uses)

    def _reports(self, seen: torch.Tensor, counts: Sequence[int]) -> list[dict[str, float]]:
        """The report of each row from what was seen of its slots: SNR, Doppler, interference that is left out."""
        import numpy as np

        fixed = {count: self._times(count) for count in set(counts)}
        reports = [dict(fixed[count]) for count in counts]
        heard = [row for row, count in enumerate(counts) if count]
        if not heard:
            return reports
        sizes = np.array([counts[row] for row in heard])
        starts = np.cumsum([0, *sizes[:-1]])
        values = seen.detach().cpu().double().numpy()
        means = np.add.reduceat(values, starts, axis=0) / sizes[:, None]
        tops = np.maximum.reduceat(values[:, 1], starts)
        in_db = 10 * np.log10(np.maximum(means, 1e-30))
        for row, mean, shown, top in zip(heard, means.tolist(), in_db.tolist(), tops.tolist(), strict=True):
            reports[row] |= {"snr_db": shown[0], "doppler_hz": top}
            if mean[2] > 0:
                reports[row]["isi_db"] = shown[2]
        return reports

    def _times(self, slots: int) -> dict[str, float]:
        """What the report says of so many slots, whatever they carry."""
        symbols = slots * self.ofdm_symbols
        times = {"duration_s": symbols / self.subcarrier_spacing_hz, "air_time_s": symbols * self.symbol_s}
        return {"slots": slots, "ofdm_symbols": symbols, **times}


def _in_rows(slots: torch.Tensor, counts: Sequence[int], lengths: Sequence[int], width: int, filling: float) -> torch.Tensor:
    """Slots (slots, elements) as rows (rows, width): what belongs to each, and `filling` behind it."""
    import torch

    if not counts:
        return slots.new_zeros(0, width)
    if min(lengths) == max(lengths) == width:
        return slots.reshape(len(counts), -1)[:, :width]
    own = [part.flatten()[:length] for part, length in zip(slots.split(list(counts)), lengths, strict=True)]
    return torch.stack([torch.nn.functional.pad(part, (0, width - len(part)), value=filling) for part in own])


def _energy(response: torch.Tensor) -> torch.Tensor:
    """Mean of |h|^2 of each slot."""
    import torch

    return torch.view_as_real(response).square().flatten(1).mean(1) * 2


def _noise(rng: Rng, slots: int, like: torch.Tensor) -> torch.Tensor:
    """Circular Gaussian noise of unit variance for some slots of the shape of `like`, complex64."""
    import torch

    return torch.randn((slots, *like.shape[1:]), dtype=torch.complex64, generator=rng.torch())


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
