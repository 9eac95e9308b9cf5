"""Progress of a stage while it works.

The caller of a stage opens it; the code inside counts samples, candidates or parts. No result
depends on whether a listener is set.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Step:
    """Where a stage is.

    Fields:
        stage: its name: `encode`, `link`, `generate`, `select`, `measure`; "" before the first
        done: number of items done
        total: number of items; 0: it counts nothing
        what: what it counts: samples, candidates, metrics
    """

    stage: str
    done: int = 0
    total: int = 0
    what: str = "samples"


@dataclass(frozen=True)
class StageDone:
    """One call of a stage: samples computed, samples taken from the cache, and its time in
    seconds."""

    stage: str
    computed: int
    reused: int
    seconds: float


Listener = Callable[[Step], None]
_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)
_stage: ContextVar[str] = ContextVar("stage", default="")


@contextlib.contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Call `listener` with every step inside this context."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


@contextlib.contextmanager
def stage(name: str, total: int = 0, what: str = "samples") -> Iterator[None]:
    """Begin a stage of a cell, and end it with all items done; an inner one replaces it
    meanwhile."""
    token = _stage.set(name)
    try:
        say(0, total, what)
        yield
        say(total, total, what)
    finally:
        _stage.reset(token)


def say(done: int, total: int, what: str = "samples") -> None:
    """Report the number of items of the stage that are done."""
    if (listener := _listener.get()) is not None:
        listener(Step(_stage.get(), done, total, what))


def each(items: Iterable[T], what: str = "samples", total: int | None = None) -> Iterator[T]:
    """The items of a stage, counted: each is done when the next one is requested.

    Args:
        total: number of items; None: the length of `items`, a sequence
    """
    count = total if total is not None else len(items) if isinstance(items, Sequence) else 0
    for index, item in enumerate(items):
        yield item
        say(index + 1, count, what)
