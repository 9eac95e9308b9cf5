"""The first candidate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from semcore import Candidates, KnowledgeBase, Sample, Selector, Semantics


@dataclass(frozen=True)
class First(Selector):
    """Keeps the first candidate."""

    order_matters: ClassVar[bool] = True

    def select(
        self, candidates: Sequence[Candidates], batch: Sequence[Semantics], kb: KnowledgeBase
    ) -> list[Sample]:
        return [one.samples[0] for one in candidates]
