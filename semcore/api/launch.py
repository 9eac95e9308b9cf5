"""`semcore.run`: the command `semcore run` as a function."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semcore.api.local import refuse_local
from semcore.api.results import Results, read
from semcore.config import document as yaml
from semcore.config.build import component
from semcore.config.configuration import Configuration, checked
from semcore.config.document import Document
from semcore.config.examples import offered
from semcore.config.paths import Assignment, assigned
from semcore.entrypoints import naming
from semcore.errors import RunError
from semcore.wording.plural import plural

if TYPE_CHECKING:
    from semcore.interfaces import Executor


def run(
    pipeline: str | os.PathLike[str],
    settings: Mapping[str, Any] | None = None,
    *,
    out: str | os.PathLike[str] | None = None,
    jobs: int = 1,
    limit: int | None = None,
    seed: int | None = None,
    batch_size: int | None = None,
    device: str | None = None,
    time_limit_s: float | None = None,
    executor: Executor | Mapping[str, Any] | str | None = None,
    again: bool = False,
    hooks: Sequence[object] = (),
    progress: bool = True,
) -> Results:
    """Send the samples of a pipeline file and measure what arrives, as `semcore run` does.

    What is done is not computed again, unless something that its numbers depend on has changed.

        results = semcore.run("first.yaml", {"channel.snr_db": [0, 5, 10]})

    Args:
        pipeline: a YAML file
        settings: dotted path -> value. A list is swept, unless the setting itself holds one; a
            component, a NumPy array, a `range` and the text `start:stop:step` are values, too
        out: folder of the run; None: `runs/NAME`
        jobs: number of processes that compute cells
        limit: number of samples (`source.limit`)
        seed: seed of every random number
        batch_size: samples that are sent at a time; results do not depend on it
        device: what networks compute on: auto, cpu, cuda, cuda:NUMBER or mps
        time_limit_s: a cell that takes longer is stopped, and fails
        executor: where cells are computed, in place of `jobs` and `time_limit_s`
        again: compute cells that are done once more
        hooks: hook plugins besides those of the file: names, mappings with `use`, trackers, and
            objects with methods decorated with `semcore.hook`
        progress: show the progress

    Returns:
        the finished cells of this call; `failures` of it lists those that failed, with a warning

    Raises:
        ConfigError: with every problem of the file, the settings and the samples
        RunError: the folder cannot be written, or no cell could be computed
    """
    changes = [assigned(path, value) for path, value in (settings or {}).items()]
    more = {"source.limit": limit, "seed": seed, "batch_size": batch_size, "device": device}
    changes += [assigned(path, value) for path, value in more.items() if value is not None]
    path = Path(pipeline)
    return compute(
        yaml.read(path, offered),
        changes,
        out=out,
        executor=executor_of(executor, jobs, time_limit_s),
        again=again,
        hooks=hooks,
        progress=progress,
    )


def compute(
    document: Document,
    changes: Sequence[Assignment],
    *,
    out: str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
    again: bool = False,
    hooks: Sequence[object] = (),
    progress: bool = True,
) -> Results:
    """Compute the cells of a parsed pipeline file under changes; arguments as of `run`."""
    from semcore.config.hook_plugins import hooks_of
    from semcore.runs import runner

    configuration = checked(document, changes)
    if executor is not None and naming.registered():
        refuse_local(configuration)
    folder = Path("runs") / configuration.name if out is None else Path(out)
    called = hooks_of(document, hooks)
    with _shown(configuration, progress) as listener:
        if listener is not None:
            called.register(listener)
        finished = runner.run(configuration, folder, called, executor, sys.argv[:1], again=again)
    for complaint in finished.complaints:
        warnings.warn(f"{complaint}; no result depends on it", stacklevel=3)
    if finished.failures:
        reasons = "\n".join(finished.failures)
        if not any(finished.results):
            raise RunError(f"no cell could be computed; {folder}/cells/*/failure.json\n{reasons}")
        warnings.warn(f"{plural(len(finished.failures), 'cell')} failed:\n{reasons}", stacklevel=3)
    return read(folder)


def executor_of(value: Any, jobs: int, time_limit_s: float | None) -> Executor | None:
    """What computes the cells; None: this process."""
    if value is None:
        if jobs == 1 and time_limit_s is None:
            return None
        value = {"use": "processes", "jobs": jobs, "time_limit_s": time_limit_s or 0.0}
    elif jobs != 1 or time_limit_s is not None:
        raise TypeError("jobs and time_limit_s are settings of the executor 'processes'")
    if isinstance(value, (str, Mapping)):
        value = component("executor", value, "executor")
    made: Executor = value
    return made


def _shown(configuration: Configuration, progress: bool) -> Any:
    """The listener that shows progress, as a context; of None for none."""
    from contextlib import nullcontext

    from semcore.render.notebook import NotebookProgress, in_notebook
    from semcore.render.progress import Progress
    from semcore.runs.labels import Labels

    if not progress:
        return nullcontext()
    labels = Labels(configuration.axes)
    return NotebookProgress(labels) if in_notebook() else Progress(labels)
