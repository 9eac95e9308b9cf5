"""PNG."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import ClassVar

from PIL import Image

from semcore_image.codecs.base import FileCodec


@dataclass(frozen=True)
class Png(FileCodec):
    """PNG, lossless.

    A truncated or damaged file is lost: one bit error breaks the compressed stream.
    """

    reference: ClassVar[str] = "ISO/IEC 15948"
    cites: ClassVar[tuple[str, ...]] = ("png",)
    lossless: ClassVar[bool] = True
    file_format: ClassVar[str] = "PNG"

    def write(self, picture: Image.Image, file: io.BytesIO) -> None:
        picture.save(file, "PNG", optimize=True)
