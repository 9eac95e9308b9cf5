"""The words of a clip, and which of them are spoken in a part of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from semcore_video.speech import textgrid

WORDS = "words"
"""Name under which a sample says that the words of its frames are not known."""


@dataclass(frozen=True)
class Transcript:
    """What is said in a clip.

    Fields:
        text: all words; None: not known
        times: (begin, end, word) of each, s since the first picture; None: not known
    """

    text: str | None
    times: list[tuple[float, float, str]] | None = None

    @classmethod
    def of(cls, clip: Path, text: str | None) -> Transcript:
        """That of a clip: its text, if it is known, and the times of `clip.TextGrid` beside it.

        Raises:
            ComponentError: the TextGrid cannot be read
        """
        grid = clip.with_suffix(".TextGrid")
        if not grid.exists():
            return cls(text)
        times = textgrid.word_times(grid)
        return cls(" ".join(word for *_, word in times) if text is None else text, times)

    def between(self, begin_s: float, end_s: float) -> str | None:
        """The words whose middle lies between two moments; None without times."""
        if self.times is None:
            return None
        return " ".join(
            word for begin, end, word in self.times if begin_s <= (begin + end) / 2 < end_s
        )
