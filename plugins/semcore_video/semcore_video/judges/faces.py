"""Metrics of faces: whether they are where they were, who they are, and whether their lips move alike."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge

from semcore.interfaces import Record
from semcore.metrics import RecordMetric
from semcore.statistics import Decibels, Mean, Score, Statistic
from semcore_video.judges.dlib_faces import embedding, landmarks
from semcore_video.licences import DLIB, DLIB_68
from semcore_video.paper import PAPER
from semcore_video.shipped import arrays

UPPER_LIP, LOWER_LIP, BROWS, CHIN = 62, 66, 27, 8
MOUTH_LEFT, MOUTH_RIGHT = 48, 54
"""Landmarks in the middle of the inner lips, between the brows, and at the chin."""
JUDGE = "dlib-68,detect-every=5"


def videos(record: Record) -> tuple[np.ndarray, np.ndarray | None] | None:
    """Source and result as uint8 (T, H, W, 3) of one length; no result: None; a result of another size does not count."""
    source, result = record.source.video, record.result.video
    if source is None or not len(source):
        return None
    if result is None or not len(result) or result.shape[1:] != source.shape[1:]:
        return source, None
    length = min(len(source), len(result))
    return source[:length], result[:length]


@dataclass(frozen=True)
class FramePSNR(RecordMetric):
    """Peak signal-to-noise ratio of the frames of a video, dB: the mean over frames of 10·log10(255² / MSE), each at most 100.

    It hardly sees a face: most of a frame is background, and a still picture has more than a moving one that is a pixel
    beside. A lost video counts as mid-grey. None without a video in the source.
    """

    unit: ClassVar[str] = "dB"
    statistic: ClassVar[Statistic] = Decibels()
    method: ClassVar[str] = "range=255,cap=100dB,lost=grey,mean=per-frame"

    def value(self, record: Record) -> float | None:
        pair = videos(record)
        if pair is None:
            return None
        result = np.full_like(pair[0][:1], 128).repeat(len(pair[0]), 0) if pair[1] is None else pair[1]
        mse = [np.square(one.astype(np.float32) - other).mean() for one, other in zip(pair[0], result, strict=True)]
        return float(np.minimum(10 * np.log10(255**2 / np.maximum(mse, 1e-9)), 100).mean())


@dataclass(frozen=True)
class AKD(RecordMetric):
    """Average keypoint distance: how far 68 landmarks of the face are from those of the source, pixels of the video.

    Landmarks are dlib's, which no component here uses to make a video. Frames without a face in the source are left out.
    A face that is lost, with its video or by itself, counts as if all its landmarks lay in its middle. None without a face
    in the source.
    """

    licences: ClassVar[tuple[str, ...]] = (
        DLIB,
        DLIB_68,
    )
    reference: ClassVar[str] = f"{PAPER}, section IV-A3"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", "king2009dlib", "sagonas2016faces")
    unit: ClassVar[str] = "px"
    better: ClassVar[str] = "lower"
    statistic: ClassVar[Statistic] = Mean(0.0)
    method: ClassVar[str] = f"judge={JUDGE},lost=middle,mean=per-clip"

    def value(self, record: Record) -> float | None:
        pair = videos(record)
        if pair is None:
            return None
        there = landmarks(pair[0])
        here = np.full_like(there, np.nan) if pair[1] is None else landmarks(pair[1])
        here = np.where(np.isfinite(here), here, there.mean(1, keepdims=True))
        apart = np.linalg.norm(here - there, axis=-1)
        return float(np.nanmean(apart)) if np.isfinite(apart).any() else None


@dataclass(frozen=True)
class CSIM(RecordMetric):
    """Cosine similarity of identity: dlib's embedding of the faces of source and result, at most 1.

    Mean over frames spread over the clip. It is blind to motion and to light, and strangers have about 0.84: `csim-centred`
    says more. A lost face has 0. None without a face in the source.

    Fields:
        frames: how many are looked at
    """

    licences: ClassVar[tuple[str, ...]] = (DLIB,)
    reference: ClassVar[str] = f"{PAPER}, equation 24"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", "king2009dlib")

    statistic: ClassVar[Statistic] = Score(-1.0, 1.0)

    frames: Annotated[int, Ge(1)] = 3

    @property
    def signature(self) -> str:
        return f"{type(self).__name__}|{self.version}|judge=dlib-resnet-v1,frames={self.frames},lost=0"

    def value(self, record: Record) -> float | None:
        pair = videos(record)
        if pair is None:
            return None
        chosen = np.linspace(0, len(pair[0]) - 1, self.frames).round().astype(int)
        found = [self._alike(pair[0][at], None if pair[1] is None else pair[1][at]) for at in chosen]
        told = [one for one in found if one is not None]
        return float(np.mean(told)) if told else None

    def _alike(self, source: np.ndarray, result: np.ndarray | None) -> float | None:
        one = self.embedded(source)
        if one is None:
            return None
        other = None if result is None else self.embedded(result)
        if other is None:
            return 0.0
        return similarity(self.seen(one), self.seen(other))

    def embedded(self, picture: np.ndarray) -> np.ndarray | None:
        """Whose face it is in a picture uint8 (H, W, 3), as a vector; None without a face."""
        return embedding(picture)

    def seen(self, one: np.ndarray) -> np.ndarray:
        """An embedding as it is compared."""
        return one


@dataclass(frozen=True)
class CentredCSIM(CSIM):
    """Cosine similarity of identity after the mean face is taken away, at most 1: strangers are near 0.

    The embeddings of dlib all point one way; less the mean of several people (recipe `mean-face`), what is left tells them
    apart. Otherwise as `csim`.
    """

    def seen(self, one: np.ndarray) -> np.ndarray:
        return one - mean_face()


def similarity(one: np.ndarray, other: np.ndarray) -> float:
    """The cosine of the angle between two vectors."""
    return float(one @ other / max(np.linalg.norm(one) * np.linalg.norm(other), 1e-12))


@functools.cache
def mean_face() -> np.ndarray:
    """The mean of dlib's embeddings of several people, float64 (128,)."""
    found: np.ndarray = arrays("mean-face", None, "mean", "mean-face").astype(np.float64)
    return found


def opening(points: np.ndarray) -> np.ndarray:
    """Distance of the inner lips in heights of the lower face: landmarks (T, 68, 2) -> (T,)."""
    height = np.linalg.norm(points[:, BROWS] - points[:, CHIN], axis=-1)
    return np.linalg.norm(points[:, UPPER_LIP] - points[:, LOWER_LIP], axis=-1) / height


def widths(points: np.ndarray) -> np.ndarray:
    """Distance of the corners of the mouth in heights of the lower face: landmarks (T, 68, 2) -> (T,)."""
    height = np.linalg.norm(points[:, BROWS] - points[:, CHIN], axis=-1)
    return np.linalg.norm(points[:, MOUTH_LEFT] - points[:, MOUTH_RIGHT], axis=-1) / height


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Pearson's correlation, 0 where one of them does not change."""
    one, other = (np.asarray(values, np.float64) for values in (one, other))
    if len(one) < 2 or one.std() < 1e-9 or other.std() < 1e-9:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


@dataclass(frozen=True)
class LipCorrelation(RecordMetric):
    """Whether the lips open when those of the source do: correlation of their openings over time, at most 1.

    Tells what a mean distance hides, because the pose of the head outweighs the lips. Still or lost lips have 0. None
    without a face in the source.
    """

    licences: ClassVar[tuple[str, ...]] = (
        DLIB,
        DLIB_68,
    )
    cites: ClassVar[tuple[str, ...]] = ("king2009dlib", "sagonas2016faces")
    statistic: ClassVar[Statistic] = Score(-1.0, 1.0)
    method: ClassVar[str] = f"judge={JUDGE},lost=0"

    def value(self, record: Record) -> float | None:
        pair = videos(record)
        if pair is None:
            return None
        there = opening(landmarks(pair[0]))
        if not np.isfinite(there).any():
            return None
        if pair[1] is None:
            return 0.0
        here = opening(landmarks(pair[1]))
        both = np.isfinite(there) & np.isfinite(here)
        return correlation(here[both], there[both])
