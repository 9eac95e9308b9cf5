"""What was computed and may be asked for again, the newest of it, within a process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class LRU(Generic[Value]):
    """Keeps the newest `most` values by key; one thread at a time computes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[str, Value] = {}
        self._lock = threading.RLock()

    def of(self, key: str, compute: Callable[[], Value]) -> Value:
        """The value of a key, computed if it is not there."""
        with self._lock:
            if key not in self._values:
                self._values[key] = compute()
                if len(self._values) > self._most:
                    del self._values[next(iter(self._values))]
            return self._values[key]

    def clear(self) -> None:
        """Forget all of it."""
        with self._lock:
            self._values.clear()
