"""Results kept within a process because they may be asked for again."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class LRU(Generic[Value]):
    """Values by key, each computed once; the least recently used make room for new ones. One thread
    at a time computes.

    Args:
        most: number of values
        size: sum of their sizes; a value that is larger is kept alone
        size_of: size of a value, in the unit of `size`
    """

    def __init__(
        self,
        most: float = math.inf,
        size: float = math.inf,
        size_of: Callable[[Value], float] = lambda value: 0.0,
    ) -> None:
        self._most, self._size, self._size_of = most, size, size_of
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._held = 0.0
        self._lock = threading.RLock()

    def of(
        self,
        key: Hashable,
        compute: Callable[[], Value],
        fits: Callable[[Value], bool] = lambda value: True,
    ) -> Value:
        """The value of a key, computed if there is none, or one that does not fit."""
        with self._lock:
            if key in self._values and fits(self._values[key]):
                self._values.move_to_end(key)
                return self._values[key]
            value = compute()
            if key in self._values:
                self._held -= self._size_of(self._values.pop(key))
            self._values[key] = value
            self._held += self._size_of(value)
            while len(self._values) > 1 and (
                len(self._values) > self._most or self._held > self._size
            ):
                self._held -= self._size_of(self._values.popitem(last=False)[1])
            return value

    def clear(self) -> None:
        """Forget all values."""
        with self._lock:
            self._values.clear()
            self._held = 0.0
