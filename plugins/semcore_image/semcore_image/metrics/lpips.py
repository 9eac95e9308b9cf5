"""Perceptual distance by the features of a network."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from semcore import Mean, Record, RunError, Statistic, extra
from semcore.metrics import RecordMetric, pictures

TORCHVISION = "https://download.pytorch.org/models/"
NETWORKS = {
    "alex": "alexnet-owt-7be5be79.pth",
    "squeeze": "squeezenet1_1-b8a52dc0.pth",
    "vgg": "vgg16-397923af.pth",
}
"""Where torchvision fetches the weights of LPIPS's networks, and their files."""


@dataclass(frozen=True)
class LPIPS(RecordMetric):
    """LPIPS: perceptual distance of the pictures by features of a network (torchmetrics).

    The linear layers come with torchmetrics, the weights of the network from torchvision. Nothing
    is downloaded; the error names the missing file. Pictures with a side below 64 pixels are
    enlarged to 64 (bilinear). None without two pictures.

    Errors: RunError if the weights of the network are not on this machine.

    Fields:
        network: network whose features are compared
    """

    better: ClassVar[str] = "lower"
    reference: ClassVar[str] = (
        "R. Zhang et al., The unreasonable effectiveness of deep features as a perceptual metric, "
        "CVPR 2018"
    )
    cites: ClassVar[tuple[str, ...]] = ("zhang2018unreasonable", "detlefsen2022torchmetrics")
    statistic: ClassVar[Statistic] = Mean(0.0)

    network: Literal["alex", "squeeze", "vgg"] = "alex"

    def libraries(self) -> Mapping[str, str]:
        return {"torchmetrics": "semcore-image[models]", "torchvision": "semcore-image[models]"}

    @property
    def method(self) -> str:  # type: ignore[override]
        """Everything needed to compare the value with another one."""
        return f"net={self.network},min-side=64"

    def missing(self) -> str:
        # As in `torch.hub.get_dir`; a check must not import PyTorch.
        cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "torch"
        home = Path(os.environ.get("TORCH_HOME") or cache).expanduser()
        file = home / "hub" / "checkpoints" / NETWORKS[self.network]
        if file.is_file():
            return ""
        return (
            f"the weights of {self.network} are not on this machine: fetch "
            f"{TORCHVISION}{file.name} to {file}"
        )

    @cached_property
    def _measure(self) -> Any:
        with extra("semcore-image[models]", "LPIPS needs torchmetrics and torchvision"):
            from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

        if reason := self.missing():
            raise RunError(f"metric lpips: {reason}")
        return LearnedPerceptualImagePatchSimilarity(net_type=self.network, normalize=True).eval()

    def value(self, record: Record) -> float | None:
        pair = pictures(record)
        if pair is None:
            return None
        import torch
        import torch.nn.functional as F

        both = [
            torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)[None] / 255
            for pixels in pair
        ]
        factor = max(1.0, 64 / min(pair[0].shape[:2]))
        source, result = (
            F.interpolate(one, scale_factor=factor, mode="bilinear") if factor > 1 else one
            for one in both
        )
        with torch.inference_mode():
            return float(self._measure(result, source))
