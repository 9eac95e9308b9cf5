"""Metrics of pyiqa by name."""

from __future__ import annotations

import contextlib
import importlib.util
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from semcore import extra
from semcore_image.metrics.by_name import NamedMetric

NEEDS = "the metric pyiqa needs pyiqa"


@dataclass(frozen=True)
class PyIQA(NamedMetric):
    """A metric of pyiqa, by its name: one that compares two pictures, or one of the result alone.

    Pictures are given as 0..1. A result of another size is resized to that of the source (bicubic).
    Metrics of sets of pictures, such as FID, are refused. Weights are not downloaded; `semcore
    check` names the missing file. None without two pictures.

    Fields:
        name: its name in pyiqa, such as fsim, dists or niqe
    """

    reference: ClassVar[str] = "C. Chen and J. Mo, IQA-PyTorch, github.com/chaofengc/IQA-PyTorch"
    cites: ClassVar[tuple[str, ...]] = ("chen2022iqa",)
    library: ClassVar[str] = "pyiqa"
    test_settings = ({"name": "ssim"},)

    def lacking(self) -> str:
        if importlib.util.find_spec("pyiqa") is not None:
            return ""
        return f"{NEEDS}: pip install 'semcore-image[pyiqa]'"

    def names(self) -> Sequence[str]:
        return sorted(self._configurations())

    def _configurations(self) -> dict[str, Any]:
        with extra("semcore-image[pyiqa]", NEEDS):
            from pyiqa.default_model_configs import DEFAULT_CONFIGS

        return dict(DEFAULT_CONFIGS)

    def refusal(self) -> str:
        sets = self.name.startswith(("fid", "inception"))
        return "it compares sets of pictures, and semcore measures each" if sets else ""

    def better_by_library(self) -> Literal["higher", "lower"] | None:
        return "lower" if self._configurations()[self.name].get("lower_better") else "higher"

    def made(self) -> Any:
        with extra("semcore-image[pyiqa]", NEEDS):
            import pyiqa

        with contextlib.redirect_stdout(io.StringIO()):  # it prints what it loads
            metric = pyiqa.create_metric(self.name, device="cpu", **self.args)
        alone = self._configurations()[self.name]["metric_mode"] == "NR"
        return lambda result, source: metric(result) if alone else metric(result, source)
