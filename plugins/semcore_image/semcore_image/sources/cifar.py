"""The files of CIFAR-10 and CIFAR-100: folders of pictures, or their binary versions."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from semcore import SourceError
from semcore.media import check_file
from semcore_image.sources.files import SUFFIXES, pixels_of
from semcore_image.sources.on_demand import Entry

VALUES = 3 * 32 * 32
"""Bytes of a picture: planes R, G, B."""


def folders(root: Path) -> dict[str, list[Entry]]:
    """Class -> the pictures of its folder in `root`, sorted by name."""
    classes: dict[str, list[Entry]] = {}
    for place in root.iterdir():
        if place.is_dir():
            label = place.name
            classes[label] = [
                Entry(
                    f"{label}/{path.stem}",
                    functools.partial(pixels_of, path),
                    label,
                    f"{root.name}/{label}/{path.name}",
                )
                for path in sorted(place.iterdir())
                if path.suffix.lower() in SUFFIXES and not path.is_dir()
            ]
    return classes


def arrays(
    images: np.ndarray, labels: Sequence[int], names: Sequence[str]
) -> dict[str, list[Entry]]:
    """Class -> its pictures, numbered in the order of the file."""
    classes: dict[str, list[Entry]] = defaultdict(list)
    for image, label in zip(images, labels, strict=True):
        name = names[label]
        classes[name].append(Entry(f"{name}/{len(classes[name]):04d}", image.copy, name))
    return classes


def records(
    folder: Path, files: Sequence[str], names: str, labels: int, label: int, archive: str
) -> tuple[np.ndarray, list[int], list[str]]:
    """Read records of `labels` bytes of labels and 3072 bytes of pixels.

    Args:
        files: in `folder`, in their order
        names: file with the names of the classes, a line each
        label: which of the labels is taken
        archive: where the files come from, for messages

    Returns:
        pictures uint8 (N, 32, 32, 3), labels, names of the classes

    Raises:
        SourceError: a file is missing or damaged
    """
    try:
        for file in files:
            check_file(folder / file)
        data = b"".join((folder / file).read_bytes() for file in files)
        known = (folder / names).read_text().split()
    except OSError as error:
        raise SourceError([str(error)], hint=f"unpack {archive} again") from error
    if not data or len(data) % (labels + VALUES):
        raise SourceError(
            [f"the files of {folder} are not whole records"], hint=f"unpack {archive} again"
        )
    rows = np.frombuffer(data, np.uint8).reshape(-1, labels + VALUES)
    found = rows[:, label].tolist()
    if max(found) >= len(known):
        raise SourceError([f"a label in {folder} exceeds the {len(known)} classes of {names}"])
    return rows[:, labels:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), found, known
