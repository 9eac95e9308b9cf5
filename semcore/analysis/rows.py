"""Rows: the finished cells of one run or several, each with every setting by its dotted path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcore.config.build import nearest
from semcore.config.paths import flatten, read_override
from semcore.errors import RunError
from semcore.runs.labels import is_number, key, said
from semcore.runs.results import Run, read_run

RUN, SEED = "run", "seed"
"""Paths of a row that stand in no section: the name of its run, and the seed."""
NOT_SETTINGS = ("metrics", "scenario", "space")
"""Parts of a configuration whose places are no settings that a reader would choose by."""


@dataclass(frozen=True, eq=False)
class Row:
    """One finished cell.

    Fields:
        run: where it is from
        result: what its `result.json` holds, with the swept `settings`
        place: every setting by dotted path: `run`, `seed`, what was swept, and the whole configuration
    """

    run: Run
    result: Mapping[str, Any]
    place: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The cell in words, for messages."""
        label = self.run.labels.of(self.result["settings"])
        return f"cell {self.result['id'][:8]} {label if label.startswith('(') else f'({label})'}"

    def get(self, path: str) -> Any:
        """The value at a path; of a section or a nested component its settings by path; None if it has none."""
        if path in self.place:
            return self.place[path]
        inside = {key.removeprefix(f"{path}."): value for key, value in self.place.items() if key.startswith(f"{path}.")}
        return inside or None


def read_rows(folders: Sequence[Path], where: Sequence[str] = ()) -> list[Row]:
    """The rows of runs that fulfil every `PATH=VALUE` of `where`; a cell that two runs share is one row.

    Raises:
        RunError: a folder is no run, a condition names what no cell has, or nothing is left
    """
    found = rows_of([read_run(folder) for folder in folders])
    if not found:
        raise RunError(f"no cell of {' or '.join(map(str, folders))} is done yet; semcore run computes them")
    for text in where:
        path, wanted, several = read_override(text)
        known(path, found)
        kept = [row for row in found if any(_is(row.get(path), one) for one in (wanted if several else [wanted]))]
        if not kept:
            there = ", ".join(dict.fromkeys(said(row.get(path)) for row in found))
            raise RunError(f"no cell has {text}; {path} is {there}")
        found = kept
    return found


def rows_of(runs: Sequence[Run]) -> list[Row]:
    """The rows of runs."""
    names = _names(runs)
    rows = {row["id"]: Row(run, row, _place(row, name)) for run, name in zip(runs, names, strict=True) for row in run.results}
    return list(rows.values())


def known(path: str, rows: Sequence[Row]) -> None:
    """Refuse a path that no row has, with what may have been meant."""
    if all(row.get(path) is None for row in rows):
        paths = dict.fromkeys(path for row in rows for path, value in row.place.items() if value is not None)
        sections = dict.fromkeys(path.split(".")[0] for path in paths)
        hint = nearest(path, {**paths, **sections}) or f"swept here: {', '.join(swept(rows)) or 'nothing'}"
        raise RunError(f"no cell has a setting {path!r}; {hint}")


def swept(rows: Sequence[Row]) -> list[str]:
    """Paths that a run swept and that take several values in these rows."""
    runs = {id(row.run): row.run for row in rows}
    paths = dict.fromkeys(path for run in runs.values() for path in run.axes)
    return [path for path in paths if len(distinct(path, rows)) > 1]


def distinct(path: str, rows: Iterable[Row]) -> list[Any]:
    """The values of a path, each once, in the order of the rows."""
    return list({key(row.get(path)): row.get(path) for row in rows}.values())


def _place(result: Mapping[str, Any], run: str) -> dict[str, Any]:
    config = {section: value for section, value in result["config"].items() if section not in NOT_SETTINGS}
    # A transport for every stream is written, and therefore asked for, as `transport.rate`.
    every = {path.replace("transport.*.", "transport."): value for path, value in flatten(config).items()}
    return {RUN: run, **every, **result["settings"]}


def _names(runs: Sequence[Run]) -> list[str]:
    """What the runs call themselves, or their folders where two say the same."""
    names = [str(run.info["name"]) for run in runs]
    return names if len(set(names)) == len(names) else [run.folder.resolve().name for run in runs]


def _is(value: Any, wanted: Any) -> bool:
    if isinstance(value, Mapping):  # a section is meant by the name of its component
        value = value.get("use")
    if is_number(value) and is_number(wanted):
        return float(value) == float(wanted)
    return value == wanted or str(value) == str(wanted)
