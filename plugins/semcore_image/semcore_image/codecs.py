"""Picture codecs of conventional transmission. What they decode came over a channel and may be damaged in any
way.

What a damaged file gives, for every codec: no exception, at most `MAX_RECEIVED_PIXELS` pixels (or exactly the
session's `size`, if it is given: a file whose header says otherwise is damaged), and None if nothing can be
decoded. Memory and time are bounded by that number of pixels and by the number of bytes.
"""

from __future__ import annotations

import abc
import io
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Le
from PIL import Image

from semcore.errors import ComponentError
from semcore.interfaces import Codec
from semcore.limits import MAX_RECEIVED_PIXELS, MAX_SCANS
from semcore.pictures import read_picture
from semcore_image.pixels import grey

Quality = Annotated[int, Ge(0), Le(100)]

START_OF_SCAN = b"\xff\xda"


@dataclass(frozen=True)
class Raw(Codec):
    """Uncompressed RGB, one byte a value, no header.

    The size is known from the session. A bit error stays in its pixel; bytes that are missing are grey (128),
    bytes behind the end are dropped. Without a `size` nothing can be decoded.
    """

    reference: ClassVar[str] = "the conventional transmission of Ribouh & Saleem, LLM-based semantic communication, §IV"
    cites: ClassVar[tuple[str, ...]] = ("ribouh2025large",)
    lossless: ClassVar[bool] = True

    def encode(self, pixels: np.ndarray) -> bytes:
        return pixels.tobytes()

    def decode(self, data: bytes, size: tuple[int, int] | None = None) -> np.ndarray | None:
        if size is None or not data:
            return None
        picture = grey(size)
        values = np.frombuffer(data[: picture.size], np.uint8)
        picture.reshape(-1)[: values.size] = values
        return picture


@dataclass(frozen=True)
class FileCodec(Codec, abc.ABC):
    """A codec whose bytes are a picture file."""

    file_format: ClassVar[str]
    """Pillow's name of the format."""
    max_side: ClassVar[int] = 2**16 - 1
    """Longest side that the format can hold."""

    @abc.abstractmethod
    def write(self, picture: Image.Image, file: io.BytesIO) -> None:
        """Write the file."""

    def encode(self, pixels: np.ndarray) -> bytes:
        if max(pixels.shape[:2]) > self.max_side:
            height, width = pixels.shape[:2]
            raise ComponentError(
                f"{self.file_format} holds pictures of at most {self.max_side} pixels a side, not {height}×{width}: "
                "set the `size` of the source"
            )
        file = io.BytesIO()
        self.write(Image.fromarray(pixels), file)
        return file.getvalue()

    def decode(self, data: bytes, size: tuple[int, int] | None = None) -> np.ndarray | None:
        limit = size[0] * size[1] if size else MAX_RECEIVED_PIXELS
        try:
            pixels = np.array(read_picture(io.BytesIO(data + self.ending), (self.file_format,), limit))
        except Exception:
            # Whatever a decoder trips over in hostile bytes means the same to the receiver: nothing was decoded.
            return None
        height, width, _ = pixels.shape  # of HEIF not always what the header said
        return pixels if ((height, width) == tuple(size) if size else height * width <= limit) else None

    ending: ClassVar[bytes] = b""
    """Bytes that a decoder may be given behind the file, to end what was cut off."""


@dataclass(frozen=True)
class Png(FileCodec):
    """PNG, lossless.

    A file that is not whole and without error is lost: one wrong bit breaks the compressed stream.
    """

    reference: ClassVar[str] = "ISO/IEC 15948"
    cites: ClassVar[tuple[str, ...]] = ("png",)
    lossless: ClassVar[bool] = True
    file_format: ClassVar[str] = "PNG"

    def write(self, picture: Image.Image, file: io.BytesIO) -> None:
        picture.save(file, "PNG", optimize=True)


@dataclass(frozen=True)
class Jpeg(FileCodec):
    """JPEG, baseline.

    The part in front of an error stays; behind it the decoder goes on as well as it can, and what never
    arrived is grey. A file with a damaged header is lost.

    Fields:
        quality: 0..100, Independent JPEG Group scale
        subsampling: chroma resolution
        optimise: compute Huffman tables for each picture instead of the standard ones
    """

    reference: ClassVar[str] = "ITU-T T.81"
    cites: ClassVar[tuple[str, ...]] = ("t81",)
    file_format: ClassVar[str] = "JPEG"
    ending: ClassVar[bytes] = b"\xff\xd9"  # EOI: the decoder fills what is missing instead of refusing the file

    quality: Quality = 75
    subsampling: Literal["4:4:4", "4:2:0"] = "4:2:0"
    optimise: bool = True

    def write(self, picture: Image.Image, file: io.BytesIO) -> None:
        picture.save(file, "JPEG", quality=self.quality, subsampling=self.subsampling, optimize=self.optimise)

    def decode(self, data: bytes, size: tuple[int, int] | None = None) -> np.ndarray | None:
        return super().decode(data, size) if data.count(START_OF_SCAN) <= MAX_SCANS else None


@dataclass(frozen=True)
class WebP(FileCodec):
    """WebP, lossy (VP8 intra) or lossless.

    Wrong bits give a wrong picture where the decoder does not notice; a file that is cut off is lost.

    Fields:
        quality: 0..100; of a lossless file, the effort
        lossless: whether every pixel is kept
    """

    reference: ClassVar[str] = "RFC 9649"
    cites: ClassVar[tuple[str, ...]] = ("rfc9649",)
    file_format: ClassVar[str] = "WEBP"
    max_side: ClassVar[int] = 2**14 - 1

    quality: Quality = 75
    lossless: bool = False

    def write(self, picture: Image.Image, file: io.BytesIO) -> None:
        picture.save(file, "WEBP", quality=self.quality, lossless=self.lossless, method=6)


@dataclass(frozen=True)
class HevcIntra(FileCodec):
    """HEVC intra picture in an HEIF file (x265 through pillow-heif).

    The file has about 400 bytes of boxes and parameter sets around the coded picture, as BPG has about 10.
    Wrong bits give a wrong picture where the decoder does not notice; a file that is cut off or has damaged
    boxes is lost.

    Fields:
        quality: 0..100, x265 through libheif's scale
        chroma: chroma resolution
    """

    reference: ClassVar[str] = "ITU-T H.265 in ISO/IEC 23008-12"
    cites: ClassVar[tuple[str, ...]] = ("h265", "heif")
    file_format: ClassVar[str] = "HEIF"

    quality: Quality = 50
    chroma: Literal["4:4:4", "4:2:0"] = "4:4:4"

    def write(self, picture: Image.Image, file: io.BytesIO) -> None:
        register_heif()
        picture.save(file, "HEIF", quality=self.quality, chroma=self.chroma.replace(":", ""))

    def decode(self, data: bytes, size: tuple[int, int] | None = None) -> np.ndarray | None:
        register_heif()
        return super().decode(data, size)


def register_heif() -> None:
    """Teach Pillow to read and write HEIF."""
    import pillow_heif

    pillow_heif.register_heif_opener()
