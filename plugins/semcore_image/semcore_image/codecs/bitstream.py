"""Conventional source coding: a picture as the bytes of a codec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge

from semcore import (
    Bitstream,
    Candidates,
    Codec,
    ComponentError,
    Generator,
    KnowledgeBase,
    Rng,
    Sample,
    SemanticEncoder,
    Semantics,
    Stream,
)
from semcore_image.codecs.raw import Raw
from semcore_image.pixels import grey, image_of, other_size, size_of

Side = Annotated[int, Ge(1)]


@dataclass(frozen=True)
class BitstreamEncoder(SemanticEncoder):
    """Compresses the picture with a codec: conventional transmission.

    Emits the stream `picture`.

    Fields:
        codec: picture codec
    """

    test_settings = ({"codec": {"use": "jpeg"}},)

    codec: Codec

    @property
    def streams(self) -> Mapping[str, type[Stream]]:
        return {"picture": Bitstream}

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        return [
            Semantics(
                sample.id,
                {"picture": Bitstream(self.codec.encode(image_of(sample, self)))},
                sample.user,
            )
            for sample in samples
        ]


@dataclass(frozen=True)
class BitstreamGenerator(Generator):
    """Decodes the bytes of a codec: the receiver of the conventional transmission.

    A picture that is lost or cannot be decoded is replaced by mid-grey (128). What a damaged file
    gives is up to the codec.

    Fields:
        codec: the encoder's codec
        size: (height, width) of the pictures; null: that of the source, as given by the grant of
            the transmission
    """

    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = {"picture": (Bitstream,)}
    test_settings = ({"codec": {"use": "jpeg"}},)

    codec: Codec
    size: tuple[Side, Side] | None = None

    def check(self) -> None:
        if isinstance(self.codec, Raw) and self.size is None:
            raise ComponentError(
                "the codec `raw` has no header: set `size` to the [height, width] of the pictures"
            )

    def incompatibility(self, encoder: SemanticEncoder) -> str:
        reason = (
            self.codec.incompatibility(encoder.codec)
            if isinstance(encoder, BitstreamEncoder)
            else ""
        )
        return reason and f"codec {reason}"

    def size_incompatibility(self, size: tuple[int, int]) -> str:
        return other_size(self.size, size)

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        return [Candidates((Sample(one.key, one.user, image=self._decode(one)),)) for one in batch]

    def _decode(self, one: Semantics) -> np.ndarray:
        stream, size = one.streams.get("picture"), self.size or size_of(one)
        pixels = self.codec.decode(stream.data, size) if isinstance(stream, Bitstream) else None
        return grey(size or (32, 32)) if pixels is None else pixels
