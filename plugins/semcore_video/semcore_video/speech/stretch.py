"""Sound at other rates, and made longer and shorter where it must be, without a change of pitch
(WSOLA)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

WINDOW_S, SEARCH_S = 0.025, 0.005


def stretched(
    audio: np.ndarray, sample_rate_hz: int, here: Sequence[float], there: Sequence[float]
) -> np.ndarray:
    """Sound whose moments `here` come at `there`; in between, time runs evenly.

    Windows of 25 ms are taken from where they should come from, or up to 5 ms beside it, where they
    fit best to what is already there (W. Verhelst and M. Roelands, ICASSP 1993).

    Args:
        audio: float32 (S,)
        here: moments in the sound, s, rising
        there: when they are to come, s, rising; the last is the length of the result
    """
    length, window = round(there[-1] * sample_rate_hz), 2 * round(WINDOW_S * sample_rate_hz / 2)
    hop, search = window // 2, round(SEARCH_S * sample_rate_hz)
    shape = np.hanning(window + 1)[:window].astype(np.float32)
    margin = window + search
    padded = np.pad(audio.astype(np.float32), (margin, margin + window))
    out, weight = (
        np.zeros(length + 2 * window, np.float32),
        np.zeros(length + 2 * window, np.float32),
    )
    following: np.ndarray | None = None
    for start in range(0, length + hop, hop):
        wanted = (
            round(float(np.interp(start / sample_rate_hz, there, here)) * sample_rate_hz) + margin
        )
        wanted = min(max(wanted, search), len(padded) - margin - window)
        shift = 0
        if following is not None:
            around = padded[wanted - search : wanted + search + window]
            shift = int(np.correlate(around, following, "valid").argmax()) - search
        taken = padded[wanted + shift : wanted + shift + window]
        out[start : start + window] += taken * shape
        weight[start : start + window] += shape
        following = padded[wanted + shift + hop : wanted + shift + hop + window]
        if len(following) < window:
            following = np.pad(following, (0, window - len(following)))
    return (out / np.maximum(weight, 1e-3))[:length]
