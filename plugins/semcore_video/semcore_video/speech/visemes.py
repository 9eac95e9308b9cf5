"""Visemes: a linear map from the phones around a frame to expressions."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from semcore import RunError
from semcore_video.face.motion import EXPRESSION, NUMBERS, POSE
from semcore_video.speech.phones import NUMBERS as PHONE_NUMBERS
from semcore_video.speech.phones import SILENCE
from semcore_video.weights import arrays, digest

WIDTHS_S = (0.07, 0.15, 0.31)
"""Widths of the windows around a frame, s: neighbouring phones influence the lips
(coarticulation)."""


def phone_windows(names: Sequence[str], ends_s: np.ndarray, frames: int, fps: float) -> np.ndarray:
    """The share of each phone in windows around each frame: float32 (frames, 1 + widths x phones);
    the first column is 1.

    Args:
        names: phones
        ends_s: start and end times, s, (n + 1,)
    """
    numbers = np.array(
        [PHONE_NUMBERS.get(name, PHONE_NUMBERS[SILENCE]) for name in names], np.int64
    )
    found = np.zeros((frames, len(WIDTHS_S), len(PHONE_NUMBERS)), np.float32)
    centres = (np.arange(frames) + 0.5) / fps
    for width, into in enumerate(found.swapaxes(0, 1)):
        low, high = centres - WIDTHS_S[width] / 2, centres + WIDTHS_S[width] / 2
        for number, start, stop in zip(numbers, ends_s[:-1], ends_s[1:], strict=True):
            into[:, number] += (
                np.clip(np.minimum(high, stop) - np.maximum(low, start), 0, None) / WIDTHS_S[width]
            )
        into[:, PHONE_NUMBERS[SILENCE]] += np.clip(1 - into.sum(1), 0, None)
    return np.concatenate([np.ones((frames, 1), np.float32), found.reshape(frames, -1)], axis=1)


def motion_of(
    names: Sequence[str], ends_s: np.ndarray, frames: int, fps: float, folder: str | None = None
) -> np.ndarray:
    """Motion of a speaking face with a still head: float32 (frames, 12)."""
    motion = np.zeros((frames, NUMBERS), np.float32)
    motion[:, POSE:] = phone_windows(names, ends_s, frames, fps) @ table(folder)
    return motion


def table(folder: str | None = None) -> np.ndarray:
    """The shipped map, or that of a folder: float32 (1 + widths x phones, 6).

    Raises:
        RunError: the folder does not contain one, or its shape is wrong
    """
    return _table(folder, digest("visemes", folder))


@functools.lru_cache(4)
def _table(folder: str | None, content: str) -> np.ndarray:
    found: np.ndarray = arrays("visemes", folder, "table", "visemes")
    shape = (1 + len(WIDTHS_S) * len(PHONE_NUMBERS), EXPRESSION)
    if found.shape != shape:
        raise RunError(
            f"the visemes in {folder or 'the package'} have the shape {found.shape}, not {shape}"
        )
    return found
