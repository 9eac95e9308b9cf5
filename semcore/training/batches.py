"""Batches of a training, prepared by a DataLoader, by this process or by others."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from semcore.training.settings import NetworkRecipe

ASIDE = 1 << 31
"""Added to the seed of an epoch, for what its loss draws when its batches draw for themselves."""


class Batches(abc.ABC):
    """The batches of an epoch: first what each one holds, then the batch itself.

    Whatever is random is drawn first, in this process and in order, so that any number of
    `workers` gives the same batches.
    """

    count: int
    """Batches of an epoch."""

    @abc.abstractmethod
    def plans(self, generator: torch.Generator) -> Iterable[Any]:
        """What each batch of an epoch holds, with all random numbers, drawn by the generator of
        the epoch."""

    @abc.abstractmethod
    def prepared(self, plan: Any) -> Any:
        """The batch of a plan: tensors on the CPU, alone or in tuples, lists and mappings."""


@dataclass(frozen=True, eq=False)
class RowBatches(Batches):
    """Rows of tensors, each once per pass, in an order that each epoch draws.

    A batch is the numbers of its rows, int64 (B,), and a tuple of those rows. The last rows are
    left out where they fill no batch, unless there is no other.

    Fields:
        tensors: of one length, on the CPU
        size: rows of a batch
        passes: over all rows in an epoch
    """

    tensors: Sequence[torch.Tensor]
    size: int
    passes: int = 1

    @property
    def count(self) -> int:  # type: ignore[override]
        """Batches of an epoch."""
        return max(self.passes * len(self.tensors[0]) // self.size, 1)

    def plans(self, generator: torch.Generator) -> Iterable[Any]:
        length = len(self.tensors[0])
        orders = [torch.randperm(length, generator=generator) for _ in range(self.passes)]
        return torch.cat(orders).split(self.size)[: self.count]

    def prepared(self, plan: Any) -> Any:
        return plan, tuple(tensor[plan] for tensor in self.tensors)


def _same(plan: Any) -> Any:
    return plan


@dataclass(frozen=True, eq=False)
class DrawnBatches(Batches):
    """Batches that are drawn one by one.

    Fields:
        draw: what a batch holds, drawn by the generator of the epoch
        count: batches of an epoch
        prepare: the batch of what was drawn, without random numbers; a function that can be
            pickled, for `workers`
    """

    draw: Callable[[torch.Generator], Any]
    count: int
    prepare: Callable[[Any], Any] = field(default=_same)

    def plans(self, generator: torch.Generator) -> Iterable[Any]:
        # Workers are sent plans ahead of the losses, which must not draw from the same numbers.
        own = torch.Generator()
        own.set_state(generator.get_state())
        generator.manual_seed(generator.initial_seed() + ASIDE)
        return (self.draw(own) for _ in range(self.count))

    def prepared(self, plan: Any) -> Any:
        return self.prepare(plan)


def loaded(batches: Batches, generator: torch.Generator, recipe: NetworkRecipe) -> Iterator[Any]:
    """The batches of an epoch, on the CPU, prepared by the `workers` of a recipe."""
    # The annotation of DataLoader asks for numbers of rows; any plan serves as one.
    plans: Any = _Plans(batches.plans(generator))
    loader = DataLoader(
        _Prepared(batches),
        sampler=plans,
        batch_size=None,
        num_workers=recipe.workers,
        pin_memory=recipe.place.type == "cuda",
        generator=torch.Generator(),  # the global one stays as it is
    )
    yield from loader


class _Prepared(Dataset[Any]):
    """Batches by their plans."""

    def __init__(self, batches: Batches) -> None:
        self.batches = batches

    def __getitem__(self, plan: Any) -> Any:
        return self.batches.prepared(plan)


@dataclass(frozen=True, eq=False)
class _Plans:
    """Plans, as the sampler of a DataLoader."""

    plans: Iterable[Any]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.plans)
