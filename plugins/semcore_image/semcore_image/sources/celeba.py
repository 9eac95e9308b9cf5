"""CelebA, and folders in its layout."""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from semcore import Sample, Source, SourceError
from semcore.media import check_file, read_text
from semcore_image.sources.files import folder, pictures_below, pixels_of
from semcore_image.sources.folder import Side
from semcore_image.sources.on_demand import Entry, on_demand
from semcore_image.sources.order import Count, taken

PICTURES = "img_align_celeba"
PARTITION, ATTRIBUTES, IDENTITY = "list_eval_partition", "list_attr_celeba", "identity_CelebA"
SPLITS = ("train", "valid", "test")
"""The splits, by their numbers in the partition file."""


@dataclass(frozen=True)
class CelebA(Source):
    """CelebA, or faces in its layout: a folder of pictures, with lists of splits, attributes and
    identities beside it.

    `path` holds `img_align_celeba/` (which may lie in another folder of that name, as in some
    archives), and as far as they are used `list_eval_partition`, `list_attr_celeba` and
    `identity_CelebA`, each as `.txt` (as published) or `.csv` (with a header). The order is that of
    the names of the files, which are the ids.

    Errors: SourceError if a list or a picture that is used is missing or damaged.

    Fields:
        path: folder of the data set
        split: train, valid or test, by the partition file; all: every picture, without that file
        label: label of the samples: an attribute such as Smiling (the label is then Smiling or
            not-Smiling), or identity; null: none
        size: (height, width) that pictures are resized to, by a centre crop to the aspect ratio and
            Lanczos resampling; null: unchanged (178×218 pixels)
        limit: maximum number of pictures; null: all
        offset: number of pictures to skip first
        shuffle: seed of a random order, before `offset` and `limit`; null: by name
        user: sender of the pictures; pictures of one user form a sequence and share a knowledge
            base
    """

    reference: ClassVar[str] = (
        "Z. Liu, P. Luo, X. Wang, X. Tang, Deep learning face attributes in the wild, ICCV 2015"
    )
    cites: ClassVar[tuple[str, ...]] = ("liu2015deep",)
    test_settings = ({"path": "{folder}", "split": "all"},)

    path: str
    split: Literal["train", "valid", "test", "all"] = "test"
    label: str | None = None
    size: tuple[Side, Side] | None = None
    limit: Count | None = None
    offset: Count = 0
    shuffle: Count | None = None
    user: str = ""

    def samples(self) -> Sequence[Sample]:
        root = folder(self.path)
        place = root / PICTURES if (root / PICTURES).is_dir() else root
        place = place / PICTURES if (place / PICTURES).is_dir() else place
        there = {path.as_posix() for path in pictures_below(place)}
        if self.split == "all":
            names = sorted(there)
        else:
            number = str(SPLITS.index(self.split))
            parts = {row[0]: row[1] for row in rows(root, PARTITION, 2)[1]}
            names = sorted(name for name, part in parts.items() if part == number)
        if not names:
            raise SourceError([f"{root} holds no pictures of the split {self.split}"], "split")
        chosen = taken(names, self.limit, self.offset, self.shuffle)
        if missing := [name for name in chosen if name not in there]:
            raise SourceError(
                [f"{len(missing):,} of the {len(chosen):,} pictures are missing in {place}: "
                 f"{', '.join(missing[:3])}"],
                hint="unpack img_align_celeba.zip there",
            )  # fmt: skip
        labels = self._labels(root)
        if unknown := [name for name in chosen if self.label and name not in labels]:
            raise SourceError([f"the list of {self.label} lacks {unknown[0]}"], "label")
        entries = [
            Entry(
                name.rpartition(".")[0],
                functools.partial(pixels_of, place / name, self.size),
                labels.get(name),
                f"{place.relative_to(root).as_posix()}/{name}",
            )
            for name in chosen
        ]
        return on_demand(entries, self.user, root)

    def _labels(self, root: Path) -> dict[str, str]:
        """Name of a file -> its label."""
        if self.label is None:
            return {}
        if self.label == "identity":
            return {row[0]: row[1] for row in rows(root, IDENTITY, 2)[1]}
        header, found = rows(root, ATTRIBUTES, 2)
        if self.label not in header:
            raise SourceError(
                [f"there is no attribute {self.label!r} in {ATTRIBUTES}"],
                "label",
                f"there are identity, {', '.join(header)}",
            )
        column = header.index(self.label) + 1
        words = {"1": self.label, "-1": f"not-{self.label}", "0": f"not-{self.label}"}
        try:
            return {row[0]: words[row[column]] for row in found}
        except (IndexError, KeyError):
            raise SourceError(
                [f"{root / ATTRIBUTES} is damaged: a row lacks {self.label}"]
            ) from None


def rows(root: Path, name: str, width: int) -> tuple[list[str], list[list[str]]]:
    """A list of CelebA.

    Args:
        name: of the file in `root`, without its ending
        width: least number of columns

    Returns:
        the names of the columns after the first, where the file has them, and its rows

    Raises:
        SourceError: it is missing or damaged
    """
    places = [root / f"{name}{ending}" for ending in (".txt", ".csv")]
    place = next((one for one in places if one.is_file()), None)
    if place is None:
        raise SourceError([f"{root} holds neither {name}.txt nor {name}.csv"])
    try:
        check_file(place)
        found = list(_columns(read_text(place), place.suffix == ".csv"))
    except (OSError, csv.Error) as error:
        raise SourceError([f"{place} cannot be read: {error}"]) from error
    header = list[str]()
    if place.suffix == ".csv":
        header = found.pop(0)[1:] if found else []
    elif len(found) > 1 and len(found[0]) == 1 and found[0][0].isdecimal():
        header, found = found[1], found[2:]  # the number of rows, then the names of the columns
    if short := next((row for row in found if len(row) < width), None):
        raise SourceError([f"{place} is damaged: the row {' '.join(short)!r} is too short"])
    return header, found


def _columns(text: str, commas: bool) -> Iterator[list[str]]:
    """The rows of a list that are not empty."""
    lines = [line for line in text.splitlines() if line.strip()]
    return (row for row in (csv.reader(lines) if commas else map(str.split, lines)))
