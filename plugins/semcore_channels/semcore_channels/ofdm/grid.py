"""Which resource elements of a slot carry pilots and which data."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from semcore.rng import Rng
from semcore_channels.modulation.qam import QAM4

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Grid:
    """A slot whose pilots lie on a lattice: on every `pilot_spacing`-th subcarrier of the OFDM symbols `pilot_symbols`.

    Spacing 1 is the Kronecker pattern, all symbols with a spacing is a comb. Every other element carries data, in the order
    of time, then of frequency. Both ends know the pilots, 4-QAM, and what fills elements that nothing is sent on.

    Fields:
        subcarriers: subcarriers of an OFDM symbol
        ofdm_symbols: OFDM symbols of a slot
        pilot_symbols: which of them hold pilots, ascending
        pilot_spacing: subcarriers from one pilot to the next, the first on subcarrier 0
    """

    subcarriers: int
    ofdm_symbols: int
    pilot_symbols: tuple[int, ...]
    pilot_spacing: int = 1

    @functools.cached_property
    def pilot_subcarriers(self) -> tuple[int, ...]:
        """The subcarriers that hold pilots."""
        return tuple(range(0, self.subcarriers, self.pilot_spacing))

    @functools.cached_property
    def pilot_uses(self) -> int:
        """Pilot resource elements of a slot."""
        return len(self.pilot_symbols) * len(self.pilot_subcarriers)

    @functools.cached_property
    def data_uses(self) -> int:
        """Data resource elements of a slot."""
        return self.subcarriers * self.ofdm_symbols - self.pilot_uses

    @functools.cached_property
    def pilots(self) -> torch.Tensor:
        """The pilots, complex64 (pilot symbols, pilot subcarriers)."""
        return _known_symbols("pilots", self.pilot_uses).reshape(len(self.pilot_symbols), -1)

    @functools.cached_property
    def padding(self) -> torch.Tensor:
        """What fills the data elements that nothing is sent on, complex64 (data_uses,)."""
        return _known_symbols("padding", self.data_uses)

    @functools.cached_property
    def data_places(self) -> torch.Tensor:
        """Places of the data elements in a flattened slot (symbols x subcarriers), int64 (data_uses,)."""
        import torch

        data = torch.ones(self.ofdm_symbols, self.subcarriers, dtype=torch.bool)
        for at in self.pilot_symbols:
            data[at, :: self.pilot_spacing] = False
        return data.flatten().nonzero()[:, 0]

    @functools.cached_property
    def _order(self) -> torch.Tensor:
        """Where each element of a flattened slot is found in (pilots, data)."""
        import torch

        order = torch.empty(self.ofdm_symbols * self.subcarriers, dtype=torch.int64)
        order[self.data_places] = self.pilot_uses + torch.arange(self.data_uses)
        slot = order.reshape(self.ofdm_symbols, self.subcarriers)
        for number, at in enumerate(self.pilot_symbols):
            comb = slot[at, :: self.pilot_spacing]
            comb[:] = torch.arange(len(comb)) + number * len(comb)
        return order

    def fill(self, data: torch.Tensor) -> torch.Tensor:
        """Data complex64 (slots, data_uses) with the pilots on their elements, (slots, symbols, subcarriers)."""
        import torch

        pilots = self.pilots.flatten().to(data.device).expand(len(data), -1)
        filled = torch.cat((pilots, data), 1).index_select(1, self._order.to(data.device))
        return filled.reshape(-1, self.ofdm_symbols, self.subcarriers)

    def data_of(self, slots: torch.Tensor) -> torch.Tensor:
        """The data elements of slots (..., symbols, subcarriers), in the order of `fill`: (..., data_uses)."""
        return slots.flatten(-2).index_select(-1, self.data_places.to(slots.device))

    def at_pilots(self, slots: torch.Tensor) -> torch.Tensor:
        """The response at the pilots as they arrived, (slots, antennas, pilot symbols, pilot subcarriers).

        Args:
            slots: complex64 (slots, antennas, symbols, subcarriers)
        """
        arrived = slots[:, :, :, :: self.pilot_spacing]
        if len(self.pilot_symbols) < self.ofdm_symbols:
            arrived = arrived[:, :, list(self.pilot_symbols)]
        return arrived * self.pilots.conj().to(slots.device)


def _known_symbols(name: str, count: int) -> torch.Tensor:
    """A fixed 4-QAM sequence."""
    import torch

    bits = torch.randint(0, 2, (2 * count,), generator=Rng(path=(name,)).torch())
    return QAM4.modulate(bits)
