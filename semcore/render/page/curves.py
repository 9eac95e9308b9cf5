"""Curves of every metric with their 95 % intervals, drawn by matplotlib as SVG that takes the colours of the page."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from semcore.analysis.aggregate import Manner, Summary, manner
from semcore.analysis.chart import Chart
from semcore.render.caption import exactness
from semcore.render.figure import error_rate, keep_to, limit, logarithmic, plain_text, scale_of
from semcore.render.page.lines import Line, Lines
from semcore.statistics.intervals import Ends
from semcore.statistics.kinds import statistic_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#3d85c6", "#e07b39", "#2f9e77", "#c0568f", "#8b72d6", "#a98f1d", "#d2524f", "#2fa3b3")
"""Of middle lightness, so that they stand out from a light and from a dark page."""
MARKERS = "osD^vPX*"
INK = "#010203"
"""Stands for the text colour of the page; replaced by `currentColor` in the finished SVG."""


@dataclass(frozen=True)
class Figure:
    """One metric over all cells.

    Fields:
        metric: its name
        better: `higher`, `lower` or ""
        svg: the drawing
        notes: what a reader must know to read it rightly
    """

    metric: str
    better: str
    svg: Markup
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Curve:
    """The points of one line that may be connected: all were measured in the same way.

    Fields:
        label: of the line
        index: of the line; chooses its colour
        cells: their results
        points: their summaries (mean, low, high) of the metric
        x: where they are; empty if nothing is an axis
    """

    label: str
    index: int
    cells: tuple[dict[str, Any], ...]
    points: tuple[Mapping[str, Any], ...]
    x: tuple[float, ...] = ()


def curves_of(metric: str, lines: Sequence[Line], x: str | None = None) -> list[Curve]:
    """The lines of a metric, split where its signature or the SNR's convention changes: such values are not connected."""
    found: dict[tuple[int, Manner], list[dict[str, Any]]] = {}
    for index, line in enumerate(lines):
        for cell in line.cells:
            summary = cell["metrics"].get(metric)
            if summary is not None and summary["mean"] is not None:
                found.setdefault((index, manner(cell, metric)), []).append(cell)
    differing = [what for way in zip(*{way for _, way in found}, strict=True) for what, _ in way[:1] if len(set(way)) > 1]
    return [
        Curve(
            " · ".join(filter(None, (lines[index].label, *(f"as {said}" for what, said in way if what in differing)))),
            index,
            tuple(cells),
            tuple(cell["metrics"][metric] for cell in cells),
            tuple(cell["settings"][x] for cell in cells) if x else (),
        )
        for (index, way), cells in found.items()
    ]


def figures(metrics: Sequence[str], lines: Lines) -> list[Figure]:
    """One figure a metric; none for a metric that has no value anywhere."""
    return [_figure(metric, lines, number) for number, metric in enumerate(metrics) if curves_of(metric, lines.lines)]


def _figure(metric: str, lines: Lines, number: int) -> Figure:
    curves = curves_of(metric, lines.lines, lines.x)
    cells = [cell for line in lines.lines for cell in line.cells if metric in cell["metrics"]]
    summaries = [cell["metrics"][metric] for cell in cells]
    unit, better = summaries[0]["unit"], summaries[0]["better"]
    rows = sum(len(curve.points) for curve in curves)
    canvas, axes = _canvas(3.2 if lines.x else max(1.6, 0.9 + 0.34 * rows))
    name = f"{metric} [{unit}]" if unit else metric
    notes: list[str] = []
    if lines.x:
        _over_x(axes, curves, lines.title, name)
        notes += _beyond(axes, curves)
    else:
        _by_cell(axes, curves, lines, name)
    if len({manner(cell, metric) for cell in cells}) > 1:
        notes.append("Measured in different ways (see the signatures and conventions); such points are not connected.")
    if missing := sum(summary["mean"] is None for summary in summaries):
        notes.append(f"No finite mean in {missing} of {len(summaries)} cells: not shown.")
    if any(point["low"] is None for curve in curves for point in curve.points):
        single = all(point["n"] == 1 for curve in curves for point in curve.points if point["low"] is None)
        notes.append(f"Points without an interval stand on a single sample{'' if single else ', or have no spread to judge'}.")
    notes += exactness(metric, [Summary(**{part: one[part] for part in Summary.__dataclass_fields__}) for one in summaries])
    return Figure(metric, better, _svg(canvas, f"c{number}-"), tuple(notes))


def over_segments(chart: Chart) -> list[Figure]:
    """Sessions over their segments, one figure a metric."""
    found = []
    for number, metric in enumerate(chart.metrics):
        lines = chart.of(metric)
        curves = [
            Curve(
                line.label, index, (), tuple(vars(at.y) for at in line.points), tuple(at.x.mean or 0.0 for at in line.points)
            )
            for index, line in enumerate(lines)
        ]
        y = lines[0].points[0].y
        canvas, axes = _canvas(3.2)
        _over_x(axes, curves, chart.x, f"{metric} [{y.unit}]" if y.unit else metric)
        if scale_of(chart, metric, "session") == "log":
            means = [point["mean"] for curve in curves for point in curve.points]
            axes.set(yscale="log", ylim=(min(means) / 2, max(means) * 2))
        notes = ("means with 95 % intervals", *_beyond(axes, curves))
        found.append(Figure(metric, y.better, _svg(canvas, f"s{number}-"), notes))
    return found


def _over_x(axes: Axes, curves: Sequence[Curve], title: str, name: str) -> None:
    for curve in curves:
        colour = COLOURS[curve.index % len(COLOURS)]
        style = ("-", "--", ":", "-.")[curve.index // len(COLOURS) % 4]
        x = curve.x
        marker = MARKERS[curve.index % len(MARKERS)]
        means = [point["mean"] for point in curve.points]
        axes.plot(x, means, style, marker=marker, color=colour, markersize=4.5, linewidth=1.6, label=plain_text(curve.label))
        known = [(at, p["low"], p["high"]) for at, p in zip(x, curve.points, strict=True) if p["low"] is not None]
        if known:
            at, low, high = (list(column) for column in zip(*known, strict=True))
            axes.fill_between(at, low, high, color=colour, alpha=0.18, linewidth=0)
            axes.vlines(at, low, high, color=colour, alpha=0.55, linewidth=1.0)
    values = [point["mean"] for curve in curves for point in curve.points]
    ends, errors = _kind(curves)
    _scale(axes, "y", values, errors)
    if values and axes.get_yscale() == "linear":
        limit(axes, values, ends)
    elif errors:
        keep_to(axes, "y", ends)
    _scale(axes, "x", places := sorted({at for curve in curves for at in curve.x}))
    apart = min((b - a for a, b in itertools.pairwise(places)), default=1)
    if axes.get_xscale() == "linear" and apart * 12 >= places[-1] - places[0]:
        axes.set_xticks(places)
    axes.set_xlabel(plain_text(title), color=INK, fontsize=9)
    axes.set_ylabel(plain_text(name), color=INK, fontsize=9)
    if len(curves) > 1:
        axes.figure.legend(loc="outside upper center", ncols=min(3, len(curves)), frameon=False, fontsize=8.5, labelcolor=INK)


def _beyond(axes: Axes, curves: Sequence[Curve]) -> list[str]:
    """What a reader must know of intervals that the y axis cuts."""
    low, high = axes.get_ylim()
    ends = [(point["low"], point["high"]) for curve in curves for point in curve.points if point["low"] is not None]
    cut = sum(not low <= first <= last <= high for first, last in ends)
    return [f"{cut} of {len(ends)} intervals reach beyond the drawing."] if cut else []


def _by_cell(axes: Axes, curves: Sequence[Curve], lines: Lines, name: str) -> None:
    rows = [(cell, point, i) for i, curve in enumerate(curves) for cell, point in zip(curve.cells, curve.points, strict=True)]
    for row, (_, point, index) in enumerate(rows):
        colour = COLOURS[index % len(COLOURS)]
        if point["low"] is not None:
            axes.hlines(row, point["low"], point["high"], color=colour, linewidth=2.2, alpha=0.6)
        axes.plot([point["mean"]], [row], MARKERS[index % len(MARKERS)], color=colour, markersize=6)
    axes.set_yticks(range(len(rows)), [plain_text(lines.name(cell)) for cell, _, _ in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    ends, errors = _kind(curves)
    _scale(axes, "x", [point["mean"] for _, point, _ in rows], errors)
    keep_to(axes, "x", ends)
    axes.set_xlabel(plain_text(name), color=INK, fontsize=9)


def _kind(curves: Sequence[Curve]) -> tuple[Ends, bool]:
    """Between which ends the metric of some curves lies, and whether it is an error rate."""
    first = curves[0].points[0]
    summary = Summary(None, None, None, 0, better=first["better"], statistic=first["statistic"])
    return statistic_of(first["statistic"]).range, error_rate(summary)


def _scale(axes: Axes, which: str, values: Sequence[float], errors: bool = False) -> None:
    """A logarithmic axis for error rates, and where positive values span over three decades; zero keeps a linear place."""
    positive = [value for value in values if value > 0]
    if not logarithmic(values, errors):
        if which == "y" and values and max(values) == min(values):
            axes.margins(y=0.5)
        return
    low = min(positive)
    if len(positive) == len(values):
        axes.set(**{f"{which}scale": "log"})
        axes.set(**{f"{which}lim": (low / 2, max(positive) * 2)})
    else:
        (axes.set_xscale if which == "x" else axes.set_yscale)("symlog", linthresh=low)
        if which == "y":
            axes.set_ylim(bottom=0)


def _canvas(height: float) -> tuple[Any, Axes]:
    """A drawing of this height, inches, and its axes, which have no colours but those of the page."""
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(4.6, height), layout="constrained")
    axes = canvas.subplots()
    axes.patch.set_visible(False)
    axes.figure.patch.set_visible(False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set(color=INK, alpha=0.35, linewidth=0.8)
    axes.grid(True, color=INK, alpha=0.12, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(colors=INK, labelsize=8.5, length=3, width=0.7)
    return canvas, axes


def _svg(canvas: Any, prefix: str) -> Markup:
    """The drawing as an element of the page: ids of its own, text in the page's colour, nothing that changes by the day."""
    buffer = io.StringIO()
    canvas.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = buffer.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    numbers = {name: f"{prefix}{i}" for i, name in enumerate(dict.fromkeys(re.findall(r'\bid="([^"]+)"', svg)))}
    svg = re.sub(r'(\bid="|href="#|url\(#)([^")]+)', lambda m: m[1] + numbers.get(m[2], m[2]), svg)
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r' width="[^"]*pt"| height="[^"]*pt"', "", svg.replace(INK, "currentColor"), count=2)
    return Markup(svg)
