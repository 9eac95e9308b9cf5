"""CSV with full precision, one row per observation."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from semcore.analysis.chart import Chart, Line, Point
from semcore.analysis.table import Table
from semcore.runs.labels import format_value

FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""First characters that make a spreadsheet read a text as a formula."""


def as_csv(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[str] = (), spreadsheet: bool = False
) -> str:
    """Rows as CSV; unknown values are left empty.

    Args:
        rows: values by column
        columns: the columns; empty: those of the rows
        spreadsheet: put an apostrophe before texts that a spreadsheet would read as formulas
    """
    rows = list(rows)
    names = list(columns) or list(dict.fromkeys(name for row in rows for name in row))
    cell, lines = _no_formula if spreadsheet else _cell, _Lines()
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow(map(cell, names))
    writer.writerows([cell(row.get(name)) for name in names] for row in rows)
    return "".join(lines)


class _Lines(list[str]):
    """A file of lines that end with a line feed.

    The writer quotes line feeds inside values only if they occur in its own line ends.
    """

    def write(self, line: str) -> None:
        """Append a line."""
        self.append(line.removesuffix("\r\n") + "\n")


def _no_formula(value: Any) -> Any:
    """A cell that no spreadsheet evaluates; a number as text is not a formula."""
    cell = _cell(value)
    if not isinstance(cell, str) or not cell.lstrip(" ").startswith(FORMULA):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, (int, float, str)):
        return value
    return format_value(value)


def of_chart(chart: Chart) -> str:
    """Every point of a chart: its line, place, mean and interval, and how it was measured."""
    rows = []
    for line in chart.lines:
        rows += [_point(chart, line, point) for point in line.points]
    return as_csv(rows)


def _point(chart: Chart, line: Line, point: Point) -> dict[str, Any]:
    place = {chart.x: point.x.mean}
    if chart.x_is_metric:
        place |= {f"{chart.x} low": point.x.low, f"{chart.x} high": point.x.high}
    results = [row.result for row in point.rows]
    return {
        "line": line.label,
        **line.group,
        **place,
        "metric": line.metric,
        "mean": point.y.mean,
        "low": point.y.low,
        "high": point.y.high,
        "n": point.y.n,
        "unit": point.y.unit,
        "signature": point.y.signature,
        "snr": "; ".join(dict.fromkeys(str(one["conventions"]["snr"]) for one in results)),
        "seeds": " ".join(dict.fromkeys(str(one["config"]["seed"]) for one in results)),
        "cells": " ".join(one["id"] for one in results),
    }


def of_table(table: Table, spreadsheet: bool = False) -> str:
    """A table: mean, interval and n of every metric; `spreadsheet`: as in `as_csv`."""
    rows = []
    for group, cells in zip(table.names, table.cells, strict=True):
        row: dict[str, Any] = dict(zip(table.paths, group, strict=True))
        for metric, cell in zip(table.metrics, cells, strict=True):
            row |= {
                metric: cell.mean,
                f"{metric} low": cell.low,
                f"{metric} high": cell.high,
                f"{metric} n": cell.n,
            }
        rows.append(row)
    return as_csv(rows, spreadsheet=spreadsheet)
