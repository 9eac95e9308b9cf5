"""Rows as lines of points over an axis. Figures and the page draw the same `Chart`."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from semcore.analysis.aggregate import (
    DERIVED,
    MeasurementKey,
    Summary,
    aggregate,
    has,
    measurement_key,
    metric_names,
    require_metric,
)
from semcore.analysis.grouping import group_label, groups, varying
from semcore.analysis.rows import Row, distinct, require_path, swept
from semcore.errors import RunError
from semcore.runs.labels import format_value, is_number, title
from semcore.wording.suggest import nearest


@dataclass(frozen=True, eq=False)
class Point:
    """One point of a line.

    Fields:
        x: its place on the axis; a mean with an interval if x is a metric, no mean without an axis
        y: the metric
        rows: the rows that were averaged
    """

    x: Summary
    y: Summary
    rows: tuple[Row, ...]


@dataclass(frozen=True, eq=False)
class Line:
    """Points that may be connected: one group, measured alike.

    Fields:
        label: its name
        metric: what y is
        group: path -> value as text, of what its rows have in common
        points: in the order of x
    """

    label: str
    metric: str
    group: Mapping[str, str]
    points: tuple[Point, ...]


@dataclass(frozen=True, eq=False)
class Chart:
    """Metrics over one axis.

    Fields:
        x: dotted path or metric; "" without an axis
        metrics: one panel each
        group: paths that distinguish the lines
        lines: of every panel, in the order of `metrics`
        rows: every row that takes part
        left_out: rows without a place on the axis
        counted: what the n of a point counts
    """

    x: str
    metrics: tuple[str, ...]
    group: tuple[str, ...]
    lines: tuple[Line, ...]
    rows: tuple[Row, ...]
    left_out: tuple[Row, ...] = ()
    counted: str = "samples"

    def of(self, metric: str) -> list[Line]:
        """The lines of a panel."""
        return self._by_metric.get(metric, [])

    def points(self, metric: str) -> list[Point]:
        """The points of a panel, line after line."""
        return [point for line in self.of(metric) for point in line.points]

    @functools.cached_property
    def labels(self) -> list[str]:
        """The names of the lines, each once; a line looks the same in all panels."""
        return list(dict.fromkeys(line.label for line in self.lines))

    @functools.cached_property
    def x_is_metric(self) -> bool:
        """Whether x is a metric and not a setting."""
        return self.x in DERIVED or any(self.x in row.result["metrics"] for row in self.rows)

    @functools.cached_property
    def _by_metric(self) -> dict[str, list[Line]]:
        found: dict[str, list[Line]] = {}
        for line in self.lines:
            found.setdefault(line.metric, []).append(line)
        return found


def chart(
    rows: Sequence[Row], x: str, metrics: Sequence[str], group: Sequence[str] | None = None
) -> Chart:
    """Arrange rows over x.

    Args:
        rows: of one run or several
        x: path of a setting with numbers, or a metric
        metrics: one panel each
        group: settings or sections that make lines; rows that differ in anything else are
            averaged. None: everything that varies makes lines, except the seed

    Raises:
        RunError: an unknown path or metric, an x that does not vary, or a point of rows that were
            not measured alike
    """
    for metric in metrics:
        require_metric(metric, rows)
    measured = x in metric_names(rows) or x in DERIVED
    if measured:
        require_metric(x, rows)
        placed = [row for row in rows if has(row, x)]
    else:
        require_path(x, rows)
        placed = [row for row in rows if is_number(row.get(x))]
        _check_axis(x, placed, rows)
    for path in group or ():
        require_path(path, rows)
    paths = list(group) if group is not None else default_group(placed, x, measured)
    # Rows with the same value of a setting x are one point. Over a metric x, only those are that
    # differ in the seed alone.
    own = [path for path in varying(placed) if not _covers(paths, path)] if measured else [x]
    lines = [line for metric in metrics for line in _lines(placed, x, metric, paths, own, measured)]
    drawn = set(map(id, placed))
    left_out = tuple(row for row in rows if id(row) not in drawn)
    return Chart(x, tuple(metrics), tuple(paths), tuple(lines), tuple(placed), left_out)


def default_group(rows: Sequence[Row], x: str, measured: bool) -> list[str]:
    """The paths that make lines by default: all that vary, except x and the seed.

    Over a metric x, one line follows the first number that x depends on.
    """
    paths = varying(rows, x)
    if not measured:
        return paths
    numbers = [path for path in paths if all(is_number(row.get(path)) for row in rows)]
    for path in numbers:
        others = [other for other in paths if other != path]
        if any(
            len({aggregate([row], x).mean for row in some}) > 1 for _, some in groups(rows, others)
        ):
            return others
    return [path for path in paths if path not in numbers]


def connected(
    metric: str, group: Mapping[str, str], label: str, points: Sequence[Point], x: str = ""
) -> Iterator[Line]:
    """The points of a group as lines: one per measurement key of the metric, and of a metric x."""
    parts: dict[tuple[MeasurementKey, MeasurementKey], list[Point]] = {}
    for point in points:
        result = point.rows[0].result
        key = measurement_key(result, metric), measurement_key(result, x) if x else ()
        parts.setdefault(key, []).append(point)
    for number, part in enumerate(parts.values(), 1):
        names = [label, f"measured in way {number}"] if len(parts) > 1 else [label]
        yield Line(" · ".join(filter(None, names)), metric, group, tuple(part))


def _lines(
    rows: Sequence[Row],
    x: str,
    metric: str,
    paths: Sequence[str],
    own: Sequence[str],
    measured: bool,
) -> Iterator[Line]:
    for group, some in groups([row for row in rows if has(row, metric)], paths, x):
        points = []
        for _, same in groups(some, own):
            if measured:
                place = aggregate(same, x)
            else:
                place = Summary(float(same[0].get(x)), None, None, len(same), title(x)[1])
            points.append(Point(place, aggregate(same, metric), tuple(same)))
        points.sort(key=lambda point: (point.x.mean, point.y.mean))
        yield from connected(metric, group, group_label(group), points, x if measured else "")


def _covers(paths: Sequence[str], path: str) -> bool:
    """Whether a path is one of some paths, or lies in a section that is."""
    return any(path == one or path.startswith(f"{one}.") for one in paths)


def _check_axis(x: str, placed: Sequence[Row], rows: Sequence[Row]) -> None:
    """Refuse an axis without numbers, or with a single one."""
    numeric = [path for path in swept(rows) if any(is_number(row.get(path)) for row in rows)]
    hint = nearest(x, numeric) if len(numeric) > 1 else ""
    if "did you mean" not in hint:
        hint = f"swept here: {', '.join(numeric) or 'nothing that is a number'}"
    if not placed:
        values = ", ".join(format_value(value) for value in distinct(x, rows))
        raise RunError(f"{x} is not a number, so it cannot be an axis: it is {values}; {hint}")
    if len(distinct(x, placed)) < 2:
        value = format_value(placed[0].get(x))
        raise RunError(f"{x} is {value} in every cell, so there is nothing to draw over it; {hint}")
