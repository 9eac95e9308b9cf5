"""Picture codecs of conventional transmission. What they decode came over a channel and may be damaged in any
way.

What a damaged file gives, for every codec: no exception, at most `MAX_RECEIVED_PIXELS` pixels (or exactly the
session's `size`, if it is given: a file whose header says otherwise is damaged), and None if nothing can be
decoded. Memory and time are bounded by that number of pixels and by the number of bytes.
"""

from __future__ import annotations

import abc
import dataclasses
import io
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Le
from PIL import Image

from semcore.errors import ComponentError, shown
from semcore.interfaces import Codec
from semcore.limits import MAX_RECEIVED_PIXELS, MAX_SCANS
from semcore.media.pictures import read_picture
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
class HeadedCodec(FileCodec, abc.ABC):
    """A codec whose file begins with what follows from its settings and the size of the picture.

    Both ends may agree on that beforehand, as publications do that do not count a header: with `header: known` the bytes are
    those behind it alone, and can be decoded only with the session's `size`.

    Fields:
        quality: 0..100, the higher the better
        header: whether the header of the file is sent, and so counted, or known to the receiver
    """

    quality: Quality = 75
    header: Literal["counted", "known"] = "counted"

    @abc.abstractmethod
    def body(self, file: bytes) -> bytes:
        """What a receiver cannot know of a file."""

    @abc.abstractmethod
    def whole(self, body: bytes, size: tuple[int, int]) -> bytes:
        """The file again; `body` came over a channel."""

    def incompatibility(self, sender: Codec) -> str:
        """Of a header that both ends know both must know the same; the quality does not stand in it."""
        if type(self) is not type(sender):
            return super().incompatibility(sender)
        known = [field.name for field in dataclasses.fields(self) if field.name not in ("quality", "header")]
        for name in ["header", *(known if self.header == "known" else [])]:
            mine, theirs = getattr(self, name), getattr(sender, name)
            if mine != theirs:
                return f"has {name} {shown(mine)}, and the encoder's has {shown(theirs)}"
        return ""

    def encode(self, pixels: np.ndarray) -> bytes:
        file = super().encode(pixels)
        return self.body(file) if self.header == "known" else file

    def decode(self, data: bytes, size: tuple[int, int] | None = None) -> np.ndarray | None:
        if self.header == "counted":
            return super().decode(data, size)
        return None if size is None or not data else super().decode(self.whole(data, size), size)

    def of_grey(self, size: tuple[int, int]) -> bytes:
        """The file of a grey picture, for its header."""
        file = io.BytesIO()
        self.write(Image.fromarray(grey(size)), file)
        return file.getvalue()


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
class Jpeg(HeadedCodec):
    """JPEG, baseline.

    The part in front of an error stays; behind it the decoder goes on as well as it can, and what never
    arrived is grey. A file with a damaged header is lost. A known header leaves one byte of it, the quality, and needs the
    standard Huffman tables (`optimise: false`).

    Fields:
        quality: 0..100, Independent JPEG Group scale
        subsampling: chroma resolution
        optimise: compute Huffman tables for each picture instead of the standard ones
    """

    reference: ClassVar[str] = "ITU-T T.81"
    cites: ClassVar[tuple[str, ...]] = ("t81",)
    file_format: ClassVar[str] = "JPEG"
    ending: ClassVar[bytes] = b"\xff\xd9"  # EOI: the decoder fills what is missing instead of refusing the file

    test_settings = ({}, {"header": "known", "optimise": False})

    subsampling: Literal["4:4:4", "4:2:0"] = "4:2:0"
    optimise: bool = True

    def check(self) -> None:
        if self.header == "known" and self.optimise:
            raise ComponentError("Jpeg.optimise makes tables for each picture, which no receiver knows: set optimise: false")

    def body(self, file: bytes) -> bytes:
        return bytes([self.quality]) + file[_behind_scan_header(file) : -len(self.ending)]

    def whole(self, body: bytes, size: tuple[int, int]) -> bytes:
        header = dataclasses.replace(self, quality=min(body[0], 100)).of_grey(size)
        return header[: _behind_scan_header(header)] + body[1:]

    def write(self, picture: Image.Image, file: io.BytesIO) -> None:
        picture.save(file, "JPEG", quality=self.quality, subsampling=self.subsampling, optimize=self.optimise)

    def decode(self, data: bytes, size: tuple[int, int] | None = None) -> np.ndarray | None:
        return super().decode(data, size) if data.count(START_OF_SCAN) <= MAX_SCANS else None


def _behind_scan_header(file: bytes) -> int:
    """Where the coded picture of a baseline JPEG begins."""
    scan = file.index(START_OF_SCAN)
    return scan + 2 + int.from_bytes(file[scan + 2 : scan + 4], "big")


@dataclass(frozen=True)
class WebP(HeadedCodec):
    """WebP, lossy (VP8 intra) or lossless.

    Wrong bits give a wrong picture where the decoder does not notice; a file that is cut off is lost. A known header
    leaves the three bytes of the frame tag, and is for lossy files alone.

    Fields:
        quality: 0..100; of a lossless file, the effort
        lossless: whether every pixel is kept
    """

    reference: ClassVar[str] = "RFC 9649"
    cites: ClassVar[tuple[str, ...]] = ("rfc9649",)
    file_format: ClassVar[str] = "WEBP"
    max_side: ClassVar[int] = 2**14 - 1

    test_settings = ({}, {"header": "known"})

    lossless: bool = False

    def check(self) -> None:
        if self.header == "known" and self.lossless:
            raise ComponentError("WebP.header can be known of lossy files alone: set lossless: false")

    def body(self, file: bytes) -> bytes:
        size = int.from_bytes(file[16:20], "little")
        return file[20:23] + file[30 : 20 + size]

    def whole(self, body: bytes, size: tuple[int, int]) -> bytes:
        header = self.of_grey(size)
        chunk = body[:3] + header[23:30] + body[3:]
        padded = chunk + b"\0" * (len(chunk) % 2)
        length = len(padded) + 12
        return b"RIFF" + length.to_bytes(4, "little") + b"WEBPVP8 " + len(chunk).to_bytes(4, "little") + padded

    def write(self, picture: Image.Image, file: io.BytesIO) -> None:
        picture.save(file, "WEBP", quality=self.quality, lossless=self.lossless, method=6)


@dataclass(frozen=True)
class HevcIntra(HeadedCodec):
    """HEVC intra picture in an HEIF file (x265 through pillow-heif).

    The file has about 400 bytes of boxes and parameter sets around the coded picture, as BPG has about 10.
    Wrong bits give a wrong picture where the decoder does not notice; a file that is cut off or has damaged
    boxes is lost. A known header leaves the coded slices alone. Encoded for fidelity: x265 tuned for the eye would code the
    chroma of 4:4:4 six quantiser steps coarser, which saves few bytes and costs PSNR.

    Fields:
        quality: 0..100, x265 through libheif's scale, of which two steps are one of the quantiser
        chroma: chroma resolution
    """

    reference: ClassVar[str] = "ITU-T H.265 in ISO/IEC 23008-12"
    cites: ClassVar[tuple[str, ...]] = ("h265", "heif")
    file_format: ClassVar[str] = "HEIF"

    test_settings = ({}, {"header": "known"})

    quality: Quality = 50
    chroma: Literal["4:4:4", "4:2:0"] = "4:4:4"

    def body(self, file: bytes) -> bytes:
        return file[_slices(file) :]

    def whole(self, body: bytes, size: tuple[int, int]) -> bytes:
        header = self.of_grey(size)
        start, coded = _slices(header), len(body) + _LENGTH
        location = header.index(b"iloc") - 4
        end = location + int.from_bytes(header[location : location + 4], "big")  # its last field: bytes of the coded picture
        return b"".join(
            (
                header[: end - 4], coded.to_bytes(4, "big"), header[end : start - _LENGTH - 8],
                (coded + 8).to_bytes(4, "big"), b"mdat", len(body).to_bytes(4, "big"), body,
            )
        )  # fmt: skip

    def write(self, picture: Image.Image, file: io.BytesIO) -> None:
        register_heif()
        picture.save(file, "HEIF", quality=self.quality, chroma=self.chroma.replace(":", ""), enc_params={"x265:psy-rd": "0"})

    def decode(self, data: bytes, size: tuple[int, int] | None = None) -> np.ndarray | None:
        register_heif()
        return super().decode(data, size)


_LENGTH = 4
"""Bytes of the length in front of the coded slices."""


def _slices(file: bytes) -> int:
    """Where the coded slices begin in a file of one picture: behind the boxes and the length."""
    return file.index(b"mdat") + 4 + _LENGTH


def register_heif() -> None:
    """Teach Pillow to read and write HEIF."""
    import pillow_heif

    pillow_heif.register_heif_opener()
