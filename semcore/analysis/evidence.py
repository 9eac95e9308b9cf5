"""What the samples of two cells say of each other: which is better, as far as they carry it, and what arrived at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semcore.runs.results import Run, pairs, value_of, verdict
from semcore.statistics.intervals import LEVEL
from semcore.statistics.kinds import Statistic, statistic_of

Cell = Mapping[str, Any]


class Evidence:
    """The samples of a run, each cell read once."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._items: dict[str, list[dict[str, Any]]] = {}
        self._values: dict[tuple[str, str], dict[str, float | None]] = {}

    def items(self, cell: Cell) -> list[dict[str, Any]]:
        """The rows of a cell."""
        if cell["id"] not in self._items:
            self._items[cell["id"]] = self._run.items(dict(cell))
        return self._items[cell["id"]]

    def values(self, cell: Cell, metric: str) -> dict[str, float | None]:
        """Sample -> value."""
        key = cell["id"], metric
        if key not in self._values:
            self._values[key] = {item["sample"]: value_of(item, metric) for item in self.items(cell)}
        return self._values[key]

    def side(self, metric: str, a: Cell, b: Cell, comparisons: int = 1) -> str:
        """Which cell is better: "a", "b", "same" (every sample equal), or "open" (the samples do not carry a difference).

        Over the samples that both have, by the interval of their differences; where they have none in common, by whether
        the intervals of the means lie apart.

        Args:
            comparisons: among how many this is one: together they are wrong in 5 % of cases
        """
        p, q = a["metrics"][metric], b["metrics"][metric]
        ours, theirs = self.values(a, metric), self.values(b, metric)
        both = pairs((ours, theirs))
        if both is None:
            return verdict(p, q)
        if ours == theirs:
            return "same"
        sign = kind(p).apart(*both, 1 - (1 - LEVEL) / max(comparisons, 1))
        return "open" if not sign else "a" if (sign > 0) == (p["better"] == "higher") else "b"

    def silence(self, metric: str, winner: Cell, loser: Cell) -> str:
        """Why it is no merit that one cell has the better value: "lost", "less" or "missing"; "" if it is one.

        Nothing of what it sent arrived; it cost less because less of it arrived; or it has no value where the other one has.
        """
        here, there = (self.items(cell) for cell in (winner, loser))
        if not any(_there(item) for item in here) and any(_there(item) for item in there):
            return "lost"
        if winner["metrics"][metric]["cost"] and _whole(here) < _whole(there):
            return "less"
        ours, theirs = self.values(winner, metric), self.values(loser, metric)
        lacking = [name for name, value in theirs.items() if value is not None and name in ours and ours[name] is None]
        return "missing" if lacking else ""


def kind(summary: Mapping[str, Any]) -> Statistic:
    """What kind of number a summary is of."""
    return statistic_of(summary["statistic"])


def _there(item: Mapping[str, Any]) -> int:
    """How many streams of a sample arrived, damaged or not; one of which none was sent counts as if it had."""
    return len(item.get("arrived", {})) if item.get("sent") else 1


def _whole(items: list[dict[str, Any]]) -> float:
    """The share of the streams of some samples that arrived, and passed their check where there is one."""
    sent = sum(len(item.get("sent", {})) for item in items)
    good = sum(item.get("intact", {}).get(name) is not False for item in items for name in item.get("arrived", {}))
    return good / sent if sent else 1.0
