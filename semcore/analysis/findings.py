"""What the numbers of a run support, contradict, or leave open: computed by the same rules for every run."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semcore.analysis.aggregate import manner
from semcore.analysis.evidence import Evidence, kind
from semcore.render.page.curves import Curve, curves_of
from semcore.render.page.lines import Lines
from semcore.runs.labels import short
from semcore.runs.results import Run, number

MOST = 10
"""Number of observations shown: those that matter most."""
MOST_PAIRS = 15
"""Pairs of lines that are compared."""
FEW = 10
"""Below this number of samples per cell, intervals are wide and the reader is warned."""
RANKS = ("warning", "clear", "open", "note")


@dataclass(frozen=True)
class Observation:
    """A sentence about the run.

    Fields:
        verdict: `clear` (the samples carry it), `open` (they do not), `note` or `warning`
        subject: a metric, or what else it is about
        text: the sentence
        weight: among those of one verdict, the greater come first
    """

    verdict: str
    subject: str
    text: str
    weight: int = 0


def observe(run: Run, lines: Lines) -> list[Observation]:
    """The observations that matter most: warnings, then what is clear, what is open, and notes; all metrics in turn."""
    if not run.results:
        return []
    evidence, found = Evidence(run), list(_cautions(run))
    for metric in run.metrics:
        if lines.x is None:
            found += _points(evidence, lines, metric)
            continue
        curves = curves_of(metric, lines.lines, lines.x)
        found += _comparisons(evidence, lines, metric, curves)
        for curve in curves:
            found += _course(evidence, lines, metric, curve)
    found += _calibration(lines)
    return ranked(found)[:MOST]


def ranked(found: Iterable[Observation]) -> list[Observation]:
    """Observations, those that matter most first; of one verdict and weight the first of each subject, then the second."""
    seen: dict[tuple[str, int, str], int] = {}
    keys: list[tuple[int, int, int, int, Observation]] = []
    for one in found:
        group = one.verdict, one.weight, one.subject
        seen[group] = seen.get(group, -1) + 1
        keys.append((RANKS.index(one.verdict), -one.weight, seen[group], len(keys), one))
    return [one for *_, one in sorted(keys, key=lambda entry: entry[:4])]


def _cautions(run: Run) -> Iterator[Observation]:
    """What a reader must know before the comparisons."""
    fewest = min(result["n"] for result in run.results)
    if fewest < FEW:
        text = f"Only {fewest} sample{'s' if fewest > 1 else ''} per cell: little can be said of pictures unlike these."
        yield Observation("warning", "samples", text, 2)
    for metric in run.metrics:
        summaries = [(result["n"], result["metrics"][metric]) for result in run.results if metric in result["metrics"]]
        if len({manner(result, metric) for result in run.results if metric in result["metrics"]}) > 1:
            where = "(see the signatures and conventions)"
            text = f"not measured in the same way in every cell {where}: such values are not compared."
            yield Observation("warning", metric, text, 1)
        total, known = sum(n for n, _ in summaries), sum(summary["n"] + summary["exact"] for _, summary in summaries)
        if known < total:
            yield Observation("note", metric, f"applies to {known} of {total} sample rows.", 1)


# ---------------------------------------------------------------------------------------------- one line against another


def _comparisons(evidence: Evidence, lines: Lines, metric: str, curves: Sequence[Curve]) -> Iterator[Observation]:
    pairs = [(a, b) for a, b in itertools.combinations(curves, 2)
             if manner(a.cells[0], metric) == manner(b.cells[0], metric) and _of_one_draw(a.cells[0], b.cells[0])]  # fmt: skip
    for a, b in pairs[:MOST_PAIRS]:
        if a.points[0]["better"]:
            yield from _pair(evidence, lines, metric, a, b)
    if len(pairs) > MOST_PAIRS:
        yield Observation("note", metric, f"{len(pairs) - MOST_PAIRS} more pairs of lines are not compared here.")


def _pair(evidence: Evidence, lines: Lines, metric: str, a: Curve, b: Curve) -> Iterator[Observation]:
    of_a, of_b = ({x: (cell, p) for x, cell, p in zip(c.x, c.cells, c.points, strict=True)} for c in (a, b))
    places = [x for x in of_a if x in of_b]
    sides: dict[str, list[float]] = {"a": [], "b": [], "open": [], "same": []}
    hushed: dict[tuple[str, str], list[float]] = {}
    for x in places:
        cells = of_a[x][0], of_b[x][0]
        side = evidence.side(metric, *cells, len(places))
        why = evidence.silence(metric, *(cells if side == "a" else cells[::-1])) if side in "ab" else ""
        (hushed.setdefault((side, why), []) if why else sides[side]).append(x)
    say, names = _ranges(lines, places), {"a": a.label, "b": b.label}
    cost = a.points[0]["cost"]
    ahead = [side for side in ("a", "b") if sides[side]]
    clauses = [
        f"{names[side]} {_is_better(cost, names[other] if side == ahead[0] else '')} at {say(sides[side])}"
        f"{_factor([(of_a[x][1], of_b[x][1]) for x in sides[side]])}"
        for side, other in (("a", "b"), ("b", "a"))
        if side in ahead
    ]
    clear = bool(clauses)
    if clear:
        clauses[-1] += " (95 %, over the same samples)"
    if sides["open"]:
        clauses.append(f"at {say(sides['open'])} no difference is clear")
    if sides["same"]:
        clauses.append(f"they are equal at {say(sides['same'])}")
    clauses += [_hush(why, names[side], names["b" if side == "a" else "a"], say(some))
                for (side, why), some in hushed.items()]  # fmt: skip
    crossings = _crossings(places, [of_a[x][1]["mean"] - of_b[x][1]["mean"] for x in places])
    if crossings and sides["a"] and sides["b"]:
        clauses.append(f"the means cross near {', '.join(f'{x:.3g} {lines.unit}'.strip() for x in crossings)}")
    if clauses:
        text = f"{a.label} and {b.label}: " * (not clear) + "; ".join(clauses) + "."
        yield Observation("clear" if clear else "open" if sides["open"] else "note", metric, text, 2 - cost)


def _is_better(cost: bool, than: str = "") -> str:
    """What is said of the better one; to cost less is no merit in itself."""
    return f"{'costs less' if cost else 'is better'}{f' than {than}' * bool(than)}"


def _hush(why: str, name: str, other: str, at: str = "") -> str:
    """Why a better value is no merit."""
    start = f"at {at} " if at else ""
    return (
        start
        + {
            "lost": f"nothing of {name} arrived, and it is not compared",
            "less": f"{name} costs less, but less of it arrived",
            "missing": f"{name} has no value for samples for which {other} has one, and it is not compared",
        }[why]
    )


def _factor(pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> str:
    """By how much the better one leads, where that is a matter of factors: no dB, no scores up to 1, nothing at 0."""
    score = pairs[0][0]["better"] == "higher" and max(one["mean"] for pair in pairs for one in pair) <= 1
    if score or any(one["unit"] == "dB" or one["mean"] <= 0 for pair in pairs for one in pair):
        return ""
    least = min(max(p["mean"], q["mean"]) / min(p["mean"], q["mean"]) for p, q in pairs)
    return f", the means by a factor of at least {number(least)}" if least >= 2 else ""


def _crossings(places: Sequence[float], differences: Sequence[float]) -> list[float]:
    """Where the difference of two means changes its sign, interpolated linearly."""
    steps = itertools.pairwise(zip(places, differences, strict=True))
    return [x0 + (x1 - x0) * d0 / (d0 - d1) for (x0, d0), (x1, d1) in steps if d0 * d1 < 0]


# ---------------------------------------------------------------------------------------------- the course of one line


def _course(evidence: Evidence, lines: Lines, metric: str, curve: Curve) -> Iterator[Observation]:
    """Where a metric reaches its best value and stays there, and where it gets worse on the way."""
    better = curve.points[0]["better"]
    if len(curve.points) < 2 or not better:
        return
    assert lines.x is not None
    places, cells, points = list(curve.x), curve.cells, curve.points
    means = [point["mean"] for point in points]
    who = f"{curve.label}: " if curve.label else ""
    at = _ranges(lines, places)
    choose, word = (max, "maximum") if better == "higher" else (min, "minimum")
    best = choose(means)
    if max(means) == min(means):
        yield Observation("note", metric, f"{who}the same mean at every point, {number(best)}{_bound(points[0])}.")
        return
    if points[0]["cost"]:
        return
    top, tries = means.index(best), 2 * (len(places) - 1)
    behind = [i for i in range(len(places)) if i != top and evidence.side(metric, cells[top], cells[i], tries) == "a"]
    if not behind:
        yield Observation("open", metric, f"{who}no two points differ clearly over {at(places)}.")
        return
    if any(evidence.silence(metric, cells[top], cells[i]) for i in behind):
        return
    settled = next(i for i in range(len(means) + 1) if all(mean == best for mean in means[i:]))
    if settled < len(means) - 1 and any(i < settled for i in behind):
        n, since = points[-1]["n"], at([places[settled]])
        if n < FEW:  # too few to say that it stays so
            text = f"{who}{number(best)} on average over {n} samples from {since} on{_bound(points[-1])}."
        else:
            text = f"{who}its {word}, {number(best)}, holds from {since} on, over {n} samples{_bound(points[-1])}."
        yield Observation("clear", metric, text)
    elif evidence.side(metric, cells[-1], cells[-2], tries) == "a":
        yield Observation("clear", metric, f"{who}still improves at the end of the axis, to {number(means[-1])}.")
    else:
        peers = [places[i] for i in range(len(places)) if i not in behind]
        yield Observation("open", metric, f"{who}its best mean, {number(best)}, is at "
                          f"{at([x for x, mean in zip(places, means, strict=True) if mean == best])}; not clearly different: "
                          f"{at(peers)}.")  # fmt: skip
    if "snr" in lines.x:
        leads = [means.index(choose(means[:j])) for j in range(1, len(means))]
        worse = [places[j] for j, i in enumerate(leads, 1) if evidence.side(metric, cells[i], cells[j], tries) == "a"
                 and not evidence.silence(metric, cells[i], cells[j])]  # fmt: skip
        if worse:
            yield Observation("warning", metric, f"{who}worse at {at(worse)} than at a lower SNR (95 %): more SNR should "
                              "not hurt.")  # fmt: skip


def _bound(point: Mapping[str, Any]) -> str:
    """What the interval leaves open, where it is not that of a single value."""
    if point["low"] is None or point["low"] == point["high"]:
        return ""
    low, high = kind(point).range
    if point["mean"] == low:
        return f" (95 %: at most {number(point['high'])})"
    return f" (95 %: at least {number(point['low'])})" if point["mean"] == high else ""


def _calibration(lines: Lines) -> Iterator[Observation]:
    """How far what the channel reports lies from what was set."""
    if lines.x is None:
        return
    name = lines.x.rsplit(".", 1)[-1]
    gaps = [abs(cell["report"][name] - cell["settings"][lines.x]) for line in lines.lines for cell in line.cells
            if name in cell["report"]]  # fmt: skip
    if gaps:
        yield Observation("note", name, f"What the channel reports lies within {number(max(gaps))} {lines.unit} of what "
                          f"was set, in {len(gaps)} cells.", 1)  # fmt: skip


def _points(evidence: Evidence, lines: Lines, metric: str) -> Iterator[Observation]:
    """Cells against each other where nothing numeric is swept."""
    cells = [cell for line in lines.lines for cell in line.cells]
    known = [(cell, cell["metrics"][metric]) for cell in cells if cell["metrics"].get(metric, {}).get("mean") is not None]
    pairs = [(a, b) for a, b in itertools.combinations(known, 2)
             if _of_one_draw(a[0], b[0]) and a[1]["better"] and manner(a[0], metric) == manner(b[0], metric)]  # fmt: skip
    for (one, p), (other, _) in pairs[:MOST_PAIRS]:
        side, names = evidence.side(metric, one, other, min(len(pairs), MOST_PAIRS)), (lines.name(one), lines.name(other))
        weight = 2 - p["cost"]
        if side in "ab":
            (winner, loser), ends = (names, (one, other)) if side == "a" else (names[::-1], (other, one))
            if why := evidence.silence(metric, *ends):
                yield Observation("note", metric, f"{_hush(why, winner, loser)}.", weight)
            else:
                text = f"{winner} {_is_better(p['cost'], loser)} (95 %, over the same samples)."
                yield Observation("clear", metric, text, weight)
        elif side == "open":
            yield Observation("open", metric, f"{names[0]} and {names[1]}: no difference is clear.", weight)
        else:
            yield Observation("note", metric, f"{names[0]} and {names[1]} are equal.", weight)
    if len(pairs) > MOST_PAIRS:
        yield Observation("note", metric, f"{len(pairs) - MOST_PAIRS} more pairs of cells are not compared here.")


def _of_one_draw(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two cells have the same seed, so that like is compared with like."""
    seeds = [cell.get("config", {}).get("seed") for cell in (one, other)]
    return bool(seeds[0] == seeds[1])


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
