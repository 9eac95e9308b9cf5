"""CIFAR-10."""

from __future__ import annotations

import functools
import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge

from semcore import Sample, Source, SourceError
from semcore.media import check_file
from semcore_image.sources.files import SUFFIXES, folder, pixels_of
from semcore_image.sources.on_demand import Entry, on_demand

BINARY = "cifar-10-batches-bin"
WANTED = (
    "name the folder that contains them, and unpack cifar-10-binary.tar.gz there: the Python "
    "version, cifar-10-batches-py, consists of pickle files, which are not opened"
)

Count = Annotated[int, Ge(0)]


@dataclass(frozen=True)
class CIFAR10(Source):
    """CIFAR-10: 32×32 pictures of ten classes, taken evenly from the classes.

    The order is the first picture of each class (in alphabetical order), then the second of each,
    and so on, so that any `offset` and `limit` give every class equally often, to within one. The
    id is class/name.

    `path` may hold `<split>/<class>/*.png|jpg`, or `cifar-10-batches-bin` (the binary version). The
    Python version consists of pickle files, which are never opened.

    Errors: SourceError if `path` holds neither or a file is damaged.

    Fields:
        path: folder of the data set
        split: train or test
        limit: maximum number of pictures; null: all
        offset: number of pictures to skip first
        user: sender of the pictures; pictures of one user form a sequence and share a knowledge
            base
    """

    reference: ClassVar[str] = (
        "Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009"
    )
    cites: ClassVar[tuple[str, ...]] = ("krizhevsky2009learning",)
    test_settings = ({"path": "{folder}"},)

    path: str
    split: Literal["train", "test"] = "test"
    limit: Count | None = None
    offset: Count = 0
    user: str = ""

    def samples(self) -> Sequence[Sample]:
        root = folder(self.path)
        if (root / self.split).is_dir():
            classes = self._folders(root / self.split)
        elif (root / BINARY).is_dir():
            classes = self._arrays(*read_binary(root / BINARY, self.split))
        else:
            raise SourceError(
                [f"{root} holds neither {self.split}/<class>/ nor {BINARY}/"], hint=WANTED
            )
        rounds = itertools.zip_longest(*(classes[label] for label in sorted(classes)))
        order = (item for one_of_each in rounds for item in one_of_each if item is not None)
        chosen = itertools.islice(
            order, self.offset, None if self.limit is None else self.offset + self.limit
        )
        return on_demand(list(chosen), self.user, root)

    @staticmethod
    def _folders(root: Path) -> dict[str, list[Entry]]:
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

    @staticmethod
    def _arrays(
        images: np.ndarray, labels: Sequence[int], names: Sequence[str]
    ) -> dict[str, list[Entry]]:
        classes: dict[str, list[Entry]] = defaultdict(list)
        for image, label in zip(images, labels, strict=True):
            name = names[label]
            classes[name].append(Entry(f"{name}/{len(classes[name]):04d}", image.copy, name))
        return classes


def read_binary(folder: Path, split: str) -> tuple[np.ndarray, list[int], list[str]]:
    """Read the binary version of CIFAR-10, records of one byte of label and 3072 bytes of pixels
    (planes R, G, B).

    Returns:
        pictures uint8 (N, 32, 32, 3), labels, names of the classes
    """
    files = (
        [f"data_batch_{number}.bin" for number in range(1, 6)]
        if split == "train"
        else ["test_batch.bin"]
    )
    try:
        for file in files:
            check_file(folder / file)
        data = b"".join((folder / file).read_bytes() for file in files)
        names = (folder / "batches.meta.txt").read_text().split()
    except OSError as error:
        raise SourceError([str(error)], hint="unpack cifar-10-binary.tar.gz again") from error
    if not data or len(data) % 3073:
        raise SourceError(
            [f"the files of {folder} are not whole records"],
            hint="unpack cifar-10-binary.tar.gz again",
        )
    records = np.frombuffer(data, np.uint8).reshape(-1, 3073)
    labels = records[:, 0].tolist()
    if max(labels) >= len(names):
        raise SourceError(
            [f"a label in {folder} exceeds the {len(names)} classes of batches.meta.txt"]
        )
    return records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), labels, names
