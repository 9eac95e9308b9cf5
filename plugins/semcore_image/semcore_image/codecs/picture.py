"""Pictures that are left to the transport to code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge

from semcore import (
    Candidates,
    Generator,
    KnowledgeBase,
    Picture,
    Rng,
    Sample,
    SemanticEncoder,
    Semantics,
    Stream,
)
from semcore_image.pixels import grey, image_of, other_size, resized, size_of

PICTURE = "picture"


@dataclass(frozen=True)
class PictureEncoder(SemanticEncoder):
    """Passes the picture to the transport: `deepjscc` or another learned codec, `separation`,
    `ldpc` with a codec, or `analog`.

    Emits the stream `picture`.
    """

    @property
    def streams(self) -> Mapping[str, type[Stream]]:
        return {PICTURE: Picture}

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        return [
            Semantics(one.id, {PICTURE: Picture(image_of(one, self))}, one.user) for one in samples
        ]


@dataclass(frozen=True)
class PictureGenerator(Generator):
    """Outputs the picture that the transport decoded; a lost one is replaced by mid-grey (128).

    Fields:
        size: (height, width) of the pictures; null: as received, and for a lost one the size in
            the grant
    """

    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = {PICTURE: (Picture,)}

    size: tuple[Annotated[int, Ge(1)], Annotated[int, Ge(1)]] | None = None

    def size_incompatibility(self, size: tuple[int, int]) -> str:
        return other_size(self.size, size)

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        return [Candidates((self._shown(one),)) for one in batch]

    def _shown(self, one: Semantics) -> Sample:
        stream = one.streams.get(PICTURE)
        pixels = (
            stream.pixels
            if isinstance(stream, Picture)
            else grey(self.size or size_of(one) or (32, 32))
        )
        return Sample(one.key, one.user, image=resized(pixels, self.size or pixels.shape[:2]))
