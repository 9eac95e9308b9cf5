"""A chart as a figure of an IEEE paper: PDF and PNG, readable in black and white."""

from __future__ import annotations

import math
import string
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from semcore.analysis.chart import Chart
from semcore.render.palette import line_style
from semcore.render.panel import panel, x_label
from semcore.render.paper import PAGE_IN, WIDTHS_IN, files_of, printable_text, styled
from semcore.render.scale import scale_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PANEL_IN, WRAPPED = 2.15, 46
"""Height of a panel in inches; characters per line of a label in the legend."""
LEGEND_IN, MOST_NAMED = 2.9, 40
"""Greatest height of the legend in inches, and greatest number of its entries."""
BESIDE = 3
"""Panels beside each other on a page; in a column there is one."""
LETTERS = string.ascii_lowercase
"""Names of the panels, below each, as in IEEE papers."""


def draw(chart: Chart, width: str = "column", scale: str = "auto") -> dict[str, bytes]:
    """The files of a figure by their endings (`paper.files_of`)."""
    with styled():
        return files_of(pages_of(chart, width, scale))


def pages_of(chart: Chart, width: str = "column", asked: str = "auto") -> Iterator[Figure]:
    """The figure in parts that fit a printed page each; call it within `styled`."""
    legend = _legend(chart.labels, WIDTHS_IN[width])
    rows = max(1, int((PAGE_IN - legend.height_in) / PANEL_IN))
    most = rows if width == "column" else BESIDE * rows
    for start in range(0, len(chart.metrics), most):
        shown = range(start, min(start + most, len(chart.metrics)))
        yield figure_of(chart, width, asked, shown, legend)


def figure_of(
    chart: Chart,
    width: str = "column",
    asked: str = "auto",
    shown: range | None = None,
    legend: Legend | None = None,
) -> Figure:
    """The figure: panels below each other in a column, beside each other on a page.

    Call it within `styled`.

    Args:
        chart: what to draw
        width: `column` or `page`
        asked: the scale of the y axes (`scale.scale_of`)
        shown: indices of the panels; None: all
        legend: of all lines; None: it is made here
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    shown = range(len(chart.metrics)) if shown is None else shown
    legend = _legend(chart.labels, WIDTHS_IN[width]) if legend is None else legend
    rows = len(shown) if width == "column" else math.ceil(len(shown) / BESIDE)
    columns = math.ceil(len(shown) / rows)
    size = WIDTHS_IN[width], PANEL_IN * rows + legend.height_in
    figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03))
    grid = figure.subplots(rows, columns, squeeze=False)
    for place, axes in enumerate(grid.flat):
        if place >= len(shown):
            axes.set_visible(False)
            continue
        metric = chart.metrics[shown[place]]
        axes.grid(True, color="0.85")
        axes.set_axisbelow(True)
        panel(axes, chart, metric, scale_of(chart, metric, asked))
        lowest = place + columns >= len(shown)
        letter = f"({LETTERS[shown[place] % len(LETTERS)]})" if len(chart.metrics) > 1 else ""
        axes.set_xlabel("\n".join(filter(None, (x_label(chart) if lowest else "", letter))))
    legend.add_to(figure)
    return figure


@dataclass(frozen=True, eq=False)
class Legend:
    """The names of lines above the panels.

    Fields:
        handles: samples of the lines, of matplotlib
        labels: their names
        columns: as many as fit
        height_in: its height in inches
    """

    handles: tuple[Any, ...] = ()
    labels: tuple[str, ...] = ()
    columns: int = 1
    height_in: float = 0.0

    def add_to(self, figure: Figure) -> Any:
        """Put it on a figure; returns matplotlib's legend, None if this one is empty."""
        if not self.handles:
            return None
        return figure.legend(
            self.handles,
            self.labels,
            loc="outside upper center",
            ncols=self.columns,
            frameon=False,
            handlelength=2.8,
            columnspacing=1.2,
            handletextpad=0.5,
            borderaxespad=0.1,
        )


def _legend(names: Sequence[str], width_in: float) -> Legend:
    """The legend of lines within `MOST_NAMED` and `LEGEND_IN`; empty for a single line."""
    if len(names) < 2:
        return Legend()
    named = len(names) if len(names) <= MOST_NAMED else MOST_NAMED - 1
    while True:
        legend = _fitted(names, named, width_in)
        if legend.height_in <= LEGEND_IN or named == 1:
            return legend
        named = max(1, min(named - 1, int(named * LEGEND_IN / legend.height_in)))


def _fitted(names: Sequence[str], named: int, width_in: float) -> Legend:
    """The legend of the first `named` lines, in as many columns as fit the width."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], **line_style(index, len(names))) for index in range(named)]
    labels = [_wrapped(name) for name in names[:named]]
    if named < len(names):
        handles.append(Line2D([], [], linestyle="none"))
        labels.append(f"… and {len(names) - named} more")
    for columns in range(min(len(labels), 4), 0, -1):
        canvas = Figure(figsize=(width_in, LEGEND_IN))
        drawn = Legend(tuple(handles), tuple(labels), columns).add_to(canvas)
        canvas.draw_without_rendering()
        box = drawn.get_window_extent()
        if box.width <= width_in * canvas.dpi:
            break
    return Legend(tuple(handles), tuple(labels), columns, box.height / canvas.dpi)


def _wrapped(name: str) -> str:
    lines = textwrap.wrap(printable_text(name), WRAPPED, break_on_hyphens=False)
    return "\n".join(lines) or "–"
