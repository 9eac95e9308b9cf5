"""CIFAR-10."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from semcore import Sample, Source, SourceError
from semcore_image.sources import cifar
from semcore_image.sources.files import folder
from semcore_image.sources.on_demand import on_demand
from semcore_image.sources.order import Count, by_turns, taken

BINARY = "cifar-10-batches-bin"
WANTED = (
    "name the folder that contains them, and unpack cifar-10-binary.tar.gz there: the Python "
    "version, cifar-10-batches-py, consists of pickle files, which are not opened"
)


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
        shuffle: seed of a random order, before `offset` and `limit`; null: the order above
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
    shuffle: Count | None = None

    def samples(self) -> Sequence[Sample]:
        root = folder(self.path)
        if (root / self.split).is_dir():
            classes = cifar.folders(root / self.split)
        elif (root / BINARY).is_dir():
            classes = cifar.arrays(*read_binary(root / BINARY, self.split))
        else:
            raise SourceError(
                [f"{root} holds neither {self.split}/<class>/ nor {BINARY}/"], hint=WANTED
            )
        chosen = taken(by_turns(classes), self.limit, self.offset, self.shuffle)
        return on_demand(chosen, self.user, root)


def read_binary(folder: Path, split: str) -> tuple[np.ndarray, list[int], list[str]]:
    """Read the binary version of CIFAR-10, records of one byte of label and 3072 bytes of pixels
    (planes R, G, B).

    Returns:
        pictures uint8 (N, 32, 32, 3), labels, names of the classes
    """
    files = ["test_batch.bin"]
    if split == "train":
        files = [f"data_batch_{number}.bin" for number in range(1, 6)]
    return cifar.records(folder, files, "batches.meta.txt", 1, 0, "cifar-10-binary.tar.gz")
