"""What a component returned, held against what its interface asks for."""

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
"""By which rounding may put a value beyond the ends of its range, relative to an end greater than 1."""


def expect(owner: Component, made: Any, kind: type[T], hint: str = "") -> T:
    """`made`, if it is a `kind`.

    Raises:
        ComponentError: it is something else
    """
    if not isinstance(made, kind):
        mend = f": {hint}" if hint else ""
        raise ComponentError(f"{_named(owner)} must return {kind.__name__}, not {type(made).__name__}{mend}")
    return made


def expect_each(owner: Component, made: Any, kind: type[T], asked: Sequence[Any]) -> list[T]:
    """`made`, if it holds one `kind` for each of what was `asked`.

    Raises:
        ComponentError: it does not
    """
    if not isinstance(made, (list, tuple)) or not all(isinstance(item, kind) for item in made):
        raise ComponentError(f"{_named(owner)} must return a list with one {kind.__name__} a sample")
    if len(made) != len(asked):
        raise ComponentError(f"{_named(owner)} returned {len(made)} {kind.__name__} for {len(asked)} samples")
    return list(made)


def expect_values(metric: Metric, records: Sequence[Record]) -> list[float | None]:
    """What a metric says of each record: one number or None each, within the range that its `statistic` declares.

    Raises:
        ComponentError: it is something else
    """
    found = metric.measure(records)
    if not isinstance(found, (list, tuple)) or not all(one is None or isinstance(one, Real) for one in found):
        raise ComponentError(f"{_named(metric)} must return a list with one number or None a sample")
    if len(found) != len(records):
        raise ComponentError(f"{_named(metric)} returned {len(found)} values for {len(records)} samples")
    low, high = metric.statistic.range
    for value, record in zip(found, records, strict=True):
        if value is None:
            continue
        below = low is not None and value < low - TOLERANCE * max(1.0, abs(low))
        above = high is not None and value > high + TOLERANCE * max(1.0, abs(high))
        if below or above:
            least, most = ("no end" if end is None else f"{end:g}" for end in (low, high))
            said = f"{_named(metric)} says {float(value):g} of sample {record.source.id!r}"
            raise ComponentError(f"{said}, and its `statistic` declares values from {least} to {most}")
    return [value if value is None or isinstance(value, float) else float(value) for value in found]


def _named(owner: Component) -> str:
    inner = getattr(owner, "inner", owner)  # a cached stage answers for the component inside
    return f"{inner.kind} {name_of(type(inner))!r}"
