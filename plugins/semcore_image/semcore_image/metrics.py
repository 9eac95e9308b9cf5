"""How much of the meaning of a picture arrived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np

from semcore.interfaces import Metric, Record
from semcore_image.clip import UsesClip
from semcore_image.digests import mini_digest
from semcore_image.pixels import to_tensor
from semcore_image.received import CAPTION


@dataclass(frozen=True)
class ClipScore(UsesClip, Metric):
    """CLIP score, 100 · max(cosine, 0), of the resulting picture and a caption of the source.

    0 to 100. None where there is no such caption or no resulting picture.

    Fields:
        against: the caption: `sent`, as the encoder put it into the stream `caption`; `source`, the text that
            came with the picture, which every transmission can be compared with
    """

    reference: ClassVar[str] = "Hessel et al., CLIPScore, EMNLP 2021, without the factor 2.5"
    cites: ClassVar[tuple[str, ...]] = ("hessel2021clipscore", "radford2021learning")

    against: Literal["sent", "source"] = "sent"

    @property
    def signature(self) -> str:
        return f"clip-score(model={self.clip.name},weights={self.clip.digest},against={self.against})"

    def measure(self, records: Sequence[Record]) -> list[float | None]:
        return [self._score(record) for record in records]

    def _score(self, record: Record) -> float | None:
        caption = record.sent.text(CAPTION) if self.against == "sent" else record.source.text
        if not caption or record.result.image is None:
            return None
        return 100 * max(0.0, cosine(self.clip.images([record.result.image]), self.clip.texts([caption])))


@dataclass(frozen=True)
class ClipImage(UsesClip, Metric):
    """Semantic similarity: the cosine of the source picture and the resulting one in CLIP's space.

    -1 to 1. None where either has no picture.
    """

    reference: ClassVar[str] = "Radford et al., Learning Transferable Visual Models From Natural Language Supervision, 2021"
    cites: ClassVar[tuple[str, ...]] = ("radford2021learning",)

    @property
    def signature(self) -> str:
        return f"clip-image(model={self.clip.name},weights={self.clip.digest})"

    def measure(self, records: Sequence[Record]) -> list[float | None]:
        return [self._similarity(record) for record in records]

    def _similarity(self, record: Record) -> float | None:
        if record.source.image is None or record.result.image is None:
            return None
        return cosine(self.clip.images([record.source.image]), self.clip.images([record.result.image]))


@dataclass(frozen=True)
class ClassAccuracy(Metric):
    """Share of resulting pictures in which the shipped classifier sees the source's class.

    A picture counts 100 or 0. The source's class is its label; where it has none of CIFAR-10's ten, it is
    what the classifier sees in the source. None where the result has no picture, or the source neither label
    nor picture.
    """

    cites: ClassVar[tuple[str, ...]] = ("he2016deep", "krizhevsky2009learning")

    unit: ClassVar[str] = "%"

    @property
    def signature(self) -> str:
        return f"class-accuracy(model=mini-classifier,weights={mini_digest('mini-classifier')})"

    def measure(self, records: Sequence[Record]) -> list[float | None]:
        return [self._right(record) for record in records]

    @cached_property
    def _net(self) -> Any:
        from semcore_image.mini.weights import load_mini

        return load_mini("mini-classifier")

    def _class(self, pixels: np.ndarray) -> str:
        return self._net.classes[int(self._net.classify(to_tensor([pixels], (32, 32))).argmax())]

    def _right(self, record: Record) -> float | None:
        source, result = record.source, record.result
        wanted = source.label if source.label in self._net.classes else None
        if wanted is None and source.image is not None:
            wanted = self._class(source.image)
        if wanted is None or result.image is None:
            return None
        return 100.0 * (self._class(result.image) == wanted)


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    """Of two rows (1, d) of unit length, in -1..1."""
    return float(np.clip(one[0] @ other[0], -1, 1))
