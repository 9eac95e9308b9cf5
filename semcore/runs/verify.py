"""Whether a run is intact: every file of every cell against its digest."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from semcore.errors import RunError, shown
from semcore.runs import files as runfiles
from semcore.runs.files import RefusedFile
from semcore.runs.results import checked_result, read_info, read_items
from semcore.storage import TEMPORARY, is_signed, unstamped

UNSEALED = {"failure.json"}
"""Files of a cell that its result does not list: the reason of a failure."""


@dataclass(frozen=True)
class Fault:
    """A damaged or missing file.

    Fields:
        path: relative to the run's folder
        what: what is wrong with it
        cell: what to remove so that it is computed again: the folder of a cell or a stored stage;
            None if that does not help
    """

    path: str
    what: str
    cell: Path | None = None


@dataclass(frozen=True)
class Verdict:
    """The result of a check.

    Fields:
        whole: number of intact cells
        missing: number of cells that are not computed yet
        faults: everything that is wrong
    """

    whole: int
    missing: int
    faults: tuple[Fault, ...]


def verify(folder: Path) -> Verdict:
    """Check every byte of a run: `run.json`, pipeline file, finished cells, stage cache and page.

    Raises:
        RunError: the folder holds no run, or its `run.json` is damaged
    """
    info = read_info(folder)
    cells = [cell["id"] for cell in info["cells"]]
    faults = [*_listed(folder, "", info), *_led_out(folder)]
    found = {path.name: list(_cell(folder, path)) for path in _found(folder, "cells/*")}
    faults += [fault for some in found.values() for fault in some]
    faults += _cache(folder)
    faults += _page(folder)
    done = {name for name in found if os.path.lexists(folder / "cells" / name / "result.json")}
    whole = [name for name in cells if name in done and not found[name]]
    return Verdict(len(whole), len([name for name in cells if name not in done]), tuple(faults))


def discard(verdict: Verdict, folder: Path) -> int:
    """Remove damaged cells and stored stages, which can be computed again; returns their number."""
    gone = {fault.cell for fault in verdict.faults if fault.cell is not None}
    for path in gone:
        runfiles.beneath(folder, str(path.relative_to(folder)))
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    return len(gone)


def _found(folder: Path, pattern: str) -> list[Path]:
    """Sorted paths of a run, without temporary files and links that lead out of it."""
    paths = sorted(folder.glob(pattern))
    return [path for path in paths if not _ours(path) and _stays(folder, path.parent)]


def _stays(folder: Path, path: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _led_out(folder: Path) -> Iterator[Fault]:
    for pattern in ("cells", "cache", "cache/*"):
        for path in sorted(folder.glob(pattern)):
            if not _stays(folder, path) and _stays(folder, path.parent):
                yield Fault(
                    str(path.relative_to(folder)), "leads out of the run's folder by a link"
                )


def _page(folder: Path) -> Iterator[Fault]:
    path = folder / "report.html"
    try:
        if os.path.lexists(path) and not is_signed(runfiles.read(folder, path.name)):
            yield Fault(
                path.name, "its content does not match its digest; semcore report writes it again"
            )
    except (OSError, RunError) as error:
        yield Fault(path.name, _reason(error))


def _cell(folder: Path, cell: Path) -> Iterator[Fault]:
    path = cell / "result.json"
    where = str(path.relative_to(folder))
    if cell.is_symlink() or not cell.is_dir():
        yield Fault(str(cell.relative_to(folder)), "is not a folder", cell)
        return
    if not os.path.lexists(path):
        return  # not done yet: its other files do not count
    try:
        result = checked_result(folder, cell.name)
    except (OSError, ValueError, RunError) as error:
        yield Fault(where, _reason(error), cell)
        return
    faults = list(_listed(folder, f"cells/{cell.name}/", result)) or list(_items(folder, result))
    for fault in faults:
        yield Fault(fault.path, fault.what, cell)
    named = {"result.json", *result.get("files", ()), *UNSEALED}
    folders = {parent for name in named for parent in map(str, PurePosixPath(name).parents)}
    for other in sorted(cell.rglob("*")):
        name, known = str(other.relative_to(cell)), folders if _is_folder(other) else named
        if name not in known and not _ours(other):
            yield Fault(str(other.relative_to(folder)), "does not belong to the cell", cell)


def _items(folder: Path, result: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with the items of a cell whose digests match."""
    files = result.get("files", {})
    where = f"cells/{result['id']}/items.jsonl"
    try:
        rows = read_items(folder, result["id"]) if "items.jsonl" in files else []
    except RunError as error:
        yield Fault(where, _reason(error))
        return
    kept = [
        name
        for row in rows
        for names in (row.get("pictures", {}), row.get("clips", {}))
        for name in names.values()
    ]
    for name in dict.fromkeys(name for name in kept if name not in files):
        yield Fault(where, f"names the file {shown(name)}, which does not belong to the cell")


def _listed(folder: Path, base: str, holder: Mapping[str, Any]) -> Iterator[Fault]:
    """Check the files whose digests `holder` lists; `base`: prefix of their names in the run."""
    for name, wanted in holder.get("files", {}).items():
        try:
            if runfiles.digest(folder, base + name) != wanted:
                yield Fault(base + name, "its content does not match its digest")
        except (OSError, RunError) as error:
            yield Fault(base + name, _reason(error))


def _cache(folder: Path) -> Iterator[Fault]:
    for path in _found(folder, "cache/*/*.npz"):
        try:
            unstamped(runfiles.read(folder, str(path.relative_to(folder))))
        except (OSError, ValueError, RunError) as error:
            yield Fault(str(path.relative_to(folder)), _reason(error), path)


def _reason(error: Exception) -> str:
    """What is wrong with a file, without its name."""
    if isinstance(error, FileNotFoundError):
        return "is missing"
    return error.reason if isinstance(error, RefusedFile) else str(error)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _ours(path: Path) -> bool:
    """Whether a file is temporary: being written, or left over from a process that was killed."""
    return path.name.startswith(TEMPORARY)
