"""Pictures in and out of bytes: the one place that opens files and resizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from semcore.errors import ComponentError
from semcore.types import Sample

if TYPE_CHECKING:
    import torch

MAX_PIXELS = 2**26
"""Larger pictures are refused before they are decoded: a few kilobytes can claim to hold gigapixels."""


def read_picture(file: IO[bytes] | str, formats: tuple[str, ...], max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Open and decode a picture as 8-bit RGB, upright, its transparent parts on white; of an animation, the
    first frame.

    Args:
        file: path or binary file
        formats: Pillow's names of the formats that may be tried
        max_pixels: largest width times height

    Raises:
        OSError: it is not a picture of these formats, is damaged or larger than `max_pixels`; Pillow raises
            other exceptions too when a file is malformed on purpose
    """
    with Image.open(file, formats=formats) as opened:
        width, height = opened.size
        if not 0 < width * height <= max_pixels:
            raise OSError(f"it claims {width}×{height} pixels, more than {max_pixels}")
        picture = ImageOps.exif_transpose(opened)
        if picture.mode.startswith("I"):  # 16 bits a pixel, which convert("RGB") would clip
            picture = Image.fromarray((np.asarray(picture).clip(0, 65535) >> 8).astype(np.uint8))
        if picture.has_transparency_data:
            picture = picture.convert("RGBA")
            picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
        return picture.convert("RGB")


def fit(picture: Image.Image, size: tuple[int, int], filter: Image.Resampling = Image.Resampling.LANCZOS) -> Image.Image:
    """The largest centred part that has the aspect of `size` (H, W), resampled to `size`."""
    height, width = size
    return picture if picture.size == (width, height) else ImageOps.fit(picture, (width, height), filter)


def resized(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """uint8 (H, W, 3) -> uint8 (*size, 3), centre-cropped to the aspect, bicubic."""
    if pixels.shape[:2] == tuple(size):
        return pixels
    return np.asarray(fit(Image.fromarray(pixels), size, Image.Resampling.BICUBIC))


def grey(size: tuple[int, int]) -> np.ndarray:
    """The picture that stands for no picture: uint8 (*size, 3), all 128."""
    return np.full((*size, 3), 128, np.uint8)


def image_of(sample: Sample, who: object) -> np.ndarray:
    """The picture of a sample; `who` needs it."""
    if sample.image is None:
        raise ComponentError(f"{type(who).__name__} needs pictures, but sample {sample.id!r} has none")
    return sample.image


def to_tensor(pictures: Sequence[np.ndarray], size: tuple[int, int]) -> torch.Tensor:
    """Pictures uint8 (H, W, 3) of any size -> float32 (B, 3, *size) in 0..1."""
    import torch

    batch = np.stack([resized(pixels, size) for pixels in pictures])
    return torch.from_numpy(batch).permute(0, 3, 1, 2).float() / 255


def from_tensor(batch: torch.Tensor) -> list[np.ndarray]:
    """float (B, 3, H, W) in 0..1 -> pictures uint8 (H, W, 3), rounded."""
    pixels = (batch.detach().float().clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1)
    return list(np.ascontiguousarray(pixels.cpu().numpy()))
