"""The cells of a run as lines over one swept axis, and what their configurations have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semcore.analysis.rows import SEED
from semcore.component.base import unit_of
from semcore.runs.conventions import SNR
from semcore.runs.labels import Labels, is_number, short, title
from semcore.runs.results import Run


@dataclass(frozen=True)
class Line:
    """The cells that differ in the axis x alone, in the order of x; without x, in the seed alone.

    Fields:
        label: the other swept values in short; "" if nothing else is swept
        cells: their results
    """

    label: str
    cells: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Lines:
    """All cells of a run.

    Fields:
        x: dotted path of the numeric axis with the most values, the seed apart; None if no such setting is swept
        lines: one a combination of the other swept values; one that holds all cells, if neither x nor the seed is swept
        labels: the names of the cells
    """

    x: str | None
    lines: tuple[Line, ...]
    labels: Labels

    def name(self, cell: Mapping[str, Any]) -> str:
        """All of a cell's swept values in words."""
        return self.labels.of(cell["settings"])

    def place(self, cell: Mapping[str, Any]) -> str:
        """Where a cell stands on its line, in words."""
        if self.x is not None:
            return f"{short(cell['settings'][self.x])} {self.unit}".strip()
        return f"seed {cell['settings'][SEED]}" if len(self.lines) > 1 else self.name(cell)

    @property
    def unit(self) -> str:
        """The unit of x, or ""."""
        return unit_of(self.x.rsplit(".", 1)[-1]) if self.x else ""

    @property
    def title(self) -> str:
        """x as the label of an axis."""
        if self.x is None:
            return ""
        name, unit = title(self.x)
        return f"{name} [{unit}]" if unit else name

    @property
    def meaning(self) -> str:
        """What an SNR on the x axis means, or ""."""
        return SNR.get(self.x.rsplit(".", 1)[-1], "") if self.x else ""


def lines(run: Run) -> Lines:
    """Arrange the finished cells of a run."""
    swept, labels = {path: values for path, values in run.axes.items() if len(values) > 1}, run.labels
    numeric = [path for path, values in swept.items() if path != SEED and all(map(is_number, values))]
    x = max(numeric, key=lambda path: len(swept[path]), default=None)
    along = x or (SEED if SEED in swept else None)
    others = [path for path in swept if path != along] if along else []
    groups: dict[str, list[dict[str, Any]]] = {}
    for result in run.results:
        name = labels.of({path: result["settings"][path] for path in others}) if others else ""
        groups.setdefault(name, []).append(result)
    if x:
        for cells in groups.values():
            cells.sort(key=lambda cell: cell["settings"][x])
    return Lines(x, tuple(Line(_bare(name, others), tuple(cells)) for name, cells in groups.items()), labels)


def _bare(name: str, others: Sequence[str]) -> str:
    """The label of a line; where the workflow or the planner alone differs, its name says it all."""
    return name.partition("=")[2] if list(others) in (["workflow"], ["planner"]) else name


def workflows(run: Run) -> dict[str, list[dict[str, Any]]]:
    """Results by the workflow that their settings choose; one group named "" if none does."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for result in run.results:
        groups.setdefault(str(result["settings"].get("workflow", "")), []).append(result)
    return groups


# ---------------------------------------------------------------------------------------------- configurations


@dataclass(frozen=True)
class Varied:
    """The place of a setting that differs between configurations; `values`: what it is, each once, in order."""

    values: tuple[Any, ...]

    def __str__(self) -> str:
        return ", ".join(map(short, self.values))


def common(values: Sequence[Any]) -> Any:
    """What configurations have in common, with a `Varied` wherever they differ."""
    first = values[0]
    if all(value == first for value in values):
        return first
    if all(isinstance(value, Mapping) and value.get("use") == first.get("use") for value in values):
        keys = dict.fromkeys(key for value in values for key in value)
        return {key: common([value.get(key) for value in values]) for key in keys}
    distinct = {repr(value): value for value in values}
    return Varied(tuple(distinct.values()))


def written_paths(value: Any) -> set[str]:
    """Dotted paths of every setting that the pipeline file names; what a workflow names counts as if at the root."""
    if not isinstance(value, Mapping):
        return set()
    paths = _paths({key: item for key, item in value.items() if key != "workflows"})
    for sections in (value.get("workflows") or {}).values():
        paths |= _paths(sections)
    return paths


def _paths(value: Any, prefix: str = "") -> set[str]:
    if not isinstance(value, Mapping):
        return set()
    found = set()
    for key, item in value.items():
        found |= {f"{prefix}{key}"} | _paths(item, f"{prefix}{key}.")
    return found
