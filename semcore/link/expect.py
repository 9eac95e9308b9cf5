"""Checks what a component returned against its interface."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, TypeVar

from semcore.component.base import Component
from semcore.entrypoints.naming import name_of
from semcore.errors import ComponentError
from semcore.interfaces import Metric, Record

T = TypeVar("T")
TOLERANCE = 1e-6
"""Rounding error allowed beyond the range of a metric, relative where a bound exceeds 1."""


def expect(owner: Component, result: Any, kind: type[T], hint: str = "") -> T:
    """`result`, if it is a `kind`; raises ComponentError otherwise."""
    if not isinstance(result, kind):
        found = type(result).__name__ + (f": {hint}" if hint else "")
        raise ComponentError(f"{_named(owner)} must return {kind.__name__}, not {found}")
    return result


def expect_each(owner: Component, result: Any, kind: type[T], samples: Sequence[Any]) -> list[T]:
    """`result`, if it holds one `kind` per sample; raises ComponentError otherwise."""
    name = kind.__name__
    if not isinstance(result, (list, tuple)) or not all(isinstance(one, kind) for one in result):
        raise ComponentError(f"{_named(owner)} must return a list with one {name} per sample")
    if len(result) != len(samples):
        counts = f"{len(result)} {name} for {len(samples)} samples"
        raise ComponentError(f"{_named(owner)} returned {counts}")
    return list(result)


def expect_values(metric: Metric, records: Sequence[Record]) -> list[float | None]:
    """A metric of each record: a number or None, in the range that its `statistic` declares.

    Raises:
        ComponentError: a value is missing, of another type or out of range
    """
    values = metric.measure(records)
    name = _named(metric)
    if not isinstance(values, (list, tuple)) or not all(isinstance(v, Real | None) for v in values):
        raise ComponentError(f"{name} must return a list with one number or None per sample")
    if len(values) != len(records):
        raise ComponentError(f"{name} returned {len(values)} values for {len(records)} samples")
    low, high = metric.statistic.range
    for value, record in zip(values, records, strict=True):
        if value is None:
            continue
        below = low is not None and value < low - TOLERANCE * max(1.0, abs(low))
        above = high is not None and value > high + TOLERANCE * max(1.0, abs(high))
        if below or above:
            least, most = ("no bound" if end is None else f"{end:g}" for end in (low, high))
            measured = f"{name} returned {float(value):g} for sample {record.source.id!r}"
            declared = f"its `statistic` declares values from {least} to {most}"
            raise ComponentError(f"{measured}, but {declared}")
    return [v if v is None or isinstance(v, float) else float(v) for v in values]


def _named(owner: Component) -> str:
    inner = getattr(owner, "inner", owner)  # of a cached stage, the component inside
    return f"{inner.kind} {name_of(type(inner))!r}"
