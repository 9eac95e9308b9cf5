"""The values of samples, and the samples that two cells have in common."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from semcore.statistics.base import Quotient, Statistic
from semcore.statistics.intervals import Estimate


def value_of(item: Mapping[str, Any], metric: str) -> float | None:
    """The value of a metric in the item of a sample.

    Infinite if the item lists it as exact, a `Quotient` if it has parts, None without a value.
    """
    if metric in item.get("exact", ()):
        return math.inf
    if metric in item.get("parts", {}) and item["parts"][metric][1] > 0:
        return Quotient(*item["parts"][metric])
    value = item["metrics"].get(metric)
    return None if value is None else float(value)


def paired(
    ours: Iterable[Mapping[str, Any]],
    theirs: Iterable[Mapping[str, Any]],
    metric: str,
    kind: Statistic,
) -> Estimate | None:
    """The mean of a metric in our items minus that in theirs, over the samples with values in both.

    Returns:
        None if there is no such sample
    """
    both = pairs(
        [{item["sample"]: value_of(item, metric) for item in items} for items in (ours, theirs)]
    )
    return kind.difference(*both) if both else None


def pairs(values: Sequence[Mapping[str, float | None]]) -> tuple[list[float], list[float]] | None:
    """The values of the samples that have one on both sides.

    Args:
        values: sample -> value, of both sides

    Returns:
        the values of each side in the same order; None if there are none
    """
    found: tuple[list[float], list[float]] = [], []
    for name, one in values[0].items():
        other = values[1].get(name)
        if one is not None and other is not None:
            found[0].append(one)
            found[1].append(other)
    return found if found[0] else None
