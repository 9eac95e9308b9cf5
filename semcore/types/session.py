"""What lasts longer than a batch: knowledge bases, scenarios and plans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from semcore.types.semantics import Stream


@dataclass(frozen=True, eq=False)
class KnowledgeBase:
    """What one end of the link has been told: streams by user, oldest first. Frozen: adding makes a new one.

    Fields:
        entries: user -> streams (reference pictures, ...), oldest first
    """

    entries: Mapping[str, tuple[Stream, ...]] = field(default_factory=dict)

    def of(self, user: str) -> tuple[Stream, ...]:
        """The entries of `user`, oldest first."""
        return self.entries.get(user, ())

    def add(self, user: str, stream: Stream) -> KnowledgeBase:
        """The same knowledge base with one more entry."""
        return KnowledgeBase({**self.entries, user: (*self.of(user), stream)})


@dataclass(frozen=True, eq=False)
class Knowledge:
    """The knowledge bases of both ends.

    Fields:
        tx: the transmitter's: what was acknowledged
        rx: the receiver's: what arrived
    """

    tx: KnowledgeBase = field(default_factory=KnowledgeBase)
    rx: KnowledgeBase = field(default_factory=KnowledgeBase)


@dataclass(frozen=True)
class Scenario:
    """What a planner knows before a segment.

    Fields:
        segment: index of the segment, from 0
        task: what the user wants done, in the user's words
        preferences: what the user cares about, in the user's words
        environment: the state of the world by dotted path, for example `{"channel.snr_db": 3.0}`
    """

    segment: int = 0
    task: str = ""
    preferences: str = ""
    environment: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What a planner decides for a segment.

    Fields:
        overrides: settings by dotted path, for example `{"workflow": "a2v"}`; empty: the pipeline as written
        reasons: why, one sentence each
    """

    overrides: Mapping[str, Any] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
