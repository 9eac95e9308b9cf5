"""What a planner is told before a segment, and what it answers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LIMITS = {
    "channel_uses": "all that the segment costs, updates and the plan's own signalling included",
    "air_time_s": "the longest time that a sample of the segment is on the air, s",
    "tx_power_dbm": "transmit power, dBm",
}
"""What a segment may be limited in."""


@dataclass(frozen=True)
class Term:
    """One thing that the user cares about: a metric, and what of it is good.

    Fields:
        metric: its name in the results
        good: the value that leaves nothing to wish for: worth 1
        bad: the value that is worth 0; between the two it is linear. A metric without a value is worth 0
        weight: how much it counts among the others
    """

    metric: str
    good: float
    bad: float
    weight: float = 1.0

    def worth(self, value: float | None) -> float:
        """0..1"""
        if value is None or not math.isfinite(value):
            return 0.0
        return min(max((value - self.bad) / (self.good - self.bad), 0.0), 1.0)


def utility(terms: Sequence[Term], metrics: Mapping[str, float | None]) -> float | None:
    """What a segment with these metrics is worth to the user: the weighted mean of its terms, 0..1; None without terms."""
    weight = math.fsum(term.weight for term in terms)
    if not weight:
        return None
    return math.fsum(term.weight * term.worth(metrics.get(term.metric)) for term in terms) / weight


@dataclass(frozen=True)
class Scenario:
    """What a planner knows before a segment.

    Fields:
        segment: index of the segment, from 0
        task: what the user wants done, in the user's words
        preferences: what the user cares about, in the user's words
        environment: the state of the world by dotted path, for example `{"channel.snr_db": 3.0}`
        utility: what the user cares about, in numbers
        limits: the most of each of `LIMITS` that the segment may take; what is not named is not limited
        link: the state of the link, by name with unit (`snr_db`, `elevation_deg`, ...)
        forecast: the state of the link in the segments that follow, the next one first
        knowledge: user -> what the knowledge base of the transmitter holds, an entry in a few words
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
        """As plain values, for JSON; without the forecast, of which every segment to come says its own part."""
        words = {name: getattr(self, name) for name in ("segment", "task", "preferences")}
        mappings = {name: dict(getattr(self, name)) for name in ("environment", "limits", "link")}
        held = {user: list(entries) for user, entries in self.knowledge.items()}
        return {**words, **mappings, "utility": [vars(term) for term in self.utility], "knowledge": held}


@dataclass(frozen=True)
class Plan:
    """What a planner decides for a segment.

    Fields:
        overrides: settings by dotted path, for example `{"workflow": "a2v"}`; empty: the pipeline as written
        reasons: why, one sentence each
        report: what deciding cost, by name with unit (`latency_s`, `prompt_tokens`, ...)
    """

    overrides: Mapping[str, Any] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    report: Mapping[str, float] = field(default_factory=dict)
