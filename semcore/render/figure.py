"""A chart as PDF and PNG, as an IEEE paper takes them: column width, embedded fonts, readable in black and white.

No TeX: text is set in STIX, which ships with matplotlib and goes with Times. The bytes depend on the chart alone.
"""

from __future__ import annotations

import functools
import logging
import math
import re
import string
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from semcore.analysis.aggregate import Summary
from semcore.analysis.chart import Chart, Line
from semcore.render.pages import PAGE_IN, files_of
from semcore.runs.labels import title
from semcore.runs.results import metric_title
from semcore.statistics.intervals import Ends
from semcore.statistics.kinds import Share

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTHS_IN = {"column": 3.5, "page": 7.16}
"""Of a column and of a page of IEEE Transactions, in inches."""
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#e69f00", "#56b4e9")
"""Told apart with any colour vision (Okabe and Ito); the yellow is left out, which is hard to see on paper."""
MARKERS = "os^Dv<P>X*"
DASHES: tuple[Any, ...] = (
    "-",
    (0, (5, 1.5)),
    (0, (5, 1.5, 1, 1.5)),
    (0, (1.2, 1.2)),
    (0, (8, 2)),
    (0, (5, 1.5, 1, 1.5, 1, 1.5)),
)
"""With the markers they tell lines apart without any colour."""
PANEL_IN, WRAPPED = 2.15, 46
"""Height of a panel in inches; characters of a label on one line."""
LEGEND_IN, MOST_NAMED = 2.9, 40
"""Greatest height of the legend in inches, and most of its entries."""
DECADES = 3.0
"""An axis is logarithmic if its positive values span more decades than this, or if they are error rates."""
LETTERS = string.ascii_lowercase
"""Of the panels, below each, as in IEEE papers."""
STYLE: dict[Any, Any] = {
    "font.family": ["STIXGeneral", "DejaVu Sans"],
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "axes.linewidth": 0.6,
    "grid.linewidth": 0.4,
    "lines.linewidth": 1.1,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "pdf.fonttype": 42,  # TrueType, whole glyphs: journals refuse Type 3
    "mathtext.fontset": "stix",
    "axes.formatter.limits": (-3, 4),
    "axes.formatter.use_mathtext": True,
}


def logarithmic(values: Sequence[float], error_rate: bool = False) -> bool:
    """Whether an axis with these values is better logarithmic: none is negative, and the positive ones span decades."""
    positive = [value for value in values if value > 0]
    if not positive or min(values) < 0:
        return False
    return error_rate or math.log10(max(positive) / min(positive)) > DECADES


def error_rate(summary: Summary) -> bool:
    """Whether a metric is a share of errors, such as a block error rate."""
    return summary.statistic["kind"] == Share.kind and summary.better == "lower"


def scale_of(chart: Chart, metric: str, asked: str = "auto") -> str:
    """`log` or `linear`: of the panel of a metric; `asked` is one of them, `auto`, or `session`."""
    values = [_at(point.y) for line in chart.of(metric) for point in line.points]
    if asked == "session":  # one lost segment must not press all others flat
        return "log" if min(values) > 0 and max(values) > 10 * min(values) else "linear"
    if asked == "auto":
        return "log" if logarithmic(values, error_rate(chart.of(metric)[0].points[0].y)) else "linear"
    return "linear" if asked == "linear" or max(values) <= 0 or min(values) < 0 else "log"


def draw(chart: Chart, width: str = "column", scale: str = "auto") -> dict[str, bytes]:
    """The files by their ending: `pdf`, and `png` of each page; see `pages`."""
    with styled():
        return files_of(pages_of(chart, width, scale))


@contextmanager
def styled() -> Iterator[None]:
    """The style of these figures, within the context; fonts speak up only if something is wrong."""
    import matplotlib

    fonts = [logging.getLogger(name) for name in ("matplotlib.font_manager", "fontTools.subset")]
    levels = [logger.level for logger in fonts]
    try:
        for logger in fonts:
            logger.setLevel(logging.ERROR)
        with matplotlib.rc_context(STYLE):
            yield
    finally:
        for logger, level in zip(fonts, levels, strict=True):
            logger.setLevel(level)


def pages_of(chart: Chart, width: str = "column", asked: str = "auto") -> Iterator[Figure]:
    """The figure in as many parts as fit a printed page each; the caller sets the style."""
    legend = _legend(list(dict.fromkeys(line.label for line in chart.lines)), WIDTHS_IN[width])
    rows = max(1, int((PAGE_IN - legend.height_in) / PANEL_IN))
    most = rows if width == "column" else 3 * rows
    for start in range(0, len(chart.metrics), most):
        yield figure_of(chart, width, asked, range(start, min(start + most, len(chart.metrics))), legend)


def figure_of(
    chart: Chart, width: str = "column", asked: str = "auto", shown: range | None = None, legend: Legend | None = None
) -> Figure:
    """The figure, panel below panel in a column, side by side on a page; the caller sets the style.

    Args:
        shown: indices of the panels; None: all
        legend: of all lines; None: made here
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    shown = range(len(chart.metrics)) if shown is None else shown
    names = {name: index for index, name in enumerate(dict.fromkeys(line.label for line in chart.lines))}
    legend = _legend(list(names), WIDTHS_IN[width]) if legend is None else legend
    rows = len(shown) if width == "column" else math.ceil(len(shown) / 3)
    columns = math.ceil(len(shown) / rows)
    size = WIDTHS_IN[width], PANEL_IN * rows + legend.height_in
    figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03))
    grid = figure.subplots(rows, columns, squeeze=False)
    for place, axes in enumerate(grid.flat):
        if place >= len(shown):
            axes.set_visible(False)
            continue
        metric = chart.metrics[shown[place]]
        _panel(axes, chart, metric, names, scale_of(chart, metric, asked))
        letter = f"({LETTERS[shown[place] % len(LETTERS)]})" if len(chart.metrics) > 1 else ""
        axes.set_xlabel("\n".join(filter(None, (_axis(chart) if place + columns >= len(shown) else "", letter))))
    legend.on(figure)
    return figure


def _panel(axes: Axes, chart: Chart, metric: str, names: Mapping[str, int], scale: str) -> None:
    lines = chart.of(metric)
    axes.grid(True, color="0.85")
    axes.set_axisbelow(True)
    unit = lines[0].points[0].y.unit
    axes.set_ylabel(_drawn(metric_title(metric, lines[0].points[0].y.signature) + (f" ({unit})" if unit else "")))
    x = [_at(point.x) for line in lines for point in line.points]
    positive = [point.y.mean for line in lines for point in line.points if point.y.mean and point.y.mean > 0]
    lowest, ends = 0.0, lines[0].points[0].y.kind.range
    if scale == "log":
        lowest = floor([_at(point.y) for line in lines for point in line.points])
        axes.set_yscale("log")
        highest = 10 ** (
            math.ceil(math.log10(max(positive) * 1.1)) if max(positive) > 0.5 else math.log10(max(positive)) + 0.3
        )
        axes.set_ylim(lowest, highest if ends[1] is None else min(highest, ends[1]))
    if logarithmic(x) and min(x) > 0:
        axes.set_xscale("log")
    elif not chart.x_is_metric:
        _ticks(axes, sorted(set(x)))
    for line in lines:
        _curve(axes, line, names[line.label], len(names), lowest)
    if scale == "linear":
        limit(axes, [_at(point.y) for line in lines for point in line.points], ends)
    if chart.x_is_metric:
        keep_to(axes, "x", lines[0].points[0].x.kind.range)


def window(means: Sequence[float]) -> tuple[float, float]:
    """Where a linear axis ends at the latest, so that no interval presses the means flat: as far off as they are apart."""
    reach = max(means) - min(means) or math.inf
    return min(means) - reach, max(means) + reach


def floor(means: Sequence[float]) -> float:
    """Where a logarithmic axis begins: a decade below the least mean, if one is 0, so that an arrow has room."""
    positive = [mean for mean in means if mean > 0]
    return float(10.0 ** (math.floor(math.log10(min(positive))) - (len(positive) < len(means))))


def limit(axes: Axes, means: Sequence[float], ends: Ends) -> None:
    """Let the y axis end at the `window` of the means, and within the range of the metric."""
    (least, most), (low, high) = window(means), axes.get_ylim()
    axes.set_ylim(max(low, least), min(high, most))
    keep_to(axes, "y", ends)


def keep_to(axes: Axes, which: str, ends: Ends) -> None:
    """Let the x or y axis show nothing that the metric cannot be."""
    low, high = axes.get_xlim() if which == "x" else axes.get_ylim()
    bounds = low if ends[0] is None else max(low, ends[0]), high if ends[1] is None else min(high, ends[1])
    if bounds[0] < bounds[1]:
        axes.set(**{f"{which}lim": bounds})


def _curve(axes: Axes, line: Line, index: int, of: int, lowest: float) -> None:
    look = _look(index, of)
    colour, size = look["color"], look["markersize"]
    x, y = [_at(point.x) for point in line.points], [_at(point.y) for point in line.points]
    shown = [i for i, value in enumerate(y) if value or not lowest]
    there = set(shown)
    joined = [max(value, lowest) if {i - 1, i, i + 1} & there else math.nan for i, value in enumerate(y)]
    axes.plot(x, joined if lowest else y, markevery=shown, label=_drawn(line.label), zorder=3, clip_on=False, **look)
    bars = [_spread([getattr(point, which) for point in line.points]) for which in ("x", "y")]
    if any(bars):
        axes.errorbar(x, y, xerr=bars[0], yerr=bars[1], fmt="none", ecolor=colour, elinewidth=0.7, capthick=0.7,
                      capsize=1.8 if of <= MOST_NAMED else 0, zorder=2)  # fmt: skip
    zeros = [x[i] for i in range(len(x)) if i not in there]
    if zeros:  # an arrow at the edge: a logarithmic axis has no place for nothing
        ends = [(x[i], line.points[i].y.high) for i in range(len(x)) if i not in there]
        for at, high in ends:
            if high is not None and high > lowest:
                axes.vlines(at, lowest, high, color=colour, linewidth=0.7, zorder=2)
        axes.plot(zeros, [lowest] * len(zeros), linestyle="none", marker=11, color=colour, markersize=size + 1.5,
                  clip_on=False, zorder=4)  # fmt: skip


def _look(index: int, of: int) -> dict[str, Any]:
    """How one of several lines is drawn. Lines that coincide stay visible: what is drawn later is smaller."""
    colour = COLOURS[index % len(COLOURS)]
    return {
        "color": colour, "marker": MARKERS[index % len(MARKERS)], "linestyle": DASHES[index % len(DASHES)],
        "markersize": 5.2 - 2.0 * index / max(of - 1, 1), "markerfacecolor": "white" if index % 2 else colour,
    }  # fmt: skip


def _spread(ends: Sequence[Summary]) -> list[list[float]] | None:
    """How far the intervals reach below and above the means; None if there is nothing to draw."""
    below = [math.nan if end.low is None else _at(end) - end.low for end in ends]
    above = [math.nan if end.high is None else end.high - _at(end) for end in ends]
    return [below, above] if any(length > 0 for length in (*below, *above)) else None


def _at(summary: Summary) -> float:
    return summary.mean or 0.0


def _ticks(axes: Axes, places: Sequence[float]) -> None:
    """Ticks at the places themselves, if they are few and apart."""
    apart = min((b - a for a, b in zip(places, places[1:], strict=False)), default=0.0)
    if 2 <= len(places) <= 12 and apart * 14 >= places[-1] - places[0]:
        axes.set_xticks(places)


def _axis(chart: Chart) -> str:
    first = chart.lines[0].points[0]
    name, unit = (metric_title(chart.x, first.x.signature), first.x.unit) if chart.x_is_metric else title(chart.x)
    words = _drawn(f"{name} ({unit})" if unit else name)
    return re.sub(r"\bE([sb])/N0\b", r"$E_\\mathrm{\1}/N_0$", words)


@dataclass(frozen=True, eq=False)
class Legend:
    """What stands above the panels: at most `MOST_NAMED` lines and `LEGEND_IN` of height, in as many columns as fit."""

    handles: tuple[Any, ...] = ()
    labels: tuple[str, ...] = ()
    columns: int = 1
    height_in: float = 0.0

    def on(self, figure: Figure) -> Any:
        """Put it on a figure."""
        if not self.handles:
            return None
        return figure.legend(self.handles, self.labels, loc="outside upper center", ncols=self.columns, frameon=False,
                             handlelength=2.8, columnspacing=1.2, handletextpad=0.5, borderaxespad=0.1)  # fmt: skip


def _legend(names: Sequence[str], width_in: float) -> Legend:
    """The legend of some lines; none for a single one."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    if len(names) < 2:
        return Legend()
    named = len(names) if len(names) <= MOST_NAMED else MOST_NAMED - 1
    while True:
        handles = [Line2D([], [], **_look(index, len(names))) for index in range(named)]
        labels = ["\n".join(textwrap.wrap(_drawn(name), WRAPPED, break_on_hyphens=False)) or "–" for name in names[:named]]
        if named < len(names):
            handles.append(Line2D([], [], linestyle="none"))
            labels.append(f"… and {len(names) - named} more")
        for columns in range(min(len(labels), 4), 0, -1):
            canvas = Figure(figsize=(width_in, LEGEND_IN))
            legend = Legend(tuple(handles), tuple(labels), columns).on(canvas)
            canvas.draw_without_rendering()
            box = legend.get_window_extent()
            if box.width <= width_in * canvas.dpi or columns == 1:
                break
        if box.height <= LEGEND_IN * canvas.dpi or named == 1:
            return Legend(tuple(handles), tuple(labels), columns, box.height / canvas.dpi)
        named = max(1, min(named - 1, int(named * LEGEND_IN * canvas.dpi / box.height)))


def _drawn(words: str) -> str:
    """Words with a sign in place of what our fonts have no glyph for: those of a machine would make other bytes."""
    return plain_text("".join(one if ord(one) in _glyphs() or one == "\n" else "\ufffd" for one in words))


@functools.cache
def _glyphs() -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset().union(*(get_font(findfont(name)).get_charmap() for name in STYLE["font.family"]))


def plain_text(words: str) -> str:
    """Words for matplotlib, which takes dollar signs for mathematics."""
    return words.replace("$", r"\$")
