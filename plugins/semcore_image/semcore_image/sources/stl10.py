"""STL-10."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge

from semcore import Sample, Source, SourceError
from semcore_image.sources.on_demand import Entry, on_demand

Count = Annotated[int, Ge(0)]


@dataclass(frozen=True)
class STL10(Source):
    """STL-10: 96×96 pictures of ten classes, read by torchvision, in the same order as `cifar10`.

    Errors: SourceError if `path` does not hold the folder stl10_binary with the split's files.

    Fields:
        path: folder that holds stl10_binary
        split: train or test
        classes: use only these; null: all
        limit: maximum number of pictures; null: all
        offset: number of pictures to skip first
        user: sender of the pictures; pictures of one user form a sequence and share a knowledge
            base
    """

    reference: ClassVar[str] = (
        "A. Coates, H. Lee, A. Y. Ng, An analysis of single-layer networks in unsupervised "
        "feature learning, 2011"
    )
    cites: ClassVar[tuple[str, ...]] = ("coates2011analysis",)
    test_settings = ({"path": "{folder}"},)

    path: str
    split: Literal["train", "test"] = "test"
    classes: tuple[str, ...] | None = None
    limit: Count | None = None
    offset: Count = 0
    user: str = ""

    def samples(self) -> Sequence[Sample]:
        from torchvision.datasets import STL10 as Files

        class Unchecked(Files):
            """Skips the check that all published files are present: one split is enough."""

            def _check_integrity(self) -> bool:
                return True

        root = Path(self.path).expanduser()
        try:
            data = Unchecked(str(root), split=self.split)
        except (OSError, RuntimeError, ValueError) as error:
            files = f"{self.split}_X.bin, {self.split}_y.bin and class_names.txt"
            raise SourceError([f"{root} must hold stl10_binary with {files}: {error}"]) from error
        queues: dict[str, list[Entry]] = {name: [] for name in sorted(self.classes or data.classes)}
        for pixels, label in zip(data.data, data.labels, strict=True):
            name = data.classes[label]
            if name in queues:
                read = functools.partial(np.ascontiguousarray, pixels.transpose(1, 2, 0))
                queues[name].append(Entry(f"{name}/{len(queues[name]):04d}", read, name))
        rounds = itertools.zip_longest(*queues.values())
        order = (item for one_of_each in rounds for item in one_of_each if item is not None)
        chosen = itertools.islice(
            order, self.offset, None if self.limit is None else self.offset + self.limit
        )
        return on_demand(list(chosen), self.user, root)
