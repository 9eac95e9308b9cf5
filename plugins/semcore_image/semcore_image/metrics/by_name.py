"""Metrics of other libraries by their names: what is asked for that the library does not say."""

from __future__ import annotations

import abc
import contextlib
import difflib
import functools
import json
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np

from semcore import (
    ComponentError,
    Decibels,
    Mean,
    Record,
    RunError,
    Score,
    SemcoreError,
    Share,
    Statistic,
)
from semcore.metrics import RecordMetric, pictures

Value = bool | int | float | str | None


@dataclass(frozen=True)
class NamedMetric(RecordMetric, abc.ABC):
    """A metric of another library.

    Fields:
        name: its name in the library
        args: arguments of its constructor
        better: which values are better; null: as the library says
        interval: what kind of number its values are, by which the interval of their mean is
            computed: `score`, between `low` and `high`; `mean`, unbounded at least on one side;
            `share`, 0 or 1 per picture; `decibels`, infinite for equal pictures
        low: least possible value, which no library states; null: unbounded
        high: greatest possible value; null: unbounded
        unit: unit of the values
    """

    library: ClassVar[str]
    """Name of the library, which is that of its module."""

    name: str
    args: Mapping[str, Value | tuple[Value, ...]] = field(default_factory=dict, kw_only=True)
    better: Literal["higher", "lower"] | None = field(default=None, kw_only=True)  # type: ignore[assignment,misc]
    interval: Literal["score", "mean", "share", "decibels"] = field(default="mean", kw_only=True)
    low: float | None = field(default=None, kw_only=True)
    high: float | None = field(default=None, kw_only=True)
    unit: str = field(default="", kw_only=True)  # type: ignore[misc]

    @abc.abstractmethod
    def names(self) -> Sequence[str]:
        """The names of the library that may be used here."""

    @abc.abstractmethod
    def refusal(self) -> str:
        """Why the metric of this name cannot be measured per picture; "" if it can."""

    @abc.abstractmethod
    def better_by_library(self) -> Literal["higher", "lower"] | None:
        """Which values are better, as the library says; None: it does not say."""

    @abc.abstractmethod
    def made(self) -> Any:
        """The metric itself, a function of the result and the source, each float32 (1, 3, H, W),
        0..1."""

    @abc.abstractmethod
    def lacking(self) -> str:
        """How to install the library if it is not there; "" if it is."""

    def check(self) -> None:
        if self.lacking():
            return  # `missing` says so
        cls = type(self).__name__
        if self.name not in (known := self.names()):
            near = difflib.get_close_matches(self.name, known, 1, 0.5)
            near = near or [one for one in known if self.name.lower() in one.lower()][:1]
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known)}"
            raise ComponentError(f"{cls}.name {self.name!r} is unknown to {self.library}: {hint}")
        if reason := self.refusal():
            raise ComponentError(f"{cls}.name {self.name!r} cannot be used: {reason}")
        if self.better is None:
            object.__setattr__(self, "better", self.better_by_library())
        if self.better is None:
            raise ComponentError(
                f"{cls}.better is not known for {self.name!r}: {self.library} does not say which "
                "values are better; set better: higher or lower"
            )
        if self.interval == "score" and None in (self.low, self.high):
            raise ComponentError(
                f"{cls}.{'low' if self.low is None else 'high'} is missing: the interval of a "
                "score needs the least and the greatest possible value"
            )
        if self.interval in ("share", "decibels") and (self.low, self.high) != (None, None):
            raise ComponentError(f"{cls}.low and high are not used with interval: {self.interval}")
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise ComponentError(f"{cls}.low must be below high, not {self.low} and {self.high}")

    @property
    def statistic(self) -> Statistic:  # type: ignore[override]
        """The kind of its values."""
        match self.interval:
            case "share":
                return Share(1.0)
            case "decibels":
                return Decibels()
            case "score":
                assert self.low is not None and self.high is not None
                return Score(self.low, self.high)
        return Mean(self.low, self.high)

    @property
    def method(self) -> str:  # type: ignore[override]
        """Everything needed to compare the value with another one."""
        arguments = json.dumps({**self.args}, sort_keys=True, default=list)
        return (
            f"library={self.library},name={self.name},args={arguments},better={self.better},"
            f"low={self.low},high={self.high},interval={self.interval},unit={self.unit},"
            "range=0..1,resize=bicubic"
        )

    def missing(self) -> str:
        if lacking := self.lacking():
            return lacking
        try:
            self._metric  # noqa: B018 - made, and kept for the run
        except SemcoreError as error:
            return str(error)
        return ""

    @functools.cached_property
    def _metric(self) -> Any:
        if lacking := self.lacking():
            raise RunError(lacking)
        with no_downloads():
            try:
                return self.made()
            except (Exception, SystemExit) as error:  # a library can raise anything
                if reason := _fence.wanted:
                    raise RunError(
                        f"{self.name!r} wants a file that is not here: {reason}"
                    ) from error
                raise RunError(f"{self.name!r} with these args: {_one_line(error)}") from error

    def value(self, record: Record) -> float | None:
        pair = pictures(record)
        if pair is None:
            return None
        import torch

        source, result = (
            torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)[None] / 255
            for pixels in pair
        )
        try:
            with torch.inference_mode(), no_downloads():
                value = float(self._metric(result, source))
        except SemcoreError:
            raise
        except Exception as error:  # a picture may be too small for it
            height, width = pair[0].shape[:2]
            raise RunError(
                f"{self.library} {self.name} of pictures of {height}×{width}: {_one_line(error)}"
            ) from error
        if np.isnan(value):
            return None
        low, high = self.statistic.range
        if (low is not None and value < low) or (high is not None and value > high):
            raise RunError(f"{self.library} {self.name} gives {value:g}, outside of {low}..{high}")
        return value


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


class _Fence(threading.local):
    """Whether nothing may be fetched in this thread, and what was wanted nevertheless."""

    closed = False
    wanted = ""


_fence = _Fence()


@functools.cache
def _watch() -> None:
    """Once a process: an audit hook cannot be taken away."""

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if _fence.closed and event in ("urllib.Request", "socket.getaddrinfo", "socket.connect"):
            place = arguments[1] if event == "socket.connect" else arguments[0]
            _fence.wanted = _fence.wanted or f"it would be fetched from {place}"
            raise RunError(_fence.wanted)

    sys.addaudithook(refuse)


@contextlib.contextmanager
def no_downloads() -> Iterator[None]:
    """Inside this block nothing is fetched: libraries download weights unasked when a metric is
    made. What they wanted is kept for the message."""
    import torch.hub

    _watch()

    def fetch(url: str, dst: str, *others: Any, **more: Any) -> None:
        _fence.wanted = f"fetch {url} to {dst}"
        raise RunError(_fence.wanted)

    before = torch.hub.download_url_to_file
    _fence.closed, _fence.wanted = True, ""
    torch.hub.download_url_to_file = fetch
    try:
        yield
    finally:
        torch.hub.download_url_to_file = before
        _fence.closed = False
