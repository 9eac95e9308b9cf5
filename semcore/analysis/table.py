"""Rows as a table: one line per group of cells, one column per metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from semcore.analysis.aggregate import (
    Summary,
    aggregate,
    has,
    measurement_key,
    metric_names,
    require_metric,
)
from semcore.analysis.evidence import verdict
from semcore.analysis.grouping import groups, varying
from semcore.analysis.rows import Row, require_path

NO_VALUE = Summary(None, None, None, 0)


@dataclass(frozen=True, eq=False)
class Table:
    """The content of a table, whatever it is written as.

    Fields:
        paths: the settings in its first columns
        metrics: the metrics in the others
        names: the values of the settings as text, one tuple per line
        cells: summaries by line and metric
        best: (line, metric) of the values to emphasise
        rows: the rows behind it
        pools: the rows that were averaged, per value
    """

    paths: tuple[str, ...]
    metrics: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]
    cells: tuple[tuple[Summary, ...], ...]
    best: frozenset[tuple[int, int]]
    rows: tuple[Row, ...]
    pools: tuple[tuple[Row, ...], ...]

    def column(self, index: int) -> list[Summary]:
        """The summaries of a metric, by its index."""
        return [line[index] for line in self.cells]


def table(
    rows: Sequence[Row], paths: Sequence[str] | None = None, metrics: Sequence[str] | None = None
) -> Table:
    """Arrange rows as a table.

    Args:
        rows: of one run or several
        paths: settings or sections that make lines; rows that differ in anything else are
            averaged. None: everything that varies makes lines, except the seed
        metrics: columns; None: all with a value

    Raises:
        RunError: an unknown path or metric, or a line of rows that were not measured alike
    """
    for metric in metrics or ():
        require_metric(metric, rows)
    for path in paths or ():
        require_path(path, rows)
    if metrics:
        shown = list(dict.fromkeys(metrics))
    else:
        shown = [name for name in metric_names(rows) if any(has(row, name) for row in rows)]
    chosen = list(dict.fromkeys(paths)) if paths else varying(rows)
    lines = groups(rows, chosen)
    cells: list[tuple[Summary, ...]] = []
    pools: list[tuple[Row, ...]] = []
    for _, some in lines:
        line = []
        for metric in shown:
            pool = [row for row in some if has(row, metric)]
            line.append(aggregate(pool, metric) if pool else NO_VALUE)
            if pool:
                pools.append(tuple(pool))
        cells.append(tuple(line))
    best = {
        (line, index)
        for index, metric in enumerate(shown)
        for line in _best([some for _, some in lines], [line[index] for line in cells], metric)
    }
    return Table(
        tuple(chosen),
        tuple(shown),
        tuple(tuple(group.values()) for group, _ in lines),
        tuple(cells),
        frozenset(best),
        tuple(rows),
        tuple(pools),
    )


def _best(lines: Sequence[Sequence[Row]], column: Sequence[Summary], metric: str) -> list[int]:
    """The lines with the best value of a column.

    None if they were not measured alike, or the interval of the best value overlaps that of a worse
    one. A cost has no best value: less may have arrived for it.
    """
    known = [line for line, summary in enumerate(column) if summary.mean is not None]
    if len(known) < 2:
        return []
    first = column[known[0]]
    keys = {
        measurement_key(row.result, metric)
        for line in known
        for row in lines[line]
        if has(row, metric)
    }
    if not first.better or first.cost or len(keys) > 1:
        return []
    choose = max if first.better == "higher" else min
    top = choose(known, key=lambda line: column[line].mean or 0.0)
    sides = {line: verdict(vars(column[top]), vars(column[line])) for line in known}
    if "open" in sides.values() or "a" not in sides.values():
        return []
    return [line for line in known if sides[line] == "same"]
