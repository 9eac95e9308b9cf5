"""Whether a run is as it was written: every file of every cell against its digest."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcore.results import read_info
from semcore.storage import TEMPORARY, content_digest, is_signed, unsealed, unstamped

UNSEALED = {"failure.json"}
"""Files that a cell may hold beside its result: why it failed."""


@dataclass(frozen=True)
class Fault:
    """A file that is not as it was written.

    Fields:
        path: below the run's folder
        what: what is wrong with it
        cell: the folder that must go so that the cell is computed again; None if a cell is not to blame
    """

    path: str
    what: str
    cell: Path | None = None


@dataclass(frozen=True)
class Verdict:
    """What became of a check: how many cells are whole, how many are not computed yet, and every fault."""

    whole: int
    missing: int
    faults: tuple[Fault, ...]


def verify(folder: Path) -> Verdict:
    """Check every byte of a run: `run.json`, the pipeline file, every cell that is done, the stage cache and the page.

    Raises:
        RunError: the folder holds no run, or its `run.json` is damaged
    """
    info = read_info(folder)
    cells = [cell["id"] for cell in info["cells"]]
    faults = [*_listed(folder, folder, info)]
    found = {path.name: list(_cell(folder, path)) for path in sorted(folder.glob("cells/*")) if not _ours(path)}
    faults += [fault for some in found.values() for fault in some]
    faults += _cache(folder)
    faults += _page(folder)
    done = {name for name in found if (folder / "cells" / name / "result.json").exists()}
    whole = [name for name in cells if name in done and not found[name]]
    return Verdict(len(whole), len([name for name in cells if name not in done]), tuple(faults))


def discard(verdict: Verdict, folder: Path) -> int:
    """Remove what is damaged and can be computed again, cells and stored stages; returns how many."""
    gone = {fault.cell for fault in verdict.faults if fault.cell is not None}
    for path in gone:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return len(gone)


def _page(folder: Path) -> Iterator[Fault]:
    path = folder / "report.html"
    if path.exists() and not is_signed(path.read_bytes()):
        yield Fault(path.name, "its content does not match its digest; semcore report writes it again")


def _cell(folder: Path, cell: Path) -> Iterator[Fault]:
    path = cell / "result.json"
    where = str(path.relative_to(folder))
    try:
        result = unsealed(path.read_bytes())
    except FileNotFoundError:
        return  # not done, or not done yet: what else is there does not count
    except (OSError, ValueError) as error:
        yield Fault(where, str(error), cell)
        return
    if result["id"] != cell.name:
        yield Fault(where, f"is the result of the cell {result['id']}", cell)
    for fault in _listed(folder, cell, result):
        yield Fault(fault.path, fault.what, cell)
    known = {"result.json", *result["files"]} | UNSEALED
    for other in sorted(cell.rglob("*")):
        name = str(other.relative_to(cell))
        if other.is_file() and name not in known and not _ours(other):
            yield Fault(str(other.relative_to(folder)), "does not belong to the cell", cell)


def _listed(folder: Path, base: Path, holder: Mapping[str, Any]) -> Iterator[Fault]:
    """The files whose digests `holder` has."""
    for name, wanted in holder["files"].items():
        path = base / name
        where = str(path.relative_to(folder))
        try:
            data = path.read_bytes()
        except OSError as error:
            yield Fault(where, "is missing" if isinstance(error, FileNotFoundError) else str(error.strerror))
            continue
        if content_digest(data) != wanted:
            yield Fault(where, "its content does not match its digest")


def _cache(folder: Path) -> Iterator[Fault]:
    for path in sorted(folder.glob("cache/*/*.npz")):
        if _ours(path):
            continue
        try:
            unstamped(path.read_bytes())
        except (OSError, ValueError) as error:
            yield Fault(str(path.relative_to(folder)), str(error), path)


def _ours(path: Path) -> bool:
    """A file that is being written, or was left half written by a process that was killed: no reader looks at it."""
    return path.name.startswith(TEMPORARY)
