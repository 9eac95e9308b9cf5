"""What comes at one rate, at another: numbers and pictures over the time of a clip."""

from __future__ import annotations

import numpy as np

USUAL_FPS = 25.0
"""Of a video of which nobody says how many frames a second it has."""


def in_steps(values: np.ndarray, count: int) -> np.ndarray:
    """Numbers over time (T, ...) as `count` of them over the same time, straight lines in between;
    T > 0."""
    if len(values) == count:
        return values
    times = (np.arange(count) + 0.5) * len(values) / max(count, 1) - 0.5
    before = np.floor(times).astype(np.int64)
    share = (times - before).reshape(-1, *[1] * (values.ndim - 1)).astype(values.dtype)
    first, second = before.clip(0, len(values) - 1), (before + 1).clip(0, len(values) - 1)
    found: np.ndarray = values[first] * (1 - share) + values[second] * share
    return found


def nearest(frames: np.ndarray, count: int) -> np.ndarray:
    """Pictures over time (T, ...) as `count` of them over the same time: each is the nearest in
    time; T > 0."""
    if len(frames) == count:
        return frames
    return frames[
        ((np.arange(count) + 0.5) * len(frames) / max(count, 1))
        .astype(np.int64)
        .clip(max=len(frames) - 1)
    ]


def resampled(audio: np.ndarray, from_hz: int, to_hz: int) -> np.ndarray:
    """Sound at another number of samples a second, float32."""
    from scipy.signal import resample_poly

    if from_hz == to_hz:
        return audio
    divisor = int(np.gcd(from_hz, to_hz))
    return resample_poly(audio, to_hz // divisor, from_hz // divisor).astype(np.float32)
