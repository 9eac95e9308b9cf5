"""A run as its page shows it: one axis, a group of cells per combination of the other settings."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from semcore.analysis.aggregate import Summary, summary_of
from semcore.analysis.chart import Chart, Line, Point, connected
from semcore.analysis.grouping import group_label, groups
from semcore.analysis.rows import SEED, Row, rows_of
from semcore.component.base import unit_of
from semcore.runs.conventions import SNR
from semcore.runs.labels import NOTHING, is_number, short, title
from semcore.runs.results import Run


@dataclass(frozen=True, eq=False)
class Group:
    """Cells that differ only in the axis x, in its order; without an axis, only in the seed.

    Fields:
        label: the other swept values; "" if nothing else is swept
        settings: path -> value as text, of these
        rows: the cells
    """

    label: str
    settings: dict[str, str]
    rows: tuple[Row, ...]


@dataclass(frozen=True, eq=False)
class Overview:
    """All finished cells of a run.

    Fields:
        run: the run
        x: dotted path of the swept number with the most values, the seed excepted; "" without one
        groups: one per combination of the other swept values; a single one without x and seeds
    """

    run: Run
    x: str
    groups: tuple[Group, ...]

    @functools.cached_property
    def chart(self) -> Chart:
        """Every metric that has a value. A point is one cell: seeds are lines of their own."""
        lines = [line for metric in self.run.metrics for line in self._lines(metric)]
        metrics = tuple(dict.fromkeys(line.metric for line in lines))
        paths = tuple(dict.fromkeys(path for group in self.groups for path in group.settings))
        rows = tuple(row for group in self.groups for row in group.rows)
        return Chart(self.x, metrics, paths, tuple(lines), rows)

    def _lines(self, metric: str) -> list[Line]:
        lines: list[Line] = []
        for group in self.groups:
            points = [
                Point(self._at(row), summary_of(row.result, metric), (row,))
                for row in group.rows
                if summary_of(row.result, metric).mean is not None
            ]
            lines += connected(metric, group.settings, group.label, points)
        return lines

    def _at(self, row: Row) -> Summary:
        """The place of a cell on the axis."""
        if not self.x:
            return Summary(None, None, None, 1)
        return Summary(float(row.result["settings"][self.x]), None, None, 1, title(self.x)[1])

    def name(self, row: Row) -> str:
        """All swept values of a cell."""
        return self.run.labels.of(row.result["settings"])

    def place(self, row: Row) -> str:
        """The place of a cell in its group."""
        settings = row.result["settings"]
        if self.x:
            return f"{short(settings[self.x])} {self.unit}".strip()
        return f"seed {settings[SEED]}" if len(self.groups) > 1 else self.name(row)

    @property
    def unit(self) -> str:
        """The unit of x, or ""."""
        return unit_of(self.x.rsplit(".", 1)[-1])

    @property
    def snr_meaning(self) -> str:
        """What an SNR on the axis means; "" if x is not an SNR."""
        return SNR.get(self.x.rsplit(".", 1)[-1], "")


def overview(run: Run) -> Overview:
    """Arrange the finished cells of a run."""
    swept = {path: values for path, values in run.axes.items() if len(values) > 1}
    numeric = [
        path for path, values in swept.items() if path != SEED and all(map(is_number, values))
    ]
    x = max(numeric, key=lambda path: len(swept[path]), default="")
    along = x or (SEED if SEED in swept else "")
    others = [path for path in swept if path != along] if along else []
    found = []
    rows = rows_of([run])
    grouped = groups(rows, others, x) if rows else []
    for settings, some in grouped:
        label = group_label(settings) or (NOTHING if len(grouped) > 1 else "")
        if x:
            some = sorted(some, key=lambda row: row.result["settings"][x])
        found.append(Group(label, settings, tuple(some)))
    return Overview(run, x, tuple(found))
