"""Runs read back from disk: what was asked, cells and items."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcore.errors import RunError, shown
from semcore.limits import MAX_TEXT_BYTES
from semcore.runs import files, records
from semcore.runs.files import RefusedFile
from semcore.runs.labels import Labels
from semcore.storage import from_json, unsealed

PARTS = ("id", "n", "metrics", "conventions", "genie", "packages", "config", "segments")
"""Keys that a result must have."""
AGAIN = "delete its folder and run again"
"""How to repair a damaged cell."""


@dataclass(frozen=True)
class Run:
    """A run on disk.

    Fields:
        folder: its folder
        info: content of `run.json`
        results: content of `result.json` of every finished cell, with its swept `settings`, in the
            order of the grid
        failures: settings and reason of every failed cell
    """

    folder: Path
    info: dict[str, Any]
    results: list[dict[str, Any]]
    failures: list[dict[str, Any]]

    @property
    def metrics(self) -> list[str]:
        """Names of all metrics, in order of first appearance."""
        return list(dict.fromkeys(name for result in self.results for name in result["metrics"]))

    @property
    def axes(self) -> dict[str, list[Any]]:
        """Swept values by dotted path."""
        return dict(self.info["axes"])

    @property
    def labels(self) -> Labels:
        """The names of the cells."""
        return Labels(self.axes)

    def items(self, result: dict[str, Any]) -> list[dict[str, Any]]:
        """The items of a cell, one per sample."""
        return read_items(self.folder, result["id"])

    def file(self, result: Mapping[str, Any], name: str) -> bytes:
        """The content of a file of a cell, such as a picture or a clip.

        Raises:
            RunError: the file is missing, or refused (`semcore.runs.files`)
        """
        try:
            return files.read(self.folder, f"cells/{result['id']}/{name}")
        except FileNotFoundError as error:
            raise RunError(f"{error.filename} is missing; {AGAIN}") from error


def read_result(folder: Path, identity: str) -> dict[str, Any] | None:
    """The result of a cell, or None if it is not done or damaged."""
    try:
        return checked_result(folder, identity)
    except (FileNotFoundError, ValueError, RefusedFile):
        return None


def checked_result(folder: Path, identity: str) -> dict[str, Any]:
    """The result of a cell.

    Raises:
        FileNotFoundError: the cell is not done
        ValueError: the file is damaged
        RefusedFile: the file is refused (`semcore.runs.files`), or is not what semcore writes
    """
    path = f"cells/{identity}/result.json"
    result = unsealed(files.read(folder, path, MAX_TEXT_BYTES))
    if unknown := records.load_statistics(result):
        raise RefusedFile(
            folder / path,
            f"has an interval of the kind {shown(unknown)}, which no installed package brings: put "
            "the metric into a package; a file under `plugins` is not run to read results",
        )
    try:
        records.check(records.Result, result)
    except ValueError as error:
        raise RefusedFile(folder / path, f"is not what semcore writes: {error}; {AGAIN}") from error
    if result["id"] != identity:
        raise RefusedFile(folder / path, f"is the result of the cell {result['id']}")
    return result


def read_items(folder: Path, identity: str) -> list[dict[str, Any]]:
    """The items of a cell, one per sample.

    Raises:
        RefusedFile: the file is missing, damaged, or not what semcore writes
    """
    path = f"cells/{identity}/items.jsonl"
    try:
        text = files.read(folder, path, MAX_TEXT_BYTES).decode()
        items = [from_json(line) for line in text.split("\n") if line]
        return list(records.check(list[records.Item], items))
    except (FileNotFoundError, ValueError) as error:
        reason = f"is damaged and cannot be read: {error}; {AGAIN}"
        raise RefusedFile(folder / path, reason) from error


def read_info(folder: Path) -> dict[str, Any]:
    """The content of `run.json`.

    Raises:
        RunError: the folder is not a run, or the file is damaged
    """
    try:
        info = unsealed(files.read(folder, "run.json", MAX_TEXT_BYTES))
    except FileNotFoundError as error:
        raise RunError(
            f"{folder} is not a run: it has no readable run.json; semcore run makes one"
        ) from error
    except ValueError as error:
        message = (
            f"{folder}/run.json is damaged ({error}); the command that made the run writes it again"
        )
        raise RunError(message) from error
    try:
        records.check(records.RunInfo, info)
        known = {path: {repr(value) for value in values} for path, values in info["axes"].items()}
        for cell in info["cells"]:
            if any(
                repr(value) not in known.get(path, ()) for path, value in cell["settings"].items()
            ):
                raise ValueError(f"the cell {cell['id']} has settings that are not swept")
    except ValueError as error:
        raise RunError(f"{folder}/run.json is not what semcore writes: {error}") from error
    return info


def read_run(folder: Path) -> Run:
    """Read a run.

    Raises:
        RunError: the folder is not a run, or holds what semcore never writes
    """
    info = read_info(folder)
    results, failures = [], []
    for cell in info["cells"]:
        try:
            result = checked_result(folder, cell["id"])
        except (FileNotFoundError, ValueError):  # not done; or damaged, and computed again
            result = None
        if result is not None:  # perhaps computed for another grid, with other settings
            if missing := [part for part in PARTS if part not in result]:
                lacks = f"it has no {' and no '.join(missing)}"
                raise RunError(f"the cell {cell['id']} of {folder} is damaged: {lacks}; {AGAIN}")
            results.append({**result, "settings": cell["settings"]})
        elif failure := _failure(folder, cell["id"]):
            failures.append({"settings": cell["settings"], **failure})
    return Run(folder, info, results, failures)


def _failure(folder: Path, identity: str) -> dict[str, Any] | None:
    """Why a cell failed; None if it did not, or its record is unreadable."""
    try:
        data = files.read(folder, f"cells/{identity}/failure.json", MAX_TEXT_BYTES)
        return dict(records.check(records.Failure, from_json(data)))
    except (FileNotFoundError, ValueError):
        return None


@contextmanager
def readable(*folders: Path) -> Iterator[None]:
    """Turn exceptions within the context, due to content that semcore never writes, into errors.

    Raises:
        RunError: naming the folders
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # about numbers too large to draw
            yield
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        MemoryError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        whose = " or ".join(map(str, folders))
        hint = "semcore verify says whether it is as semcore wrote it"
        raise RunError(
            f"{whose} cannot be read: {type(error).__name__}: {error}; {hint}"
        ) from error
