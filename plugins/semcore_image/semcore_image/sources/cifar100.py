"""CIFAR-100."""

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

BINARY = "cifar-100-binary"
ARCHIVE = "cifar-100-binary.tar.gz"
FILES = ("train.bin", "test.bin", "fine_label_names.txt", "coarse_label_names.txt")
LABELS = ("coarse", "fine")
"""The labels of a record, in their order."""


@dataclass(frozen=True)
class CIFAR100(Source):
    """CIFAR-100: 32×32 pictures of 100 classes in 20 groups, taken evenly from the classes.

    The order and the ids are those of `cifar10`. `path` may hold `<split>/<class>/*.png|jpg`, which
    are taken as they are, or `cifar-100-binary` (the binary version), or be that folder. The Python
    version consists of pickle files, which are never opened.

    Errors: SourceError if `path` holds neither, or a file is damaged.

    Fields:
        path: folder of the data set
        split: train or test
        label: fine: one of 100 classes; coarse: one of 20 groups of five
        limit: maximum number of pictures; null: all
        offset: number of pictures to skip first
        shuffle: seed of a random order, before `offset` and `limit`; null: the order above
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
    label: Literal["fine", "coarse"] = "fine"
    limit: Count | None = None
    offset: Count = 0
    shuffle: Count | None = None
    user: str = ""

    def samples(self) -> Sequence[Sample]:
        root = folder(self.path)
        binary = root if (root / FILES[2]).is_file() else root / BINARY
        if (root / self.split).is_dir():
            if self.label != "fine":
                raise SourceError(
                    [f"{root} holds folders of classes, which do not say their groups"],
                    "label",
                    hint=f"unpack {ARCHIVE}, or set label: fine",
                )
            classes = cifar.folders(root / self.split)
        elif binary.is_dir():
            classes = cifar.arrays(*read_binary(binary, self.split, self.label))
        else:
            pickles = root.name == "cifar-100-python" or (root / "cifar-100-python").is_dir()
            raise SourceError(
                [
                    f"{root} holds the Python version, which consists of pickle files; these are "
                    "not opened"
                    if pickles
                    else f"{root} holds neither {self.split}/<class>/ nor {BINARY}/"
                ],
                hint=f"unpack the binary version, {ARCHIVE}, and name the folder that contains it",
            )
        chosen = taken(by_turns(classes), self.limit, self.offset, self.shuffle)
        return on_demand(chosen, self.user, root)


def read_binary(
    folder: Path, split: str, label: str = "fine"
) -> tuple[np.ndarray, list[int], list[str]]:
    """Read the binary version of CIFAR-100, records of two bytes of labels (coarse, fine) and 3072
    bytes of pixels (planes R, G, B).

    Returns:
        pictures uint8 (N, 32, 32, 3), labels, names of the classes
    """
    names = f"{label}_label_names.txt"
    return cifar.records(folder, [f"{split}.bin"], names, 2, LABELS.index(label), ARCHIVE)
