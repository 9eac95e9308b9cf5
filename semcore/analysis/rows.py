"""Rows: the finished cells of one run or several, each with every setting by its dotted path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcore.config.paths import flatten, read_override
from semcore.errors import RunError
from semcore.runs.labels import canonical_key, format_value, is_number
from semcore.runs.results import Run, read_run
from semcore.wording.numbers import number
from semcore.wording.suggest import nearest

RUN, SEED = "run", "seed"
"""Paths of a row outside all sections: the name of its run, and the seed."""
NOT_SETTINGS = ("metrics", "scenario", "space")
"""Sections of a configuration that rows are not chosen or grouped by."""


@dataclass(frozen=True, eq=False)
class Row:
    """One finished cell.

    Fields:
        run: the run that it belongs to
        result: content of its `result.json`, with the swept `settings`
        place: every setting by dotted path: `run`, `seed`, the swept ones, and the whole
            configuration
    """

    run: Run
    result: Mapping[str, Any]
    place: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The cell by id and swept values, for messages."""
        label = self.run.labels.of(self.result["settings"])
        return f"cell {self.result['id'][:8]} {label if label.startswith('(') else f'({label})'}"

    def get(self, path: str) -> Any:
        """The value at a path, or None; for a section or a nested component its settings."""
        if path in self.place:
            return self.place[path]
        start = f"{path}."
        inside = {
            key.removeprefix(start): value
            for key, value in self.place.items()
            if key.startswith(start)
        }
        return inside or None

    @property
    def settings(self) -> dict[str, Any]:
        """The swept settings by dotted path."""
        return dict(self.result["settings"])

    @property
    def metrics(self) -> dict[str, float | None]:
        """The mean of each metric; None without a value. Intervals are in `result`."""
        return {name: summary["mean"] for name, summary in self.result["metrics"].items()}

    def items(self) -> list[dict[str, Any]]:
        """One mapping per sample of the cell, as in its `items.jsonl`."""
        return self.run.items(dict(self.result))

    def file(self, name: str) -> bytes:
        """The content of a file of the cell that its items name, such as a picture or a clip.

        Raises:
            RunError: the file is missing or refused
        """
        return self.run.file(self.result, name)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name} {number(mean)}" for name, mean in self.metrics.items())
        return f"<{self.name}: {shown}>"


def read_rows(folders: Sequence[Path], where: Sequence[str] = ()) -> list[Row]:
    """Read the rows of runs that match every `PATH=VALUE` of `where`.

    A cell that two runs share is one row.

    Raises:
        RunError: a folder is not a run, a condition names an unknown path, or no row matches
    """
    rows = rows_of([read_run(folder) for folder in folders])
    if not rows:
        names = " or ".join(map(str, folders))
        raise RunError(f"no cell of {names} is done yet; semcore run computes them")
    for condition in where:
        one = read_override(condition)
        rows = matching(rows, one.path, one.value if one.swept else [one.value])
    return rows


def matching(rows: Sequence[Row], path: str, choices: Sequence[Any]) -> list[Row]:
    """The rows with one of several values at a path; a section matches by its component's name.

    Raises:
        RunError: an unknown path, or no row matches
    """
    require_path(path, rows)
    kept = [row for row in rows if any(_matches(row.get(path), choice) for choice in choices)]
    if not kept:
        values = ", ".join(dict.fromkeys(format_value(row.get(path)) for row in rows))
        wanted = ",".join(map(format_value, choices))
        raise RunError(f"no cell has {path}={wanted}; {path} is {values}")
    return kept


def rows_of(runs: Sequence[Run]) -> list[Row]:
    """The rows of runs."""
    rows = {}
    for run, name in zip(runs, _names(runs), strict=True):
        for result in run.results:
            rows[result["id"]] = Row(run, result, _place(result, name))
    return list(rows.values())


def require_path(path: str, rows: Sequence[Row]) -> None:
    """Check that a row has a value at a path.

    Raises:
        RunError: none has; with the nearest known path
    """
    if all(row.get(path) is None for row in rows):
        paths = dict.fromkeys(
            path for row in rows for path, value in row.place.items() if value is not None
        )
        sections = dict.fromkeys(path.split(".")[0] for path in paths)
        hint = nearest(path, {**paths, **sections})
        hint = hint or f"swept here: {', '.join(swept(rows)) or 'nothing'}"
        raise RunError(f"no cell has a setting {path!r}; {hint}")


def swept(rows: Sequence[Row]) -> list[str]:
    """Paths that a run swept and that take several values in these rows."""
    runs = {id(row.run): row.run for row in rows}
    paths = dict.fromkeys(path for run in runs.values() for path in run.axes)
    return [path for path in paths if len(distinct(path, rows)) > 1]


def distinct(path: str, rows: Iterable[Row]) -> list[Any]:
    """The values of a path, each once, in the order of the rows."""
    return list({canonical_key(row.get(path)): row.get(path) for row in rows}.values())


def _place(result: Mapping[str, Any], run: str) -> dict[str, Any]:
    sections = {name: value for name, value in result["config"].items() if name not in NOT_SETTINGS}
    # A transport for all streams is written, and so asked for, as `transport.rate`.
    settings = {
        path.replace("transport.*.", "transport."): value
        for path, value in flatten(sections).items()
    }
    return {RUN: run, **settings, **result["settings"]}


def _names(runs: Sequence[Run]) -> list[str]:
    """The names of the runs, or those of their folders where two names are equal."""
    names = [str(run.info["name"]) for run in runs]
    return names if len(set(names)) == len(names) else [run.folder.resolve().name for run in runs]


def _matches(value: Any, wanted: Any) -> bool:
    if isinstance(value, Mapping):  # a section is chosen by the name of its component
        value = value.get("use")
    if is_number(value) and is_number(wanted):
        return float(value) == float(wanted)
    return value == wanted or str(value) == str(wanted)
