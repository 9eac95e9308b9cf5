"""Policies for updating a knowledge base of reference pictures."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge
from PIL import Image, ImageOps

from semcore import KBPolicy, KnowledgeBase, Picture, Sample, Semantics, Stream
from semcore_video.paper import PAPER

Side = Annotated[int, Ge(1)]


@dataclass(frozen=True)
class ReferenceKB(KBPolicy, abc.ABC):
    """A policy whose entries are reference pictures of each user.

    The picture of a sample is its image, or else the first frame of its video; a sample with
    neither requests no update. Each sample is only compared with `kb`, so a batch contains at most
    one sample per user.

    Fields:
        size: (height, width) of the reference pictures, cropped to that aspect ratio and resampled;
            null: unchanged
    """

    size: tuple[Side, Side] | None = None

    @property
    def streams(self) -> Mapping[str, type[Stream]]:
        return {"reference": Picture}

    def update(self, kb: KnowledgeBase, samples: Sequence[Sample]) -> list[Semantics]:
        return [self._update(kb, sample) for sample in samples]

    def _update(self, kb: KnowledgeBase, sample: Sample) -> Semantics:
        pixels = self.picture(sample)
        held = [entry.pixels for entry in kb.of(sample.user) if isinstance(entry, Picture)]
        if pixels is None or not self.needed(pixels, held):
            return Semantics(sample.id, {}, sample.user)
        return Semantics(sample.id, self.update_streams(sample, pixels), sample.user)

    def update_streams(self, sample: Sample, pixels: np.ndarray) -> dict[str, Stream]:
        """The streams of an update for a sample with the reference picture `pixels`."""
        return {"reference": Picture(pixels)}

    def picture(self, sample: Sample) -> np.ndarray | None:
        """The candidate reference picture of a sample, uint8 (H, W, 3); None if it has none."""
        pixels = sample.image
        if pixels is None and sample.video is not None and len(sample.video):
            pixels = sample.video[0]
        return None if pixels is None else self._sized(pixels)

    def _sized(self, pixels: np.ndarray) -> np.ndarray:
        if self.size is None or pixels.shape[:2] == self.size:
            return pixels
        height, width = self.size
        return np.asarray(
            ImageOps.fit(Image.fromarray(pixels), (width, height), Image.Resampling.BICUBIC)
        )

    @abc.abstractmethod
    def needed(self, pixels: np.ndarray, held: Sequence[np.ndarray]) -> bool:
        """Whether `pixels` must be sent to a receiver that holds the references `held` of that
        user, oldest first."""


@dataclass(frozen=True)
class StaticKB(ReferenceKB):
    """Sends the first picture of each user, once.

    It is repeated with the picture of the current sample until one is acknowledged.
    """

    reference: ClassVar[str] = f"{PAPER}, section III-D: the first frame of the first segment"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic",)

    def needed(self, pixels: np.ndarray, held: Sequence[np.ndarray]) -> bool:
        return not held


@dataclass(frozen=True)
class AlwaysKB(ReferenceKB):
    """Sends the picture of every sample, regardless of the receiver's references: the forced update
    level."""

    reference: ClassVar[str] = f"{PAPER}, section III-D4 (w/o Judg.)"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic",)

    def needed(self, pixels: np.ndarray, held: Sequence[np.ndarray]) -> bool:
        return True


@dataclass(frozen=True)
class PsnrKB(ReferenceKB):
    """Sends a picture if its PSNR relative to the best of the user's references is below a
    threshold: level L1.

    References accumulate, as in the paper. A generator that takes the newest of them may use
    another one than the best match; with `max_entries: 1` policy and generator use the same
    picture. A reference of another size does not match.

    Fields:
        threshold_db: PSNR below which a picture is sent, dB, data range 255, 0 or more
        max_entries: number of references per user kept by both ends, the newest; null: all
    """

    reference: ClassVar[str] = f"{PAPER}, section III-D2, equation 25"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic",)

    threshold_db: Annotated[float, Ge(0)] = 20.0
    max_entries: Annotated[int, Ge(1)] | None = None

    def needed(self, pixels: np.ndarray, held: Sequence[np.ndarray]) -> bool:
        best = max((psnr_db(pixels, reference) for reference in held), default=-np.inf)
        return best < self.threshold_db

    def apply(self, kb: KnowledgeBase, delivered: Sequence[Semantics]) -> KnowledgeBase:
        kb = super().apply(kb, delivered)
        if self.max_entries is None:
            return kb
        return KnowledgeBase({user: kb.of(user)[-self.max_entries :] for user in kb.entries})


def psnr_db(first: np.ndarray, second: np.ndarray) -> float:
    """10·log10(255² / MSE) of two pictures uint8 (H, W, 3): inf if they are equal, -inf if their
    sizes differ."""
    if first.shape != second.shape:
        return -np.inf
    mse = float(np.mean((first.astype(np.float64) - second.astype(np.float64)) ** 2))
    return float(10 * np.log10(255**2 / mse)) if mse else np.inf
