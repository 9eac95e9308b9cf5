"""STL-10."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from semcore import Sample, Source, SourceError
from semcore_image.sources.files import folder
from semcore_image.sources.on_demand import Entry, on_demand
from semcore_image.sources.order import Count, by_turns, taken

BINARY = "stl10_binary"
SHAPE = (3, 96, 96)
"""Of a picture in the files: planes, columns, rows."""


@dataclass(frozen=True)
class STL10(Source):
    """STL-10: 96×96 pictures of ten classes, in the same order as `cifar10`; or its 100,000
    pictures without labels.

    Pictures are read on demand from the binary version, in the order of the files where there are
    no labels.

    Errors: SourceError if `path` does not hold the folder stl10_binary with the split's files, or a
    file is damaged.

    Fields:
        path: folder that holds stl10_binary, or that folder
        split: train, test or unlabeled
        classes: use only these; null: all
        limit: maximum number of pictures; null: all
        offset: number of pictures to skip first
        user: sender of the pictures; pictures of one user form a sequence and share a knowledge
            base
        shuffle: seed of a random order, before `offset` and `limit`; null: the order above
    """

    reference: ClassVar[str] = (
        "A. Coates, H. Lee, A. Y. Ng, An analysis of single-layer networks in unsupervised "
        "feature learning, 2011"
    )
    cites: ClassVar[tuple[str, ...]] = ("coates2011analysis",)
    test_settings = ({"path": "{folder}"},)

    path: str
    split: Literal["train", "test", "unlabeled"] = "test"
    classes: tuple[str, ...] | None = None
    limit: Count | None = None
    offset: Count = 0
    user: str = ""
    shuffle: Count | None = None

    def samples(self) -> Sequence[Sample]:
        root = folder(self.path)
        place = root / BINARY if (root / BINARY).is_dir() else root
        if self.split == "unlabeled":
            if self.classes:
                raise SourceError(
                    ["the pictures of the split unlabeled have no classes"], "classes"
                )
            entries = [
                Entry(f"unlabeled/{number:06d}", functools.partial(_upright, pixels), None)
                for number, pixels in enumerate(self._pictures(root, place))
            ]
        else:
            entries = by_turns(self._by_class(root, place))
        return on_demand(taken(entries, self.limit, self.offset, self.shuffle), self.user, root)

    def _by_class(self, root: Path, place: Path) -> dict[str, list[Entry]]:
        """Class -> its pictures, of the classes in use."""
        pictures = self._pictures(root, place)
        try:
            labels = np.fromfile(place / f"{self.split}_y.bin", np.uint8)
            names = (place / "class_names.txt").read_text().split()
        except OSError as error:
            raise self._lacking(root, error) from error
        if len(labels) != len(pictures) or labels.min() < 1 or labels.max() > len(names):
            raise SourceError(
                [f"the labels of {place} do not fit its pictures and class_names.txt"],
                hint="unpack stl10_binary.tar.gz again",
            )
        if unknown := [name for name in self.classes or () if name not in names]:
            raise SourceError(
                [f"there is no class {unknown[0]!r}"], "classes", f"there are {', '.join(names)}"
            )
        classes: dict[str, list[Entry]] = defaultdict(list)
        for pixels, label in zip(pictures, labels, strict=True):
            name = names[label - 1]
            if name in (self.classes or names):
                read = functools.partial(_upright, pixels)
                classes[name].append(Entry(f"{name}/{len(classes[name]):04d}", read, name))
        return classes

    def _pictures(self, root: Path, place: Path) -> np.ndarray:
        """The pictures as they lie in the file, uint8 (N, 3, 96, 96), which are not in memory."""
        file = place / f"{self.split}_X.bin"
        try:
            size = file.stat().st_size
            if not size or size % int(np.prod(SHAPE)):
                raise OSError(f"{file} is not a whole number of pictures")
            return np.memmap(file, np.uint8, "r").reshape(-1, *SHAPE)
        except OSError as error:
            raise self._lacking(root, error) from error

    def _lacking(self, root: Path, error: OSError) -> SourceError:
        files = f"{self.split}_X.bin"
        if self.split != "unlabeled":
            files = f"{files}, {self.split}_y.bin and class_names.txt"
        return SourceError(
            [f"{root} must hold {BINARY} with {files}: {error}"],
            hint="unpack stl10_binary.tar.gz there",
        )


def _upright(pixels: np.ndarray) -> np.ndarray:
    """A picture of the file, uint8 (3, W, H), as uint8 (H, W, 3)."""
    return np.ascontiguousarray(pixels.transpose(2, 1, 0))
