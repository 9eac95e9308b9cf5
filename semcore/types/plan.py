"""What a planner knows before a segment, and what it decides."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LIMITS = {
    "channel_uses": "channel uses of the segment, updates and the signalling of the plan included",
    "air_time_s": "longest time on the air of a sample of the segment, s",
    "tx_power_dbm": "transmit power, dBm",
}
"""What can be limited in a segment."""


@dataclass(frozen=True)
class Term:
    """One term of the utility: a metric, and which of its values are good.

    Fields:
        metric: its name in the results
        good: the value that is worth 1
        bad: the value that is worth 0, as is a missing one; linear between the two
        weight: its weight among the terms
    """

    metric: str
    good: float
    bad: float
    weight: float = 1.0

    def worth(self, value: float | None) -> float:
        """What a value of the metric is worth, 0..1."""
        if value is None or not math.isfinite(value):
            return 0.0
        return min(max((value - self.bad) / (self.good - self.bad), 0.0), 1.0)


def utility(terms: Sequence[Term], metrics: Mapping[str, float | None]) -> float | None:
    """Utility of a segment with these metrics: the weighted mean of its terms, 0..1, or None."""
    weight = math.fsum(term.weight for term in terms)
    if not weight:
        return None
    return math.fsum(term.weight * term.worth(metrics.get(term.metric)) for term in terms) / weight


@dataclass(frozen=True)
class Scenario:
    """What a planner knows before a segment.

    Fields:
        segment: index of the segment, from 0
        task: what the user wants done, as text
        preferences: what the user cares about, as text
        environment: the state of the world by dotted path, for example `{"channel.snr_db": 3.0}`
        utility: what the user cares about, in numbers
        limits: upper limits by name in `LIMITS`; what is not named is not limited
        link: the state of the link, by name with unit (`snr_db`, `elevation_deg`, ...)
        forecast: the state of the link in the segments that follow, the next one first
        knowledge: user -> a description of each entry of the transmitter's knowledge base
    """

    segment: int = 0
    task: str = ""
    preferences: str = ""
    environment: Mapping[str, Any] = field(default_factory=dict)
    utility: tuple[Term, ...] = ()
    limits: Mapping[str, float] = field(default_factory=dict)
    link: Mapping[str, float] = field(default_factory=dict)
    forecast: tuple[Mapping[str, float], ...] = ()
    knowledge: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """As plain values, for JSON; without the forecast, which later segments contain."""
        values = {name: getattr(self, name) for name in ("segment", "task", "preferences")}
        mappings = {name: dict(getattr(self, name)) for name in ("environment", "limits", "link")}
        held = {user: list(entries) for user, entries in self.knowledge.items()}
        terms = [vars(term) for term in self.utility]
        return {**values, **mappings, "utility": terms, "knowledge": held}


@dataclass(frozen=True)
class Plan:
    """What a planner decides for a segment.

    Fields:
        overrides: settings by dotted path, for example `{"workflow": "a2v"}`
        reasons: why, one sentence each
        report: the cost of deciding, by name with unit (`latency_s`, `prompt_tokens`, ...)
    """

    overrides: Mapping[str, Any] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    report: Mapping[str, float] = field(default_factory=dict)
