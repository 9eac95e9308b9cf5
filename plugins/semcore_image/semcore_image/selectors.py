"""Which of the candidates the receiver keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from semcore.interfaces import Selector
from semcore.types import Candidates, KnowledgeBase, Sample, Semantics
from semcore_image.clip import UsesClip
from semcore_image.received import CAPTION, caption_of


@dataclass(frozen=True)
class First(Selector):
    """Keeps the first candidate."""

    order_matters: ClassVar[bool] = True

    def select(self, candidates: Sequence[Candidates], batch: Sequence[Semantics], kb: KnowledgeBase) -> list[Sample]:
        return [one.samples[0] for one in candidates]


@dataclass(frozen=True)
class ClipScoreSelector(UsesClip, Selector):
    """Keeps the candidate whose picture lies nearest to the received caption in CLIP's space.

    Nearest is the largest cosine; of equal ones the first. Where no caption arrived, or no candidate has a
    picture, the first candidate is kept.

    Errors: RunError if the model is not on this machine and may not be downloaded.

    Fields:
        model: `mini`, the shipped mini-clip for which the settings below mean nothing; or an open_clip name
            such as ViT-B-32; or a folder with open_clip_config.json and safetensors
        revision: branch, tag or commit on the hub; null: main
        cache_dir: folder of downloaded models; null: the hub's default
        local_files_only: whether to refuse to download
        device: torch device, for example cpu or cuda:0
        dtype: of weights and activations
        pretrained: open_clip's tag of the weights of a named model
    """

    reference: ClassVar[str] = "Radford et al., Learning Transferable Visual Models From Natural Language Supervision, 2021"

    def select(self, candidates: Sequence[Candidates], batch: Sequence[Semantics], kb: KnowledgeBase) -> list[Sample]:
        return [self._nearest(one.samples, got) for one, got in zip(candidates, batch, strict=True)]

    def _nearest(self, samples: Sequence[Sample], got: Semantics) -> Sample:
        drawn = [sample for sample in samples if sample.image is not None]
        if got.text(CAPTION) is None or not drawn:
            return samples[0]
        if len(drawn) == 1:
            return drawn[0]
        pictures = self.clip.images([sample.image for sample in drawn if sample.image is not None])
        return drawn[int(np.argmax(pictures @ self.clip.texts([caption_of(got)])[0]))]
