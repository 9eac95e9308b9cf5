"""The axes of a plan space: lists of values, and ranges of numbers.

A new kind of axis is one subclass of `Axis`.
"""

from __future__ import annotations

import abc
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

LEVELS = 2**16
"""Values of a range of real numbers; plans are rounded to them, so that few bytes signal one."""
LARGEST = 1e300
"""Numbers of a plan are smaller than this in magnitude."""


class Axis(abc.ABC):
    """The values that one setting may take in a plan, in their order.

    A subclass with `keys` is known by the keys of its mapping under `space` in a pipeline file. It
    may be defined in a file under `plugins:`. Subclasses are frozen dataclasses: their fields are
    part of a cell's id.
    """

    keys: ClassVar[tuple[str, ...]] = ()
    """Keys of its form in a pipeline file, all required; (): it is not written as a mapping."""
    kinds: ClassVar[dict[tuple[str, ...], type[Axis]]] = {}
    """Keys, sorted -> the subclass that has them."""

    def __init_subclass__(cls) -> None:
        if cls.keys:
            Axis.kinds[tuple(sorted(cls.keys))] = cls

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> Axis:
        """The axis that a mapping with these keys describes.

        Raises:
            ValueError: its values are invalid
        """
        raise NotImplementedError

    @abc.abstractmethod
    def __len__(self) -> int:
        """The number of values, at least 1."""

    @abc.abstractmethod
    def __getitem__(self, index: Any) -> Any:
        """The value at an index, 0 to `len - 1`."""

    @abc.abstractmethod
    def index(self, value: Any) -> int | None:
        """The index of a value, or of the one nearest to it; None if there is neither."""

    @abc.abstractmethod
    def plain(self) -> Any:
        """As a pipeline file writes it."""

    @abc.abstractmethod
    def schema(self) -> dict[str, Any]:
        """JSON Schema of one value."""

    def grid(self, most: int) -> list[Any]:
        """At most `most` values, evenly spaced on the axis, with both ends."""
        if len(self) <= most:
            return [self[index] for index in range(len(self))]
        return [self[round(step * (len(self) - 1) / (most - 1))] for step in range(most)]

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))


class Choices(tuple[Any, ...], Axis):
    """Listed values, all of them in the grid; of equal ones, such as 0 and 0.0, the first."""

    def __new__(cls, values: Iterable[Any] = ()) -> Choices:
        """The different values among `values`, in their order."""
        kept: list[Any] = []
        known: set[Any] = set()
        for value in values:
            key = (isinstance(value, bool), value)
            try:
                seen = key in known
                known.add(key)
            except TypeError:  # a list or a mapping
                seen = any(same(value, one) for one in kept)
            if not seen:
                kept.append(value)
        return super().__new__(cls, kept)

    def index(self, value: Any) -> int | None:  # type: ignore[override]
        """The index of an equal value; where all are numbers, of the nearest."""
        exact = next((index for index, one in enumerate(self) if same(one, value)), None)
        if exact is not None or not is_number(value) or not all(map(is_number, self)):
            return exact
        return min(range(len(self)), key=lambda index: abs(self[index] - value), default=None)

    def plain(self) -> list[Any]:
        """The values as a list."""
        return list(self)

    def schema(self) -> dict[str, Any]:
        """One of the values."""
        return {"enum": list(self)}

    def grid(self, most: int) -> list[Any]:
        """All values."""
        return list(self)


@dataclass(frozen=True)
class Bounds(Axis):
    """The numbers from `low` to `high`: whole ones if both are, else `LEVELS`, evenly spaced."""

    keys = ("from", "to")

    low: float
    high: float

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> Bounds:
        """`{from: low, to: high}`; both are numbers, low < high."""
        return cls(value["from"], value["to"])

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

    def index(self, value: Any) -> int | None:
        """The index of the nearest number; None if `value` is not a number."""
        if not is_number(value):
            return None
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(share * (len(self) - 1))

    def plain(self) -> dict[str, Any]:
        """`{from: low, to: high}`"""
        return {"from": self.low, "to": self.high}

    def schema(self) -> dict[str, Any]:
        """A number between the bounds."""
        return {
            "type": "integer" if self.whole else "number",
            "minimum": self.low,
            "maximum": self.high,
        }


@dataclass(frozen=True)
class LogBounds(Axis):
    """`LEVELS` positive numbers from `low` to `high` with a constant ratio.

    For powers in watts or error rates. Written `{from: 0.001, to: 1, scale: log}`.
    """

    keys = ("from", "to", "scale")

    low: float
    high: float

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> LogBounds:
        """`{from: low, to: high, scale: log}`; 0 < low < high."""
        if value["scale"] != "log":
            raise ValueError("scale must be log; a linear range has no scale")
        if not all(is_number(value[key]) and value[key] > 0 for key in ("from", "to")):
            raise ValueError("from and to must be numbers above 0")
        if value["from"] >= value["to"]:
            raise ValueError("to must be greater than from")
        return cls(float(value["from"]), float(value["to"]))

    def __len__(self) -> int:
        return LEVELS

    def __getitem__(self, index: int) -> float:
        if not 0 <= index < LEVELS:
            raise IndexError(index)
        return min(self.low * (self.high / self.low) ** (index / (LEVELS - 1)), self.high)

    def index(self, value: Any) -> int | None:
        """The index of the number with the nearest logarithm; None if `value` is not a number."""
        if not is_number(value):
            return None
        inside = min(max(value, self.low), self.high)
        return round(math.log(inside / self.low) / math.log(self.high / self.low) * (LEVELS - 1))

    def plain(self) -> dict[str, Any]:
        """`{from: low, to: high, scale: log}`"""
        return {"from": self.low, "to": self.high, "scale": "log"}

    def schema(self) -> dict[str, Any]:
        """A number between the bounds."""
        return {"type": "number", "minimum": self.low, "maximum": self.high}


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal; True is not 1."""
    return bool(one == other and isinstance(one, bool) == isinstance(other, bool))


def is_number(value: Any) -> bool:
    """Whether a value can be compared with the numbers of an axis.

    A Python integer may be too large for a float.
    """
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and -LARGEST < value < LARGEST
