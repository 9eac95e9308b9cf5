"""Pictures as arrays and tensors. All cropping and resizing is done here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from semcore import ComponentError, Sample, Semantics
from semcore.media import MAX_SEQUENCE_PIXELS

if TYPE_CHECKING:
    import torch


def fit(
    picture: Image.Image, size: tuple[int, int], filter: Image.Resampling = Image.Resampling.LANCZOS
) -> Image.Image:
    """Centre-crop to the aspect ratio of `size` (H, W) and resample to it."""
    height, width = size
    if picture.size == (width, height):
        return picture
    return ImageOps.fit(picture, (width, height), filter)


def resized(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """uint8 (H, W, 3) -> uint8 (*size, 3), centre-cropped to the aspect, bicubic."""
    if pixels.shape[:2] == tuple(size):
        return pixels
    return np.asarray(fit(Image.fromarray(pixels), size, Image.Resampling.BICUBIC))


def grey(size: tuple[int, int]) -> np.ndarray:
    """A mid-grey picture, to replace a lost one: uint8 (*size, 3), all 128."""
    return np.full((*size, 3), 128, np.uint8)


def other_size(expected: tuple[int, int] | None, size: tuple[int, int]) -> str:
    """Why a receiver set to `expected` cannot show pictures of `size`; "" if it can."""
    if expected is None or expected == size:
        return ""
    return f"size is {list(expected)}, and the source has pictures of {list(size)}"


def check_drawn(field: str, count: int, size: tuple[int, int]) -> None:
    """Refuse a number of pictures whose pixels exceed the limit.

    Raises:
        ComponentError: naming the field, `Class.name`
    """
    if count * size[0] * size[1] > MAX_SEQUENCE_PIXELS:
        most = MAX_SEQUENCE_PIXELS // (size[0] * size[1])
        raise ComponentError(
            f"{field} must be at most {most:,} pictures of {size[0]}×{size[1]} pixels, not "
            f"{count:,}"
        )


def size_of(got: Semantics) -> tuple[int, int] | None:
    """(height, width) of a picture according to the grant of its transmission; None if unknown."""
    return got.extent.size if all(got.extent.size) else None


def image_of(sample: Sample, who: object) -> np.ndarray:
    """The picture of a sample, uint8 (H, W, 3).

    Args:
        who: the component, which the message names

    Raises:
        ComponentError: the sample has no picture
    """
    if sample.image is None:
        raise ComponentError(
            f"{type(who).__name__} needs pictures, but sample {sample.id!r} has none"
        )
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
