"""Which of the candidates the receiver keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from semcore.interfaces import Selector
from semcore.types import Candidates, KnowledgeBase, Sample, Semantics


@dataclass(frozen=True)
class First(Selector):
    """Keeps the first candidate."""

    def select(
        self, candidates: Sequence[Candidates], batch: Sequence[Semantics], kb: KnowledgeBase
    ) -> list[Sample]:
        return [one.samples[0] for one in candidates]
