"""Numbers and their intervals as text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from semcore.statistics.base import statistic_of


def number(value: float | None) -> str:
    """A number with three or four significant digits, thousands separated by commas."""
    if value is None:
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if abs(value) >= 1000:
        return f"{value:,.0f}"  # four significant digits would make 9999.6 into 1e+04
    return f"{value:.4g}" if value == 0 or abs(value) >= 0.001 else f"{value:.2e}"


def with_interval(summary: Mapping[str, Any]) -> str:
    """`mean ±half`, or `mean [low, high]` of an asymmetric 95 % interval; and `3 exact`."""
    exact = f"{summary['exact']} exact" if summary.get("exact") else ""
    if summary["mean"] is None:
        return exact or number(None)
    return ", ".join(filter(None, (_with_interval(summary), exact)))


def _with_interval(summary: Mapping[str, Any]) -> str:
    mean, low, high = summary["mean"], summary["low"], summary["high"]
    if high is None or low is None or high == low:
        return number(mean)
    half = max(high - mean, mean - low)
    symmetric = "statistic" not in summary or statistic_of(summary["statistic"]).symmetric
    even = symmetric and math.isclose(high - mean, mean - low, rel_tol=1e-6)
    if abs(mean) >= 10_000 or max(abs(mean), half) < 0.001:
        if even:
            return f"{number(mean)} ±{number(half)}"
        return f"{number(mean)} [{number(low)}, {number(high)}]"
    places = min(max(1 - math.floor(math.log10(half)), 0), 4)
    if even:
        return f"{mean:,.{places}f} ±{half:,.{places}f}"
    return f"{mean:,.{places}f} [{low + 0:,.{places}f}, {high:,.{places}f}]"
