"""A chart as PDF and PNG, as an IEEE paper takes them: column width, embedded fonts, readable in black and white.

No TeX: text is set in STIX, which ships with matplotlib and goes with Times. The bytes depend on the chart alone.
"""

from __future__ import annotations

import functools
import io
import logging
import math
import re
import string
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from semcore.intervals import Ends
from semcore.publish.pool import Summary
from semcore.publish.series import Chart, Line
from semcore.results import metric_title
from semcore.statistics import Share
from semcore.words import title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTHS_IN = {"column": 3.5, "page": 7.16}
"""Of a column and of a page of IEEE Transactions, in inches."""
DPI = 300
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
    """The files by their ending: `pdf` and `png`."""
    with styled():
        return files_of(figure_of(chart, width, scale))


def files_of(figure: Figure) -> dict[str, bytes]:
    """A figure as PDF and PNG, the bytes depending on it alone; the caller sets the style."""
    return {
        "pdf": _saved(figure, "pdf", metadata={"CreationDate": None, "Creator": None, "Producer": None}),
        "png": _saved(figure, "png", dpi=DPI, metadata={"Software": None}),
    }


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


def _saved(figure: Figure, kind: str, **how: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, **how)
    return buffer.getvalue()


def figure_of(chart: Chart, width: str = "column", asked: str = "auto") -> Figure:
    """The figure, panel below panel in a column, side by side on a page; the caller sets the style."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    panels = len(chart.metrics)
    rows = panels if width == "column" else math.ceil(panels / 3)
    columns = math.ceil(panels / rows)
    figure = Figure(figsize=(WIDTHS_IN[width], PANEL_IN * rows), layout=ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03))
    grid = figure.subplots(rows, columns, squeeze=False)
    names = list(dict.fromkeys(line.label for line in chart.lines))
    for index, axes in enumerate(grid.flat):
        if index >= panels:
            axes.set_visible(False)
            continue
        metric = chart.metrics[index]
        _panel(axes, chart, metric, names, scale_of(chart, metric, asked))
        letter = f"({LETTERS[index % len(LETTERS)]})" if panels > 1 else ""
        axes.set_xlabel("\n".join(filter(None, (_axis(chart) if index + columns >= panels else "", letter))))
    if len(names) > 1:
        _legend(figure, WIDTHS_IN[width], list(grid.flat)[:panels])
    return figure


def _panel(axes: Axes, chart: Chart, metric: str, names: Sequence[str], scale: str) -> None:
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
        _curve(axes, line, names.index(line.label), len(names), lowest)
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
    colour, marker, dash = COLOURS[index % len(COLOURS)], MARKERS[index % len(MARKERS)], DASHES[index % len(DASHES)]
    # Lines that coincide stay visible: what is drawn later is smaller.
    size = 5.2 - 2.0 * index / max(of - 1, 1)
    x, y = [_at(point.x) for point in line.points], [_at(point.y) for point in line.points]
    shown = [i for i, value in enumerate(y) if value or not lowest]
    joined = [max(value, lowest) if {i - 1, i, i + 1} & set(shown) else math.nan for i, value in enumerate(y)]
    axes.plot(x, joined if lowest else y, linestyle=dash, color=colour, marker=marker, markersize=size, markevery=shown,
              markerfacecolor="white" if index % 2 else colour, label=_drawn(line.label), zorder=3, clip_on=False)  # fmt: skip
    bars = [_spread([getattr(point, which) for point in line.points]) for which in ("x", "y")]
    if any(bars):
        axes.errorbar(x, y, xerr=bars[0], yerr=bars[1], fmt="none", ecolor=colour, elinewidth=0.7, capsize=1.8, capthick=0.7,
                      zorder=2)  # fmt: skip
    zeros = [x[i] for i in range(len(x)) if i not in shown]
    if zeros:  # an arrow at the edge: a logarithmic axis has no place for nothing
        ends = [(x[i], line.points[i].y.high) for i in range(len(x)) if i not in shown]
        for at, high in ends:
            if high is not None and high > lowest:
                axes.vlines(at, lowest, high, color=colour, linewidth=0.7, zorder=2)
        axes.plot(zeros, [lowest] * len(zeros), linestyle="none", marker=11, color=colour, markersize=size + 1.5,
                  clip_on=False, zorder=4)  # fmt: skip


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


def _legend(figure: Figure, width_in: float, panels: Sequence[Axes]) -> None:
    """Above the panels, in as many columns as fit the width."""
    found = {label: handle for axes in panels for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    labels = ["\n".join(textwrap.wrap(label, WRAPPED, break_on_hyphens=False)) or "–" for label in found]
    for columns in range(min(len(labels), 4), 0, -1):
        legend = figure.legend(list(found.values()), labels, loc="outside upper center", ncols=columns, frameon=False,
                               handlelength=2.8, columnspacing=1.2, handletextpad=0.5, borderaxespad=0.1)  # fmt: skip
        figure.draw_without_rendering()
        if legend.get_window_extent().width <= width_in * figure.dpi or columns == 1:
            break
        legend.remove()
    height = figure.get_figheight() + legend.get_window_extent().height / figure.dpi
    figure.set_figheight(height)


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
