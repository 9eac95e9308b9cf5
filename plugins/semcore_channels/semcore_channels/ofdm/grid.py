"""The resource grid of a slot: pilots and data."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from semcore import Rng
from semcore_channels.modulation.qam import QAM4

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Grid:
    """A slot with pilots on every `pilot_spacing`-th subcarrier of the symbols `pilot_symbols`.

    Spacing 1 is the Kronecker pattern, all symbols with a spacing is a comb. All other elements
    carry data, ordered by time, then by frequency. Both ends know the pilots and the padding,
    4-QAM.

    Fields:
        subcarriers: subcarriers of an OFDM symbol
        ofdm_symbols: OFDM symbols of a slot
        pilot_symbols: OFDM symbols with pilots, ascending
        pilot_spacing: subcarriers from one pilot to the next, the first on subcarrier 0
    """

    subcarriers: int
    ofdm_symbols: int
    pilot_symbols: tuple[int, ...]
    pilot_spacing: int = 1

    @functools.cached_property
    def pilot_subcarriers(self) -> tuple[int, ...]:
        """Subcarriers with pilots."""
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
        """Known symbols for unused data elements, complex64 (data_uses,)."""
        return _known_symbols("padding", self.data_uses)

    @functools.cached_property
    def data_places(self) -> torch.Tensor:
        """Index of the data elements in a flattened slot, int64 (data_uses,)."""
        import torch

        data = torch.ones(self.ofdm_symbols, self.subcarriers, dtype=torch.bool)
        for symbol in self.pilot_symbols:
            data[symbol, :: self.pilot_spacing] = False
        return data.flatten().nonzero()[:, 0]

    @functools.cached_property
    def _order(self) -> torch.Tensor:
        """Index of each element of a flattened slot in (pilots, data)."""
        import torch

        order = torch.empty(self.ofdm_symbols * self.subcarriers, dtype=torch.int64)
        order[self.data_places] = self.pilot_uses + torch.arange(self.data_uses)
        slot = order.reshape(self.ofdm_symbols, self.subcarriers)
        for number, symbol in enumerate(self.pilot_symbols):
            comb = slot[symbol, :: self.pilot_spacing]
            comb[:] = torch.arange(len(comb)) + number * len(comb)
        return order

    def fill(self, data: torch.Tensor) -> torch.Tensor:
        """Data (slots, data_uses) and the pilots on the grid: (slots, symbols, subcarriers)."""
        import torch

        pilots = self.pilots.flatten().to(data.device).expand(len(data), -1)
        filled = torch.cat((pilots, data), 1).index_select(1, self._order.to(data.device))
        return filled.reshape(-1, self.ofdm_symbols, self.subcarriers)

    def data_of(self, slots: torch.Tensor) -> torch.Tensor:
        """The data elements of slots: (..., symbols, subcarriers) -> (..., data_uses)."""
        return slots.flatten(-2).index_select(-1, self.data_places.to(slots.device))

    def at_pilots(self, slots: torch.Tensor) -> torch.Tensor:
        """Least-squares estimate at the pilots.

        Args:
            slots: complex64 (slots, antennas, symbols, subcarriers)

        Returns:
            complex64 (slots, antennas, pilot symbols, pilot subcarriers)
        """
        arrived = slots[:, :, :, :: self.pilot_spacing]
        if len(self.pilot_symbols) < self.ofdm_symbols:
            arrived = arrived[:, :, list(self.pilot_symbols)]
        return arrived * self.pilots.conj().to(slots.device)


def _known_symbols(name: str, count: int) -> torch.Tensor:
    """A fixed 4-QAM sequence, complex64 (count,)."""
    import torch

    bits = torch.randint(0, 2, (2 * count,), generator=Rng(path=(name,)).torch())
    return QAM4.modulate(bits)
