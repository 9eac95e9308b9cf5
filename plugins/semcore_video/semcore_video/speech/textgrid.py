"""Imported alignments: TextGrid files as written by the Montreal Forced Aligner."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from semcore import ComponentError, extra
from semcore.media import read_text
from semcore_video.speech.align import Phone
from semcore_video.speech.phones import FRAME_S, NUMBERS, SILENCE

WORDS, PHONES = "words", "phones"
"""Names of the tiers."""


def read(place: Path) -> tuple[str, list[Phone]]:
    """The words of a TextGrid, and its phones with silences; stress marks are dropped, unknown
    labels become silence.

    Raises:
        ComponentError: the file is missing, is not UTF-8 or UTF-16 text, or is not a TextGrid with
            the tiers `words` and `phones`
        RunError: praatio is not installed
    """
    if not place.exists():
        raise ComponentError(
            f"Speech.textgrids: there is no {str(place)!r}; files are named after the samples' "
            "users"
        )
    words, phones = _tiers(place, WORDS, PHONES)
    found: list[Phone] = []
    for begin, end, label in phones:
        name = label.strip().rstrip("012").upper()
        frames = round(end / FRAME_S) - round(begin / FRAME_S)
        if frames > 0:
            found.append(Phone(name if name in NUMBERS else SILENCE, frames))
    return " ".join(label.strip().lower() for *_, label in words if label.strip()), found


def word_times(place: Path) -> list[tuple[float, float, str]]:
    """The words of a TextGrid's tier `words` with start and end, s.

    Raises:
        ComponentError: the file is not UTF-8 or UTF-16 text, or is not a TextGrid with that tier
        RunError: praatio is not installed
    """
    [words] = _tiers(place, WORDS)
    return [
        (float(begin), float(end), label.strip()) for begin, end, label in words if label.strip()
    ]


def _tiers(place: Path, *names: str) -> list[Any]:
    """The intervals (start, end, label) of some tiers."""
    with extra("semcore-video[speech]", "reading TextGrids needs praatio"):
        from praatio import textgrid
        from praatio.utilities.errors import PraatioException
    text = read_text(place)
    try:
        # praatio only reads files, and would treat a byte-order mark as text.
        with tempfile.TemporaryDirectory() as folder:
            plain = Path(folder, "plain.TextGrid")
            plain.write_text(text, encoding="utf-8")
            grid = textgrid.openTextgrid(str(plain), includeEmptyIntervals=True)
        return [grid.getTier(name).entries for name in names]
    except (PraatioException, KeyError, ValueError, IndexError) as error:
        listed = " and ".join(map(repr, names))
        tiers = f"the tier {listed}" if len(names) == 1 else f"the tiers {listed}"
        raise ComponentError(f"{place} is not a TextGrid with {tiers}: {error}") from error
