"""What a kind of metric is: how its values are averaged, and which interval the mean has."""

from __future__ import annotations

import abc
import math
import typing
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

from semcore.statistics.intervals import LEVEL, Ends, Estimate, student

OURS = "semcore.statistics.kinds"
"""The module of semcore's own kinds, whose names no other class may have."""
KINDS: dict[str, type[Statistic]] = {}
"""The kinds of metrics by name; every subclass of `Statistic` is entered when it is defined."""


class Quotient(float):
    """A ratio that keeps its parts, such as wrong bits / bits, to be summed over samples.

    Args:
        numerator: finite
        denominator: finite and greater than 0
    """

    __slots__ = ("denominator", "numerator")
    numerator: float
    denominator: float

    def __new__(cls, numerator: float, denominator: float) -> Quotient:
        """The value numerator / denominator."""
        made = super().__new__(cls, numerator / denominator)
        made.numerator, made.denominator = float(numerator), float(denominator)
        return made

    def __getnewargs__(self) -> tuple[float, float]:  # type: ignore[override]
        return self.numerator, self.denominator


def parts(value: float) -> tuple[float, float]:
    """Numerator and denominator of a value; without parts, the value and 1."""
    return (
        (value.numerator, value.denominator) if isinstance(value, Quotient) else (float(value), 1.0)
    )


@dataclass(frozen=True)
class Statistic(abc.ABC):
    """What kind of number a metric gives: how it is averaged, and the interval of the mean.

    A subclass is a frozen dataclass whose fields are numbers (`float`, or `float | None`). Results
    hold `kind` and the fields. The subclass registers itself when its module is imported; to read
    results, semcore imports the metrics that they name.

    Raises:
        TypeError: a subclass has the `kind` of another one
    """

    kind: ClassVar[str]
    """Its name in results, unique."""
    words: ClassVar[str]
    """The name of the interval, for captions."""
    symmetric: ClassVar[bool] = True
    """Whether an interval of equal arms is written as mean ± half-width."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "kind" not in cls.__dict__:
            return
        known = KINDS.get(cls.kind, cls)
        if known.__qualname__ != cls.__qualname__ or known.__module__ == OURS != cls.__module__:
            name = f"{known.__module__}.{known.__qualname__}"
            raise TypeError(
                f"{cls.__qualname__}: {cls.kind!r} is the kind of {name}; choose another name"
            )
        KINDS[cls.kind] = cls

    @property
    @abc.abstractmethod
    def range(self) -> Ends:
        """The least and the greatest possible value; None: unbounded."""

    @abc.abstractmethod
    def estimate(self, values: Sequence[float]) -> Estimate:
        """Mean and 95 % interval of at least one value, none of them NaN."""

    def average(self, values: Sequence[float]) -> float | None:
        """The mean of values, equal to that of `estimate`; by default the arithmetic mean."""
        return math.fsum(values) / len(values)

    def difference(
        self, ours: Sequence[float], theirs: Sequence[float], level: float = LEVEL
    ) -> Estimate:
        """Mean of ours minus theirs, and its interval.

        Args:
            ours: values
            theirs: values of the same samples in the same order
            level: confidence level, 0..1
        """
        most = width(self.range)
        apart = [one - other for one, other in zip(ours, theirs, strict=True)]
        return student(apart, None if most is None else -most, most, level)

    def apart(self, ours: Sequence[float], theirs: Sequence[float], level: float = LEVEL) -> int:
        """1 if ours are significantly greater than theirs, -1 if less, else 0."""
        found = self.difference(ours, theirs, level)
        if found.low is None or found.high is None:
            return 0
        return (found.low > 0) - (found.high < 0)

    def of(self, values: Sequence[float | None]) -> Estimate:
        """Mean and interval of values, leaving out None; no mean unless `allows` them."""
        known = [value for value in values if value is not None]
        return self.estimate(known) if known and self.allows(known) else Estimate(len(known), None)

    def mean(self, values: Sequence[float | None]) -> float | None:
        """The mean of values, equal to that of `of`."""
        known = [value for value in values if value is not None]
        return self.average(known) if known and self.allows(known) else None

    def level(self, values: Sequence[float | None]) -> float | None:
        """One finite number that increases with each value, for a utility; None without values."""
        return self.mean(values)

    def together(self, values: Sequence[float]) -> float:
        """Repeated measurements of one sample as one value."""
        if any(isinstance(value, Quotient) for value in values):
            over, under = zip(*map(parts, values), strict=True)
            return Quotient(math.fsum(over), math.fsum(under))
        return math.inf if set(values) == {math.inf} else self.average(values) or 0.0

    def allows(self, values: Sequence[float]) -> bool:
        """Whether the values have a mean: all are finite."""
        return all(map(math.isfinite, values))

    @property
    def described(self) -> dict[str, Any]:
        """The kind and the fields as results hold them; `statistic_of` reads them."""
        low, high = self.range
        return {"kind": self.kind, **asdict(self), "low": low, "high": high}


def statistic_of(described: Mapping[str, Any]) -> Statistic:
    """The statistic that results describe.

    Raises:
        ValueError: an unknown kind, or a field that is not the number it should be
    """
    kind = KINDS.get(str(described.get("kind")))
    if kind is None:
        raise ValueError(f"a statistic is of the kind {', '.join(KINDS)}")
    hints = typing.get_type_hints(kind)
    values = {field.name: described.get(field.name) for field in fields(kind)}
    for name, value in values.items():
        optional = type(None) in typing.get_args(hints[name])
        if not (
            isinstance(value, (int, float)) and math.isfinite(value) or value is None and optional
        ):
            raise ValueError(f"{name} of a {kind.kind} is not a number")
    return kind(**values)


def width(ends: Ends) -> float | None:
    """The width of a range; None if it is unbounded."""
    return None if ends[0] is None or ends[1] is None else ends[1] - ends[0]
