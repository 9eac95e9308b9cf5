"""Results as text, for the console and the page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from semcore.runs.results import Run
from semcore.wording.numbers import number, with_interval

JOINT = "of the mean error"
"""Heading of the column with the decibels of the mean error of all samples."""
LINES = 12
"""Lines about samples that lack something, of a run of many cells."""


def metric_title(name: str, signature: str = "") -> str:
    """A metric for readers: in capitals if its signature is (`PSNR|1|`), else without hyphens."""
    spelled = re.match(r"\w+", signature)
    if spelled and spelled[0] == name.replace("-", "").upper():
        return name.upper()
    return spelled[0] if spelled and spelled[0].lower() == name.lower() else name.replace("-", " ")


def left_out(results: Iterable[Mapping[str, Any]]) -> list[str]:
    """What sources left out because it cannot be read, a text per source."""
    found = [result["left_out"] for result in results if "left_out" in result]
    return list(dict.fromkeys(left_out_in_words(one["count"], one["first"]) for one in found))


def left_out_in_words(count: int, first: Sequence[Sequence[str]], most: int = 5) -> str:
    """`2 samples are left out, since they cannot be read: a.jpg (it is empty); b.jpg (...)`."""
    named = "; ".join(f"{name} ({reason})" for name, reason in first[:most])
    few = f"{count:,} samples are left out, since they"
    if count == 1:
        few = "1 sample is left out, since it"
    return f"{few} cannot be read: {named}{f'; and {count - most:,} more' if count > most else ''}"


def gaps(results: Iterable[Mapping[str, Any]]) -> list[str]:
    """A line per thing that was not found everywhere, or not judged in every frame or sample.

    Lines that several cells have in common appear once.
    """
    lines: dict[str, None] = {}
    for result in results:
        same: dict[str, list[str]] = {}
        for part in ("found", "judged"):
            for name, one in result.get(part, {}).items():
                same.setdefault(_line(one, part), []).append(name)
        for name, one in result.get("metrics", {}).items():
            having = one["n"] + (one.get("exact") or 0)
            if 0 < having < result["n"]:
                text = f"{having:,} of {result['n']:,} samples have a value"
                same.setdefault(text, []).append(name)
        lines.update(dict.fromkeys(f"{', '.join(names)}: {line}" for line, names in same.items()))
    found = list(lines)
    if len(found) <= LINES:
        return found
    more = len(found) - LINES + 1
    return [*found[: LINES - 1], f"and {more:,} more such lines of other cells"]


def _line(one: Mapping[str, Any], verb: str) -> str:
    """`found in 25 of 150 frames: landscape/000 (none of 75), part/000 (25 of 75)`."""
    named = [f"{sample} ({n or 'none'} of {m})" for sample, n, m in one["first"]]
    more = one["samples"] - len(named)
    others = f", and {more:,} more" if more else ""
    return f"{verb} in {one['frames']:,} of {one['of']:,} frames: {', '.join(named)}{others}"


def table(run: Run) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a table: swept values, n, and every metric with its 95 % interval."""
    paths = [path for path, values in run.axes.items() if len(values) > 1]
    metrics = run.metrics
    units: dict[str, str] = {}
    for result in run.results:
        for name, summary in result["metrics"].items():
            units.setdefault(name, summary["unit"])
    joint = {name for result in run.results for name in metrics if _joint(result, name) is not None}
    header = [*paths, "n"]
    for name in metrics:
        unit = f" [{units[name]}]" if units[name] else ""
        header.append(f"{name}{unit}")
        if name in joint:
            header.append(f"{name} {JOINT}{unit}")
    rows: list[list[str]] = []
    labels = run.labels
    for result in run.results:
        row = [labels.value(path, result["settings"].get(path)) for path in paths]
        row.append(str(result["n"]))
        for name in metrics:
            summary = result["metrics"].get(name)
            row.append(with_interval(summary) if summary else "–")
            if name in joint:
                row.append(number(_joint(result, name)))
        rows.append(row)
    return header, rows


def _joint(result: Mapping[str, Any], metric: str) -> float | None:
    found: float | None = result["metrics"].get(metric, {}).get("joint")
    return found
