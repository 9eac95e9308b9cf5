"""Base classes of picture codecs. The bytes to decode come from a channel and may have any errors.

Decoding a damaged file raises no exception. The result has at most `MAX_RECEIVED_PIXELS` pixels, or
exactly `size` if that is given (a file with another size in its header counts as damaged); it is
None if nothing can be decoded. Memory and time are bounded by the number of pixels and of bytes.
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

from semcore import Codec, ComponentError, shown
from semcore.media import MAX_RECEIVED_PIXELS, read_picture
from semcore_image.pixels import grey

Quality = Annotated[int, Ge(0), Le(100)]


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
                f"{self.file_format} allows at most {self.max_side} pixels per side, not "
                f"{height}×{width}: set the `size` of the source"
            )
        file = io.BytesIO()
        self.write(Image.fromarray(pixels), file)
        return file.getvalue()

    def decode(self, data: bytes, size: tuple[int, int] | None = None) -> np.ndarray | None:
        limit = size[0] * size[1] if size else MAX_RECEIVED_PIXELS
        try:
            pixels = np.array(
                read_picture(io.BytesIO(data + self.ending), (self.file_format,), limit)
            )
        except Exception:
            # A decoder may raise any exception on damaged bytes; the picture then counts as lost.
            return None
        height, width, _ = pixels.shape  # in HEIF they may differ from the header
        fits = (height, width) == tuple(size) if size else height * width <= limit
        return pixels if fits else None

    ending: ClassVar[bytes] = b""
    """Bytes appended before decoding, to terminate a truncated file."""


@dataclass(frozen=True)
class HeadedCodec(FileCodec, abc.ABC):
    """A codec whose file header follows from its settings and the size of the picture.

    Publications often do not count the header. With `header: known` only the bytes after it are
    sent, and they can be decoded only with the `size` of the session.

    Fields:
        quality: 0..100, higher is better
        header: `counted`: the header of the file is sent; `known`: the receiver has it already
    """

    quality: Quality = 75
    header: Literal["counted", "known"] = "counted"

    @abc.abstractmethod
    def body(self, file: bytes) -> bytes:
        """The part of a file that the receiver cannot know."""

    @abc.abstractmethod
    def whole(self, body: bytes, size: tuple[int, int]) -> bytes:
        """The file restored from a received `body`."""

    def incompatibility(self, sender: Codec) -> str:
        """With a known header, both ends must have the same settings, except the quality, which is
        sent."""
        if type(self) is not type(sender):
            return super().incompatibility(sender)
        known = [
            field.name
            for field in dataclasses.fields(self)
            if field.name not in ("quality", "header")
        ]
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
        """The file of a grey picture of this size, used for its header."""
        file = io.BytesIO()
        self.write(Image.fromarray(grey(size)), file)
        return file.getvalue()
