"""Captions by the shipped mini-caption."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from semcore import KnowledgeBase, Sample, SemanticEncoder, Semantics, Stream, Text, each
from semcore_image.models.digests import check_written, mini_digest, not_here, written
from semcore_image.pixels import image_of, to_tensor
from semcore_image.streams import CAPTION


@dataclass(frozen=True)
class MiniCaptionEncoder(SemanticEncoder):
    """Captions pictures with mini-caption: class, colour and background; no download.

    Emits the stream `caption`. Pictures are resized to 32×32; the shipped weights know the ten
    classes of CIFAR-10. Each picture is captioned separately, so a caption depends on its picture
    only.

    Fields:
        prompt: the optional prompt P of Algorithm 1, for example `what is it?` or `describe it
            briefly`; null: none, for the full caption
        weights: folder written by the recipe `mini-caption`; null: the shipped weights
    """

    reference: ClassVar[str] = (
        "Ribouh & Saleem, LLM-based semantic communication for image transmission, §II-B, "
        "Algorithm 1"
    )
    cites: ClassVar[tuple[str, ...]] = (
        "ribouh2025large",
        "liu2023visual",
        "krizhevsky2009learning",
    )

    prompt: str | None = None
    weights: str | None = None

    def check(self) -> None:
        check_written(self, "weights", self.weights)

    def missing(self) -> str:
        return not_here("weights", self.weights)

    @property
    def streams(self) -> Mapping[str, type[Stream]]:
        return {CAPTION: Text}

    def identity(self) -> str:
        """The digest of the weights."""
        own = written(self.weights) if self.weights else mini_digest("mini-caption")
        return f"{own} {mini_digest('mini-clip')}"

    @cached_property
    def _net(self) -> Any:
        from semcore_image.models.weights import load_mini

        return load_mini("mini-caption", self.weights or None)

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        return [
            Semantics(sample.id, {CAPTION: Text(self._describe(sample))}, sample.user)
            for sample in each(samples)
        ]

    def _describe(self, sample: Sample) -> str:
        pictures = to_tensor([image_of(sample, self)], (32, 32))
        return self._net.caption(pictures, prompt=self.prompt)[0]
