"""Time stretching of sound at constant pitch (WSOLA)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

WINDOW_S, SEARCH_S = 0.025, 0.005


def stretched(
    audio: np.ndarray, sample_rate_hz: int, times: Sequence[float], target_times: Sequence[float]
) -> np.ndarray:
    """Sound whose `times` are moved to `target_times`, linear in between.

    Windows of 25 ms are taken from their nominal position, shifted by up to 5 ms to match the
    output so far (W. Verhelst and M. Roelands, ICASSP 1993).

    Args:
        audio: float32 (S,)
        times: times in the sound, s, rising
        target_times: their times in the result, s, rising; the last is the length of the result
    """
    length = round(target_times[-1] * sample_rate_hz)
    window = 2 * round(WINDOW_S * sample_rate_hz / 2)
    hop, search = window // 2, round(SEARCH_S * sample_rate_hz)
    shape = np.hanning(window + 1)[:window].astype(np.float32)
    margin = window + search
    padded = np.pad(audio.astype(np.float32), (margin, margin + window))
    out = np.zeros(length + 2 * window, np.float32)
    weight = np.zeros(length + 2 * window, np.float32)
    following: np.ndarray | None = None
    for start in range(0, length + hop, hop):
        start_wanted = (
            round(float(np.interp(start / sample_rate_hz, target_times, times)) * sample_rate_hz)
            + margin
        )
        start_wanted = min(max(start_wanted, search), len(padded) - margin - window)
        shift = 0
        if following is not None:
            around = padded[start_wanted - search : start_wanted + search + window]
            shift = int(np.correlate(around, following, "valid").argmax()) - search
        taken = padded[start_wanted + shift : start_wanted + shift + window]
        out[start : start + window] += taken * shape
        weight[start : start + window] += shape
        following = padded[start_wanted + shift + hop : start_wanted + shift + hop + window]
        if len(following) < window:
            following = np.pad(following, (0, window - len(following)))
    return (out / np.maximum(weight, 1e-3))[:length]
