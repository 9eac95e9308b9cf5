"""Which items of a data set are taken, and in what order."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Annotated, TypeVar

from annotated_types import Ge

from semcore import Rng

Count = Annotated[int, Ge(0)]
Item = TypeVar("Item")


def taken(
    items: Sequence[Item], limit: int | None, offset: int = 0, shuffle: int | None = None
) -> list[Item]:
    """The items from `offset` on, at most `limit`, after a shuffle by seed.

    Args:
        shuffle: seed of the order; None: the given order
    """
    order: Sequence[int] = range(len(items))
    if shuffle is not None:
        order = Rng(shuffle).at("shuffle").numpy().permutation(len(items)).tolist()
    end = None if limit is None else offset + limit
    return [items[index] for index in itertools.islice(order, offset, end)]


def by_turns(classes: Mapping[str, Sequence[Item]]) -> list[Item]:
    """The first item of each class, in alphabetical order, then the second of each, and so on."""
    rounds = itertools.zip_longest(*(classes[name] for name in sorted(classes)))
    return [item for one_of_each in rounds for item in one_of_each if item is not None]
