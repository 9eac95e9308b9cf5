"""Numbers, pictures and sound at another rate."""

from __future__ import annotations

import numpy as np

USUAL_FPS = 25.0
"""Frame rate assumed for a video that does not state one."""


def interpolated(values: np.ndarray, count: int) -> np.ndarray:
    """Numbers over time (T, ...), linearly interpolated to `count` over the same time; T > 0."""
    if len(values) == count:
        return values
    times = (np.arange(count) + 0.5) * len(values) / max(count, 1) - 0.5
    before = np.floor(times).astype(np.int64)
    ones = (1 for _ in values.shape[1:])
    share = (times - before).reshape(-1, *ones).astype(values.dtype)
    first, second = before.clip(0, len(values) - 1), (before + 1).clip(0, len(values) - 1)
    found: np.ndarray = values[first] * (1 - share) + values[second] * share
    return found


def nearest_frames(frames: np.ndarray, count: int) -> np.ndarray:
    """Pictures over time (T, ...), resampled to `count` over the same time by the nearest in time;
    T > 0."""
    if len(frames) == count:
        return frames
    times = (np.arange(count) + 0.5) * len(frames) / max(count, 1)
    return frames[times.astype(np.int64).clip(max=len(frames) - 1)]


def resample_audio(audio: np.ndarray, from_hz: int, to_hz: int) -> np.ndarray:
    """Sound at another sample rate, float32."""
    from scipy.signal import resample_poly

    if from_hz == to_hz:
        return audio
    divisor = int(np.gcd(from_hz, to_hz))
    return resample_poly(audio, to_hz // divisor, from_hz // divisor).astype(np.float32)
