"""What was looked for in samples and not found everywhere, in the words of the console and the
page.

A source, an encoder or a metric that looks for something in the frames of a video (a face) says in
how many frames it is there (`Sample.found`, `SemanticEncoder.found`, `Metric.judged`). The row of a
sample holds the numbers; one line of the console and of the page says which samples lack it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from semcore.interfaces import Metric, Record, SemanticEncoder

Counts = Mapping[str, tuple[int, int]]
"""Name of what was looked for -> (frames in which it was found, frames that were searched)."""
SHOWN = 5
"""Samples that a line names."""
LINES = 12
"""Lines that are said, of a run of many cells."""


def counted(
    record: Record, encoder: SemanticEncoder, metrics: Mapping[str, Metric]
) -> dict[str, Counts]:
    """What the row of a sample holds: `found` by its source and its encoder, `judged` by metrics;
    without what is empty."""
    judged = {
        name: counts
        for name, metric in metrics.items()
        if (counts := metric.judged(record)) is not None
    }
    parts = {"found": {**record.source.found, **encoder.found(record.source)}, "judged": judged}
    return {part: counts for part, counts in parts.items() if counts}


def lacking(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What `result.json` holds of the rows of a cell, by `found` and `judged` and then by name:
    sums, and who lacks it.

    Returns:
        {"found": {name: {"frames": n, "of": m, "samples": k, "first": [[sample, n, m], ...]}},
            "judged": the same}; without
        names of which nothing is lacking
    """
    result: dict[str, Any] = {}
    for part in ("found", "judged"):
        names = dict.fromkeys(name for row in rows for name in row.get(part, {}))
        counts = {
            name: [(row["sample"], *row[part][name]) for row in rows if name in row.get(part, {})]
            for name in names
        }
        summed = {
            name: {
                "frames": sum(one[1] for one in each),
                "of": sum(one[2] for one in each),
                "samples": len(short),
                "first": [list(one) for one in short[:SHOWN]],
            }
            for name, each in counts.items()
            if (short := [one for one in each if one[1] < one[2]])
        }
        if summed:
            result[part] = summed
    return result


def in_words(results: Iterable[Mapping[str, Any]]) -> list[str]:
    """A line per thing that was not found everywhere, or not judged in every frame or sample, each
    once for all cells."""
    lines: dict[str, None] = {}
    for result in results:
        same: dict[str, list[str]] = {}
        for part in ("found", "judged"):
            for name, one in result.get(part, {}).items():
                same.setdefault(_line(one, part), []).append(name)
        for name, one in result.get("metrics", {}).items():
            having = one["n"] + (one.get("exact") or 0)
            if 0 < having < result["n"]:
                same.setdefault(f"{having:,} of {result['n']:,} samples have a value", []).append(
                    name
                )
        lines.update(dict.fromkeys(f"{', '.join(names)}: {line}" for line, names in same.items()))
    found = list(lines)
    if len(found) > LINES:
        return [
            *found[: LINES - 1],
            f"and {len(found) - LINES + 1:,} more such lines of other cells",
        ]
    return found


def _line(one: Mapping[str, Any], verb: str) -> str:
    """`found in 25 of 150 frames: landscape/000 (none of 75), part/000 (25 of 75)`."""
    named = [f"{sample} ({n or 'none'} of {m})" for sample, n, m in one["first"]]
    more = one["samples"] - len(named)
    return (
        f"{verb} in {one['frames']:,} of {one['of']:,} frames: "
        f"{', '.join(named)}{f', and {more:,} more' if more else ''}"
    )
