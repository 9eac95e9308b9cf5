"""Realisations that are drawn once and kept, so that rows, rounds and the points of a sweep share them.

A seed has a pool of realisations, drawn in blocks when they are first wanted. Where a row begins in the pool is drawn at the
row's own address; its slots follow from there. So a row does not depend on its batch, a thousand short rows cost no more than
a long one, and what changes only the SNR costs no new channel.
"""

from __future__ import annotations

import abc
import functools
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Protocol

from annotated_types import Ge, Le

from semcore.errors import ComponentError
from semcore.rng import Rng
from semcore_channels.ofdm.channel import OFDMChannel
from semcore_channels.ofdm.estimation import Correlation
from semcore_channels.ofdm.sampling import Sampling
from semcore_channels.ofdm.slots import SlotRange, Slots

if TYPE_CHECKING:
    import torch

BLOCK = 256
"""Realisations that are drawn at once: Sionna's part of the work costs a third of what it costs for 16."""
KEPT_BYTES = 256 * 2**20
"""Memory for realisations that a later call may ask for again."""


class Ensemble(Protocol):
    """What realisations are drawn from; hashable, and equal if it draws the same."""

    def draw(self, rng: Rng, slots: int) -> Slots:
        """`slots` realisations, the same whenever `rng` and `slots` are."""

    def __hash__(self) -> int: ...


Speed = Annotated[float, Ge(0), Le(1000)]
OBSERVED = 256
"""Realisations from which a receiver has learnt the correlation of the response."""


@dataclass(frozen=True)
class PooledChannel(OFDMChannel, abc.ABC):
    """An OFDM channel whose realisations are drawn from an ensemble and kept.

    Fields:
        speed_kmh: slowest and fastest terminal, km/h; uniform in between
        realisations: channels of a slot that a seed has; rows take theirs from them, so that not every row must draw its own
    """

    speed_kmh: tuple[Speed, Speed] = (3.0, 3.0)
    realisations: Annotated[int, Ge(1), Le(10**9)] = 2048

    @property
    @abc.abstractmethod
    def ensemble(self) -> Ensemble:
        """What slots are drawn from; the SNR is no part of it."""

    def check(self) -> None:
        super().check()
        if self.speed_kmh[0] > self.speed_kmh[1]:
            raise ComponentError(f"{type(self).__name__}.speed_kmh must be (slowest, fastest), not {self.speed_kmh}")

    @property
    def sampling(self) -> Sampling:
        """Where the response of a slot is sampled."""
        return Sampling(self.ofdm_symbols, self.symbol_s, self.subcarriers, self.subcarrier_spacing_hz, self.prefix_s)

    def draw(self, parts: Sequence[SlotRange], rng: Rng) -> Slots:
        return taken(self.ensemble, parts, rng, self.realisations)

    def correlation(self) -> Correlation:
        return _observed(self.ensemble)


@functools.lru_cache(maxsize=64)
def _observed(ensemble: Ensemble) -> Correlation:
    return Correlation.of(ensemble.draw(Rng(path=("observed",)), OBSERVED).response)


def taken(ensemble: Ensemble, parts: Sequence[SlotRange], rng: Rng, realisations: int) -> Slots:
    """The realisations that the slots of `parts` meet, of `realisations` that the seed of `rng` has."""
    import torch

    places = [
        (_begin(part.key, rng, realisations) + part.first + number) % realisations
        for part in parts
        for number in range(part.count)
    ]
    numbers = {place // BLOCK for place in places}
    blocks = {number: _block(ensemble, rng.root(), number, min(BLOCK, realisations - number * BLOCK)) for number in numbers}
    at = [(blocks[place // BLOCK], place % BLOCK) for place in places]

    def pick(name: str) -> torch.Tensor | None:
        known = getattr(at[0][0], name) is not None
        return torch.stack([getattr(block, name)[slot] for block, slot in at]) if known else None

    return Slots(**{name: pick(name) for name in ("response", "doppler_hz", "gain", "noise", "isi")})  # type: ignore[arg-type]


def _begin(key: str, rng: Rng, realisations: int) -> int:
    return rng.at("drops", key).integer() % realisations


_kept: OrderedDict[tuple[Ensemble, Rng, int, int], Slots] = OrderedDict()
_lock = threading.Lock()


def _block(ensemble: Ensemble, root: Rng, number: int, size: int) -> Slots:
    """Block `number` of the pool of a seed, whose address is `root`, from memory if it was drawn lately."""
    key = (ensemble, root, number, size)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    found = ensemble.draw(root.at("drops", number), size)
    with _lock:
        _kept[key] = found
        while sum(_bytes(one) for one in _kept.values()) > KEPT_BYTES and len(_kept) > 1:
            _kept.popitem(last=False)
    return found


def _bytes(slots: Slots) -> int:
    return sum(one.nbytes for one in vars(slots).values() if one is not None)
