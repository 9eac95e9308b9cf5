"""What was looked for in samples and not found everywhere.

A source, an encoder or a metric that looks for something in the frames of a video (a face) says in
how many frames it is there (`Sample.found`, `SemanticEncoder.found`, `Metric.judged`). The row of a
sample holds the numbers; `semcore.render.text.gaps` says which samples lack it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semcore.interfaces import Metric, Record, SemanticEncoder

Counts = Mapping[str, tuple[int, int]]
"""Name of what was looked for -> (frames in which it was found, frames that were searched)."""
SHOWN = 5
"""Samples that a line names."""


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
