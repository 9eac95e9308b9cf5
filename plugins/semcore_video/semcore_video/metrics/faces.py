"""Metrics of faces: whether they are where they were, who they are, and whether their lips move
alike."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge

from semcore.interfaces import Record
from semcore.metrics.builtin import RecordMetric
from semcore.statistics.kinds import Decibels, Mean, Score, Statistic
from semcore_video.face.dlib_faces import embedding
from semcore_video.face.identity import mean_face, similarity
from semcore_video.face.landmarks import correlation, opening
from semcore_video.metrics.face_metric import Judge
from semcore_video.metrics.pairs import METHOD, Pair, paired
from semcore_video.paper import PAPER


@dataclass(frozen=True)
class FramePSNR(RecordMetric):
    """Peak signal-to-noise ratio of the frames of a video, dB: the mean over frames of
    10·log10(255² / MSE).

    It hardly sees a face: most of a frame is background, and a still picture has more than a moving
    one that is a pixel beside. Frames are compared that are seen at the same time. A frame that the
    result lacks, or has beyond the end of the source, counts as mid-grey, and so does a lost video.
    Frames without an error are not in the mean; a video without any is infinite, and counted as
    exact. None without a video in the source.
    """

    version: ClassVar[int] = 2
    unit: ClassVar[str] = "dB"
    statistic: ClassVar[Statistic] = Decibels()
    method: ClassVar[str] = f"range=255,exact=apart,{METHOD},lost=grey,excess=grey,mean=per-frame"

    def value(self, record: Record) -> float | None:
        pair = paired(record)
        if pair is None:
            return None
        both = pair.frames(np.arange(len(pair)))
        mse = [float(np.square(one.astype(np.float32) - other).mean()) for one, other in both]
        return self.statistic.together(
            [10 * math.log10(255**2 / one) if one else math.inf for one in mse]
        )


@dataclass(frozen=True)
class FaceMetric(Judge):
    """Frames of source and result are compared that are seen at the same time. Those without a face
    in the source are left out; the row says how many were judged."""

    def judged(self, record: Record) -> tuple[int, int] | None:
        pair = paired(record)
        if pair is None:
            return None
        chosen = self.looked_at(pair)
        there, _ = pair.values(self.landmarks(pair.source), self.landmarks(pair.result))
        return int(np.isfinite(there[chosen, 0, 0]).sum()), len(chosen)

    def looked_at(self, pair: Pair) -> np.ndarray:
        """The moments that are looked at, int64."""
        return np.arange(len(pair))


@dataclass(frozen=True)
class AKD(FaceMetric):
    """Average keypoint distance: how far 68 landmarks of the face are from those of the source,
    pixels of the video.

    A face that is lost, with its video, its frame or by itself, counts as if all its landmarks lay
    in its middle; so does that of every frame that the result has beyond the end of the source.
    None without a face in the source.
    """

    reference: ClassVar[str] = f"{PAPER}, section IV-A3"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", *Judge.cites)
    unit: ClassVar[str] = "px"
    better: ClassVar[str] = "lower"
    statistic: ClassVar[Statistic] = Mean(0.0)
    method: ClassVar[str] = f"{METHOD},lost=middle,excess=middle,mean=per-clip"

    def value(self, record: Record) -> float | None:
        pair = paired(record)
        if pair is None:
            return None
        there, here = pair.values(self.landmarks(pair.source), self.landmarks(pair.result))
        here = np.where(np.isfinite(here), here, there.mean(1, keepdims=True))
        apart = np.linalg.norm(here - there, axis=-1)
        return float(np.nanmean(apart)) if np.isfinite(apart).any() else None


@dataclass(frozen=True)
class CSIM(FaceMetric):
    """Cosine similarity of identity: dlib's embedding of the faces of source and result, at most 1.

    Mean over frames spread over the clip. It is blind to motion and to light, and strangers have
    about 0.84: `csim-centred` says more. A lost face, or a frame beyond the end of the source, has
    0. None without a face in the source.

    Fields:
        frames: how many are looked at
    """

    reference: ClassVar[str] = f"{PAPER}, equation 24"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", *Judge.cites)
    method: ClassVar[str] = f"network=dlib-resnet-v1,{METHOD},lost=0,excess=0"

    statistic: ClassVar[Statistic] = Score(-1.0, 1.0)

    frames: Annotated[int, Ge(1)] = 3

    @property
    def signature(self) -> str:
        return f"{super().signature},looked-at={self.frames}"

    def looked_at(self, pair: Pair) -> np.ndarray:
        return pair.spread(self.frames)

    def value(self, record: Record) -> float | None:
        pair = paired(record)
        if pair is None:
            return None
        chosen = self.looked_at(pair)
        there, here = pair.values(self.landmarks(pair.source), self.landmarks(pair.result))
        alike = [
            self._alike((source, there[at]), (result, here[at]))
            for at, (source, result) in zip(chosen, pair.frames(chosen), strict=True)
            if np.isfinite(there[at]).all()
        ]
        return float(np.mean(alike)) if alike else None

    def _alike(
        self, source: tuple[np.ndarray, np.ndarray], result: tuple[np.ndarray, np.ndarray]
    ) -> float:
        """Of two pictures with the landmarks of their faces; NaN: none was found."""
        if not np.isfinite(result[1]).all():
            return 0.0
        return similarity(*(self.seen(self.embedded(*one)) for one in (source, result)))

    def embedded(self, picture: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Whose face it is in a picture uint8 (H, W, 3), as a vector, of the 68 landmarks of the
        face."""
        return embedding(picture, points)

    def seen(self, one: np.ndarray) -> np.ndarray:
        """An embedding as it is compared."""
        return one


@dataclass(frozen=True)
class CentredCSIM(CSIM):
    """Cosine similarity of identity after the mean face is taken away, at most 1: strangers are
    near 0.

    The embeddings of dlib all point one way; less the mean of several people (recipe `mean-face`),
    what is left tells them apart. Otherwise as `csim`.
    """

    def seen(self, one: np.ndarray) -> np.ndarray:
        return one - mean_face()


@dataclass(frozen=True)
class LipCorrelation(FaceMetric):
    """Whether the lips open when those of the source do: correlation of their openings over time,
    at most 1.

    Tells what a mean distance hides, because the pose of the head outweighs the lips. Lips that are
    lost in a frame, or are seen in one beyond the end of the source, count as open as the result's
    are on average: still or lost lips have 0. None where the source has no lips that move: fewer
    than two frames with a face, or a still picture.
    """

    statistic: ClassVar[Statistic] = Score(-1.0, 1.0)
    method: ClassVar[str] = f"{METHOD},lost=still,excess=still"

    def value(self, record: Record) -> float | None:
        pair = paired(record)
        if pair is None:
            return None
        there, here = pair.values(
            opening(self.landmarks(pair.source)), opening(self.landmarks(pair.result))
        )
        judged = np.isfinite(there)
        there, here = there[judged], here[judged]
        if len(there) < 2 or there.std() < 1e-9:
            return None
        known = np.isfinite(here)
        return correlation(np.where(known, here, here[known].mean() if known.any() else 0.0), there)
