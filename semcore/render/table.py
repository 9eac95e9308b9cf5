"""A table as Markdown, HTML or LaTeX (booktabs), with its caption."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from semcore.analysis.table import NO_VALUE, Table
from semcore.render import latex
from semcore.render.caption import of_table
from semcore.render.text import metric_title
from semcore.runs.labels import title
from semcore.wording.numbers import with_interval


def as_markdown(table: Table) -> str:
    """The table as Markdown, with the caption below."""
    head = [*_setting_headings(table), *_metric_headings(table)]
    rule = ["---"] * len(table.paths) + ["---:"] * len(table.metrics)
    lines = [_markdown_row(map(_escaped, head)), _markdown_row(rule)]
    for line, group in enumerate(table.names):
        cells = [_escaped(text) for text in group]
        for index, cell in enumerate(table.cells[line]):
            text = _escaped(with_interval(vars(cell)))
            cells.append(f"**{text}**" if (line, index) in table.best else text)
        lines.append(_markdown_row(cells))
    return "\n".join([*lines, "", _escaped(of_table(table))]) + "\n"


def as_html(table: Table) -> str:
    """The table as HTML, with the caption below."""
    head = [*_setting_headings(table), *_metric_headings(table)]
    lines = ["<table><thead><tr>", *(f"<th>{escape(one)}</th>" for one in head), "</tr></thead>"]
    lines.append("<tbody>")
    for line, group in enumerate(table.names):
        cells = [f"<td>{escape(text)}</td>" for text in group]
        for index, cell in enumerate(table.cells[line]):
            text = escape(with_interval(vars(cell)))
            cells.append(f"<td>{f'<b>{text}</b>' if (line, index) in table.best else text}</td>")
        lines += ["<tr>", *cells, "</tr>"]
    return "".join([*lines, f"</tbody></table><p><small>{escape(of_table(table))}</small></p>"])


def as_latex(table: Table, label: str) -> str:
    """The table as LaTeX for the package booktabs, with caption and label."""
    head = [latex.escaped(name) for name in [*_setting_headings(table), *_metric_headings(table)]]
    columns = "l" * len(table.paths) + "r" * len(table.metrics)
    lines = [
        r"% \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{latex.escaped(of_table(table))}}}",
        rf"\label{{tab:{latex.label(label)}}}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        _latex_row(head),
        r"\midrule",
    ]
    for line, group in enumerate(table.names):
        cells = [latex.escaped(text) for text in group]
        for index, cell in enumerate(table.cells[line]):
            cells.append(latex.number(with_interval(vars(cell)), (line, index) in table.best))
        lines.append(_latex_row(cells))
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}"]) + "\n"


def _markdown_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _latex_row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _setting_headings(table: Table) -> list[str]:
    return [_heading(*title(path)) for path in table.paths]


def _metric_headings(table: Table) -> list[str]:
    headings = []
    for index, metric in enumerate(table.metrics):
        known = [one for one in table.column(index) if one.mean is not None] or [NO_VALUE]
        headings.append(_heading(metric_title(metric, known[0].signature), known[0].unit))
    return headings


def _heading(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit else name


def _escaped(text: str) -> str:
    """Text without markup in Markdown."""
    return re.sub(r"([\\`*_|<>\[\]])", r"\\\1", text)
