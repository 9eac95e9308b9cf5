"""Cropping and resampling of pictures."""

from __future__ import annotations

import numpy as np
from PIL import Image


def squared(pixels: np.ndarray, pixel: float) -> np.ndarray:
    """A picture uint8 (H, W, 3) resampled to square pixels from the given pixel aspect ratio (width
    / height)."""
    height, width = pixels.shape[:2]
    return resized(pixels, (height, max(round(width * pixel), 1)))


def fitted(pixels: np.ndarray, pixel: float, size: tuple[int, int]) -> np.ndarray:
    """The centre of a picture, cropped to the aspect ratio of a size (height, width) and resampled
    to it.

    Args:
        pixel: pixel aspect ratio (width / height)
    """
    height, width = pixels.shape[:2]
    wide = min(width, height * size[1] / size[0] / pixel)
    high = min(height, width * pixel * size[0] / size[1])
    left, top = (width - wide) / 2, (height - high) / 2
    return resized(pixels, size, (left, top, left + wide, top + high))


def resized(
    pixels: np.ndarray, size: tuple[int, int], box: tuple[float, float, float, float] | None = None
) -> np.ndarray:
    """A picture uint8 (H, W, 3), or a box (left, top, right, bottom) of it, resampled to (height,
    width)."""
    if pixels.shape[:2] == size and (box is None or box == (0, 0, size[1], size[0])):
        return pixels
    return np.asarray(Image.fromarray(pixels).resize(size[::-1], Image.Resampling.BICUBIC, box))
