"""A run: computes every cell of an experiment once.

A run is a plain folder. A cell is done when its `result.json` is there, and that appears by an
atomic rename; nothing else marks it. So the same command goes on where it stopped, and a finished
run is a no-op that says so.

    RUN/run.json           what was asked: cells, settings, versions
    RUN/pipeline.yaml      the file as the user wrote it
    RUN/cells/ID/          result.json, items.jsonl, pictures/, failure.json
    RUN/cache/             what stages made, by digest
    RUN/report.html        written by `semcore report`
"""

from __future__ import annotations

import contextlib
import functools
import json
import shutil
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

import pluggy

from semcore import supervisor
from semcore.component.base import most, plain
from semcore.component.digest import Digester
from semcore.config.configuration import Cell, Configuration, alternatives
from semcore.config.local_files import register_files
from semcore.config.paths import set_path
from semcore.entrypoints import naming
from semcore.errors import ConfigError, RunError, SemcoreError
from semcore.fingerprint import origin
from semcore.interfaces import Executor, Job, Lost
from semcore.plugins.hook_calls import Around
from semcore.runs.allocator import return_large_blocks
from semcore.runs.cache import Cache
from semcore.runs.cell import cell_files
from semcore.runs.files import beneath
from semcore.runs.identity import resolve
from semcore.runs.labels import Labels
from semcore.runs.results import read_result
from semcore.runs.sources import inputs, load
from semcore.runs.threads import limited, need_device
from semcore.steps import StageDone, Step, listening, stage
from semcore.storage import content_digest, sealed, sweep, unsealed, write, write_json
from semcore.version import __version__
from semcore.wording.redaction import printable, redact


@dataclass(frozen=True)
class Finished:
    """The outcome of a run.

    Fields:
        folder: where it is
        results: one a cell, in the order of the grid; None for a cell that failed
        computed: cells computed just now
        failures: settings and reason of every cell that failed, in one line or more
        complaints: hook plugins that failed, a sentence each; the cells do not depend on them
        report: the page, if one was written
    """

    folder: Path
    results: list[dict[str, Any] | None]
    computed: int
    failures: list[str]
    complaints: list[str] = field(default_factory=list)
    report: Path | None = None


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
    """One of `of` parts of a grid, for several machines: every `of`-th cell, from cell `part` on.

    Both count from 1.
    """

    part: int = 1
    of: int = 1

    def holds(self, cell: Cell) -> bool:
        """Whether a cell belongs to it."""
        return cell.index % self.of == self.part - 1


def run(
    experiment: Configuration,
    out: Path,
    hooks: pluggy.PluginManager,
    executor: Executor | None = None,
    command: Sequence[str] = (),
    shard: Shard = Shard(),
    again: bool = False,
    report: Callable[[Path], Path] | None = None,
) -> Finished:
    """Compute every cell of `experiment` that is not in `out` yet.

    Args:
        executor: where cells are computed; None: in this process
        command: what the user called, for the record
        shard: the part of the cells that is computed
        again: whether cells that are done, and what their stages made, are thrown away first
        report: writes the report of the folder, if any cell is done; before the hooks of the end

    Raises:
        ConfigError: a source has no samples, or they cannot be read; with every problem found
        RunError: the folder cannot be written, or this machine lacks the device
    """
    if experiment.cells and (executor is None or naming.name_of(type(executor)) == "processes"):
        need_device(experiment.resolve(experiment.cells[0]).device)
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
    call(
        "semcore_run_started",
        folder=out,
        cells=len(mine),
        pending=len(pending),
        configuration=_for_hooks(experiment),
    )
    failures, labels = list[str](), Labels(experiment.axes)
    for cell, identity, outcome in _computed(experiment, pending, out, call, executor):
        with _clear_when_unwritable(out, "finished cells are intact"):
            commit(out, identity, outcome)
        if outcome.reason:
            failures.append(f"{labels.of(cell.settings)}: {outcome.reason}")
            call(
                "semcore_cell_failed",
                settings=dict(cell.settings),
                reason=outcome.reason,
                config=_config(experiment, cell),
            )
        else:
            result = {"settings": dict(cell.settings), **unsealed(outcome.files["result.json"])}
            call("semcore_cell_done", folder=out, result=result, seconds=outcome.seconds)
    experiment.forget()  # what its components hold may have changed when it is run again
    results = [read_result(out, one) for _, one in mine]
    page = report(out) if report is not None and any(results) else None
    call("semcore_run_done", folder=out, report=page)
    computed = len(pending) - len(failures)
    return Finished(out, results, computed, failures, call.complaints, page)


def _for_hooks(experiment: Configuration) -> dict[str, Any]:
    """The pipeline file with the changes of the command line, as plain values without secrets."""
    values = {name: value for name, value in experiment.values.items() if name != "hooks"}
    for path, value in experiment.fixed.items():
        values = set_path(values, path, plain(value))
    axes = {path: [plain(value) for value in axis] for path, axis in experiment.axes.items()}
    return _redacted({**values, "name": experiment.name, "sweep": axes})


def _config(experiment: Configuration, cell: Cell) -> dict[str, Any]:
    """The configuration of a cell as its result has it."""
    return _redacted(experiment.resolve(cell).config)


def _redacted(values: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(redact(json.dumps(values, default=str)))
    return made


def _begin(
    experiment: Configuration,
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
        "software": {"python": python_version(), "torch": version("torch")},
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
        name = error.filename or out
        raise RunError(f"{name} cannot be written: {error.strerror}; {besides}") from error


def _computed(
    experiment: Configuration,
    pending: Sequence[tuple[Cell, str]],
    out: Path,
    hooks: Around,
    executor: Executor | None,
) -> Iterator[tuple[Cell, str, CellOutput]]:
    """Compute cells here or on `executor`; yields each outcome once known."""
    if executor is None or not pending:
        for cell, identity in pending:
            listener = _Listener(experiment, cell, hooks)
            if reason := supervisor.given_up(identity):
                yield cell, identity, CellOutput(reason=reason)
                continue
            with supervisor.under_way(identity), listening(listener):
                listener(Step(""))
                outcome = compute(experiment, cell, identity, out / "cache", listener.stage_done)
            yield cell, identity, outcome
        return
    for index, made in executor.execute(_Jobs(experiment, pending, out / "cache", hooks)):
        yield *pending[index], CellOutput(reason=made.reason) if isinstance(made, Lost) else made


class _Listener:
    """Passes the steps of a cell on to the hooks; with the first one it has begun."""

    def __init__(self, experiment: Configuration, cell: Cell, hooks: Around) -> None:
        self.settings, self.hooks, self.begun = dict(cell.settings), hooks, False
        self.experiment, self.cell = experiment, cell

    def __call__(self, step: Step) -> None:
        if not self.begun:
            self.begun = True
            config = _config(self.experiment, self.cell)
            self.hooks("semcore_cell_started", settings=dict(self.settings), config=config)
        if step.stage:
            self.hooks("semcore_step", settings=dict(self.settings), step=step)

    def stage_done(self, done: StageDone) -> None:
        """A stage has done a batch."""
        self.hooks("semcore_stage_done", done=done, settings=dict(self.settings))


class _Jobs(Sequence[Job]):
    """The cells to compute elsewhere, each made on demand: a large grid takes no memory."""

    def __init__(
        self,
        experiment: Configuration,
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
        return Job(call, needs, _Listener(self.experiment, cell, self.hooks))


def compute(
    experiment: Configuration,
    cell: Cell,
    identity: str,
    cache: Path,
    on_stage: Callable[[StageDone], None] = lambda done: None,
) -> CellOutput:
    """Compute one cell and keep only what stages made. Failure is data: nothing is raised."""
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
        with limited(setup.threads, setup.device):
            samples = load(setup.source)[0]
            files = cell_files(identity, experiment, cell, samples, Cache(cache, on_stage))
        origin.refresh()
        _unchanged(resolved.identified(Digester()), identity)
        return CellOutput(files, seconds=time.perf_counter() - started)
    except (Exception, SystemExit) as error:  # a component can raise anything
        ours = isinstance(error, SemcoreError)
        reason = str(error) if ours else f"{type(error).__name__}: {error}"
        trace, seconds = redact(traceback.format_exc()), time.perf_counter() - started
        return CellOutput({}, printable(redact(reason)), trace, seconds)


def _unchanged(now: str, then: str) -> None:
    """
    Raises:
        RunError: a dependency of a cell has changed since the run began
    """
    if now != then:
        raise RunError(
            "a file under `plugins:`, a package, weights or the source has changed "
            "since the run began; run it again"
        )
