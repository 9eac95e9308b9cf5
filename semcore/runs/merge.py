"""Several runs as one: cells computed on different machines or for different values of a sweep."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from semcore.errors import RunError
from semcore.runs import files
from semcore.runs.results import read_info, read_result
from semcore.runs.verify import verify
from semcore.storage import sealed, sweep, write


def merge(folders: Sequence[Path], out: Path) -> tuple[int, int]:
    """Copy every finished cell of several runs into one run with the union of their grids.

    Cells keep their ids, so that the command of any of the runs continues the merged one. A run
    that is already at `out` takes part.

    Returns:
        number of cells that are done, and of all cells in the grid

    Raises:
        RunError: a run is damaged, the runs are of different pipelines, or two of them have
            different results of one cell
    """
    known = [*([out] if os.path.lexists(out / "run.json") else []), *folders]
    infos = [read_info(folder) for folder in known]
    for folder in folders:
        if faults := verify(folder).faults:
            fault = f"{folder}/{faults[0].path}: {faults[0].what}"
            raise RunError(f"{fault}; semcore verify {folder} lists all faults")
    grid = _united(infos)
    cells = {cell["id"]: _source(cell["id"], known) for cell in grid}
    pipeline = files.read(folders[0], "pipeline.yaml")
    axes = _axes(infos)
    info = {**infos[0], "axes": axes, "cells": _in_order(grid, axes)}
    sweep(out)
    for identity, source in cells.items():
        if source is not None and source != out:
            _copy(source, out, identity)
    write(out / "pipeline.yaml", pipeline)
    write(out / "run.json", sealed({**info, "files": infos[0]["files"]}))
    return sum(source is not None for source in cells.values()), len(cells)


def _united(infos: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every cell of every run once.

    Raises:
        RunError: the runs are of different pipelines, versions or settings
    """
    first = infos[0]
    for info in infos[1:]:
        for key in ("name", "semcore"):
            if info[key] != first[key]:
                values = f"{first[key]!r} and {info[key]!r}"
                raise RunError(
                    f"the runs differ in their {key}: {values}; merge runs of one pipeline"
                )
        if list(info["axes"]) != list(first["axes"]):
            mine, theirs = (", ".join(one["axes"]) or "nothing" for one in (first, info))
            hint = "sweep the same ones, with other values"
            raise RunError(f"the runs sweep different settings: {mine}, and {theirs}; {hint}")
    cells: dict[str, dict[str, Any]] = {}
    for cell in (cell for info in infos for cell in info["cells"]):
        known = cells.setdefault(cell["id"], cell)
        if known["settings"] != cell["settings"]:
            raise RunError(
                f"the cell {cell['id']} stands for {known['settings']} and for {cell['settings']}"
            )
    places: dict[str, str] = {}
    for cell in cells.values():
        other = places.setdefault(repr(cell["settings"]), cell["id"])
        if other != cell["id"]:
            where = f"at {cell['settings'] or 'the only cell'}"
            message = f"{where} the runs are not of the same settings, files and versions"
            raise RunError(f"{message}: semcore diff shows what differs")
    return list(cells.values())


def _axes(infos: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The values of each axis; numbers are sorted."""
    axes: dict[str, list[Any]] = {}
    for path in infos[0]["axes"]:
        values = list(
            {repr(value): value for info in infos for value in info["axes"][path]}.values()
        )
        numeric = all(
            isinstance(value, (int, float)) and not isinstance(value, bool) for value in values
        )
        axes[path] = sorted(values) if numeric else values
    return axes


def _in_order(
    cells: Sequence[dict[str, Any]], axes: Mapping[str, Sequence[Any]]
) -> list[dict[str, Any]]:
    """Cells in the order of a grid: the first axis changes slowest."""
    return sorted(
        cells,
        key=lambda cell: [
            list(axes[path]).index(value) for path, value in cell["settings"].items()
        ],
    )


def _source(identity: str, folders: Sequence[Path]) -> Path | None:
    """The run that a cell is copied from; None if none has it.

    Raises:
        RunError: two runs have different results of it
    """
    done = [
        (folder, result)
        for folder in folders
        if (result := read_result(folder, identity)) is not None
    ]
    for folder, result in done[1:]:
        if result != done[0][1]:
            runs = f"{done[0][0]} and {folder}"
            message = f"{runs} have different results of the cell {identity}"
            hint = f"semcore diff {done[0][0]} {folder} shows what differs"
            raise RunError(f"{message}, which should not depend on the machine: {hint}")
    return done[0][0] if done else None


def _copy(source: Path, out: Path, identity: str) -> None:
    result = read_result(source, identity) or {}
    for name in [*result["files"], "result.json"]:  # the result last: it marks the cell done
        path = f"cells/{identity}/{name}"
        write(files.beneath(out, path), files.read(source, path))
