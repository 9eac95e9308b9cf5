"""Sessions over their segments: metrics, cost, utility and regret.

The regret of a planner is the utility of a segment under a reference planner (an oracle that may
see the real link) minus its own, summed from the first segment on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from semcore.analysis.aggregate import Summary
from semcore.analysis.chart import Chart, Line, Point, default_group
from semcore.analysis.grouping import group_label, groups
from semcore.analysis.rows import SEED, Row
from semcore.errors import RunError
from semcore.runs.labels import canonical_key
from semcore.statistics.base import statistic_of
from semcore.statistics.kinds import Mean, Score
from semcore.wording.suggest import nearest

X = "segment"
UTILITY, REGRET = "utility", "regret"
SIGNATURES = {UTILITY: "utility|1|weighted-mean-of-terms", REGRET: "regret|1|cumulated,against="}


def timeline(rows: Sequence[Row], metrics: Sequence[str] = (), against: str = "oracle") -> Chart:
    """Arrange the sessions of cells over their segments.

    Args:
        rows: cells, of which those with segments are sessions
        metrics: panels: metrics of the cells, `utility` or `regret`. None: the metrics of the
            utility, then the regret if the reference planner is there, else the utility
        against: name of the reference planner of the regret; it is looked up with the same seed
            and settings

    Raises:
        RunError: no sessions, an unknown metric, or a session without a reference
    """
    sessions = [row for row in rows if row.result["segments"]]
    if not sessions:
        raise RunError(
            "no cell has a session: only a pipeline with a planner or a knowledge base has segments"
        )
    references = {
        _without_planner(row): row for row in sessions if row.get("planner.use") == against
    }
    shown = list(metrics) or _default_metrics(sessions, bool(references))
    paths = default_group(sessions, X, measured=False)
    lines = []
    for metric in shown:
        for group, some in groups(sessions, paths):
            points = _points(some, metric, references, against)
            lines.append(Line(group_label(group), metric, group, tuple(points)))
    left_out = tuple(row for row in rows if row not in sessions)
    return Chart(X, tuple(shown), tuple(paths), tuple(lines), tuple(sessions), left_out, "sessions")


def _default_metrics(rows: Sequence[Row], with_regret: bool) -> list[str]:
    terms = [term["metric"] for term in rows[0].result["segments"][0]["utility"]]
    if with_regret:
        return [*terms, REGRET]
    return [*terms, UTILITY] if terms else list(rows[0].result["metrics"])


def _points(
    rows: Sequence[Row], metric: str, references: Mapping[str, Row], against: str
) -> list[Point]:
    values = [_values(row, metric, references, against) for row in rows]
    described = rows[0].result["metrics"].get(metric, {})
    if described:
        kind = statistic_of(described["statistic"])
        signature = described["signature"]
    else:
        kind = Score(0.0, 1.0) if metric == UTILITY else Mean()
        signature = SIGNATURES[metric] + (against if metric == REGRET else "")
    better = described.get("better", "higher" if metric == UTILITY else "lower")
    points = []
    for segment in range(max(map(len, values))):
        found = kind.of([session[segment] for session in values if segment < len(session)])
        if found.mean is None:
            continue
        y = Summary(
            found.mean,
            found.low,
            found.high,
            found.n,
            described.get("unit", ""),
            better,
            signature,
            kind.described,
        )
        points.append(Point(Summary(float(segment), None, None, found.n), y, tuple(rows)))
    if not points:
        raise RunError(f"{metric} has no value in any segment of {rows[0].name}")
    return points


def _values(
    row: Row, metric: str, references: Mapping[str, Row], against: str
) -> Sequence[float | None]:
    """One value per segment of a session."""
    segments = row.result["segments"]
    if metric == UTILITY:
        return [segment["worth"] for segment in segments]
    if metric == REGRET:
        reference = references.get(_without_planner(row))
        if reference is None:
            what = f"session of the planner {against!r} with the same seed to be compared with"
            raise RunError(f"{row.name} has no {what}")
        pairs = zip(reference.result["segments"], segments, strict=True)
        missed = [_utility(best) - _utility(own) for best, own in pairs]
        return [math.fsum(missed[:end]) for end in range(1, len(missed) + 1)]
    if metric not in segments[0]["metrics"]:
        known = [*segments[0]["metrics"], UTILITY, REGRET]
        raise RunError(f"no session has a metric {metric!r}; {nearest(metric, known)}")
    return [segment["metrics"][metric] for segment in segments]


def _utility(segment: Mapping[str, Any]) -> float:
    if segment["worth"] is None:
        raise RunError("regret needs a utility, and the scenario has none")
    return float(segment["worth"])


def _without_planner(row: Row) -> str:
    """What sessions have in common that differ only in their planner."""
    settings = {
        path: value
        for path, value in row.result["settings"].items()
        if path.split(".")[0] != "planner"
    }
    return canonical_key({**settings, SEED: row.get(SEED)})
