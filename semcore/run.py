"""A run: every cell of an experiment, each computed once and kept.

A run is a plain folder. A cell is done when its `result.json` is there, and that appears by an atomic rename; nothing
else marks it. So the same command goes on where it stopped, and a finished run is a no-op that says so.

    RUN/run.json           what was asked: cells, settings, versions
    RUN/pipeline.yaml      the file as the user wrote it
    RUN/cells/ID/          result.json, items.jsonl, pictures/, failure.json
    RUN/cache/             what stages made, by digest
    RUN/report.html        written by `semcore report`
"""

from __future__ import annotations

import concurrent.futures
import importlib.metadata
import multiprocessing
import os
import platform
import signal
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pluggy

from semcore.cache import Cache, StageDone
from semcore.config.beside import register_files
from semcore.config.experiment import Cell, Experiment, alternatives
from semcore.errors import ConfigError, RunError, SemcoreError
from semcore.evaluate import commit, evaluate
from semcore.identity import digest
from semcore.interfaces import Source
from semcore.redaction import guard_streams, printable, redact
from semcore.results import label, read_result
from semcore.storage import write, write_json
from semcore.types import Sample

KEPT_SOURCES = 8
"""Samples of so many sources stay in memory; a sweep may go over sources."""


@dataclass(frozen=True)
class Finished:
    """What became of a run.

    Fields:
        folder: where it is
        results: one a cell, in the order of the grid; None for a cell that failed
        computed: cells computed just now
        failures: settings and reason of every cell that failed, in one line or more
    """

    folder: Path
    results: list[dict[str, Any] | None]
    computed: int
    failures: list[str]


def run(
    experiment: Experiment, out: Path, hooks: pluggy.PluginManager, jobs: int = 1, command: Sequence[str] = ()
) -> Finished:
    """Compute every cell of `experiment` that is not in `out` yet.

    Raises:
        RunError: the folder cannot be written, or the source has nothing to send
    """
    from semcore import __version__

    _loaded.clear()  # a source may have changed since an earlier run of this process
    cells = experiment.cells
    ids = [identify(experiment, cell) for cell in cells]
    try:
        write(out / "pipeline.yaml", ("\n".join(experiment.document.lines) + "\n").encode())
        write_json(
            out / "run.json",
            {
                "name": experiment.name,
                "description": experiment.description,
                "semcore": __version__,
                "software": {"python": platform.python_version(), "torch": importlib.metadata.version("torch")},
                "command": list(command),
                "axes": {path: list(values) for path, values in experiment.axes.items()},
                "cells": [{"id": one, "settings": dict(cell.settings)} for one, cell in zip(ids, cells, strict=True)],
            },
        )
    except OSError as error:
        raise RunError(f"{out} cannot be written: {error.strerror}; choose another folder with --out") from error

    pending = [(cell, one) for cell, one in zip(cells, ids, strict=True) if read_result(out, one) is None]
    hooks.hook.semcore_run_started(folder=out, cells=len(cells), pending=len(pending))
    failures: list[str] = []
    for cell, seconds, outcome in _computed(experiment, pending, out, hooks, jobs):
        if isinstance(outcome, str):
            failures.append(f"{label(dict(cell.settings))}: {outcome}")
            hooks.hook.semcore_cell_failed(settings=dict(cell.settings), reason=outcome)
        else:
            hooks.hook.semcore_cell_done(result=outcome, seconds=seconds)
    hooks.hook.semcore_run_done(folder=out)
    return Finished(out, [read_result(out, one) for one in ids], len(pending) - len(failures), failures)


def identify(experiment: Experiment, cell: Cell) -> str:
    """The id of a cell: the digest of everything that its numbers depend on.

    That is the components with all their settings and versions, those that a plan or the environment may bring in, the
    seed, and the samples; not where the samples or the file lie, nor how anything is written.
    """
    from semcore import __version__

    setup = experiment.resolve(cell)
    others = [experiment.resolve(cell, overrides).pipeline for overrides in alternatives(setup)]
    unknown = experiment.values.get("workflows") if setup.planner and setup.planner.plans() is None else None
    parts = (setup.pipeline, setup.planner, setup.scenarios, setup.metrics, setup.seed, others, unknown)
    return digest(__version__, *parts, load(setup.source)[1])[:20]


_loaded: dict[str, tuple[tuple[Sample, ...], str]] = {}
"""What `load` gave, by digest of the source: read once a run and process."""


def load(source: Source) -> tuple[tuple[Sample, ...], str]:
    """The samples of a source and their digest.

    Raises:
        RunError: there are none, or two have the same id
    """
    key = digest(source)
    if key not in _loaded:
        while len(_loaded) >= KEPT_SOURCES:
            del _loaded[next(iter(_loaded))]
        _loaded[key] = _read(source)
    return _loaded[key]


def _read(source: Source) -> tuple[tuple[Sample, ...], str]:
    try:
        samples = tuple(source.samples())
    except (OSError, ValueError) as error:
        raise RunError(f"the source {source!r} cannot be read: {error}") from error
    if not samples:
        raise RunError(f"the source {source!r} has no samples")
    names = [sample.id for sample in samples]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise RunError(f"the source {source!r} gives two samples the id {twice!r}")
    return samples, digest(list(samples))


Outcome = tuple[Cell, float, dict[str, Any] | str]
"""A cell, how long it took in seconds, and its result or the reason why it failed."""


def _computed(
    experiment: Experiment, pending: list[tuple[Cell, str]], out: Path, hooks: pluggy.PluginManager, jobs: int
) -> Iterator[Outcome]:
    """Compute cells here, or in `jobs` processes; yields each when it is on disk."""
    if jobs <= 1 or len(pending) <= 1:
        for cell, identity in pending:
            hooks.hook.semcore_cell_started(settings=dict(cell.settings))
            yield compute(experiment, cell, identity, out, lambda done: hooks.hook.semcore_stage_done(done=done))
        return
    spawn = multiprocessing.get_context("spawn")
    threads = max(1, (os.cpu_count() or 1) // jobs)
    with concurrent.futures.ProcessPoolExecutor(min(jobs, len(pending)), spawn, _prepare, (threads,)) as pool:
        futures = [pool.submit(compute, experiment, cell, identity, out) for cell, identity in pending]
        try:
            for future in concurrent.futures.as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            text = "a process that computed cells was killed, perhaps for want of memory; finished cells are intact"
            raise RunError(f"{text}: try fewer --jobs") from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _prepare(threads: int) -> None:
    import torch

    guard_streams()
    # Ctrl-C reaches every process of a terminal: the workers go quietly, the command says how to go on.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    torch.set_num_threads(threads)


def compute(experiment: Experiment, cell: Cell, identity: str, out: Path, on_stage: Any = None) -> Outcome:
    """Compute one cell and commit it. Failure is data: it is recorded, and the other cells go on."""
    started = time.perf_counter()
    folder = out / "cells" / identity
    cache = Cache(out / "cache", on_stage or _ignore)
    try:
        if problems := register_files(experiment.values, experiment.document):
            raise ConfigError(problems)
        if identify(experiment, cell) != identity:
            raise RunError("a file under `plugins:`, a package or the source has changed since the run began; run it again")
        setup, segments = evaluate(experiment, cell, load(experiment.resolve(cell).source)[0], cache)
        result = commit(folder, identity, cell, setup, segments)
        (folder / "failure.json").unlink(missing_ok=True)
        return cell, time.perf_counter() - started, result
    except Exception as error:  # whatever a component raises
        if isinstance(error, OSError) and str(error.filename or "").startswith(str(out)):
            raise RunError(f"{error.filename} cannot be written: {error.strerror}; finished cells are intact") from error
        return _failed(folder, cell, started, error)


def _failed(folder: Path, cell: Cell, started: float, error: Exception) -> Outcome:
    reason = str(error) if isinstance(error, SemcoreError) else f"{type(error).__name__}: {error}"
    reason = printable(redact(reason))
    write_json(folder / "failure.json", {"reason": reason, "traceback": traceback.format_exc()})
    return cell, time.perf_counter() - started, reason


def _ignore(done: StageDone) -> None:
    pass
