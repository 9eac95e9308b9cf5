"""Sessions over their segments: what was measured in each, what it cost, what it was worth, and what was missed.

The regret of a planner is what a segment was worth under another one, an oracle that may see the real link, less what it was
worth under this one; summed from the first segment on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from semcore.analysis.aggregate import Summary
from semcore.analysis.chart import Chart, Line, Point, groups, line_label, told_apart
from semcore.analysis.rows import SEED, Row
from semcore.config.build import nearest
from semcore.errors import RunError
from semcore.runs.labels import key
from semcore.statistics.kinds import Mean, Score, statistic_of

X = "segment"
WORTH, REGRET = "utility", "regret"
SIGNATURES = {WORTH: "utility|1|weighted-mean-of-terms", REGRET: "regret|1|cumulated,against="}


def timeline(rows: Sequence[Row], metrics: Sequence[str] = (), against: str = "oracle") -> Chart:
    """Arrange the sessions of cells over their segments.

    Args:
        metrics: panels: metrics of the cells, `utility` or `regret`; none: those that the utility speaks of, and the regret if
            the planner that it is against is there
        against: name of the planner that regret is reckoned against, with the same seed and settings

    Raises:
        RunError: the cells have no sessions, nobody knows a metric, or a session has none to be compared with
    """
    there = [row for row in rows if row.result["segments"]]
    if not there:
        raise RunError("no cell has a session: only pipelines with a planner or a knowledge base have segments")
    genie = {_apart_from_planner(row): row for row in there if row.get("planner.use") == against}
    chosen = list(metrics) or _usual(there, bool(genie))
    paths = told_apart(there, X, False)
    lines = []
    for metric in chosen:
        for group, same in groups(there, paths):
            lines.append(Line(line_label(group), metric, group, tuple(_points(same, metric, genie, against))))
    left_out = tuple(row for row in rows if row not in there)
    return Chart(X, tuple(chosen), tuple(paths), tuple(lines), tuple(there), left_out, "sessions")


def _usual(rows: Sequence[Row], compared: bool) -> list[str]:
    terms = [term["metric"] for term in rows[0].result["segments"][0]["utility"]]
    return [*terms, *([REGRET] if compared else [WORTH] if terms else [])] or list(rows[0].result["metrics"])


def _points(rows: Sequence[Row], metric: str, genie: Mapping[str, Row], against: str) -> list[Point]:
    values = [_values(row, metric, genie, against) for row in rows]
    described = rows[0].result["metrics"].get(metric, {})
    kind = statistic_of(described["statistic"]) if described else Score(0.0, 1.0) if metric == WORTH else Mean()
    signature = described.get("signature") or SIGNATURES[metric] + (against if metric == REGRET else "")
    points = []
    for segment in range(max(map(len, values))):
        known = [one[segment] for one in values if segment < len(one)]
        found = kind.of(known)
        if found.mean is not None:
            unit, better = described.get("unit", ""), described.get("better", "higher" if metric == WORTH else "lower")
            y = Summary(found.mean, found.low, found.high, found.n, unit, better, signature, kind.described)
            points.append(Point(Summary(float(segment), None, None, found.n), y, tuple(rows)))
    if not points:
        raise RunError(f"{metric} has no value in any segment of {rows[0].name}")
    return points


def _values(row: Row, metric: str, genie: Mapping[str, Row], against: str) -> list[float | None]:
    """One a segment of a session."""
    segments = row.result["segments"]
    if metric == WORTH:
        return [segment["worth"] for segment in segments]
    if metric != REGRET:
        if metric not in segments[0]["metrics"]:
            known = [*segments[0]["metrics"], WORTH, REGRET]
            raise RunError(f"no session has a metric {metric!r}; {nearest(metric, known)}")
        return [segment["metrics"][metric] for segment in segments]
    other = genie.get(_apart_from_planner(row))
    if other is None:
        raise RunError(f"{row.name} has no session of the planner {against!r} with the same seed to be compared with")
    missed = [_worth(best) - _worth(one) for best, one in zip(other.result["segments"], segments, strict=True)]
    return [math.fsum(missed[: index + 1]) for index in range(len(missed))]


def _worth(segment: Mapping[str, Any]) -> float:
    if segment["worth"] is None:
        raise RunError("there is no regret without a utility: the scenario does not say what a segment is worth")
    return float(segment["worth"])


def _apart_from_planner(row: Row) -> str:
    """What two sessions have in common that differ in their planner alone."""
    settings = {path: value for path, value in row.result["settings"].items() if path.split(".")[0] != "planner"}
    return key({**settings, SEED: row.get(SEED)})
