"""The first clip of a file, as its source reads it."""

from __future__ import annotations

from pathlib import Path

from semcore import Sample
from semcore_video.sources.clips import Clips

SIZE = (96, 160)


def read(place: Path, size: tuple[int, int] = SIZE, **settings: object) -> Sample:
    return Clips(str(place), size=size, face=False, **settings).samples()[0]
