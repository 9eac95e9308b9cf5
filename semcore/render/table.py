"""A table of a run: one line a group of cells, one column a metric, as Markdown, LaTeX (booktabs) or CSV."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from semcore.analysis.aggregate import Summary, has, known_metric, known_metrics, manner, pooled
from semcore.analysis.chart import groups, varying
from semcore.analysis.rows import Row, known
from semcore.render import latex
from semcore.render.caption import of_table
from semcore.render.csv import as_csv
from semcore.runs.labels import title
from semcore.runs.results import metric_title, verdict, with_interval


@dataclass(frozen=True, eq=False)
class Table:
    """What a table holds, whatever it is written as.

    Fields:
        paths: the settings in its first columns
        metrics: the metrics in the others
        names: the values of the settings, in words, one tuple a line
        cells: summary by line and metric
        best: (line, metric) of the values that stand out
        caption: what it stands on
    """

    paths: tuple[str, ...]
    metrics: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]
    cells: tuple[tuple[Summary, ...], ...]
    best: frozenset[tuple[int, int]]
    caption: str


def table(rows: Sequence[Row], paths: Sequence[str] | None = None, metrics: Sequence[str] | None = None) -> Table:
    """Arrange rows as a table.

    Args:
        paths: settings or sections that make lines; the rest of what varies is averaged. None: everything that varies
        metrics: None: all

    Raises:
        RunError: nobody knows a path or metric, or rows that were not measured alike fall on one line
    """
    for metric in metrics or ():
        known_metric(metric, rows)
    for path in paths or ():
        known(path, rows)
    shown = list(dict.fromkeys(metrics)) if metrics else [
        one for one in known_metrics(rows) if any(has(row, one) for row in rows)]  # fmt: skip
    chosen = list(dict.fromkeys(paths)) if paths else varying(rows)
    lines = groups(rows, chosen)
    cells, pools = [], []
    for _, some in lines:
        there = {metric: [row for row in some if has(row, metric)] for metric in shown}
        cells.append(tuple(pooled(mine, metric) if mine else Summary(None, None, None, 0) for metric, mine in there.items()))
        pools += [mine for mine in there.values() if mine]
    columns = [(metric, [line[index] for line in cells]) for index, metric in enumerate(shown)]
    best = {(line, index) for index, metric in enumerate(shown) for line in _best(lines, cells, index, metric)}
    return Table(
        tuple(chosen), tuple(shown), tuple(tuple(group.values()) for group, _ in lines), tuple(cells), frozenset(best),
        of_table(rows, columns, pools, chosen),
    )  # fmt: skip


def _best(
    lines: Sequence[tuple[object, Sequence[Row]]], cells: Sequence[Sequence[Summary]], index: int, metric: str
) -> list[int]:
    """The lines with the best value of a column, if its interval lies apart from all that are worse, measured alike."""
    known = [line for line, summaries in enumerate(cells) if summaries[index].mean is not None]
    manners = {manner(row.result, metric) for line in known for row in lines[line][1] if has(row, metric)}
    better = cells[known[0]][index].better if known else ""
    if len(known) < 2 or not better or len(manners) > 1 or cells[known[0]][index].cost:
        return []  # to cost least is no merit: less may have arrived
    most = max if better == "higher" else min
    top = most(known, key=lambda line: cells[line][index].mean or 0.0)
    sides = {line: verdict(vars(cells[top][index]), vars(cells[line][index])) for line in known}
    if "open" in sides.values() or "a" not in sides.values():
        return []
    return [line for line in known if sides[line] == "same"]


# ---------------------------------------------------------------------------------------------- as text


def markdown(table: Table) -> str:
    """As Markdown, with the caption below."""
    names = [_heading(*title(path)) for path in table.paths]
    rows = [[*names, *_headings(table)], ["---"] * len(names) + ["---:"] * len(table.metrics)]
    for line, group in enumerate(table.names):
        shown = [with_interval(vars(cell)) for cell in table.cells[line]]
        rows.append([*group, *(f"**{text}**" if (line, i) in table.best else text for i, text in enumerate(shown))])
    lines = ["| " + " | ".join(_no_markup(cell) if i != 1 else cell for cell in row) + " |" for i, row in enumerate(rows)]
    return "\n".join([*lines, "", _no_markup(table.caption)]) + "\n"


def tex(table: Table, label: str) -> str:
    """As a LaTeX table for the package booktabs, with caption and label."""
    names = [latex.escaped(_heading(*title(path))) for path in table.paths]
    head = [*names, *(latex.escaped(name) for name in _headings(table))]
    lines = [
        r"% \usepackage{booktabs}", r"\begin{table}", r"\centering", rf"\caption{{{latex.escaped(table.caption)}}}",
        rf"\label{{tab:{latex.label(label)}}}", rf"\begin{{tabular}}{{{'l' * len(names)}{'r' * len(table.metrics)}}}",
        r"\toprule", _row(head), r"\midrule",
    ]  # fmt: skip
    for line, group in enumerate(table.names):
        shown = [latex.number(with_interval(vars(cell)), (line, i) in table.best) for i, cell in enumerate(table.cells[line])]
        lines.append(_row([*map(latex.escaped, group), *shown]))
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}"]) + "\n"


def sheet(table: Table, spreadsheet: bool = False) -> str:
    """As CSV, in full precision: mean, both ends of the interval and n of every metric; `spreadsheet`: see `as_csv`."""
    rows = []
    for group, cells in zip(table.names, table.cells, strict=True):
        row: dict[str, object] = dict(zip(table.paths, group, strict=True))
        for metric, cell in zip(table.metrics, cells, strict=True):
            row |= {metric: cell.mean, f"{metric} low": cell.low, f"{metric} high": cell.high, f"{metric} n": cell.n}
        rows.append(row)
    return as_csv(rows, spreadsheet=spreadsheet)


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _headings(table: Table) -> list[str]:
    found = []
    for index, metric in enumerate(table.metrics):
        first = next((line[index] for line in table.cells if line[index].mean is not None), Summary(None, None, None, 0))
        found.append(_heading(metric_title(metric, first.signature), first.unit))
    return found


def _heading(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit else name


def _no_markup(words: str) -> str:
    """Words that Markdown takes as words, except for our own bold."""
    bold = words.startswith("**") and words.endswith("**") and len(words) > 4
    inner = words[2:-2] if bold else words
    inner = re.sub(r"([\\`*_|<>\[\]])", r"\\\1", inner)
    return f"**{inner}**" if bold else inner
