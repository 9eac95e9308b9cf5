"""Uncompressed pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from semcore import Codec
from semcore_image.pixels import grey


@dataclass(frozen=True)
class Raw(Codec):
    """Uncompressed RGB, one byte per value, no header.

    The size comes from the session; without it nothing can be decoded. A bit error changes one
    value; missing bytes become grey (128), surplus bytes are dropped.
    """

    reference: ClassVar[str] = (
        "the conventional transmission of Ribouh & Saleem, LLM-based semantic communication, §IV"
    )
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
