"""The streams of speech, and their phones and times."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from semcore import Features, Semantics, Stream, Text, Tokens
from semcore_video.speech.align import pronounce
from semcore_video.speech.phones import FRAME_S, NAMES

TEXT, INTERVAL, PHONES, DURATIONS = "text", "interval", "phones", "durations"
"""Names of the streams."""
SPOKEN: Mapping[str, tuple[type[Stream], ...]] = {
    TEXT: (Text,), INTERVAL: (Tokens,), PHONES: (Tokens,), DURATIONS: (Features,),
}  # fmt: skip
"""Streams accepted by voices and by generators of moving lips."""
MOST_FRAMES = 60_000
"""Maximum length of speech, frames of 10 ms (ten minutes); longer values are damaged."""


def phone_times(received: Semantics) -> tuple[list[str], np.ndarray | None]:
    """The received phones, and their times, s: start and end of each, one start and end of all, or
    None."""
    phones, durations = received.streams.get(PHONES), received.streams.get(DURATIONS)
    if isinstance(phones, Tokens) and isinstance(durations, Features):
        count = min(len(phones.values), len(durations.values))
        # Durations are whole frames; residual noise would add up over the phones.
        frames = (
            np.nan_to_num(durations.values.ravel()[:count].astype(np.float64))
            .round()
            .clip(0, MOST_FRAMES)
        )
        names = [
            NAMES[number] if 0 <= number < len(NAMES) else NAMES[0]
            for number in phones.values[:count].tolist()
        ]
        return names, np.concatenate([[0.0], np.cumsum(frames)]) * FRAME_S
    text, interval = received.streams.get(TEXT), received.streams.get(INTERVAL)
    names = pronounce(text.value) if isinstance(text, Text) else []
    if not isinstance(interval, Tokens) or len(interval.values) != 2:
        return names, None
    first, last = (int(bound) for bound in interval.values.clip(0, MOST_FRAMES))
    return names, np.array([first, max(last, first + 1)]) * FRAME_S
