"""One metric of a chart on the axes of matplotlib: as figures and the page draw it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from semcore.analysis.aggregate import Summary
from semcore.analysis.chart import Chart, Line
from semcore.render.palette import line_style
from semcore.render.paper import printable_text
from semcore.render.scale import (
    clip,
    is_logarithmic,
    linear_window,
    log_ceiling,
    log_floor,
    mean_of,
    means,
)
from semcore.render.text import metric_title
from semcore.runs.labels import title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_CAPS = 40
"""Above this number of lines, the bars of intervals have no caps."""
ARROW_DOWN = 11
"""A marker of matplotlib: a triangle whose tip lies below its point."""


def panel(axes: Axes, chart: Chart, metric: str, scale: str) -> None:
    """Draw the lines of a metric with their intervals.

    On a logarithmic axis a mean of 0 is an arrow at the lower edge.

    Args:
        axes: where to draw
        chart: the chart
        metric: one of its metrics
        scale: `linear` or `log`, of the y axis
    """
    lines, values = chart.of(metric), means(chart, metric)
    places = [mean_of(point.x) for point in chart.points(metric)]
    ends, floor = lines[0].points[0].y.kind.range, 0.0
    axes.set_ylabel(metric_label(metric, lines[0].points[0].y))
    if scale == "log":
        floor = log_floor(values)
        axes.set_yscale("log")
        axes.set_ylim(floor, log_ceiling(values, ends))
    if is_logarithmic(places) and min(places) > 0:
        axes.set_xscale("log")
    elif not chart.x_is_metric:
        _ticks(axes, sorted(set(places)))
    for line in lines:
        _draw_line(axes, line, chart.labels.index(line.label), len(chart.labels), floor)
    if scale == "linear":
        (least, most), (low, high) = linear_window(values), axes.get_ylim()
        axes.set_ylim(*clip((max(low, least), min(high, most)), ends))
    if chart.x_is_metric:
        axes.set_xlim(*clip(axes.get_xlim(), lines[0].points[0].x.kind.range))


def metric_label(metric: str, summary: Summary) -> str:
    """A metric with its unit, for an axis."""
    name = metric_title(metric, summary.signature)
    return printable_text(f"{name} ({summary.unit})" if summary.unit else name)


def x_label(chart: Chart) -> str:
    """What is on the x axis, with its unit."""
    first = chart.lines[0].points[0].x
    if chart.x_is_metric:
        return metric_label(chart.x, first)
    name, unit = title(chart.x)
    text = printable_text(f"{name} ({unit})" if unit else name)
    return re.sub(r"\bE([sb])/N0\b", r"$E_\\mathrm{\1}/N_0$", text)


def _draw_line(axes: Axes, line: Line, index: int, of: int, floor: float) -> None:
    """Draw a line; `floor`: the lower edge of a logarithmic axis, 0 of a linear one."""
    style = line_style(index, of)
    colour = style["color"]
    x, y = [mean_of(point.x) for point in line.points], [mean_of(point.y) for point in line.points]
    shown = [i for i, value in enumerate(y) if value or not floor]
    joined = _down_to(floor, y, shown) if floor else y
    label = printable_text(line.label)
    axes.plot(x, joined, markevery=shown, label=label, zorder=3, clip_on=False, **style)
    x_bars = _bars([point.x for point in line.points])
    y_bars = _bars([point.y for point in line.points])
    if x_bars or y_bars:
        axes.errorbar(
            x,
            y,
            xerr=x_bars,
            yerr=y_bars,
            fmt="none",
            ecolor=colour,
            elinewidth=0.7,
            capthick=0.7,
            capsize=1.8 if of <= MOST_CAPS else 0,
            zorder=2,
        )
    zeros = [i for i in range(len(x)) if i not in shown]
    for i in zeros:
        high = line.points[i].y.high
        if high is not None and high > floor:
            axes.vlines(x[i], floor, high, color=colour, linewidth=0.7, zorder=2)
    if zeros:
        axes.plot(
            [x[i] for i in zeros],
            [floor] * len(zeros),
            linestyle="none",
            marker=ARROW_DOWN,
            color=colour,
            markersize=style["markersize"] + 1.5,
            clip_on=False,
            zorder=4,
        )


def _down_to(floor: float, y: Sequence[float], shown: Sequence[int]) -> list[float]:
    """The course of a line that falls to the edge beside a mean of 0, and breaks between zeros."""
    near = {i + step for i in shown for step in (-1, 0, 1)}
    return [max(value, floor) if i in near else math.nan for i, value in enumerate(y)]


def _bars(summaries: Sequence[Summary]) -> list[list[float]] | None:
    """How far the intervals reach below and above the means; None if none has a length."""
    below = [math.nan if one.low is None else mean_of(one) - one.low for one in summaries]
    above = [math.nan if one.high is None else one.high - mean_of(one) for one in summaries]
    return [below, above] if any(length > 0 for length in (*below, *above)) else None


def _ticks(axes: Axes, places: Sequence[float]) -> None:
    """Set the ticks to the places themselves, if these are few and not crowded."""
    gaps = [b - a for a, b in zip(places, places[1:], strict=False)]
    if 2 <= len(places) <= 12 and min(gaps) * 14 >= places[-1] - places[0]:
        axes.set_xticks(places)
