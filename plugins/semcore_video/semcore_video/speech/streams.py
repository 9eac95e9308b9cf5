"""The streams of speech: their names, and the phones and times that they hold."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from semcore.types import Features, Semantics, Stream, Text, Tokens
from semcore_video.speech.align import pronounce
from semcore_video.speech.phones import FRAME_S, NAMES

TEXT, INTERVAL, PHONES, DURATIONS = "text", "interval", "phones", "durations"
"""Names of the streams."""
SPOKEN: Mapping[str, tuple[type[Stream], ...]] = {
    TEXT: (Text,), INTERVAL: (Tokens,), PHONES: (Tokens,), DURATIONS: (Features,),
}  # fmt: skip
"""What those take that speak, aloud or with their lips."""
MOST_FRAMES = 60_000
"""Ten minutes: longer speech is taken for damage."""


def phone_times(got: Semantics) -> tuple[list[str], np.ndarray | None]:
    """The phones that arrived, and when they are spoken, s: begin and end of each, of all together,
    or None."""
    phones, durations = got.streams.get(PHONES), got.streams.get(DURATIONS)
    if isinstance(phones, Tokens) and isinstance(durations, Features):
        count = min(len(phones.values), len(durations.values))
        # Durations are whole frames; what is left of noise would add up from phone to phone.
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
    text, interval = got.streams.get(TEXT), got.streams.get(INTERVAL)
    names = pronounce(text.value) if isinstance(text, Text) else []
    if not isinstance(interval, Tokens) or len(interval.values) != 2:
        return names, None
    first, last = (int(one) for one in interval.values.clip(0, MOST_FRAMES))
    return names, np.array([first, max(last, first + 1)]) * FRAME_S
