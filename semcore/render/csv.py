"""Numbers as CSV: full precision, one row an observation."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from semcore.analysis.chart import Chart
from semcore.runs.labels import said

FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""What a text begins with that a spreadsheet takes for a formula."""


def as_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str] = (), spreadsheet: bool = False) -> str:
    """Rows as CSV under the columns that they have, or the given ones; what is not known is left empty.

    Args:
        spreadsheet: put an apostrophe before texts that a spreadsheet would take for formulas
    """
    rows = list(rows)
    names = list(columns) or list(dict.fromkeys(name for row in rows for name in row))
    tame, lines = _tamed if spreadsheet else _cell, _Lines()
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow(map(tame, names))
    writer.writerows([tame(row.get(name)) for name in names] for row in rows)
    return "".join(lines)


class _Lines(list[str]):
    """A file of lines that end with a line feed. Python quotes what may stand in the end of a line, and in no other."""

    def write(self, line: str) -> None:
        """Keep a line."""
        self.append(line.removesuffix("\r\n") + "\n")


def _tamed(value: Any) -> Any:
    """A cell that no spreadsheet calculates; a number in words is no formula."""
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
    return said(value)


def of_chart(chart: Chart) -> str:
    """Every point of a figure: its line, where it is, mean and interval, and what it stands on."""
    rows = []
    for line in chart.lines:
        for point in line.points:
            at: dict[str, Any] = {chart.x: point.x.mean}
            if chart.x_is_metric:
                at |= {f"{chart.x} low": point.x.low, f"{chart.x} high": point.x.high}
            results = [row.result for row in point.rows]
            rows.append(
                {
                    "line": line.label, **line.group, **at,
                    "metric": line.metric, "mean": point.y.mean, "low": point.y.low, "high": point.y.high, "n": point.y.n,
                    "unit": point.y.unit, "signature": point.y.signature,
                    "snr": "; ".join(dict.fromkeys(str(one["conventions"]["snr"]) for one in results)),
                    "seeds": " ".join(dict.fromkeys(str(one["config"]["seed"]) for one in results)),
                    "cells": " ".join(one["id"] for one in results),
                }
            )  # fmt: skip
    return as_csv(rows)
