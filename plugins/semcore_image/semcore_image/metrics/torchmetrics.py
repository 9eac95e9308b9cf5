"""Metrics of torchmetrics by name."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from semcore import extra
from semcore_image.metrics.by_name import NamedMetric

GROUP = "image"
PAIRS = (("preds", "target"), ("img1", "img2"))
"""Names of the arguments of metrics that compare two pictures."""
NEEDS = "the metric torchmetrics needs torchmetrics"


@dataclass(frozen=True)
class TorchMetrics(NamedMetric):
    """A metric of torchmetrics that compares two pictures, by its name.

    Pictures are given as 0..1: `data_range` is 1 and `normalize` true if the metric has such an
    argument and `args` does not set it. A result of another size is resized to that of the source
    (bicubic). Metrics of sets of pictures, such as FID, are refused. Weights are not downloaded;
    `semcore check` names the missing file. None without two pictures.

    Fields:
        name: its name in torchmetrics, such as image.UniversalImageQualityIndex
    """

    cites: ClassVar[tuple[str, ...]] = ("detlefsen2022torchmetrics",)
    library: ClassVar[str] = "torchmetrics"
    test_settings = ({"name": "image.UniversalImageQualityIndex"},)

    def lacking(self) -> str:
        if importlib.util.find_spec("torchmetrics") is not None:
            return ""
        return f"{NEEDS}: pip install 'semcore-image[torchmetrics]'"

    def names(self) -> Sequence[str]:
        with extra("semcore-image[torchmetrics]", NEEDS):
            import torchmetrics.image as group

        return sorted(f"{GROUP}.{name}" for name in group.__all__)

    def _class(self) -> Any:
        with extra("semcore-image[torchmetrics]", NEEDS):
            import torchmetrics.image as group

        return getattr(group, self.name.rpartition(".")[2])

    def refusal(self) -> str:
        taken = list(inspect.signature(self._class().update).parameters)[1:]
        if tuple(taken[:2]) in PAIRS and len(taken) == 2:
            return ""
        return (
            f"it is updated with {', '.join(taken)}, and semcore compares each result with its "
            "source"
        )

    def better_by_library(self) -> Literal["higher", "lower"] | None:
        said = getattr(self._class(), "higher_is_better", None)
        return None if said is None else "higher" if said else "lower"

    def made(self) -> Any:
        cls = self._class()
        known = inspect.signature(cls.__init__).parameters
        usual = {"data_range": 1.0, "normalize": True}
        taken = {name: value for name, value in usual.items() if name in known}
        metric = cls(**{**taken, **self.args}).eval()

        def measure(result: Any, source: Any) -> Any:
            metric.reset()
            metric.update(result, source)
            return metric.compute()

        return measure
