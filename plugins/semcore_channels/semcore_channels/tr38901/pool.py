"""A pool of realisations: drawn once per seed, shared by rows and by the points of a sweep.

The realisations of a seed are drawn in blocks when first needed. The random numbers of a row choose
its first realisation; its slots take the following ones. So a row does not depend on its batch, a
thousand short rows cost no more than one long row, and a sweep of the SNR draws no new channels.
"""

from __future__ import annotations

import abc
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Protocol

from annotated_types import Ge, Le

from semcore import LRU, ComponentError, Rng
from semcore_channels.ofdm.channel import OFDMChannel
from semcore_channels.ofdm.estimation import Correlation
from semcore_channels.ofdm.sampling import Sampling
from semcore_channels.ofdm.slots import SlotRange, Slots

if TYPE_CHECKING:
    import torch

BLOCK = 256
"""Realisations that are drawn at once: per realisation, Sionna takes a third of its time for 16."""
MAX_BYTES = 256 * 2**20
"""Memory for blocks that later calls may use again."""
Speed = Annotated[float, Ge(0), Le(1000)]
OBSERVED = 256
"""Realisations from which the receiver knows the correlation of the response."""


class Ensemble(Protocol):
    """A distribution of realisations; hashable, and equal if it draws the same."""

    def draw(self, rng: Rng, slots: int) -> Slots:
        """`slots` realisations; they depend on `rng` and `slots` only."""

    def __hash__(self) -> int: ...


@dataclass(frozen=True)
class PooledChannel(OFDMChannel, abc.ABC):
    """An OFDM channel with a pool of realisations from an ensemble.

    Fields:
        speed_kmh: lowest and highest speed of the terminal, km/h; uniformly distributed in between
        realisations: slots in the pool of a seed; rows share them, so that not each draws its own
    """

    speed_kmh: tuple[Speed, Speed] = (3.0, 3.0)
    realisations: Annotated[int, Ge(1), Le(10**9)] = 2048

    @property
    @abc.abstractmethod
    def ensemble(self) -> Ensemble:
        """The distribution of the slots; independent of the SNR."""

    def check(self) -> None:
        super().check()
        if self.speed_kmh[0] > self.speed_kmh[1]:
            raise ComponentError(
                f"{type(self).__name__}.speed_kmh must be (slowest, fastest), not {self.speed_kmh}"
            )

    @property
    def sampling(self) -> Sampling:
        """Where the response of a slot is sampled."""
        return Sampling(
            self.ofdm_symbols,
            self.symbol_s,
            self.subcarriers,
            self.subcarrier_spacing_hz,
            self.prefix_s,
        )

    def draw(self, parts: Sequence[SlotRange], rng: Rng) -> Slots:
        return from_pool(self.ensemble, parts, rng, self.realisations)

    def correlation(self) -> Correlation:
        return _observed(self.ensemble)


@functools.lru_cache(maxsize=64)
def _observed(ensemble: Ensemble) -> Correlation:
    return Correlation.of(ensemble.draw(Rng(path=("observed",)), OBSERVED).response)


def from_pool(ensemble: Ensemble, parts: Sequence[SlotRange], rng: Rng, realisations: int) -> Slots:
    """The realisations for the slots of `parts`.

    Args:
        ensemble: distribution of the realisations
        parts: the slots
        rng: address of the channel; its seed chooses the pool
        realisations: size of the pool
    """
    import torch

    places = [
        (_begin(part.key, rng, realisations) + part.first + number) % realisations
        for part in parts
        for number in range(part.count)
    ]
    blocks = {
        number: _block(ensemble, rng.root(), number, min(BLOCK, realisations - number * BLOCK))
        for number in {place // BLOCK for place in places}
    }

    def pick(name: str) -> torch.Tensor | None:
        if getattr(next(iter(blocks.values())), name) is None:
            return None
        slots = [getattr(blocks[place // BLOCK], name)[place % BLOCK] for place in places]
        return torch.stack(slots)

    names = ("response", "doppler_hz", "gain", "noise", "isi")
    return Slots(**{name: pick(name) for name in names})  # type: ignore[arg-type]


def _begin(key: str, rng: Rng, realisations: int) -> int:
    """Place of a row's first slot in the pool."""
    return rng.at("drops", key).integer() % realisations


def _block(ensemble: Ensemble, root: Rng, number: int, size: int) -> Slots:
    """Block `number` of the pool of a seed, from memory if it is there; `root` has the seed."""
    return _blocks.of(
        (ensemble, root, number, size), lambda: ensemble.draw(root.at("drops", number), size)
    )


def _bytes(slots: Slots) -> int:
    """Memory of all tensors, bytes."""
    return sum(tensor.nbytes for tensor in vars(slots).values() if tensor is not None)


_blocks = LRU[Slots](size=MAX_BYTES, size_of=_bytes)
