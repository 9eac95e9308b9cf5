"""WebP."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import ClassVar

from PIL import Image

from semcore import ComponentError
from semcore_image.codecs.base import HeadedCodec


@dataclass(frozen=True)
class WebP(HeadedCodec):
    """WebP, lossy (VP8 intra) or lossless.

    Bit errors that the decoder does not notice give a wrong picture; a truncated file is lost. With
    `header: known` three bytes of the header are sent, the frame tag; it needs lossy files.

    Fields:
        quality: 0..100; in lossless mode, the compression effort
        lossless: whether compression is lossless
    """

    reference: ClassVar[str] = "RFC 9649"
    cites: ClassVar[tuple[str, ...]] = ("rfc9649",)
    file_format: ClassVar[str] = "WEBP"
    max_side: ClassVar[int] = 2**14 - 1

    test_settings = ({}, {"header": "known"})

    lossless: bool = False

    def check(self) -> None:
        if self.header == "known" and self.lossless:
            raise ComponentError(
                "WebP.header: known is only possible for lossy files: set lossless: false"
            )

    def body(self, file: bytes) -> bytes:
        size = int.from_bytes(file[16:20], "little")
        return file[20:23] + file[30 : 20 + size]

    def whole(self, body: bytes, size: tuple[int, int]) -> bytes:
        header = self.of_grey(size)
        chunk = body[:3] + header[23:30] + body[3:]
        padded = chunk + b"\0" * (len(chunk) % 2)
        length = len(padded) + 12
        return (
            b"RIFF"
            + length.to_bytes(4, "little")
            + b"WEBPVP8 "
            + len(chunk).to_bytes(4, "little")
            + padded
        )

    def write(self, picture: Image.Image, file: io.BytesIO) -> None:
        picture.save(file, "WEBP", quality=self.quality, lossless=self.lossless, method=6)
