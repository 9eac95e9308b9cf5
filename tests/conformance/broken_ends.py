"""Encoders, generators and selectors, each of which breaks a law."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from semcore import (
    Bitstream,
    Candidates,
    Component,
    KnowledgeBase,
    Picture,
    Rng,
    Sample,
    Semantics,
    Stream,
    Text,
)

from .good import Brightest, Captioner, Painter

_seen: dict[str, Any] = {}


@dataclass(frozen=True)
class OneShort(Painter):
    """Paints one candidate less.

    Fields:
        candidates: how many
    """

    def paint(self, one: Semantics, rng: np.random.Generator) -> Candidates:
        return Candidates(super().paint(one, rng).samples[1:])


@dataclass(frozen=True)
class NeedsACaption(Painter):
    """Fails without a caption.

    Fields:
        candidates: how many
    """

    def paint(self, one: Semantics, rng: np.random.Generator) -> Candidates:
        return super().paint(replace(one, streams={"caption": one.streams["caption"]}), rng)


@dataclass(frozen=True)
class PaintsByPlace(Painter):
    """Colours depend on the place in the batch.

    Fields:
        candidates: how many
    """

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        return [self.paint(one, rng.at(place).numpy()) for place, one in enumerate(batch)]


@dataclass(frozen=True)
class LooksUpTheSource(Painter):
    """Keeps what it has seen under its key, array and all.

    Fields:
        candidates: how many
    """

    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = {"picture": (Picture,)}

    def paint(self, one: Semantics, rng: np.random.Generator) -> Candidates:
        kept = _seen.setdefault(one.key, one.streams.get("picture"))
        pixels = kept.pixels if isinstance(kept, Picture) else np.zeros((8, 8, 3), np.uint8)
        return Candidates((Sample(one.key, one.user, image=pixels),) * self.candidates)


@dataclass(frozen=True)
class Renames(Painter):
    """Forgets who sent it.

    Fields:
        candidates: how many
    """

    def paint(self, one: Semantics, rng: np.random.Generator) -> Candidates:
        return super().paint(replace(one, user="somebody"), rng)


@dataclass(frozen=True)
class ReadsTheKey(Painter):
    """Paints by the class in the key.

    Fields:
        candidates: how many
    """

    def paint(self, one: Semantics, rng: np.random.Generator) -> Candidates:
        level = 50 * sum(place for place, name in enumerate(("bird", "ship"), 1) if name in one.key)
        return Candidates(
            (Sample(one.key, one.user, image=np.full((8, 8, 3), level, np.uint8)),)
            * self.candidates
        )


@dataclass(frozen=True)
class ReadsTheFileName(Painter):
    """Paints by the number of the file.

    Fields:
        candidates: how many
    """

    def paint(self, one: Semantics, rng: np.random.Generator) -> Candidates:
        level = 100 if one.key.endswith(".png") else 0
        return Candidates(
            (Sample(one.key, one.user, image=np.full((8, 8, 3), level, np.uint8)),)
            * self.candidates
        )


@dataclass(frozen=True)
class RemembersTheKey(Painter):
    """Draws again what it once drew for a key.

    Fields:
        candidates: how many
    """

    def paint(self, one: Semantics, rng: np.random.Generator) -> Candidates:
        length = _lengths.setdefault(one.key, len(one.text("caption") or ""))
        return Candidates(
            (Sample(one.key, one.user, image=np.full((8, 8, 3), length % 250, np.uint8)),)
            * self.candidates
        )


_lengths: dict[str, int] = {}


@dataclass(frozen=True)
class KnowsTheUser(Brightest):
    """Takes the first candidate of some users."""

    def select(
        self, candidates: Sequence[Candidates], batch: Sequence[Semantics], kb: KnowledgeBase
    ) -> list[Sample]:
        bright = super().select(candidates, batch, kb)
        return [
            some.samples[0] if "dog" in one.user else best
            for some, one, best in zip(candidates, batch, bright, strict=True)
        ]


@dataclass(frozen=True)
class EmitsMore(Captioner):
    """Sends a stream that it does not declare."""

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        return [
            replace(one, streams={**one.streams, "more": Bitstream(b"1")})
            for one in super().encode(samples, kb)
        ]


@dataclass(frozen=True)
class CountsTheBatch(Captioner):
    """Says how many there are."""

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        text = Text(f"one of {len(samples)}")
        return [replace(one, streams={"caption": text}) for one in super().encode(samples, kb)]


@dataclass(frozen=True)
class Overwrites(Captioner):
    """Works on the picture that it is given."""

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        for sample in samples:
            sample.image[0] = 0  # type: ignore[index]
        return super().encode(samples, kb)


@dataclass(frozen=True)
class Invents(Brightest):
    """Averages the candidates."""

    def select(
        self, candidates: Sequence[Candidates], batch: Sequence[Semantics], kb: KnowledgeBase
    ) -> list[Sample]:
        means = [
            np.mean([one.image for one in some.samples], axis=0).astype(np.uint8)
            for some in candidates
        ]  # type: ignore[misc]
        return [
            Sample(one.key, one.user, image=mean) for one, mean in zip(batch, means, strict=True)
        ]


@dataclass(frozen=True)
class TakesTheSecond(Brightest):
    """Chooses by place, and does not say so."""

    def select(
        self, candidates: Sequence[Candidates], batch: Sequence[Semantics], kb: KnowledgeBase
    ) -> list[Sample]:
        return [some.samples[1] for some in candidates]


@dataclass(frozen=True)
class StumblesOverNul(Brightest):
    """Takes captions for words."""

    def select(
        self, candidates: Sequence[Candidates], batch: Sequence[Semantics], kb: KnowledgeBase
    ) -> list[Sample]:
        if any("\0" in (one.text("caption") or "") for one in batch):
            raise ValueError("embedded null character")
        return super().select(candidates, batch, kb)


BROKEN_ENDS: list[tuple[Component, str]] = [
    (OneShort(), "gives-as-many-as-asked-for"),
    (NeedsACaption(), "works-with-any-stream-lost"),
    (PaintsByPlace(), "generates-a-sample-the-same-in-any-batch"),
    (LooksUpTheSource(), "is-unchanged-if-the-source-is-destroyed"),
    (Renames(), "gives-candidates-for-each-sample"),
    (ReadsTheKey(), "draws-the-same-under-any-name"),
    (ReadsTheFileName(), "draws-the-same-under-any-name"),
    (RemembersTheKey(), "draws-the-same-under-any-name"),
    (KnowsTheUser(), "chooses-the-same-under-any-name"),
    (EmitsMore(), "emits-what-it-declares"),
    (CountsTheBatch(), "encodes-a-sample-the-same-in-any-batch"),
    (Overwrites(), "leaves-its-input-alone"),
    (Invents(), "chooses-one-of-the-candidates"),
    (TakesTheSecond(), "chooses-by-content-and-not-by-place"),
    (StumblesOverNul(), "chooses-one-of-the-candidates"),
]
"""Each with the law that it breaks."""
