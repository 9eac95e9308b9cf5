"""What the numbers of a run support, contradict, or leave open; the same rules for every run."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from semcore.analysis.aggregate import Summary, measurement_key
from semcore.analysis.chart import Line, Point
from semcore.analysis.evidence import Evidence
from semcore.analysis.overview import Overview
from semcore.analysis.rows import Row
from semcore.runs.labels import short
from semcore.wording.numbers import number

MOST = 10
"""Observations that are shown: the most important ones."""
MOST_PAIRS = 15
"""Pairs of lines or cells that are compared."""
FEW = 10
"""Below this number of samples per cell, intervals are wide and the reader is warned."""
RANKS = ("warning", "clear", "open", "note")
OBJECTIONS = {
    "lost": "nothing of {winner} arrived, and it is not compared",
    "less": "{winner} costs less, but less of it arrived",
    "missing": (
        "{winner} has no value for samples for which {loser} has one, and it is not compared"
    ),
}
"""The words for `Evidence.objection`."""


@dataclass(frozen=True)
class Observation:
    """A sentence about the run.

    Fields:
        verdict: `clear` (significant), `open` (not significant), `note` or `warning`
        subject: a metric, or what else it is about
        text: the sentence
        weight: among those of one verdict, the greater come first
    """

    verdict: str
    subject: str
    text: str
    weight: int = 0


def observe(overview: Overview) -> list[Observation]:
    """The most important observations: warnings, clear and open ones, then notes."""
    if not overview.run.results:
        return []
    evidence, found = Evidence(), list(_cautions(overview))
    for metric in overview.run.metrics:
        if not overview.x:
            found += _cells(evidence, overview, metric)
            continue
        lines = overview.chart.of(metric)
        found += _comparisons(evidence, overview, lines)
        for line in lines:
            found += _course(evidence, overview, line)
    found += _calibration(overview)
    return ranked(found)[:MOST]


def ranked(found: Iterable[Observation]) -> list[Observation]:
    """Observations by importance.

    Those of one verdict and weight are ordered by subject in turn: the first of each subject, then
    the second.
    """
    seen: dict[tuple[str, int, str], int] = {}
    keys: list[tuple[int, int, int, int, Observation]] = []
    for one in found:
        group = one.verdict, one.weight, one.subject
        seen[group] = seen.get(group, -1) + 1
        keys.append((RANKS.index(one.verdict), -one.weight, seen[group], len(keys), one))
    return [one for *_, one in sorted(keys, key=lambda entry: entry[:4])]


def _cautions(overview: Overview) -> Iterator[Observation]:
    """What a reader must know before the comparisons."""
    run = overview.run
    fewest = min(result["n"] for result in run.results)
    if fewest < FEW:
        samples = "1 sample" if fewest == 1 else f"{fewest} samples"
        text = f"Only {samples} per cell: little can be said of pictures unlike these."
        yield Observation("warning", "samples", text, 2)
    for metric in run.metrics:
        measuring = [result for result in run.results if metric in result["metrics"]]
        if len({measurement_key(result, metric) for result in measuring}) > 1:
            where = "(see the signatures and conventions)"
            text = f"not measured in the same way in every cell {where}"
            yield Observation("warning", metric, f"{text}: such values are not compared.", 1)
        total = sum(result["n"] for result in measuring)
        entries = [result["metrics"][metric] for result in measuring]
        known = sum(entry["n"] + entry["exact"] for entry in entries)
        if known < total:
            yield Observation("note", metric, f"applies to {known} of {total} sample rows.", 1)


def _calibration(overview: Overview) -> Iterator[Observation]:
    """How far what the channel reports is from what was set."""
    name = overview.x.rsplit(".", 1)[-1]
    gaps = [
        abs(row.result["report"][name] - row.result["settings"][overview.x])
        for group in overview.groups
        for row in group.rows
        if overview.x and name in row.result["report"]
    ]
    if gaps:
        gap = f"{number(max(gaps))} {overview.unit}"
        text = f"What the channel reports lies within {gap} of what was set, in {len(gaps)} cells."
        yield Observation("note", name, text, 1)


# -------------------------------------------------------------------------------------------- lines


def _comparisons(
    evidence: Evidence, overview: Overview, lines: Sequence[Line]
) -> Iterator[Observation]:
    """Every line against every other one that was measured alike."""
    pairs = [
        (a, b)
        for a, b in itertools.combinations(lines, 2)
        if _comparable(a.metric, a.points[0].rows[0], b.points[0].rows[0])
    ]
    for a, b in pairs[:MOST_PAIRS]:
        if a.points[0].y.better:
            yield from _pair(evidence, overview, a, b)
    if len(pairs) > MOST_PAIRS:
        text = f"{len(pairs) - MOST_PAIRS} more pairs of lines are not compared here."
        yield Observation("note", lines[0].metric, text)


def _pair(evidence: Evidence, overview: Overview, a: Line, b: Line) -> Iterator[Observation]:
    of_a, of_b = ({_at(point): point for point in line.points} for line in (a, b))
    places = [x for x in of_a if x in of_b]
    sides: dict[str, list[float]] = {"a": [], "b": [], "open": [], "same": []}
    objections: dict[tuple[str, str], list[float]] = {}
    for x in places:
        ours, theirs = of_a[x].rows[0], of_b[x].rows[0]
        side = evidence.side(a.metric, ours, theirs, len(places))
        objection = ""
        if side == "a":
            objection = evidence.objection(a.metric, ours, theirs)
        elif side == "b":
            objection = evidence.objection(a.metric, theirs, ours)
        if objection:
            objections.setdefault((side, objection), []).append(x)
        else:
            sides[side].append(x)
    spans, names = _Spans(overview, places), {"a": a.label, "b": b.label}
    others = {"a": b.label, "b": a.label}
    cost = a.points[0].y.cost
    clauses: list[str] = []
    for side in ("a", "b"):
        if sides[side]:
            than = others[side] if not clauses else ""
            factor = _factor([(of_a[x].y, of_b[x].y) for x in sides[side]])
            at = spans.text(sides[side])
            clauses.append(f"{names[side]} {_is_better(cost, than)} at {at}{factor}")
    clear = bool(clauses)
    if clear:
        clauses[-1] += " (95 %, over the same samples)"
    if sides["open"]:
        clauses.append(f"at {spans.text(sides['open'])} no difference is clear")
    if sides["same"]:
        clauses.append(f"they are equal at {spans.text(sides['same'])}")
    for (side, objection), some in objections.items():
        text = OBJECTIONS[objection].format(winner=names[side], loser=others[side])
        clauses.append(f"at {spans.text(some)} {text}")
    crossings = _crossings(places, [_mean(of_a[x]) - _mean(of_b[x]) for x in places])
    if crossings and sides["a"] and sides["b"]:
        near = ", ".join(f"{x:.3g} {overview.unit}".strip() for x in crossings)
        clauses.append(f"the means cross near {near}")
    if not clauses:
        return
    text = "; ".join(clauses) + "."
    if clear:
        yield Observation("clear", a.metric, text, 2 - cost)
    else:
        verdict = "open" if sides["open"] else "note"
        yield Observation(verdict, a.metric, f"{a.label} and {b.label}: {text}", 2 - cost)


def _course(evidence: Evidence, overview: Overview, line: Line) -> Iterator[Observation]:
    """Where a metric reaches its best value and keeps it, and where it gets worse on the way."""
    points, metric, better = line.points, line.metric, line.points[0].y.better
    if len(points) < 2 or not better:
        return
    places, rows = [_at(point) for point in points], [point.rows[0] for point in points]
    means = [_mean(point) for point in points]
    who = f"{line.label}: " if line.label else ""
    spans = _Spans(overview, places)
    choose, word = (max, "maximum") if better == "higher" else (min, "minimum")
    best = choose(means)
    if max(means) == min(means):
        text = f"the same mean at every point, {number(best)}{_bound(points[0].y)}."
        yield Observation("note", metric, who + text)
        return
    if points[0].y.cost:
        return
    top, tries = means.index(best), 2 * (len(places) - 1)
    behind = [
        i
        for i, row in enumerate(rows)
        if i != top and evidence.side(metric, rows[top], row, tries) == "a"
    ]
    if not behind:
        text = f"no two points differ clearly over {spans.text(places)}."
        yield Observation("open", metric, who + text)
        return
    if any(evidence.objection(metric, rows[top], rows[i]) for i in behind):
        return
    settled = len(means)  # from here on all means are the best
    while settled and means[settled - 1] == best:
        settled -= 1
    if settled < len(means) - 1 and any(i < settled for i in behind):
        n, since, bound = points[-1].y.n, spans.text([places[settled]]), _bound(points[-1].y)
        if n < FEW:  # too few to say that it stays so
            text = f"{number(best)} on average over {n} samples from {since} on{bound}."
        else:
            text = f"its {word}, {number(best)}, holds from {since} on, over {n} samples{bound}."
        yield Observation("clear", metric, who + text)
    elif evidence.side(metric, rows[-1], rows[-2], tries) == "a":
        text = f"still improves at the end of the axis, to {number(means[-1])}."
        yield Observation("clear", metric, who + text)
    else:
        leading = [x for x, mean in zip(places, means, strict=True) if mean == best]
        peers = [x for i, x in enumerate(places) if i not in behind]
        text = f"its best mean, {number(best)}, is at {spans.text(leading)}; "
        text += f"not clearly different: {spans.text(peers)}."
        yield Observation("open", metric, who + text)
    if "snr" in overview.x:
        worse = []
        for j in range(1, len(means)):
            lead = rows[means.index(choose(means[:j]))]
            if evidence.side(metric, lead, rows[j], tries) == "a":
                if not evidence.objection(metric, lead, rows[j]):
                    worse.append(places[j])
        if worse:
            at = spans.text(worse)
            text = f"worse at {at} than at a lower SNR (95 %): more SNR should not hurt."
            yield Observation("warning", metric, who + text)


def _at(point: Point) -> float:
    assert point.x.mean is not None
    return point.x.mean


def _mean(point: Point) -> float:
    assert point.y.mean is not None
    return point.y.mean


def _bound(summary: Summary) -> str:
    """The other end of the interval of a mean that is at an end of its range."""
    if summary.low is None or summary.high is None or summary.low == summary.high:
        return ""
    low, high = summary.kind.range
    if summary.mean == low:
        return f" (95 %: at most {number(summary.high)})"
    return f" (95 %: at least {number(summary.low)})" if summary.mean == high else ""


def _factor(pairs: Sequence[tuple[Summary, Summary]]) -> str:
    """By what factor the better one leads; "" for decibels, scores up to 1, and means up to 0."""
    means = [(one.mean or 0.0, other.mean or 0.0) for one, other in pairs]
    score = pairs[0][0].better == "higher" and max(map(max, means)) <= 1
    decibels = any(one.unit == "dB" for pair in pairs for one in pair)
    if score or decibels or min(map(min, means)) <= 0:
        return ""
    least = min(max(pair) / min(pair) for pair in means)
    return f", the means by a factor of at least {number(least)}" if least >= 2 else ""


def _crossings(places: Sequence[float], differences: Sequence[float]) -> list[float]:
    """Where the difference of two means changes its sign, interpolated linearly."""
    steps = itertools.pairwise(zip(places, differences, strict=True))
    return [x0 + (x1 - x0) * d0 / (d0 - d1) for (x0, d0), (x1, d1) in steps if d0 * d1 < 0]


class _Spans:
    """Values of the axis as text; neighbours become a range."""

    def __init__(self, overview: Overview, places: Sequence[float]) -> None:
        self._places = {x: index for index, x in enumerate(places)}
        self._unit = overview.unit

    def text(self, some: Sequence[float]) -> str:
        """`1, 2 dB` or `1 to 4, 6 dB`."""
        spans: list[list[float]] = []
        for x in some:
            if spans and self._places[x] == self._places[spans[-1][-1]] + 1:
                spans[-1].append(x)
            else:
                spans.append([x])
        parts = []
        for span in spans:
            values = [short(int(x) if x.is_integer() else x) for x in span]
            parts.append(f"{values[0]} to {values[-1]}" if len(values) > 2 else ", ".join(values))
        return f"{', '.join(parts)} {self._unit}".strip()


# -------------------------------------------------------------------------------------------- cells


def _cells(evidence: Evidence, overview: Overview, metric: str) -> Iterator[Observation]:
    """Cells against each other, where there is no axis."""
    points = overview.chart.points(metric)
    pairs = [
        (a, b)
        for a, b in itertools.combinations(points, 2)
        if a.y.better and _comparable(metric, a.rows[0], b.rows[0])
    ]
    tries = min(len(pairs), MOST_PAIRS)
    for a, b in pairs[:MOST_PAIRS]:
        yield _two_cells(evidence, overview, metric, (a, b), tries)
    if len(pairs) > MOST_PAIRS:
        text = f"{len(pairs) - MOST_PAIRS} more pairs of cells are not compared here."
        yield Observation("note", metric, text)


def _two_cells(
    evidence: Evidence, overview: Overview, metric: str, pair: tuple[Point, Point], tries: int
) -> Observation:
    a, b = (point.rows[0] for point in pair)
    cost = pair[0].y.cost
    side = evidence.side(metric, a, b, tries)
    if side == "open":
        text = f"{overview.name(a)} and {overview.name(b)}: no difference is clear."
        return Observation("open", metric, text, 2 - cost)
    if side == "same":
        text = f"{overview.name(a)} and {overview.name(b)} are equal."
        return Observation("note", metric, text, 2 - cost)
    winner, loser = (a, b) if side == "a" else (b, a)
    names = {"winner": overview.name(winner), "loser": overview.name(loser)}
    if objection := evidence.objection(metric, winner, loser):
        return Observation("note", metric, f"{OBJECTIONS[objection].format(**names)}.", 2 - cost)
    text = f"{names['winner']} {_is_better(cost, names['loser'])} (95 %, over the same samples)."
    return Observation("clear", metric, text, 2 - cost)


def _is_better(cost: bool, than: str = "") -> str:
    verb = "costs less" if cost else "is better"
    return f"{verb} than {than}" if than else verb


def _comparable(metric: str, a: Row, b: Row) -> bool:
    """Whether two cells have the same seed and measured a metric alike."""
    seeds = [row.result["config"].get("seed") for row in (a, b)]
    keys = [measurement_key(row.result, metric) for row in (a, b)]
    return seeds[0] == seeds[1] and keys[0] == keys[1]
