"""Classification accuracy of the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from semcore import Metric, Record, Share, Statistic
from semcore_image.models.digests import mini_digest
from semcore_image.pixels import to_tensor


@dataclass(frozen=True)
class ClassAccuracy(Metric):
    """Share of resulting pictures that the shipped classifier assigns to the class of the source.

    A picture counts 100 or 0. The class of the source is its label; if that is not one of
    CIFAR-10's ten, the class that the classifier assigns to the source. None if the result has no
    picture, or the source neither label nor picture.
    """

    cites: ClassVar[tuple[str, ...]] = ("he2016deep", "krizhevsky2009learning")

    unit: ClassVar[str] = "%"
    statistic: ClassVar[Statistic] = Share(100.0)

    @property
    def signature(self) -> str:
        return f"class-accuracy(model=mini-classifier,weights={mini_digest('mini-classifier')})"

    def measure(self, records: Sequence[Record]) -> list[float | None]:
        return [self._right(record) for record in records]

    @cached_property
    def _net(self) -> Any:
        from semcore_image.models.weights import load_mini

        return load_mini("mini-classifier")

    def _class(self, pixels: np.ndarray) -> str:
        return self._net.classes[int(self._net.classify(to_tensor([pixels], (32, 32))).argmax())]

    def _right(self, record: Record) -> float | None:
        source, result = record.source, record.result
        wanted = source.label if source.label in self._net.classes else None
        if wanted is None and source.image is not None:
            wanted = self._class(source.image)
        if wanted is None or result.image is None:
            return None
        return 100.0 if self._class(result.image) == wanted else 0.0
