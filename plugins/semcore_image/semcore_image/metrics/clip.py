"""How much of the meaning of a picture arrived."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from semcore.errors import RunError
from semcore.interfaces import Metric, Record
from semcore.metrics.builtin import RecordMetric, pictures
from semcore.metrics.similarity import WINDOW, Border, ms_ssim
from semcore.statistics.kinds import Mean, Score, Share, Statistic
from semcore_image.models.clip import ComparesByClip
from semcore_image.models.digests import mini_digest
from semcore_image.pixels import to_tensor
from semcore_image.streams import CAPTION


@dataclass(frozen=True)
class ClipScore(ComparesByClip, Metric):
    """CLIP score, 100 · max(cosine, 0), of the resulting picture and a caption of the source.

    0 to 100. None where there is no such caption or no resulting picture.

    Fields:
        against: the caption: `sent`, as the encoder put it into the stream `caption`; `source`, the text that
            came with the picture, which every transmission can be compared with
    """

    reference: ClassVar[str] = "Hessel et al., CLIPScore, EMNLP 2021, without the factor 2.5"
    cites: ClassVar[tuple[str, ...]] = ("hessel2021clipscore", "radford2021learning")
    statistic: ClassVar[Statistic] = Score(0.0, 100.0)

    against: Literal["sent", "source"] = "sent"

    @property
    def signature(self) -> str:
        return f"clip-score(model={self.clip.name},weights={self.clip.digest},against={self.against})"

    def measure(self, records: Sequence[Record]) -> list[float | None]:
        return [self._score(record) for record in records]

    def _score(self, record: Record) -> float | None:
        caption = record.sent.text(CAPTION) if self.against == "sent" else record.source.text
        if not caption or record.result.image is None:
            return None
        return 100 * max(0.0, cosine(self.clip.images([record.result.image]), self.clip.texts([caption])))


@dataclass(frozen=True)
class ClipImage(ComparesByClip, Metric):
    """Semantic similarity: the cosine of the source picture and the resulting one in CLIP's space.

    -1 to 1. None where either has no picture.
    """

    reference: ClassVar[str] = "Radford et al., Learning Transferable Visual Models From Natural Language Supervision, 2021"
    cites: ClassVar[tuple[str, ...]] = ("radford2021learning",)
    statistic: ClassVar[Statistic] = Score(-1.0, 1.0)

    @property
    def signature(self) -> str:
        return f"clip-image(model={self.clip.name},weights={self.clip.digest})"

    def measure(self, records: Sequence[Record]) -> list[float | None]:
        return [self._similarity(record) for record in records]

    def _similarity(self, record: Record) -> float | None:
        if record.source.image is None or record.result.image is None:
            return None
        return cosine(self.clip.images([record.source.image]), self.clip.images([record.result.image]))


@dataclass(frozen=True)
class ClassAccuracy(Metric):
    """Share of resulting pictures in which the shipped classifier sees the source's class.

    A picture counts 100 or 0. The source's class is its label; where it has none of CIFAR-10's ten, it is
    what the classifier sees in the source. None where the result has no picture, or the source neither label
    nor picture.
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
        return 100.0 * (self._class(result.image) == wanted)


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    """Of two rows (1, d) of unit length, in -1..1."""
    return float(np.clip(one[0] @ other[0], -1, 1))


@dataclass(frozen=True)
class MSSSIM(RecordMetric):
    """Multi-scale structural similarity of the picture, 0..1.

    Window of 11 x 11 with sigma 1.5, data range 255, mean over the colour channels, in double precision. The five scales of
    the original want sides of 176 pixels; a smaller picture has as many as hold the window, and their exponents are scaled
    to sum to one: four at 96 x 96, two at 32 x 32, SSIM itself below 22. A result of another size is resized to the
    source's (bicubic). None without two pictures, or if a side is shorter than the window.

    Fields:
        border: of the last scale, whose luminance counts: `reflect`, a window around every pixel, where the picture goes on
            beyond its border as its mirror image (the values of torchmetrics); or `valid`, the windows that lie in the
            picture, as the contrast and structure of every other scale are taken in any case
    """

    statistic: ClassVar[Statistic] = Score(0.0, 1.0)
    version: ClassVar[int] = 2
    reference: ClassVar[str] = "Z. Wang et al., Multiscale structural similarity for image quality assessment, Asilomar 2003"
    cites: ClassVar[tuple[str, ...]] = ("wang2003multiscale",)

    border: Border = "reflect"

    @property
    def method(self) -> str:  # type: ignore[override]
        """What a reader must know to compare the value with another one."""
        border = f"border=valid,last-scale={self.border}"
        return f"range=255,window=gaussian-11x11,sigma=1.5,scales=as-fit<=5,{border},resize=bicubic"

    def value(self, record: Record) -> float | None:
        pair = pictures(record)
        return None if pair is None or min(pair[0].shape[:2]) < WINDOW else ms_ssim(*pair, self.border)


TORCHVISION = "https://download.pytorch.org/models/"
NETWORKS = {"alex": "alexnet-owt-7be5be79.pth", "squeeze": "squeezenet1_1-b8a52dc0.pth", "vgg": "vgg16-397923af.pth"}
"""Where torchvision fetches the weights of LPIPS's networks, and their files."""


@dataclass(frozen=True)
class LPIPS(RecordMetric):
    """Perceptual distance of the pictures by the features of a network (torchmetrics), where its weights are on this machine.

    The linear layers come with torchmetrics; the network's own weights are torchvision's, and nothing is downloaded:
    what is missing is named. Pictures smaller than 64 pixels a side are enlarged to it (bilinear), as the networks
    want. None without two pictures.

    Errors: RunError if the weights of the network are not there.

    Fields:
        network: whose features are compared
    """

    better: ClassVar[str] = "lower"
    reference: ClassVar[str] = (
        "R. Zhang et al., The unreasonable effectiveness of deep features as a perceptual metric, CVPR 2018"
    )
    cites: ClassVar[tuple[str, ...]] = ("zhang2018unreasonable", "detlefsen2022torchmetrics")
    statistic: ClassVar[Statistic] = Mean(0.0)

    network: Literal["alex", "squeeze", "vgg"] = "alex"

    @property
    def method(self) -> str:  # type: ignore[override]
        """What a reader must know to compare the value with another one."""
        return f"net={self.network},min-side=64"

    def missing(self) -> str:
        # As `torch.hub.get_dir` has it: a check does not load PyTorch.
        cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "torch"
        file = Path(os.environ.get("TORCH_HOME") or cache).expanduser() / "hub" / "checkpoints" / NETWORKS[self.network]
        if file.is_file():
            return ""
        return f"the weights of {self.network} are not on this machine: fetch {TORCHVISION}{file.name} to {file}"

    @cached_property
    def _measure(self) -> Any:
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

        both = [torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)[None] / 255 for pixels in pair]
        factor = max(1.0, 64 / min(pair[0].shape[:2]))
        source, result = (F.interpolate(one, scale_factor=factor, mode="bilinear") if factor > 1 else one for one in both)
        with torch.inference_mode():
            return float(self._measure(result, source))


@dataclass(frozen=True)
class FloatBytes(RecordMetric):
    """Bytes of the numbers that were sent, 4 each, as the paper counts its overhead: C1 of eq. 31, C2 of eq. 32.

    Counted from the ledger: a channel use of kind `data` without bits carries two real numbers. Headers, repetitions
    and pilots are channel uses (`channel-uses`), and not in here. None if a stream was sent as bits, or nothing was.
    """

    unit: ClassVar[str] = "byte"
    better: ClassVar[str] = "lower"
    statistic: ClassVar[Statistic] = Mean(0.0)
    cost: ClassVar[bool] = True
    method: ClassVar[str] = "ledger-data,2x4bytes/use"
    reference: ClassVar[str] = "MMSemCom, section V-A, eq. 31-32"
    cites: ClassVar[tuple[str, ...]] = ("liang2024image",)

    def value(self, record: Record) -> float | None:
        uses = record.ledger.uses(kind="data")
        return 8.0 * uses if uses and not record.ledger.bits(kind="data") else None
