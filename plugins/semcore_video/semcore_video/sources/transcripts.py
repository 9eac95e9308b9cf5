"""The words of a clip and of its segments."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from semcore_video.speech import textgrid

WORDS = "words"
"""Key in `Sample.found` for unknown words."""


@dataclass(frozen=True)
class Transcript:
    """The words of a clip.

    Fields:
        text: all words; None: unknown
        times: (begin, end, word) of each, s since the first picture; None: unknown
    """

    text: str | None
    times: list[tuple[float, float, str]] | None = None

    @classmethod
    def of(cls, clip: Path, text: str | None) -> Transcript:
        """The transcript of a clip: its text, if known, and the word times of `clip.TextGrid`
        beside it.

        Raises:
            ComponentError: the TextGrid cannot be read
        """
        grid = clip.with_suffix(".TextGrid")
        if not grid.exists():
            return cls(text)
        times = textgrid.word_times(grid)
        return cls(" ".join(word for *_, word in times) if text is None else text, times)

    def between(self, begin_s: float, end_s: float) -> str | None:
        """The words whose centre lies between two times; None without word times."""
        if self.times is None:
            return None
        return " ".join(
            word for begin, end, word in self.times if begin_s <= (begin + end) / 2 < end_s
        )
