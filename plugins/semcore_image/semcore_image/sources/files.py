"""Reading picture files."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from semcore import RunError, SourceError
from semcore.media import check_file, read_picture
from semcore_image.codecs.hevc import register_heif
from semcore_image.pixels import fit

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "AVIF")
"""Pillow's names of the formats that are read. HEIF is added when a file needs it."""
SUFFIXES = frozenset(
    ".png .apng .jpg .jpeg .jpe .jfif .webp .bmp .dib .gif .tif .tiff .ppm .pgm .pbm .pnm .heic "
    ".heif .hif .avif".split()
)
FOREIGN = frozenset(
    ".jxl .jp2 .j2k .jpx .psd .tga .exr .hdr .dng .cr2 .cr3 .nef .arw .raf .orf .rw2".split()
)
"""Suffixes of picture formats that are not read. Such files are reported, not skipped silently."""
WILDCARDS = frozenset("*?[")


def folder(path: str) -> Path:
    """The folder at a path.

    Raises:
        SourceError: it does not exist, is not a folder, or is a pattern
    """
    root = Path(path).expanduser()
    if root.is_dir():
        return root
    if root.exists():
        raise SourceError([f"{root} is a file, not a folder"], hint=f"write {root.parent}")
    if WILDCARDS & set(path):
        above = next((one for one in root.parents if not WILDCARDS & set(str(one))), Path("."))
        raise SourceError(
            [f"{path} is a pattern, not a folder"],
            hint=f"write {above}: pictures are also found in its subfolders",
        )
    inside = f" in {Path.cwd()}" if not root.is_absolute() else ""
    raise SourceError([f"there is no folder {root}{inside}"])


def pictures_below(root: Path) -> Iterator[Path]:
    """Picture files below a folder, by suffix, as relative paths. Hidden files and folders are
    skipped.

    Raises:
        SourceError: a folder cannot be read
    """

    def stop(error: OSError) -> None:
        raise SourceError([f"the folder {error.filename} cannot be read: {error.strerror}"])

    for place, folders, files in os.walk(root, onerror=stop):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES | FOREIGN:
                yield Path(place, name).relative_to(root)


def read_file(path: Path) -> Image.Image:
    """A picture file as RGB.

    Raises:
        RunError: it cannot be read
    """
    try:
        return _decoded(path)
    except OSError as error:
        raise RunError(
            f"the picture {path} cannot be read: {error}; repair or remove it"
        ) from error


def _decoded(path: Path) -> Image.Image:
    """A picture file as RGB; OSError with the reason if it cannot be read."""
    if path.suffix.lower() in FOREIGN:
        raise OSError(f"files of the format {path.suffix} are not read; convert it to PNG")
    try:
        formats: tuple[str, ...] = FORMATS
        if _is_heif(path):
            register_heif()
            formats = (*FORMATS, "HEIF")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged metadata in an intact picture
            return read_picture(path, formats)
    except OSError as error:
        raise OSError(error.strerror or str(error)) from error
    except Exception as error:  # Pillow may raise anything on a malformed file
        raise OSError(f"it is damaged: {type(error).__name__}: {error}") from error


def _is_heif(path: Path) -> bool:
    """Whether a file consists of boxes of ISO/IEC 14496-12, as HEIF and AVIF do."""
    check_file(path)
    with open(path, "rb") as file:
        return file.read(12)[4:8] == b"ftyp"


def pixels_of(path: Path, size: tuple[int, int] | None = None) -> np.ndarray:
    picture = _decoded(path)
    return np.array(fit(picture, size) if size else picture)
