"""Sequences of pictures from files, one user each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from annotated_types import Ge
from PIL import Image, ImageOps

from semcore import ComponentError, OnDemand, Sample, Source, SourceError, digest
from semcore.media import MAX_FRAMES, MAX_SEQUENCE_PIXELS, decode_picture, open_picture, written

ANIMATIONS = {".gif": "GIF", ".webp": "WEBP", ".png": "PNG", ".apng": "PNG"}
PICTURES = {**ANIMATIONS, ".jpg": "JPEG", ".jpeg": "JPEG", ".bmp": "BMP", ".ppm": "PPM"}

Side = Annotated[int, Ge(1)]


@dataclass(frozen=True)
class PictureSequences(Source):
    """Folders of pictures and animated pictures: each is a user, and each picture a segment of that
    user.

    Pictures of a folder are sorted in natural order (2 before 10). Each becomes a sample
    `user/picture`, user by user, read on demand. Still pictures beside the sequences, hidden files
    and files of other types are skipped. 8-bit RGB, upright, transparent areas on white.

    Errors: SourceError, which `semcore check` finds, if there is no sequence, or if a picture
    cannot be read or is larger than 67 megapixels or 512 MiB, or if a sequence is longer than
    10,000 pictures or one gigapixel.

    Fields:
        path: a folder of sequences, or one sequence: a folder of pictures, or an animated GIF, WebP
            or PNG file
        size: (height, width) of the pictures, cropped to that aspect ratio and resampled; null:
            unchanged
        length: number of pictures taken from the start of each sequence; null: all
        every: takes every n-th picture of a sequence, 1 or more
    """

    test_settings = ({"path": "{folder}/test"},)

    path: str
    size: tuple[Side, Side] | None = None
    length: Annotated[int, Ge(1)] | None = None
    every: Annotated[int, Ge(1)] = 1

    def samples(self) -> Sequence[Sample]:
        frames, digests, wrong = list[FrameInfo](), list[str](), list[str]()
        opened = OpenSequences()
        for path in self._sequences():
            total = 0
            try:
                for count, frame in enumerate(self._frames(path), start=1):
                    sample = self._sample(opened, frame)
                    total += sample.source_values // 3
                    _check_length(path, count, total / count)
                    digests.append(digest(sample))
                    frames.append(frame)
            except ComponentError as error:
                wrong.append(str(error))
        if wrong:
            raise SourceError(wrong)
        heads = [(frame.name, frame.user) for frame in frames]
        return OnDemand(heads, lambda index: self._sample(opened, frames[index]), digests)

    def _sequences(self) -> list[Path]:
        root = Path(self.path).expanduser()
        if not root.exists():
            raise SourceError([f"there is no {root}"])
        wrong, paths = list[str](), list[Path]()
        for path in [*(_listed(root) if root.is_dir() else []), root]:
            try:
                if (path != root or not paths) and _is_sequence(path):
                    paths.append(path)
            except ComponentError as error:
                wrong.append(str(error))
        if wrong:
            raise SourceError(wrong)
        if not paths:
            raise SourceError(
                [f"{root} contains neither folders of pictures nor animated GIF, WebP or PNG files"]
            )
        return paths

    def _frames(self, path: Path) -> Iterator[FrameInfo]:
        """The pictures taken from one sequence."""
        taken = slice(0, None if self.length is None else self.length * self.every, self.every)
        user = written(path.name)
        if path.is_dir():
            for file in _stills(path)[taken]:
                yield FrameInfo(f"{user}/{written(file.name)}", user, file)
            return
        with _open(path, ANIMATIONS) as opened:
            frames = range(getattr(opened, "n_frames", 1))[taken]
            # Each frame is drawn over the previous ones, so that skipped ones take time as well.
            _check_length(path, len(frames) and frames[-1] + 1, opened.width * opened.height)
        for index in frames:
            yield FrameInfo(f"{user}/{index:04d}", user, path, index)

    def _sample(self, opened: OpenSequences, frame: FrameInfo) -> Sample:
        picture = opened.picture(frame)
        if self.size is not None and picture.size != self.size[::-1]:
            picture = ImageOps.fit(picture, self.size[::-1], Image.Resampling.LANCZOS)
        return Sample(frame.name, frame.user, image=np.asarray(picture))


@dataclass(frozen=True)
class FrameInfo:
    """A sample before it is read: name, user, and the picture in a file; `index` None: a still
    picture."""

    name: str
    user: str
    file: Path
    index: int | None = None


class OpenSequences:
    """Reads pictures; the newest animation stays open, since its frames are drawn on top of each
    other."""

    def __init__(self) -> None:
        self._file: Path | None = None
        self._animation: Image.Image | None = None

    def picture(self, frame: FrameInfo) -> Image.Image:
        """The decoded picture."""
        if frame.index is None:
            with _open(frame.file, PICTURES) as opened:
                return _decoded(opened, frame.file)
        if self._animation is None or self._file != frame.file:
            if self._animation is not None:
                self._animation.close()
            self._file, self._animation = frame.file, _open(frame.file, ANIMATIONS)
        return _decoded(self._animation, frame.file, frame.index)


def _check_length(path: Path, count: int, pixels: float) -> None:
    """Raise ComponentError for a sequence of `count` pictures of `pixels` pixels each that is too
    long."""
    if count > MAX_FRAMES or count * pixels > MAX_SEQUENCE_PIXELS:
        raise ComponentError(
            f"{path} is too long: {count:,} pictures of {pixels:,.0f} pixels; the maximum is "
            f"{MAX_FRAMES:,} pictures and {MAX_SEQUENCE_PIXELS:,} pixels; set a smaller `length`"
        )


def _listed(folder: Path) -> list[Path]:
    """The entries of a folder in natural order, without hidden files."""
    found = [path for path in folder.iterdir() if not path.name.startswith(".")]
    return sorted(found, key=lambda path: (_natural(path.name), path.name))


def _natural(name: str) -> list[str | int]:
    return [int(part) if index % 2 else part for index, part in enumerate(re.split(r"(\d+)", name))]


def _stills(folder: Path) -> list[Path]:
    return [file for file in _listed(folder) if file.suffix.lower() in PICTURES and file.is_file()]


def _is_sequence(path: Path) -> bool:
    """Whether it is a folder with pictures, or an animated picture."""
    if path.is_dir():
        return bool(_stills(path))
    if path.suffix.lower() not in ANIMATIONS:
        return False
    with _open(path, ANIMATIONS) as opened:
        return bool(getattr(opened, "is_animated", False))


def _open(file: Path, formats: dict[str, str]) -> Image.Image:
    try:
        return open_picture(file, sorted(set(formats.values())))
    except Exception as error:  # Pillow raises many types for maliciously malformed files
        raise ComponentError(f"{file} cannot be read as a picture: {error}") from error


def _decoded(opened: Image.Image, file: Path, frame: int = 0) -> Image.Image:
    """One frame."""
    try:
        opened.seek(frame)
        return decode_picture(opened)
    except Exception as error:  # as above
        raise ComponentError(f"{file} is damaged: {error}; delete or repair it") from error
