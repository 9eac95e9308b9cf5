"""The knowledge bases of both ends, which outlast a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from semcore.types.semantics import Stream


@dataclass(frozen=True, eq=False)
class KnowledgeBase:
    """What one end of the link knows. It is frozen: `add` returns a new one.

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
