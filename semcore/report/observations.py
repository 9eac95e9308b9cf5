"""What the numbers of a run support, contradict, or leave open: computed by the same rules for every run."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semcore.publish.pool import manner
from semcore.report.curves import Curve, curves_of
from semcore.report.lines import Lines
from semcore.results import Run, number, paired, verdict
from semcore.statistics import statistic_of
from semcore.words import short

MOST_PAIRS = 15
"""Pairs of lines that are compared."""
FEW = 10
"""Below so many samples an interval is so wide that the reader is told."""


@dataclass(frozen=True)
class Observation:
    """A sentence about the run. `verdict`: `clear` (intervals apart), `open` (they overlap), `note` or `warning`."""

    verdict: str
    subject: str
    text: str


def observe(run: Run, lines: Lines) -> list[Observation]:
    """Every observation, warnings first."""
    if not run.results:
        return []
    warnings, notes = _cautions(run)
    found: list[Observation] = []
    if lines.x is not None:
        for metric in run.metrics:
            curves = curves_of(metric, lines.lines, lines.x)
            found += _comparisons(run, lines, metric, curves)
            for curve in curves:
                found += _course(lines, metric, curve)
        found += _calibration(lines)
    else:
        for metric in run.metrics:
            found += _points(run, lines, metric)
    found.sort(key=lambda one: one.verdict != "warning")
    return [*warnings, *found, *notes]


def _cautions(run: Run) -> tuple[list[Observation], list[Observation]]:
    """What a reader must know before, and what may be known after, the comparisons."""
    warnings, notes = [], []
    fewest = min(result["n"] for result in run.results)
    if fewest < FEW:
        text = f"Only {fewest} sample{'s' if fewest > 1 else ''} a cell: little can be said of pictures unlike these."
        warnings.append(Observation("warning", "samples", text))
    for metric in run.metrics:
        summaries = [(result["n"], result["metrics"][metric]) for result in run.results if metric in result["metrics"]]
        if len({manner(result, metric) for result in run.results if metric in result["metrics"]}) > 1:
            where = "(see the signatures and conventions)"
            text = f"not measured in the same way in every cell {where}: such values are not compared."
            warnings.append(Observation("warning", metric, text))
        total, known = sum(n for n, _ in summaries), sum(summary["n"] for _, summary in summaries)
        if known < total:
            notes.append(Observation("note", metric, f"applies to {known} of {total} sample rows."))
    return warnings, notes


# ---------------------------------------------------------------------------------------------- one line against another


def _comparisons(run: Run, lines: Lines, metric: str, curves: Sequence[Curve]) -> Iterator[Observation]:
    pairs = [(a, b) for a, b in itertools.combinations(curves, 2) if manner(a.cells[0], metric) == manner(b.cells[0], metric)]
    for a, b in pairs[:MOST_PAIRS]:
        if a.points[0]["better"]:
            yield from _pair(run, lines, metric, a, b)
    if len(pairs) > MOST_PAIRS:
        yield Observation("note", metric, f"{len(pairs) - MOST_PAIRS} more pairs of lines are not compared here.")


def _pair(run: Run, lines: Lines, metric: str, a: Curve, b: Curve) -> Iterator[Observation]:
    of_a, of_b = ({x: (cell, p) for x, cell, p in zip(c.x, c.cells, c.points, strict=True)} for c in (a, b))
    places = [x for x in of_a if x in of_b]
    sides: dict[str, list[float]] = {"a": [], "b": [], "open": [], "same": []}
    paired: list[float] = []
    for x in places:
        (cell_a, p), (cell_b, q) = of_a[x], of_b[x]
        side = verdict(p, q)
        sides[side].append(x)
        if side == "open" and _differ_in_pairs(run, metric, cell_a, cell_b):
            paired.append(x)
    say = _ranges(lines, places)
    names = {"a": a.label, "b": b.label}
    ahead = [side for side in ("a", "b") if sides[side]]
    clauses = [
        f"{names[side]} is better {f'than {names[other]} ' * (side == ahead[0])}at {say(sides[side])}"
        f"{_factor([(of_a[x][1], of_b[x][1]) for x in sides[side]])}"
        for side, other in (("a", "b"), ("b", "a"))
        if side in ahead
    ]
    clear = bool(clauses)
    if clear:
        clauses[-1] += " (95 % intervals apart)"
    if sides["open"]:
        clause = f"at {say(sides['open'])} the intervals overlap"
        if paired:
            clause += f", though over the same samples the mean difference is clear at {say(paired)} (95 %, paired)"
        clauses.append(clause)
    if sides["same"]:
        clauses.append(f"they are equal at {say(sides['same'])}")
    crossings = _crossings(places, [of_a[x][1]["mean"] - of_b[x][1]["mean"] for x in places])
    if crossings and sides["a"] and sides["b"]:
        clauses.append(f"the means cross near {', '.join(f'{x:.3g} {lines.unit}'.strip() for x in crossings)}")
    if clauses:
        text = f"{a.label} and {b.label}: " * (not clear) + "; ".join(clauses) + "."
        yield Observation("clear" if clear else "open" if sides["open"] else "note", metric, text)


def _factor(pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> str:
    """By how much the better one leads, where that is a matter of factors: no dB, no scores up to 1, nothing at 0."""
    score = pairs[0][0]["better"] == "higher" and max(one["mean"] for pair in pairs for one in pair) <= 1
    if score or any(one["unit"] == "dB" or one["mean"] <= 0 for pair in pairs for one in pair):
        return ""
    least = min(max(p["mean"], q["mean"]) / min(p["mean"], q["mean"]) for p, q in pairs)
    return f", by a factor of at least {number(least)}" if least >= 2 else ""


def _differ_in_pairs(run: Run, metric: str, a: dict[str, Any], b: dict[str, Any]) -> bool:
    """Whether the 95 % interval of the differences over the same samples leaves zero out."""
    found = paired(run.items(a), run.items(b), metric, statistic_of(a["metrics"][metric]["statistic"]))
    return found is not None and found.low is not None and found.high is not None and not found.low <= 0 <= found.high


def _crossings(places: Sequence[float], differences: Sequence[float]) -> list[float]:
    """Where the difference of two means changes its sign, interpolated linearly."""
    steps = itertools.pairwise(zip(places, differences, strict=True))
    return [x0 + (x1 - x0) * d0 / (d0 - d1) for (x0, d0), (x1, d1) in steps if d0 * d1 < 0]


# ---------------------------------------------------------------------------------------------- the course of one line


def _course(lines: Lines, metric: str, curve: Curve) -> Iterator[Observation]:
    """Where a metric reaches its best value and stays there, and where it gets worse on the way."""
    better = curve.points[0]["better"]
    if len(curve.points) < 2 or not better:
        return
    assert lines.x is not None
    places = list(curve.x)
    means = [point["mean"] for point in curve.points]
    who = f"{curve.label}: " if curve.label else ""
    at = _ranges(lines, places)
    best = max(means) if better == "higher" else min(means)
    if max(means) == min(means):
        yield Observation("note", metric, f"{who}the same at every point, {number(best)}.")
        return
    if all(verdict(p, q) in ("open", "same") for p, q in itertools.combinations(curve.points, 2)):
        yield Observation("open", metric, f"{who}no two points differ clearly over {at(places)}.")
        return
    best_at = [i for i, mean in enumerate(means) if mean == best]
    settled = next(i for i in range(len(means) + 1) if all(mean == best for mean in means[i:]))
    word = "maximum" if better == "higher" else "minimum"
    if settled < len(means) - 1:
        yield Observation("clear", metric, f"{who}its {word}, {number(best)}, holds from {at([places[settled]])} on.")
    elif verdict(curve.points[-1], curve.points[-2]) == "a":
        yield Observation("clear", metric, f"{who}still improves at the end of the axis, to {number(best)}.")
    else:
        peers = [places[i] for i, p in enumerate(curve.points) if verdict(curve.points[best_at[0]], p) != "a"]
        yield Observation("open", metric, f"{who}its best mean, {number(best)}, is at {at([places[i] for i in best_at])}; "
                          f"not clearly different: {at(peers)}.")  # fmt: skip
    worse = [places[j] for i, j in itertools.combinations(range(len(places)), 2)
             if verdict(curve.points[i], curve.points[j]) == "a"]  # fmt: skip
    if worse and "snr" in lines.x:
        yield Observation("warning", metric, f"{who}worse at {at(sorted(set(worse)))} than at a lower SNR, with intervals "
                          "apart: more SNR should not hurt.")  # fmt: skip


def _calibration(lines: Lines) -> Iterator[Observation]:
    """How far what the channel reports lies from what was set."""
    assert lines.x is not None
    name = lines.x.rsplit(".", 1)[-1]
    gaps = [abs(cell["report"][name] - cell["settings"][lines.x]) for line in lines.lines for cell in line.cells
            if name in cell["report"]]  # fmt: skip
    if gaps:
        yield Observation("note", name, f"What the channel reports lies within {number(max(gaps))} {lines.unit} of what "
                          f"was set, in {len(gaps)} cells.")  # fmt: skip


def _points(run: Run, lines: Lines, metric: str) -> Iterator[Observation]:
    """Cells against each other where nothing numeric is swept."""
    cells = [cell for line in lines.lines for cell in line.cells]
    known = [(cell, cell["metrics"][metric]) for cell in cells if cell["metrics"].get(metric, {}).get("mean") is not None]
    pairs = [(a, b) for a, b in itertools.combinations(known, 2) if _of_one_draw(a[0], b[0])]
    for (one, p), (other, q) in pairs[:MOST_PAIRS]:
        if not p["better"] or manner(one, metric) != manner(other, metric):
            continue
        side, names = verdict(p, q), (lines.name(one), lines.name(other))
        if side in "ab":
            winner, loser = names if side == "a" else names[::-1]
            yield Observation("clear", metric, f"{winner} is better than {loser} (95 % intervals apart).")
        elif side == "open":
            more = ", though the differences sample by sample have one sign on average (95 %)"
            paired = more if _differ_in_pairs(run, metric, one, other) else ""
            yield Observation("open", metric, f"{names[0]} and {names[1]}: the intervals overlap{paired}.")
        else:
            yield Observation("note", metric, f"{names[0]} and {names[1]} are equal.")
    if len(pairs) > MOST_PAIRS:
        yield Observation("note", metric, f"{len(pairs) - MOST_PAIRS} more pairs of cells are not compared here.")


def _of_one_draw(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two cells have the same seed, so that like is compared with like."""
    return bool(one["config"]["seed"] == other["config"]["seed"])


def _ranges(lines: Lines, places: Sequence[float]) -> Callable[[Sequence[float]], str]:
    """Values of the axis in words: neighbours become a range."""

    def say(some: Sequence[float]) -> str:
        indices = [places.index(x) for x in some]
        parts = []
        for _, group in itertools.groupby(enumerate(indices), lambda pair: pair[1] - pair[0]):
            run = [places[index] for _, index in group]
            parts.append(f"{short(run[0])} to {short(run[-1])}" if len(run) > 2 else ", ".join(map(short, run)))
        return f"{', '.join(parts)} {lines.unit}".strip()

    return say
