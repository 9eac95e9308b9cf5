"""Rows as series of points over an axis: which rows are one point, which points are one line."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semcore.analysis.aggregate import DERIVED, Summary, has, known_metric, known_metrics, manner, pooled
from semcore.analysis.rows import RUN, SEED, Row, distinct, known, swept
from semcore.config.build import nearest
from semcore.config.paths import flatten
from semcore.errors import RunError
from semcore.runs.labels import NOTHING, is_number, key, said, telling, title


@dataclass(frozen=True, eq=False)
class Point:
    """One place on a line.

    Fields:
        x: where it is; a summary if x is a metric
        y: its summary
        rows: what was averaged there
    """

    x: Summary
    y: Summary
    rows: tuple[Row, ...]


@dataclass(frozen=True, eq=False)
class Line:
    """Points that may be connected: one group, measured alike. `group`: path -> value in words."""

    label: str
    metric: str
    group: Mapping[str, str]
    points: tuple[Point, ...]


@dataclass(frozen=True, eq=False)
class Chart:
    """What is drawn over one axis.

    Fields:
        x: dotted path or metric
        metrics: one panel each
        group: paths that tell the lines apart
        lines: of every panel, in its order
        rows: every row that takes part
        left_out: rows that have no place on the axis
        counted: what n of a point counts
    """

    x: str
    metrics: tuple[str, ...]
    group: tuple[str, ...]
    lines: tuple[Line, ...]
    rows: tuple[Row, ...]
    left_out: tuple[Row, ...]
    counted: str = "samples"

    def of(self, metric: str) -> list[Line]:
        """The lines of a panel."""
        return self._of.get(metric, [])

    @functools.cached_property
    def x_is_metric(self) -> bool:
        """Whether x is measured and not set."""
        return self.x in DERIVED or any(self.x in row.result["metrics"] for row in self.rows)

    @functools.cached_property
    def _of(self) -> dict[str, list[Line]]:
        found: dict[str, list[Line]] = {}
        for line in self.lines:
            found.setdefault(line.metric, []).append(line)
        return found


def chart(rows: Sequence[Row], x: str, metrics: Sequence[str], group: Sequence[str] | None = None) -> Chart:
    """Arrange rows over x.

    Args:
        x: a path with numbers, or a metric
        group: paths or sections that tell the lines apart; the rest of what varies is averaged. None: everything that
            varies is told apart, but for the seed

    Raises:
        RunError: nobody knows a path or metric, x does not vary, or rows that were not measured alike fall on one point
    """
    for metric in metrics:
        known_metric(metric, rows)
    measured = x in known_metrics(rows) or x in DERIVED
    if measured:
        known_metric(x, rows)
        there = [row for row in rows if has(row, x)]
    else:
        known(x, rows)
        there = [row for row in rows if is_number(row.get(x))]
        _check_axis(x, there, rows)
    for path in group or ():
        known(path, rows)
    paths = list(group) if group is not None else told_apart(there, x, measured)
    # Over a setting, rows at the same value are one point. Over a metric only rows that differ in the seed are.
    own = [path for path in varying(there) if not _covered(path, paths)] if measured else [x]
    lines = [line for metric in metrics for line in _lines(there, x, metric, paths, own, measured)]
    drawn = set(map(id, there))
    left_out = tuple(row for row in rows if id(row) not in drawn)
    return Chart(x, tuple(metrics), tuple(paths), tuple(lines), tuple(there), left_out)


def _covered(path: str, paths: Sequence[str]) -> bool:
    """Whether a path is one of some paths, or lies in a section that is."""
    return any(path == one or path.startswith(f"{one}.") for one in paths)


def _check_axis(x: str, there: Sequence[Row], rows: Sequence[Row]) -> None:
    numeric = [path for path in swept(rows) if any(is_number(row.get(path)) for row in rows)]
    hint = nearest(x, numeric) if len(numeric) > 1 else ""
    choices = f"swept here: {', '.join(numeric) or 'nothing that is a number'}" if "did you mean" not in hint else hint
    if not there:
        values = ", ".join(said(value) for value in distinct(x, rows))
        raise RunError(f"{x} is no number, so it cannot be an axis: it is {values}; {choices}")
    if len(distinct(x, there)) < 2:
        raise RunError(f"{x} is {said(there[0].get(x))} in every cell, so there is nothing to draw over it; {choices}")


def varying(rows: Sequence[Row], x: str = "") -> list[str]:
    """What was swept, but for x and the seed; and the run, if several differ in more than that."""
    paths = [path for path in swept(rows) if path not in (SEED, x)]
    if len(distinct(RUN, rows)) > 1:
        settings = {key({path: row.place[path] for path in row.place if path not in (SEED, RUN, x)}) for row in rows}
        if len(settings) > len({_at(row, paths) for row in rows}):
            paths.append(RUN)
    return paths


def told_apart(rows: Sequence[Row], x: str, measured: bool) -> list[str]:
    """What makes lines if nobody says: all that varies but x, or but the first number that a measured x depends on."""
    paths = varying(rows, x)
    numbers = [path for path in paths if all(is_number(row.get(path)) for row in rows)]
    for path in numbers if measured else ():
        others = [other for other in paths if other != path]
        if any(len({pooled([row], x).mean for row in some}) > 1 for _, some in groups(rows, others)):
            return others
    return [path for path in paths if path not in numbers] if measured else paths


def groups(rows: Sequence[Row], paths: Sequence[str], x: str = "") -> list[tuple[dict[str, str], list[Row]]]:
    """Rows that have the same values at some paths, with these values in words, in the order of the rows.

    Args:
        x: a path that does not tell sections apart, though they hold it
    """
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(_at(row, paths, x), []).append(row)
    say = {path: telling([_without(one, path, x) for one in distinct(path, rows)]) for path in paths}
    return [({path: say[path](_without(some[0].get(path), path, x)) for path in paths}, some) for some in found.values()]


def _at(row: Row, paths: Sequence[str], x: str = "") -> str:
    return key([_without(row.get(path), path, x) for path in paths])


def _without(value: Any, path: str, x: str) -> Any:
    """A section, its settings by dotted path, without the one that is on the axis."""
    if isinstance(value, Mapping):
        return {name: one for name, one in flatten(value).items() if f"{path}.{name}" != x}
    return value


def _lines(rows: Sequence[Row], x: str, metric: str, paths: Sequence[str], own: Sequence[str], measured: bool) -> list[Line]:
    made = []
    for group, some in groups([row for row in rows if has(row, metric)], paths, x):
        points = []
        for _, same in groups(some, own):
            at = pooled(same, x) if measured else Summary(float(same[0].get(x)), None, None, len(same), title(x)[1])
            points.append(Point(at, pooled(same, metric), tuple(same)))
        points.sort(key=lambda point: (point.x.mean, point.y.mean))
        parts: dict[Any, list[Point]] = {}
        for point in points:
            alike = (manner(point.rows[0].result, metric), manner(point.rows[0].result, x) if measured else ())
            parts.setdefault(alike, []).append(point)
        for number, part in enumerate(parts.values(), 1):
            more = f"measured in way {number}" if len(parts) > 1 else ""
            made.append(Line(line_label(group, more), metric, group, tuple(part)))
    return made


def line_label(group: Mapping[str, str], more: str = "") -> str:
    """The name of a line: words as they are, numbers with the name of their setting and its unit."""
    parts = []
    for path, value in group.items():
        name, unit = title(path)[0].split(",")[0], title(path)[1]
        if value != NOTHING:
            parts.append(
                f"{name} {value} {unit}".strip() if value[:1] in "-0123456789" or value in ("True", "False") else value
            )
    return " · ".join(filter(None, (*parts, more)))
