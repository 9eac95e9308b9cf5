"""Sequences of pictures on disk, one user each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from annotated_types import Ge
from PIL import Image, ImageOps

from semcore.errors import ComponentError
from semcore.interfaces import Source
from semcore.types import Sample

ANIMATIONS = {".gif": "GIF", ".webp": "WEBP", ".png": "PNG", ".apng": "PNG"}
PICTURES = {**ANIMATIONS, ".jpg": "JPEG", ".jpeg": "JPEG", ".bmp": "BMP", ".ppm": "PPM"}
MAX_PIXELS = 2**26
"""Larger pictures are refused before they are decoded: a few kilobytes can claim to hold gigapixels."""

Side = Annotated[int, Ge(1)]


@dataclass(frozen=True)
class PictureSequences(Source):
    """Folders of pictures and animated pictures: each is a user, and each picture a segment of that user.

    Pictures of a folder follow each other in natural order (2 before 10). Each becomes a sample `user/picture`, user by
    user. Still pictures beside the sequences, hidden files and files of other kinds are left out. 8-bit RGB, upright,
    transparent parts on white.

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
            Sample(f"{place.name}/{name}", place.name, image=self._pixels(picture))
            for place in places
            for name, picture in self._pictures(place)
        ]

    def _pictures(self, place: Path) -> Iterator[tuple[str, Image.Image]]:
        """(name, picture) of the pictures that are taken of one sequence."""
        taken = slice(0, None if self.length is None else self.length * self.every, self.every)
        if place.is_dir():
            for file in _stills(place)[taken]:
                with _open(file, PICTURES) as opened:
                    yield file.name, _decoded(opened, file)
            return
        with _open(place, ANIMATIONS) as opened:
            count = getattr(opened, "n_frames", 1)
            for index in range(count)[taken]:
                yield f"{index:04d}", _decoded(opened, place, index)

    def _pixels(self, picture: Image.Image) -> np.ndarray:
        if self.size is not None and picture.size != self.size[::-1]:
            picture = ImageOps.fit(picture, self.size[::-1], Image.Resampling.LANCZOS)
        return np.asarray(picture)


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
        opened = Image.open(file, formats=sorted(set(formats.values())))
    except Exception as error:  # Pillow raises many kinds when a file is malformed on purpose
        raise ComponentError(f"{file} is not a picture that can be read: {error}") from error
    if opened.width * opened.height > MAX_PIXELS:
        opened.close()
        raise ComponentError(f"{file} claims {opened.width}×{opened.height} pixels, more than {MAX_PIXELS}")
    return opened


def _decoded(opened: Image.Image, file: Path, frame: int = 0) -> Image.Image:
    """One frame as 8-bit RGB, upright, on white."""
    try:
        opened.seek(frame)
        picture = ImageOps.exif_transpose(opened)
    except Exception as error:  # as above
        raise ComponentError(f"{file} is damaged: {error}; delete it or put it right") from error
    if picture.mode.startswith("I"):  # 16 bits a pixel, which convert("RGB") would clip
        picture = Image.fromarray((np.asarray(picture).clip(0, 65535) >> 8).astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture.convert("RGB")
