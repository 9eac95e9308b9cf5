"""Whether the result shows what the source says, by a detector of drawn scenes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np

from semcore import Metric, Record, Sample, Share, Statistic
from semcore_image.models.digests import mini_digest
from semcore_image.pixels import to_tensor
from semcore_image.scenes.grammar import parse

FACTS = ("kind", "colour", "count", "place")


@dataclass(frozen=True)
class SceneAccuracy(Metric):
    """Share of results that show the main objects of the source: their kind, colour, number, place.

    For drawn scenes (`scenes`). What the source shows is read from its text, which is an exact
    caption, and otherwise seen in its picture; what the result shows is seen by scene-judge, a
    detector that was trained apart from generators and captioners. A result counts 100 or 0. None
    if the result has no picture, or the source neither caption of a scene nor picture.

    Fields:
        of: what must agree; `all`: kind, colour, count and place together; `background`: the
            background, and day or night
    """

    cites: ClassVar[tuple[str, ...]] = ("he2016deep",)
    unit: ClassVar[str] = "%"
    statistic: ClassVar[Statistic] = Share(100.0)

    of: Literal["all", "kind", "colour", "count", "place", "background"] = "all"

    @property
    def signature(self) -> str:
        weights = mini_digest("scene-judge")
        return f"scene-accuracy(of={self.of},model=scene-judge,weights={weights})"

    def measure(self, records: Sequence[Record]) -> list[float | None]:
        return [self._right(record) for record in records]

    @cached_property
    def _net(self) -> Any:
        from semcore_image.models.weights import load_mini

        return load_mini("scene-judge")

    def _seen(self, pixels: np.ndarray) -> dict[str, object]:
        seen = self._net.judge(to_tensor([pixels], (64, 64)))[0]
        facts = {name: getattr(seen, name) for name in FACTS}
        return {**facts, "background": (seen.background, seen.time)}

    def _stated(self, source: Sample) -> dict[str, object] | None:
        try:
            shown = parse(source.text or "")
        except ValueError:
            return None if source.image is None else self._seen(source.image)
        facts = {name: getattr(shown.main, name) for name in FACTS}
        return {**facts, "background": (shown.background, shown.time)}

    def _right(self, record: Record) -> float | None:
        if record.result.image is None or (wanted := self._stated(record.source)) is None:
            return None
        seen = self._seen(record.result.image)
        names = FACTS if self.of == "all" else (self.of,)
        return 100.0 if all(wanted[name] == seen[name] for name in names) else 0.0
