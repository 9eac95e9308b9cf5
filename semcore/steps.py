"""How far a stage is while it works: what a cell that takes long says of itself.

A stage is opened by whoever calls it; what it is made of counts its samples, candidates or parts inside. Nothing depends on
whether somebody listens.
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
        done: how many are done of what it counts
        total: how many there are; 0: it counts nothing
        what: what it counts: samples, candidates, metrics
    """

    stage: str
    done: int = 0
    total: int = 0
    what: str = "samples"


@dataclass(frozen=True)
class StageDone:
    """What became of one call of a stage: how many samples were computed, how many were known, how long it took."""

    stage: str
    computed: int
    reused: int
    seconds: float


Listener = Callable[[Step], None]
_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)
_stage: ContextVar[str] = ContextVar("stage", default="")


@contextlib.contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Call `listener` with every step that is made in here."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


@contextlib.contextmanager
def stage(name: str, total: int = 0, what: str = "samples") -> Iterator[None]:
    """A stage of a cell begins, and ends with all that it counts done; one inside another takes its place meanwhile."""
    token = _stage.set(name)
    try:
        say(0, total, what)
        yield
        say(total, total, what)
    finally:
        _stage.reset(token)


def say(done: int, total: int, what: str = "samples") -> None:
    """Report that this many of the stage's items are done."""
    if (listener := _listener.get()) is not None:
        listener(Step(_stage.get(), done, total, what))


def each(items: Iterable[T], what: str = "samples", total: int | None = None) -> Iterator[T]:
    """The items, counted as those of the stage: each is done when the next one is asked for.

    Args:
        total: how many there are; None: as many as `items`, a sequence, holds
    """
    count = total if total is not None else len(items) if isinstance(items, Sequence) else 0
    for index, item in enumerate(items):
        yield item
        say(index + 1, count, what)
