"""Semantic similarity by CLIP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from semcore import Metric, Record, Score, Statistic
from semcore_image.models.clip import ComparesByClip
from semcore_image.streams import CAPTION


@dataclass(frozen=True)
class ClipScore(ComparesByClip, Metric):
    """CLIP score, 100 · max(cosine, 0), of the resulting picture and a caption of the source.

    0 to 100. None if the caption or the resulting picture is missing.

    Fields:
        against: `sent`: the caption that the encoder sent in the stream `caption`; `source`: the
            text of the source sample, available for every transmission
    """

    reference: ClassVar[str] = "Hessel et al., CLIPScore, EMNLP 2021, without the factor 2.5"
    cites: ClassVar[tuple[str, ...]] = ("hessel2021clipscore", "radford2021learning")
    statistic: ClassVar[Statistic] = Score(0.0, 100.0)

    against: Literal["sent", "source"] = "sent"

    @property
    def signature(self) -> str:
        return (
            f"clip-score(model={self.clip.name},weights={self.clip.digest},against={self.against})"
        )

    def measure(self, records: Sequence[Record]) -> list[float | None]:
        return [self._score(record) for record in records]

    def _score(self, record: Record) -> float | None:
        caption = record.sent.text(CAPTION) if self.against == "sent" else record.source.text
        if not caption or record.result.image is None:
            return None
        return 100 * max(
            0.0, cosine(self.clip.images([record.result.image]), self.clip.texts([caption]))
        )


@dataclass(frozen=True)
class ClipImage(ComparesByClip, Metric):
    """Semantic similarity: the CLIP cosine of the source picture and the result.

    -1 to 1. None if either has no picture.
    """

    reference: ClassVar[str] = (
        "Radford et al., Learning Transferable Visual Models From Natural Language Supervision, "
        "2021"
    )
    cites: ClassVar[tuple[str, ...]] = ("radford2021learning",)
    statistic: ClassVar[Statistic] = Score(-1.0, 1.0)

    @property
    def signature(self) -> str:
        return f"clip-image(model={self.clip.name},weights={self.clip.digest})"

    def measure(self, records: Sequence[Record]) -> list[float | None]:
        return [self._similarity(record) for record in records]

    def _similarity(self, record: Record) -> float | None:
        if record.source.image is None or record.result.image is None:
            return None
        return cosine(
            self.clip.images([record.source.image]), self.clip.images([record.result.image])
        )


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    """Cosine of two rows (1, d) of unit length, in -1..1."""
    return float(np.clip(one[0] @ other[0], -1, 1))
