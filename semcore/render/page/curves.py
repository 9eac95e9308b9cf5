"""The curves of the page: a chart as SVG in the colours of the page, a drawing per metric."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from semcore.analysis.aggregate import Summary, measurement_key, summary_of
from semcore.analysis.chart import Chart, Point
from semcore.analysis.overview import Overview
from semcore.analysis.rows import Row
from semcore.render.caption import exactness
from semcore.render.palette import line_style
from semcore.render.panel import metric_label, panel, x_label
from semcore.render.paper import printable_text
from semcore.render.scale import clip, is_error_rate, is_logarithmic, mean_of, means, scale_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#010203"
"""Stands for the text colour of the page: the finished SVG has `currentColor` in its place."""
WIDTH_IN, HEIGHT_IN = 4.6, 3.2
HEAD_IN, ROW_IN, LEAST_IN = 0.9, 0.34, 1.6
"""Heights of a drawing with a row per cell: of its axis, of a row, and at least."""
STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.labelsize": 9,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.6,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
}


@dataclass(frozen=True)
class Drawing:
    """One metric over all cells.

    Fields:
        metric: its name
        better: `higher`, `lower` or ""
        svg: the drawing
        notes: what a reader must know to read it correctly
    """

    metric: str
    better: str
    svg: Markup
    notes: tuple[str, ...]


def drawings(overview: Overview) -> list[Drawing]:
    """The curves of a run; a metric without any value has none."""
    chart = overview.chart
    found = []
    for number, metric in enumerate(chart.metrics):
        if chart.x:
            drawing = _over_x(chart, metric, scale_of(chart, metric), f"c{number}-")
        else:
            drawing = _by_cell(chart, metric, overview.name, f"c{number}-")
        notes = (*drawing.notes, *_notes(chart, metric))
        found.append(Drawing(metric, drawing.better, drawing.svg, notes))
    return found


def over_segments(chart: Chart) -> list[Drawing]:
    """The timeline of sessions."""
    found = []
    for number, metric in enumerate(chart.metrics):
        scale = scale_of(chart, metric, "session")
        drawing = _over_x(chart, metric, scale, f"s{number}-")
        notes = ("means with 95 % intervals", *drawing.notes)
        found.append(Drawing(metric, drawing.better, drawing.svg, notes))
    return found


def _over_x(chart: Chart, metric: str, scale: str, prefix: str) -> Drawing:
    def draw(axes: Axes) -> tuple[str, ...]:
        panel(axes, chart, metric, scale)
        axes.set_xlabel(x_label(chart))
        labels = {line.label for line in chart.of(metric)}
        if len(labels) > 1:
            columns = min(3, len(labels))
            axes.figure.legend(loc="outside upper center", ncols=columns, frameon=False)
        return _beyond(axes, chart.points(metric))

    svg, notes = _svg(HEIGHT_IN, draw, prefix)
    return Drawing(metric, chart.points(metric)[0].y.better, svg, notes)


def _by_cell(chart: Chart, metric: str, name: Callable[[Row], str], prefix: str) -> Drawing:
    """A row per cell, where there is no axis."""
    first = chart.points(metric)[0].y

    def draw(axes: Axes) -> tuple[str, ...]:
        names: list[str] = []
        for line in chart.of(metric):
            style = line_style(chart.labels.index(line.label), len(chart.labels))
            for point in line.points:
                row, y = len(names), point.y
                if y.low is not None and y.high is not None:
                    axes.hlines(row, y.low, y.high, color=style["color"], linewidth=2.2, alpha=0.6)
                axes.plot([mean_of(y)], [row], linewidth=0, **{**style, "markersize": 6})
                names.append(printable_text(name(point.rows[0])))
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.4, -0.6)
        values = means(chart, metric)
        if is_logarithmic(values, is_error_rate(first)):  # linear between 0 and the least mean
            least = min(value for value in values if value > 0)
            axes.set_xscale("symlog", linthresh=least)
        axes.set_xlim(*clip(axes.get_xlim(), first.kind.range))
        axes.set_xlabel(metric_label(metric, first))
        return ()

    rows = len(chart.points(metric))
    svg, notes = _svg(max(LEAST_IN, HEAD_IN + ROW_IN * rows), draw, prefix)
    return Drawing(metric, first.better, svg, notes)


def _notes(chart: Chart, metric: str) -> list[str]:
    """What the drawing of a metric does not show."""
    measuring = [row.result for row in chart.rows if metric in row.result["metrics"]]
    points = [point.y for point in chart.points(metric)]
    notes = []
    if len({measurement_key(result, metric) for result in measuring}) > 1:
        notes.append(f"Measured in different ways: {_ways(chart, metric)}; not connected.")
    if missing := len(measuring) - len(points):
        notes.append(f"No finite mean in {missing} of {len(measuring)} cells: not shown.")
    without = [one for one in points if one.low is None]
    if without:
        spread = "" if all(one.n == 1 for one in without) else ", or have no spread to judge"
        notes.append(f"Points without an interval stand on a single sample{spread}.")
    return notes + exactness(metric, [summary_of(result, metric) for result in measuring])


def _ways(chart: Chart, metric: str) -> str:
    """How each line of a metric was measured, as far as they differ."""
    lines = chart.of(metric)
    keys = [measurement_key(line.points[0].rows[0].result, metric) for line in lines]
    ways = []
    for line, key in zip(lines, keys, strict=True):
        differing = [
            how for index, (_, how) in enumerate(key) if len({other[index] for other in keys}) > 1
        ]
        ways.append(f"{line.label or metric} as {', '.join(differing)}")
    return "; ".join(ways)


def _beyond(axes: Axes, points: Sequence[Point]) -> tuple[str, ...]:
    """A note on means and intervals that the y axis cannot show."""
    low, high = axes.get_ylim()
    known = [point.y for point in points if point.y.low is not None and point.y.high is not None]
    cut = sum(not _within(one, low, high) for one in known)
    zeros = sum(mean_of(point.y) < low for point in points)
    notes = []
    if zeros and axes.get_yscale() == "log":
        notes.append(f"{zeros} of {len(points)} means are 0: arrows at the lower edge.")
    if cut:
        notes.append(f"{cut} of {len(known)} intervals reach beyond the drawing.")
    return tuple(notes)


def _within(summary: Summary, low: float, high: float) -> bool:
    assert summary.low is not None and summary.high is not None
    return low <= summary.low <= summary.high <= high


def _svg(
    height_in: float, draw: Callable[[Axes], tuple[str, ...]], prefix: str
) -> tuple[Markup, tuple[str, ...]]:
    """Draw on axes in the colours of the page.

    Args:
        height_in: height in inches
        draw: draws, and returns notes
        prefix: of the ids in the SVG, unique on the page

    Returns:
        an element of the page, the same bytes for the same drawing; and the notes
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_IN, height_in), layout="constrained")
        axes = figure.subplots()
        figure.patch.set_visible(False)
        axes.patch.set_visible(False)
        axes.grid(True, color=INK, alpha=0.12, linewidth=0.7)
        axes.set_axisbelow(True)
        for side in ("left", "bottom"):
            axes.spines[side].set_alpha(0.35)
        notes = draw(axes)
        svg = _saved(figure)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    ids = dict.fromkeys(re.findall(r'\bid="([^"]+)"', svg))
    numbers = {name: f"{prefix}{index}" for index, name in enumerate(ids)}
    svg = re.sub(r'(\bid="|href="#|url\(#)([^")]+)', lambda m: m[1] + numbers.get(m[2], m[2]), svg)
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = svg.replace(INK, "currentColor")
    svg = re.sub(r' width="[^"]*pt"| height="[^"]*pt"', "", svg, count=2)
    return Markup(svg), notes


def _saved(figure: Figure) -> str:
    buffer = io.StringIO()
    no_dates = {"Date": None, "Creator": None, "Format": None, "Type": None}
    figure.savefig(buffer, format="svg", metadata=no_dates)
    return buffer.getvalue()
