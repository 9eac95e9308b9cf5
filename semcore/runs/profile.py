"""What a pipeline costs to compute: parameters, FLOPs, seconds and memory, measured by sending a
sample through it."""

from __future__ import annotations

import functools
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from semcore.config.configuration import Cell, Configuration
from semcore.config.local_files import register_files
from semcore.errors import ConfigError, RunError
from semcore.link.pipeline import Pipeline, transmit
from semcore.rng import Rng
from semcore.runs import memory
from semcore.types import Knowledge

STAGES = {
    "encode": ("encoder", "encode"),
    "send": ("transport", "send"),
    "channel": ("channel", "transmit"),
    "receive": ("transport", "receive"),
    "generate": ("generator", "generate"),
    "select": ("selector", "select"),
}
"""Stage -> the part of the pipeline that does it, and its method."""


@dataclass
class Cost:
    """What one stage costs, or all of them.

    Fields:
        parameters: numbers of the networks that it used, each once
        flops: floating-point operations a sample, of matrix products, convolutions and attention; a
            multiplication and an addition are two
        seconds: a sample, median of repetitions, with everything loaded
        first_flops: as `flops`, of the first sample, with whatever is made once and kept
        first_s: of the first sample, seconds, with loading, too
    """

    parameters: int = 0
    flops: int = 0
    seconds: float = 0.0
    first_flops: int = 0
    first_s: float = 0.0


@dataclass(frozen=True)
class Profile:
    """The costs of one cell.

    Fields:
        settings: what is swept, at this cell
        total: of the whole pipeline; a network that several stages use counts once
        stages: by name, in the order of the link
        peak_mb: peak resident memory of the process that did it, with interpreter and libraries,
            MiB; 0: not known
        idle_mb: the same before the first sample
    """

    settings: Mapping[str, Any]
    total: Cost
    stages: Mapping[str, Cost]
    peak_mb: float
    idle_mb: float


def different(configuration: Configuration, paths: Sequence[str]) -> list[Cell]:
    """The first cell for each combination of the values of `paths`.

    Raises:
        RunError: one of them is not swept
    """
    for path in paths:
        if path not in configuration.axes:
            raise RunError(
                f"{path} is not swept; swept are {', '.join(configuration.axes) or 'no settings'}"
            )
    found: dict[str, Cell] = {}
    for cell in configuration.cells:
        found.setdefault(repr([cell.settings[path] for path in paths]), cell)
    return list(found.values())


def profiles(
    configuration: Configuration, cells: Sequence[Cell], repeat: int = 5
) -> Iterator[Profile]:
    """The profile of each cell: the first sample of its source, cold, counted, and `repeat` times
    by the clock.

    Two processes for each cell, one after the other: what was loaded or drawn before would be
    missing from the first sample, counting takes time, and the peak of memory is that of a process.

    Raises:
        RunError: a process died, or a component failed in it
    """
    for cell in cells:
        timed: _Timed = _alone(cell, functools.partial(_timed, configuration, cell, repeat))
        counted: _Counted = _alone(cell, functools.partial(_counted, configuration, cell))
        costs = {
            name: Cost(
                counted.parameters[name],
                counted.flops.get(name, 0),
                timed.median[name],
                counted.first.get(name, 0),
                seconds,
            )
            for name, seconds in timed.first.items()
        }
        yield Profile(dict(cell.settings), costs.pop("total"), costs, timed.peak_mb, timed.idle_mb)


def _alone(cell: Cell, call: Callable[[], Any]) -> Any:
    """The result of a call in a separate process."""
    from semcore.interfaces import Job, Lost
    from semcore.runs.executors.processes import Processes

    [(_, made)] = Processes(retries=0).execute([Job(functools.partial(_caught, call))])
    if isinstance(made, (Lost, str)):
        raise RunError(f"{dict(cell.settings)}: {made.reason if isinstance(made, Lost) else made}")
    return made


def _caught(call: Callable[[], Any]) -> Any:
    """What a call returns, or what went wrong, in one line."""
    try:
        return call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


@dataclass(frozen=True)
class _Timed:
    """Seconds by stage and in `total`: of the first sample, and the median of more; and memory in
    MiB."""

    first: Mapping[str, float]
    median: Mapping[str, float]
    peak_mb: float
    idle_mb: float


@dataclass(frozen=True)
class _Counted:
    """Operations by stage and in `total`, of the first sample and of one more, and parameters."""

    first: Mapping[str, int]
    flops: Mapping[str, int]
    parameters: Mapping[str, int]


def _timed(configuration: Configuration, cell: Cell, repeat: int) -> _Timed:
    """Send a sample cold, and `repeat` times more, by the clock."""
    with _ready(configuration, cell) as (watch, send):
        idle = _mib(memory.resident)
        first = send()
        times = [send() for _ in range(repeat)]
    median = {name: statistics.median(one.get(name, 0.0) for one in times) for name in first}
    return _Timed(first, median, _mib(memory.peak), idle)


def _counted(configuration: Configuration, cell: Cell) -> _Counted:
    """Send a sample twice and count; slower, so nothing is timed."""
    with _ready(configuration, cell) as (watch, send):
        with watch.counting() as first:
            stages = send()
        with watch.counting() as flops:
            send()
    return _Counted(first, flops, {name: watch.parameters(name) for name in stages})


@contextmanager
def _ready(
    configuration: Configuration, cell: Cell
) -> Iterator[tuple[_Watch, Callable[[], dict[str, float]]]]:
    """A watch, and a function that sends the first sample and returns seconds by stage.

    Candidates that the user's cache holds are not used.
    """
    from semcore.runs.sources import load
    from semcore.runs.threads import limited

    if problems := register_files(configuration.values, configuration.document):
        raise ConfigError(problems)
    setup = configuration.resolve(cell)
    samples, _ = load(setup.source)
    watch = _Watch()
    watched = watch.over(setup.pipeline)

    def send() -> dict[str, float]:
        watch.seconds.clear()
        started = time.perf_counter()
        transmit(watched, samples[:1], Knowledge(), Rng(setup.seed))
        return {"total": time.perf_counter() - started, **watch.seconds}

    with limited(setup.threads, setup.device), _empty_shelf():
        yield watch, send


@dataclass
class _Watch:
    """Clocks and counters around the stages of a pipeline."""

    seconds: dict[str, float] = field(default_factory=dict)
    flops: dict[str, int] | None = None
    used: dict[str, dict[int, Any]] = field(default_factory=dict)

    def over(self, pipeline: Pipeline) -> Pipeline:
        """The same pipeline, watched."""
        stages: dict[str, dict[str, str]] = {}
        for stage, (part, method) in STAGES.items():
            stages.setdefault(part, {})[method] = stage
        parts: dict[str, Any] = {part: getattr(pipeline, part) for part in stages} | {
            "transport": pipeline.adapted_transport
        }
        watched: dict[str, Any] = {
            name: part and _Watched(part, stages[name], self.stage) for name, part in parts.items()
        }
        return replace(pipeline, **watched)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Watch what happens inside as the work of a stage."""
        started = time.perf_counter()
        with nullcontext() if self.flops is None else self._counted(name, self.flops):
            yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started

    @contextmanager
    def counting(self) -> Iterator[dict[str, int]]:
        """Count parameters and operations of every stage inside; yields the latter, by stage and in
        `total`."""
        self.flops = {}
        yield self.flops
        self.flops["total"] = sum(self.flops.values())
        self.flops = None

    @contextmanager
    def _counted(self, name: str, into: dict[str, int]) -> Iterator[None]:
        import torch
        from torch.utils import flop_counter
        from torch.utils._python_dispatch import TorchDispatchMode

        used = self.used.setdefault(name, {})

        class Parameters(TorchDispatchMode):
            def __torch_dispatch__(
                self, func: Any, types: Any, args: Any = (), kwargs: Any = None
            ) -> Any:
                if not func._schema.is_mutable:  # filling a network with weights is not using it
                    leaves = torch.utils._pytree.tree_leaves((args, kwargs))
                    used.update(
                        {id(one): one for one in leaves if isinstance(one, torch.nn.Parameter)}
                    )
                return func(*args, **(kwargs or {}))

        on_cpu = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
        attention = {
            on_cpu: lambda q, k, v, *rest, out_shape=None, **more: flop_counter.sdpa_flop_count(
                q, k, v
            )
        }
        with (
            flop_counter.FlopCounterMode(display=False, custom_mapping=attention) as counter,
            Parameters(),
        ):
            yield
        into[name] = into.get(name, 0) + counter.get_total_flops()

    def parameters(self, name: str) -> int:
        """Of a stage, or in `total`, each counted once."""
        found = self.used.values() if name == "total" else [self.used.get(name, {})]
        return sum(
            one.numel()
            for one in {key: one for used in found for key, one in used.items()}.values()
        )


class _Watched:
    """A part of a pipeline, the methods of which are watched as stages."""

    def __init__(
        self,
        part: Any,
        stages: Mapping[str, str],
        watch: Callable[[str], AbstractContextManager[None]],
    ) -> None:
        self._part, self._stages, self._watch = part, stages, watch

    def __getattr__(self, name: str) -> Any:
        if name not in self._stages:
            return getattr(self._part, name)

        def call(*arguments: Any) -> Any:
            with self._watch(self._stages[name]):
                return getattr(self._part, name)(*arguments)

        return call

    def adapted_to(self, channel: Any) -> _Watched:
        """Itself: it is already adapted."""
        return self


@contextmanager
def _empty_shelf() -> Iterator[None]:
    """What is kept for the user is out of reach, and what is made does not stay."""
    before = os.environ.get("SEMCORE_SHELF")
    with tempfile.TemporaryDirectory(prefix="semcore-") as folder:
        os.environ["SEMCORE_SHELF"] = folder
        try:
            yield
        finally:
            os.environ.pop("SEMCORE_SHELF")
            if before is not None:
                os.environ["SEMCORE_SHELF"] = before


def _mib(measure: Callable[[], int]) -> float:
    """A measure of memory, MiB; 0 where the system does not report it (macOS)."""
    try:
        return measure() / memory.MIB
    except OSError:
        return 0.0
