"""JPEG."""

from __future__ import annotations

import dataclasses
import io
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from PIL import Image

from semcore import ComponentError
from semcore.media import MAX_SCANS
from semcore_image.codecs.base import HeadedCodec

START_OF_SCAN = b"\xff\xda"


@dataclass(frozen=True)
class Jpeg(HeadedCodec):
    """JPEG, baseline.

    The part before an error is kept; after it the decoder resynchronises as well as it can, and
    what is missing is grey. A file with a damaged header is lost. With `header: known` one byte of
    the header is sent, the quality; this needs the standard Huffman tables (`optimise: false`).

    Fields:
        quality: 0..100, Independent JPEG Group scale
        subsampling: chroma resolution
        optimise: compute Huffman tables for each picture instead of the standard ones
    """

    reference: ClassVar[str] = "ITU-T T.81"
    cites: ClassVar[tuple[str, ...]] = ("t81",)
    file_format: ClassVar[str] = "JPEG"
    # EOI: the decoder fills the missing part instead of refusing the file.
    ending: ClassVar[bytes] = b"\xff\xd9"

    test_settings = ({}, {"header": "known", "optimise": False})

    subsampling: Literal["4:4:4", "4:2:0"] = "4:2:0"
    optimise: bool = True

    def check(self) -> None:
        if self.header == "known" and self.optimise:
            raise ComponentError(
                "Jpeg.optimise computes tables per picture, which the receiver does not know: set "
                "optimise: false"
            )

    def body(self, file: bytes) -> bytes:
        return bytes([self.quality]) + file[_after_scan_header(file) : -len(self.ending)]

    def whole(self, body: bytes, size: tuple[int, int]) -> bytes:
        header = dataclasses.replace(self, quality=min(body[0], 100)).of_grey(size)
        return header[: _after_scan_header(header)] + body[1:]

    def write(self, picture: Image.Image, file: io.BytesIO) -> None:
        picture.save(
            file, "JPEG", quality=self.quality, subsampling=self.subsampling, optimize=self.optimise
        )

    def decode(self, data: bytes, size: tuple[int, int] | None = None) -> np.ndarray | None:
        return super().decode(data, size) if data.count(START_OF_SCAN) <= MAX_SCANS else None


def _after_scan_header(file: bytes) -> int:
    """Offset of the entropy-coded data of a baseline JPEG."""
    scan = file.index(START_OF_SCAN)
    return scan + 2 + int.from_bytes(file[scan + 2 : scan + 4], "big")
