"""Sequences of pictures on disk, one user each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from annotated_types import Ge
from PIL import Image, ImageOps

from semcore.errors import ComponentError
from semcore.interfaces import Source
from semcore.limits import MAX_FRAMES, MAX_SEQUENCE_PIXELS
from semcore.pictures import decode_picture, open_picture, written
from semcore.types import Sample

ANIMATIONS = {".gif": "GIF", ".webp": "WEBP", ".png": "PNG", ".apng": "PNG"}
PICTURES = {**ANIMATIONS, ".jpg": "JPEG", ".jpeg": "JPEG", ".bmp": "BMP", ".ppm": "PPM"}

Side = Annotated[int, Ge(1)]


@dataclass(frozen=True)
class PictureSequences(Source):
    """Folders of pictures and animated pictures: each is a user, and each picture a segment of that user.

    Pictures of a folder follow each other in natural order (2 before 10). Each becomes a sample `user/picture`, user by
    user. Still pictures beside the sequences, hidden files and files of other kinds are left out. 8-bit RGB, upright,
    transparent parts on white.

    Errors: ComponentError if a picture cannot be read or is larger than 67 megapixels or 512 MiB, or if a sequence is
    longer than 10,000 pictures or one gigapixel.

    Fields:
        path: a folder of sequences, or one sequence: a folder of pictures, or an animated GIF, WebP or PNG file
        size: (height, width) of the pictures, cropped to that aspect and resampled; null: as they are
        length: how many pictures of a sequence are taken, the first; null: all
        every: takes each n-th picture of a sequence, 1 or more
    """

    tried_with = ({"path": "{folder}/test"},)

    path: str
    size: tuple[Side, Side] | None = None
    length: Annotated[int, Ge(1)] | None = None
    every: Annotated[int, Ge(1)] = 1

    def samples(self) -> Sequence[Sample]:
        root = Path(self.path)
        if not root.exists():
            raise ComponentError(f"PictureSequences.path: there is no {str(root)!r}")
        inside = _listed(root) if root.is_dir() else []
        places = [place for place in inside if _is_sequence(place)] or [root] * _is_sequence(root)
        if not places:
            raise ComponentError(
                f"PictureSequences.path: {str(root)!r} holds neither folders of pictures nor animated GIF, WebP or PNG files"
            )
        return [
            Sample(f"{user}/{name}", user, image=pixels)
            for place in places
            for user in [written(place.name)]
            for name, pixels in _bounded(self._pictures(place), place)
        ]

    def _pictures(self, place: Path) -> Iterator[tuple[str, np.ndarray]]:
        """(name, pixels) of the pictures that are taken of one sequence."""
        taken = slice(0, None if self.length is None else self.length * self.every, self.every)
        if place.is_dir():
            for file in _stills(place)[taken]:
                with _open(file, PICTURES) as opened:
                    yield written(file.name), self._pixels(_decoded(opened, file))
            return
        with _open(place, ANIMATIONS) as opened:
            frames = range(getattr(opened, "n_frames", 1))[taken]
            # Each frame is painted over those before it, so that those left out cost time as well.
            _check_length(place, len(frames) and frames[-1] + 1, opened.width * opened.height)
            for index in frames:
                yield f"{index:04d}", self._pixels(_decoded(opened, place, index))

    def _pixels(self, picture: Image.Image) -> np.ndarray:
        if self.size is not None and picture.size != self.size[::-1]:
            picture = ImageOps.fit(picture, self.size[::-1], Image.Resampling.LANCZOS)
        return np.asarray(picture)


def _bounded(pictures: Iterable[tuple[str, np.ndarray]], place: Path) -> Iterator[tuple[str, np.ndarray]]:
    """The pictures of a sequence, as long as it is no longer than the limits."""
    total = 0
    for count, (name, pixels) in enumerate(pictures, start=1):
        total += pixels.shape[0] * pixels.shape[1]
        _check_length(place, count, total / count)
        yield name, pixels


def _check_length(place: Path, count: int, pixels: float) -> None:
    """Refuse a sequence of `count` pictures of `pixels` pixels each if that is too much."""
    if count > MAX_FRAMES or count * pixels > MAX_SEQUENCE_PIXELS:
        raise ComponentError(
            f"{place} is too long: {count:,} pictures of {pixels:,.0f} pixels, and at most {MAX_FRAMES:,} pictures and "
            f"{MAX_SEQUENCE_PIXELS:,} pixels are taken; set a smaller `length`"
        )


def _listed(folder: Path) -> list[Path]:
    """What a folder holds, in natural order, without hidden files."""
    found = [place for place in folder.iterdir() if not place.name.startswith(".")]
    return sorted(found, key=lambda place: (_natural(place.name), place.name))


def _natural(name: str) -> list[str | int]:
    return [int(part) if index % 2 else part for index, part in enumerate(re.split(r"(\d+)", name))]


def _stills(folder: Path) -> list[Path]:
    return [file for file in _listed(folder) if file.suffix.lower() in PICTURES and file.is_file()]


def _is_sequence(place: Path) -> bool:
    """Whether it is a folder that holds pictures, or an animated picture."""
    if place.is_dir():
        return bool(_stills(place))
    if place.suffix.lower() not in ANIMATIONS:
        return False
    with _open(place, ANIMATIONS) as opened:
        return bool(getattr(opened, "is_animated", False))


def _open(file: Path, formats: dict[str, str]) -> Image.Image:
    try:
        return open_picture(file, sorted(set(formats.values())))
    except Exception as error:  # Pillow raises many kinds when a file is malformed on purpose
        raise ComponentError(f"{file} is not a picture that can be read: {error}") from error


def _decoded(opened: Image.Image, file: Path, frame: int = 0) -> Image.Image:
    """One frame."""
    try:
        opened.seek(frame)
        return decode_picture(opened)
    except Exception as error:  # as above
        raise ComponentError(f"{file} is damaged: {error}; delete it or put it right") from error
