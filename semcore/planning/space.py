"""The space of plans: dotted paths, each with the values that it may take."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from semcore.planning.axes import Choices

GRID = 5
"""Number of values of a range in the grid."""


@dataclass(frozen=True)
class Space:
    """What may be planned. A path that a plan leaves out stays as the pipeline is written.

    Fields:
        axes: dotted path -> its `Axis`; a tuple becomes `Choices`
    """

    axes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        def axis(one: Any) -> Any:
            return Choices(one) if type(one) in (tuple, list) else one

        object.__setattr__(self, "axes", {path: axis(one) for path, one in self.axes.items()})

    @classmethod
    def of(cls, plans: Sequence[Mapping[str, Any]]) -> Space:
        """The smallest space that holds all of some plans."""
        axes: dict[str, list[Any]] = {}
        for plan in plans:
            for path, value in plan.items():
                axes.setdefault(path, []).append(value)
        return cls({path: Choices(values) for path, values in axes.items()})

    def plain(self) -> dict[str, Any]:
        """As a pipeline file writes it."""
        return {path: axis.plain() for path, axis in self.axes.items()}

    @property
    def size(self) -> int:
        """The number of different plans."""
        return math.prod(len(values) + 1 for values in self.axes.values())

    def holds(self, plan: Mapping[str, Any]) -> bool:
        """Whether a plan is a point of the space."""
        return self.clamped(plan) == dict(plan)

    def clamped(self, plan: Mapping[str, Any]) -> dict[str, Any]:
        """The nearest point to a plan: numbers rounded to the axes, other values left out."""
        found = {
            path: values.index(plan[path]) for path, values in self.axes.items() if path in plan
        }
        return {path: self.axes[path][index] for path, index in found.items() if index is not None}

    def number(self, plan: Mapping[str, Any]) -> int:
        """The number of a point that is signalled; 0 for the empty plan.

        Raises:
            KeyError: the plan is not a point of the space
        """
        total = 0
        for path, values in self.axes.items():
            index = values.index(plan[path]) if path in plan else -1
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
        """Bytes of the number of a plan."""
        return max(((self.size - 1).bit_length() + 7) // 8, 1)

    def grid_values(self, path: str) -> list[Any]:
        """The values of an axis to try: all of a list, at most `GRID` of a range with both ends."""
        return self.axes[path].grid(GRID)

    def covering(self, most: int) -> Iterator[dict[str, Any]]:
        """Plans with every value: all points if at most `most`, else each value per workflow."""
        paths = [path for path in self.axes if path != "workflow"]
        if math.prod(len(self.grid_values(path)) for path in self.axes) <= most:
            yield from self.points()
            return
        workflows = list[dict[str, Any]]([{}])
        if "workflow" in self.axes:
            workflows = [{"workflow": one} for one in self.grid_values("workflow")]
        for workflow in workflows:
            yield workflow
            for path in paths:
                yield from ({**workflow, path: value} for value in self.grid_values(path))

    def points(self) -> Iterator[dict[str, Any]]:
        """Every plan that names all paths, by `grid_values`; the last axis changes fastest."""
        for values in itertools.product(*map(self.grid_values, self.axes)):
            yield dict(zip(self.axes, values, strict=True))
