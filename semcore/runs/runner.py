"""A run: computes every cell of an experiment once.

A run is a plain folder. A cell is done when its `result.json` is there, and that appears by an atomic rename; nothing
else marks it. So the same command goes on where it stopped, and a finished run is a no-op that says so.

    RUN/run.json           what was asked: cells, settings, versions
    RUN/pipeline.yaml      the file as the user wrote it
    RUN/cells/ID/          result.json, items.jsonl, pictures/, failure.json
    RUN/cache/             what stages made, by digest
    RUN/report.html        written by `semcore report`
"""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import platform
import shutil
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pluggy

from semcore import supervisor
from semcore.component.base import most
from semcore.component.digest import Digester, Shared, digest
from semcore.config.experiment import Cell, Experiment, alternatives
from semcore.config.inputs import unusable
from semcore.config.local_files import register_files
from semcore.config.setup import Setup
from semcore.entrypoints import naming
from semcore.errors import ConfigError, RunError, SemcoreError, SourceError
from semcore.fingerprint import libraries, origin
from semcore.interfaces import Executor, Job, Lost, Source
from semcore.memo import LRU
from semcore.plugins.hook_calls import Around
from semcore.runs import provenance
from semcore.runs.allocator import return_large_blocks
from semcore.runs.cache import Cache
from semcore.runs.cell import cell_files
from semcore.runs.files import beneath
from semcore.runs.labels import Labels
from semcore.runs.results import read_result
from semcore.runs.threads import limited
from semcore.steps import StageDone, Step, listening, stage
from semcore.storage import content_digest, sealed, sweep, unsealed, write, write_json
from semcore.types import OnDemand, Sample, heads, left_out_of
from semcore.version import __version__
from semcore.wording.redaction import printable, redact

KEPT_SOURCES = 8
"""Sources whose samples stay in memory (unless they are read on demand); a sweep may go over sources."""


@dataclass(frozen=True)
class Finished:
    """The outcome of a run.

    Fields:
        folder: where it is
        results: one a cell, in the order of the grid; None for a cell that failed
        computed: cells computed just now
        failures: settings and reason of every cell that failed, in one line or more
        complaints: hook plugins that failed, a sentence each; the cells do not depend on them
    """

    folder: Path
    results: list[dict[str, Any] | None]
    computed: int
    failures: list[str]
    complaints: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class CellOutput:
    """The outcome of a cell.

    Fields:
        files: what it leaves behind by file name, `result.json` last; empty if it failed
        reason: why it failed
        traceback: where it failed
        seconds: how long it took
    """

    files: Mapping[str, bytes] = field(default_factory=dict)
    reason: str = ""
    traceback: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Shard:
    """One of several parts of a grid, for as many machines: every `of`-th cell, beginning with the one at `part` (from 1)."""

    part: int = 1
    of: int = 1

    def holds(self, cell: Cell) -> bool:
        """Whether a cell belongs to it."""
        return cell.index % self.of == self.part - 1


def run(
    experiment: Experiment,
    out: Path,
    hooks: pluggy.PluginManager,
    executor: Executor | None = None,
    command: Sequence[str] = (),
    shard: Shard = Shard(),
    again: bool = False,
) -> Finished:
    """Compute every cell of `experiment` that is not in `out` yet.

    Args:
        executor: where cells are computed; None: in this process
        command: what the user called, for the record
        shard: the part of the cells that is computed
        again: whether cells that are done, and what their stages made, are thrown away first

    Raises:
        ConfigError: a source has nothing to send, or what it has cannot be read; with every problem found
        RunError: the folder cannot be written
    """
    inputs(experiment)
    cells, digester = experiment.cells, Digester()
    ids = [resolve(experiment, cell, digester).id for cell in cells]
    with _clear_when_unwritable(out):
        _begin(experiment, out, cells, ids, command)
    mine = [(cell, one) for cell, one in zip(cells, ids, strict=True) if shard.holds(cell)]
    if again and not supervisor.resumed():
        for folder in (out / "cache", *(out / "cells" / one for _, one in mine)):
            shutil.rmtree(folder, ignore_errors=True)
    pending = [(cell, one) for cell, one in mine if read_result(out, one) is None]
    call = Around(hooks)
    call("semcore_run_started", folder=out, cells=len(mine), pending=len(pending))
    failures, labels = list[str](), Labels(experiment.axes)
    for cell, identity, outcome in _computed(experiment, pending, out, call, executor):
        with _clear_when_unwritable(out, "finished cells are intact"):
            commit(out, identity, outcome)
        if outcome.reason:
            failures.append(f"{labels.of(cell.settings)}: {outcome.reason}")
            call("semcore_cell_failed", settings=dict(cell.settings), reason=outcome.reason)
        else:
            result = {"settings": dict(cell.settings), **unsealed(outcome.files["result.json"])}
            call("semcore_cell_done", result=result, seconds=outcome.seconds)
    call("semcore_run_done", folder=out)
    experiment.forget()  # what its components hold may have changed when it is run again
    results = [read_result(out, one) for _, one in mine]
    return Finished(out, results, len(pending) - len(failures), failures, call.complaints)


def inputs(experiment: Experiment) -> list[Sequence[tuple[str, str]]]:
    """Read the current samples of all sources of an experiment.

    Returns:
        (name, reason) of everything that a source leaves out since it cannot be read, one list per source that does

    Raises:
        ConfigError: some cannot be read, or do not fit the pipeline; with every problem found, each at its setting
    """
    _forget()  # what an earlier run of this process read may have changed since
    found: list[Sequence[tuple[str, str]]] = []

    def read(source: Source) -> Sequence[Sample]:
        samples = load(source)[0]
        if (left_out := left_out_of(samples)) and left_out not in found:
            found.append(left_out)
        return samples

    if problems := unusable(experiment, read):
        raise ConfigError(experiment.ordered(problems))
    return found


def _forget() -> None:
    _loaded.clear()
    libraries.refresh()
    origin.refresh()


def _begin(
    experiment: Experiment,
    out: Path,
    cells: Sequence[Cell],
    ids: Sequence[str],
    command: Sequence[str],
) -> None:
    """Write the request, and remove partial files of killed processes."""
    text = redact("\n".join(experiment.document.lines) + "\n").encode()
    info = {
        "name": experiment.name,
        "description": experiment.description,
        "semcore": __version__,
        "software": {
            "python": platform.python_version(),
            "torch": importlib.metadata.version("torch"),
        },
        "command": list(command),
        "axes": {path: list(values) for path, values in experiment.axes.items()},
        "cells": [
            {"id": one, "settings": dict(cell.settings)}
            for one, cell in zip(ids, cells, strict=True)
        ],
        "files": {"pipeline.yaml": content_digest(text)},
    }
    sweep(out)
    write(out / "pipeline.yaml", text)
    write(out / "run.json", sealed(info))


def commit(out: Path, identity: str, outcome: CellOutput) -> None:
    """Write the outcome of a cell: its files, then `result.json`, or the record of its failure."""
    cell = f"cells/{identity}"
    if outcome.reason:
        record = {"reason": outcome.reason, "traceback": outcome.traceback}
        write_json(beneath(out, f"{cell}/failure.json"), record)
        return
    for name, data in outcome.files.items():
        if name == "result.json":
            beneath(out, f"{cell}/failure.json").unlink(missing_ok=True)
        write(beneath(out, f"{cell}/{name}"), data)


@contextlib.contextmanager
def _clear_when_unwritable(
    out: Path, besides: str = "choose another folder with --out"
) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RunError(
            f"{error.filename or out} cannot be written: {error.strerror}; {besides}"
        ) from error


@dataclass(frozen=True, eq=False)
class ResolvedCell:
    """A cell with everything that it consists of, resolved once.

    Fields:
        cell: its place in the grid
        setup: its components
        alternatives: those under each plan and environment that it may meet
        id: the digest of everything that its numbers depend on
    """

    cell: Cell
    setup: Setup
    alternatives: Sequence[Setup]
    id: str

    def identified(self, digester: Digester) -> str:
        """Its id with the current files and libraries."""
        return _identity(self.setup, self.alternatives, digester)


def resolve(experiment: Experiment, cell: Cell, digester: Digester) -> ResolvedCell:
    """Resolve a cell.

    Args:
        digester: shared by all cells of a run, so that what they have in common is digested once
    """
    setup = experiment.resolve(cell)
    others = [experiment.resolve(cell, overrides) for overrides in alternatives(setup)]
    return ResolvedCell(cell, setup, others, _identity(setup, others, digester))


def _identity(setup: Setup, others: Sequence[Setup], digester: Digester) -> str:
    """The digest of everything that the numbers of a cell depend on.

    That is the components with all their settings, sources and files, those that a plan or the environment may bring in, the
    libraries that compute, the seed, and the samples; not where the samples or the file lie, nor how anything is written.
    """
    core = __version__, origin.of_modules(provenance.CORE).digest
    planned = (
        setup.planner,
        Shared(setup.space),
        Shared(setup.scenarios),
        [one.pipeline for one in others],
    )
    parts = (setup.pipeline, *planned, setup.metrics, setup.seed, setup.threads)
    return digester.digest(core, *parts, load(setup.source, digester)[1])[:20]


_loaded = LRU[tuple[Sequence[Sample], str]](KEPT_SOURCES)
"""What `load` gave, by digest of the source: read once a run and process."""


def load(source: Source, digester: Digester | None = None) -> tuple[Sequence[Sample], str]:
    """The samples of a source and their digest. Those that a source reads on demand are not kept.

    Raises:
        SourceError: no samples, or two with the same id
    """
    return _loaded.of((digester or Digester()).digest(source), lambda: _read(source))


def _read(source: Source) -> tuple[Sequence[Sample], str]:
    try:
        samples = source.samples()
        samples = samples if isinstance(samples, OnDemand) else tuple(samples)
        names = [name for name, _ in heads(samples)]
        known = digest(samples)
        if left_out := [
            name for name, _ in left_out_of(samples)
        ]:  # a result says what was left out
            known = digest(known, left_out)
        if (
            isinstance(samples, OnDemand) and samples.digests
        ):  # of files: what they become depends on who reads them
            known = digest(known, origin.of(type(source)).digest)
    except (OSError, ValueError) as error:
        raise SourceError([f"it cannot be read: {error}"]) from error
    if not names:
        raise SourceError(["it has no samples"], "limit")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise SourceError([f"it gives two samples the id {twice!r}"])
    return samples, known


def _computed(
    experiment: Experiment,
    pending: Sequence[tuple[Cell, str]],
    out: Path,
    hooks: Around,
    executor: Executor | None,
) -> Iterator[tuple[Cell, str, CellOutput]]:
    """Compute cells here or on `executor`; yields each outcome once known."""
    if executor is None or not pending:
        for cell, identity in pending:
            listener = _Listener(cell, hooks)
            if reason := supervisor.given_up(identity):
                yield cell, identity, CellOutput(reason=reason)
                continue
            with supervisor.under_way(identity), listening(listener):
                listener(Step(""))
                outcome = compute(
                    experiment,
                    cell,
                    identity,
                    out / "cache",
                    lambda done: hooks("semcore_stage_done", done=done),
                )
            yield cell, identity, outcome
        return
    for index, made in executor.execute(_Jobs(experiment, pending, out / "cache", hooks)):
        yield *pending[index], CellOutput(reason=made.reason) if isinstance(made, Lost) else made


class _Listener:
    """Passes the steps of a cell on to the hooks; with the first one it has begun."""

    def __init__(self, cell: Cell, hooks: Around) -> None:
        self.settings, self.hooks, self.begun = dict(cell.settings), hooks, False

    def __call__(self, step: Step) -> None:
        if not self.begun:
            self.begun = True
            self.hooks("semcore_cell_started", settings=dict(self.settings))
        if step.stage:
            self.hooks("semcore_step", settings=dict(self.settings), step=step)


class _Jobs(Sequence[Job]):
    """The cells that are to be computed elsewhere, each made when it is given out: a large grid takes no memory."""

    def __init__(
        self,
        experiment: Experiment,
        pending: Sequence[tuple[Cell, str]],
        cache: Path,
        hooks: Around,
    ) -> None:
        self.experiment, self.pending, self.cache, self.hooks = experiment, pending, cache, hooks

    def __len__(self) -> int:
        return len(self.pending)

    def __getitem__(self, index: Any) -> Any:
        cell, identity = self.pending[index]
        setup = self.experiment.resolve(cell)
        others = (self.experiment.resolve(cell, overrides) for overrides in alternatives(setup))
        needs = most([setup.needs, *(one.needs for one in others)])
        call = functools.partial(compute, self.experiment, cell, identity, self.cache)
        return Job(call, needs, _Listener(cell, self.hooks))


def compute(
    experiment: Experiment,
    cell: Cell,
    identity: str,
    cache: Path,
    on_stage: Callable[[StageDone], None] = lambda done: None,
) -> CellOutput:
    """Compute one cell and keep nothing but what stages made. Failure is data: nothing is raised."""
    started = time.perf_counter()
    return_large_blocks()
    try:
        with stage("load"):
            known = naming.generation()
            if problems := register_files(experiment.values, experiment.document):
                raise ConfigError(problems)
            if naming.generation() > known:  # a file was edited: names refer to other classes
                experiment.forget()
            origin.refresh()
            resolved = resolve(experiment, cell, Digester())
            _unchanged(resolved.id, identity)
            setup = resolved.setup
        with limited(setup.threads):
            files = cell_files(
                identity, experiment, cell, load(setup.source)[0], Cache(cache, on_stage)
            )
        origin.refresh()
        _unchanged(resolved.identified(Digester()), identity)
        return CellOutput(files, seconds=time.perf_counter() - started)
    except (Exception, SystemExit) as error:  # a component can raise anything
        reason = printable(
            redact(
                str(error)
                if isinstance(error, SemcoreError)
                else f"{type(error).__name__}: {error}"
            )
        )
        return CellOutput({}, reason, redact(traceback.format_exc()), time.perf_counter() - started)


def _unchanged(now: str, then: str) -> None:
    """
    Raises:
        RunError: a dependency of a cell has changed since the run began
    """
    if now != then:
        raise RunError(
            "a file under `plugins:`, a package, weights or the source has changed since the run began; run it again"
        )
