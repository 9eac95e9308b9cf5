"""The axes of a chart: linear or logarithmic, and where they end."""

from __future__ import annotations

import math
from collections.abc import Sequence

from semcore.analysis.aggregate import Summary
from semcore.analysis.chart import Chart
from semcore.statistics.intervals import Ends
from semcore.statistics.kinds import Share

DECADES = 3.0
"""An axis is logarithmic if its positive values span more decades, or if they are error rates."""


def is_logarithmic(values: Sequence[float], error_rate: bool = False) -> bool:
    """Whether a logarithmic axis suits these values: none is negative, and they span decades."""
    positive = [value for value in values if value > 0]
    if not positive or min(values) < 0:
        return False
    return error_rate or math.log10(max(positive) / min(positive)) > DECADES


def is_error_rate(summary: Summary) -> bool:
    """Whether a metric is a share of errors, such as a block error rate."""
    return summary.statistic["kind"] == Share.kind and summary.better == "lower"


def scale_of(chart: Chart, metric: str, asked: str = "auto") -> str:
    """The scale of the y axis of a metric.

    Args:
        chart: the chart
        metric: one of its metrics
        asked: `auto`, `session` (logarithmic if a segment would dwarf the others), `linear` or
            `log`, which is obeyed where the values allow it

    Returns:
        `log` or `linear`
    """
    values = means(chart, metric)
    if asked == "session":
        spread = min(values) > 0 and max(values) > 10 * min(values)
        return "log" if spread else "linear"
    if asked == "auto":
        rate = is_error_rate(chart.points(metric)[0].y)
        return "log" if is_logarithmic(values, rate) else "linear"
    return "linear" if asked == "linear" or max(values) <= 0 or min(values) < 0 else "log"


def means(chart: Chart, metric: str) -> list[float]:
    """The means of a metric, line after line."""
    return [mean_of(point.y) for point in chart.points(metric)]


def mean_of(summary: Summary) -> float:
    """The mean of a summary; 0 without one."""
    return summary.mean or 0.0


def linear_window(values: Sequence[float]) -> tuple[float, float]:
    """The widest linear axis for these means: as far beyond them as they are apart.

    A longer interval is cut rather than that it flattens the means.
    """
    reach = max(values) - min(values) or math.inf
    return min(values) - reach, max(values) + reach


def log_floor(values: Sequence[float]) -> float:
    """Where a logarithmic axis begins; if a mean is 0, a decade lower, with room for an arrow."""
    positive = [value for value in values if value > 0]
    decade = math.floor(math.log10(min(positive)))
    return float(10.0 ** (decade - 1 if len(positive) < len(values) else decade))


def log_ceiling(values: Sequence[float], ends: Ends) -> float:
    """Where a logarithmic axis ends, within the range of the metric."""
    most = max(values)
    exponent = math.log10(most)
    top = 10.0 ** (math.ceil(math.log10(most * 1.1)) if most > 0.5 else exponent + 0.3)
    return top if ends[1] is None else min(top, ends[1])


def clip(limits: tuple[float, float], ends: Ends) -> tuple[float, float]:
    """The limits of an axis within the range of its metric; unchanged if nothing would be left."""
    low = limits[0] if ends[0] is None else max(limits[0], ends[0])
    high = limits[1] if ends[1] is None else min(limits[1], ends[1])
    return (low, high) if low < high else limits
