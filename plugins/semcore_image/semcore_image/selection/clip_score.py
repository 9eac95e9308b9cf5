"""Selection by CLIP similarity to the received caption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from semcore import Candidates, KnowledgeBase, Sample, Selector, Semantics
from semcore_image.models.clip import ComparesByClip
from semcore_image.streams import CAPTION, caption_of


@dataclass(frozen=True)
class ClipScoreSelector(ComparesByClip, Selector):
    """Keeps the candidate with the largest CLIP cosine to the received caption.

    Of equal cosines the first is kept; so is the first candidate where no caption arrived or no
    candidate has a picture.

    Errors: RunError if the model is not on this machine and may not be downloaded.
    """

    reference: ClassVar[str] = (
        "Radford et al., Learning Transferable Visual Models From Natural Language Supervision, "
        "2021"
    )
    cites: ClassVar[tuple[str, ...]] = ("radford2021learning",)

    def select(
        self, candidates: Sequence[Candidates], batch: Sequence[Semantics], kb: KnowledgeBase
    ) -> list[Sample]:
        return [self._nearest(one.samples, got) for one, got in zip(candidates, batch, strict=True)]

    def _nearest(self, samples: Sequence[Sample], got: Semantics) -> Sample:
        drawn = [sample for sample in samples if sample.image is not None]
        if got.text(CAPTION) is None or not drawn:
            return samples[0]
        if len(drawn) == 1:
            return drawn[0]
        pictures = self.clip.images([sample.image for sample in drawn if sample.image is not None])
        return drawn[int(np.argmax(pictures @ self.clip.texts([caption_of(got)])[0]))]
