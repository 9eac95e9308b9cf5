"""The closed space that plans are points of: dotted paths, each with the values that it may take."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LEVELS = 2**16
"""So many values a range of real numbers has: what it is rounded to, so that a plan is a number of few bytes."""
LARGEST = 1e300
"""Numbers of a plan are smaller."""
RUNGS = 5
"""So many of them, evenly apart, are tried where all of a range are too many."""


@dataclass(frozen=True)
class Bounds:
    """The numbers from `low` to `high`: whole ones if both are, else `LEVELS` of them."""

    low: float
    high: float

    @property
    def whole(self) -> bool:
        """Whether its numbers are whole."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def __len__(self) -> int:
        return int(self.high - self.low) + 1 if self.whole else LEVELS

    def __getitem__(self, index: int) -> float:
        if not 0 <= index < len(self):
            raise IndexError(index)
        if self.whole:
            return self.low + index
        return min(self.low + (self.high - self.low) * (index / (LEVELS - 1)), self.high)

    def nearest(self, value: float) -> int:
        """The index of the number nearest to `value`."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(share * (len(self) - 1))


Values = tuple[Any, ...] | Bounds


@dataclass(frozen=True)
class Space:
    """What may be planned. A plan names some of the paths; one that it leaves out stays as the pipeline is written.

    Fields:
        axes: dotted path -> its values: a list in its order, or bounds
    """

    axes: Mapping[str, Values] = field(default_factory=dict)

    @classmethod
    def of(cls, plans: Sequence[Mapping[str, Any]]) -> Space:
        """The smallest space that holds all of some plans."""
        axes: dict[str, list[Any]] = {}
        for plan in plans:
            for path, value in plan.items():
                values = axes.setdefault(path, [])
                if not any(_same(value, one) for one in values):
                    values.append(value)
        return cls({path: tuple(values) for path, values in axes.items()})

    def plain(self) -> dict[str, Any]:
        """As a pipeline file has it: path -> list of values, or `{from: ..., to: ...}`."""
        bounds = {path: values for path, values in self.axes.items() if isinstance(values, Bounds)}
        listed = {path: list(values) for path, values in self.axes.items() if isinstance(values, tuple)}
        written = {**listed, **{path: {"from": one.low, "to": one.high} for path, one in bounds.items()}}
        return {path: written[path] for path in self.axes}

    @property
    def size(self) -> int:
        """The number of different plans."""
        return math.prod(len(values) + 1 for values in self.axes.values())

    def holds(self, plan: Mapping[str, Any]) -> bool:
        """Whether a plan is a point of the space."""
        return self.clamped(plan) == dict(plan)

    def clamped(self, plan: Mapping[str, Any]) -> dict[str, Any]:
        """The point next to a plan: numbers become the nearest of the axis; what has no nearest one is left out."""
        found = {path: _index(values, plan[path]) for path, values in self.axes.items() if path in plan}
        return {path: self.axes[path][index] for path, index in found.items() if index is not None}

    def number(self, plan: Mapping[str, Any]) -> int:
        """The number of a point, 0 for the empty plan: what is signalled.

        Raises:
            KeyError: the plan is no point of the space
        """
        total = 0
        for path, values in self.axes.items():
            index = _index(values, plan[path]) if path in plan else -1
            if index is None:
                raise KeyError(path)
            total = total * (len(values) + 1) + index + 1
        return total

    def point(self, number: int) -> dict[str, Any]:
        """The plan of a number."""
        plan: dict[str, Any] = {}
        for path in reversed(list(self.axes)):
            values = self.axes[path]
            number, index = divmod(number, len(values) + 1)
            if index:
                plan[path] = values[index - 1]
        return {path: plan[path] for path in self.axes if path in plan}

    @property
    def signal_bytes(self) -> int:
        """Bytes that say which plan it is."""
        return max(((self.size - 1).bit_length() + 7) // 8, 1)

    def grid_values(self, path: str) -> list[Any]:
        """The values of an axis that are worth trying: all of a list, at most `RUNGS` between bounds, both ends among them."""
        values = self.axes[path]
        if isinstance(values, tuple) or len(values) <= RUNGS:
            return [values[index] for index in range(len(values))]
        return [values[round(step * (len(values) - 1) / (RUNGS - 1))] for step in range(RUNGS)]

    def covering(self, most: int) -> Iterator[dict[str, Any]]:
        """Plans that show every value: all points, or, if they are more than `most`, each value alone in each workflow."""
        paths = [path for path in self.axes if path != "workflow"]
        if math.prod(len(self.grid_values(path)) for path in self.axes) <= most:
            yield from self.points()
            return
        for workflow in [{"workflow": one} for one in self.grid_values("workflow")] if "workflow" in self.axes else [{}]:
            yield workflow
            yield from ({**workflow, path: value} for path in paths for value in self.grid_values(path))

    def points(self) -> Iterator[dict[str, Any]]:
        """Every plan that names all paths, the last axis changes fastest; of bounds the rungs alone."""
        for values in itertools.product(*map(self.grid_values, self.axes)):
            yield dict(zip(self.axes, values, strict=True))


def _index(values: Values, value: Any) -> int | None:
    """The index of `value`, or of the number nearest to it; None if there is neither."""
    if isinstance(values, tuple):
        exact = next((index for index, one in enumerate(values) if _same(one, value)), None)
        if exact is not None:
            return exact
    if not _number(value) or not len(values):
        return None
    if isinstance(values, Bounds):
        return values.nearest(value)
    if not all(map(_number, values)):
        return None
    return min(range(len(values)), key=lambda index: abs(values[index] - value))


def _same(one: Any, other: Any) -> bool:
    """Equal, and of one kind: True is not 1."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _number(value: Any) -> bool:
    """Whether it can be compared with the numbers of an axis; a whole number may be larger than any real one."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -LARGEST < value < LARGEST
