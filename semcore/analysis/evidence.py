"""Which of two cells is better, as far as their samples show, and whether it delivered at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semcore.analysis.aggregate import summary_of
from semcore.analysis.rows import Row
from semcore.analysis.values import pairs, value_of
from semcore.statistics.intervals import LEVEL


class Evidence:
    """The samples of the cells of a run; each cell is read once."""

    def __init__(self) -> None:
        self._items: dict[str, list[dict[str, Any]]] = {}
        self._values: dict[tuple[str, str], dict[str, float | None]] = {}

    def items(self, row: Row) -> list[dict[str, Any]]:
        """The samples of a cell."""
        name = row.result["id"]
        if name not in self._items:
            self._items[name] = row.items()
        return self._items[name]

    def values(self, row: Row, metric: str) -> dict[str, float | None]:
        """Sample -> value."""
        key = row.result["id"], metric
        if key not in self._values:
            self._values[key] = {item["sample"]: value_of(item, metric) for item in self.items(row)}
        return self._values[key]

    def side(self, metric: str, a: Row, b: Row, comparisons: int = 1) -> str:
        """Which cell is better.

        Decided by the interval of the differences over the samples that both have; if they have
        none in common, by whether the intervals of the means are disjoint.

        Args:
            metric: measured in both
            a: one cell
            b: the other cell
            comparisons: number of comparisons made together; together they err in 5 % of cases

        Returns:
            "a", "b", "same" (equal in every sample) or "open" (no significant difference)
        """
        p, q = summary_of(a.result, metric), summary_of(b.result, metric)
        ours, theirs = self.values(a, metric), self.values(b, metric)
        both = pairs((ours, theirs))
        if both is None:
            return verdict(vars(p), vars(q))
        if ours == theirs:
            return "same"
        sign = p.kind.apart(*both, 1 - (1 - LEVEL) / max(comparisons, 1))
        if not sign:
            return "open"
        return "a" if (sign > 0) == (p.better == "higher") else "b"

    def objection(self, metric: str, winner: Row, loser: Row) -> str:
        """Why the better value of a cell is not to its credit; "" if it is.

        Returns:
            "lost": nothing of what it sent arrived; "less": it cost less because less of it
            arrived; "missing": it lacks values for samples for which the other cell has them
        """
        ours, theirs = self.items(winner), self.items(loser)
        if not any(map(_arrived, ours)) and any(map(_arrived, theirs)):
            return "lost"
        if summary_of(winner.result, metric).cost and _intact(ours) < _intact(theirs):
            return "less"
        here, there = self.values(winner, metric), self.values(loser, metric)
        for sample, value in there.items():
            if value is not None and sample in here and here[sample] is None:
                return "missing"
        return ""


def verdict(p: Mapping[str, Any], q: Mapping[str, Any]) -> str:
    """Which of two summaries is better.

    Returns:
        "a", "b", "same" (equal means), or "open": intervals that overlap or are unknown, or
        different numbers of exact samples, which the means leave out
    """
    if p.get("exact", 0) != q.get("exact", 0):
        return "open"
    if p["mean"] == q["mean"]:
        return "same"
    if p["low"] is None or q["low"] is None or not (p["low"] > q["high"] or q["low"] > p["high"]):
        return "open"
    return "a" if (p["mean"] > q["mean"]) == (p["better"] == "higher") else "b"


def _arrived(item: dict[str, Any]) -> bool:
    """Whether a stream of a sample arrived, damaged or not, or none was sent."""
    return bool(item.get("arrived")) if item.get("sent") else True


def _intact(items: list[dict[str, Any]]) -> float:
    """The share of the streams sent that arrived and passed their check, if they have one."""
    sent = sum(len(item.get("sent", {})) for item in items)
    good = sum(
        item.get("intact", {}).get(name) is not False
        for item in items
        for name in item.get("arrived", {})
    )
    return good / sent if sent else 1.0
