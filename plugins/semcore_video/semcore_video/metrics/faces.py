"""Metrics of faces: key points, identity, and lip opening."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge

from semcore import Decibels, Mean, Record, Score, Statistic
from semcore.metrics import RecordMetric
from semcore_video.face.dlib_faces import embedding
from semcore_video.face.identity import mean_face, similarity
from semcore_video.face.landmarks import correlation, opening
from semcore_video.metrics.face_metric import FaceMetric
from semcore_video.metrics.pairs import METHOD, Pair, paired
from semcore_video.paper import PAPER


@dataclass(frozen=True)
class FramePSNR(RecordMetric):
    """Peak signal-to-noise ratio of the frames of a video, dB: the mean over frames of
    10·log10(255² / MSE).

    It is insensitive to faces: most of a frame is background, and a still picture scores higher
    than a moving one with an offset of a pixel. Frames are compared at equal times. A frame that is
    missing in the result, or is beyond the end of the source, counts as mid-grey, as does a lost
    video. Frames without an error are excluded from the mean; a video without any error is infinite
    and counted as exact. None without a video in the source.
    """

    version: ClassVar[int] = 2
    unit: ClassVar[str] = "dB"
    statistic: ClassVar[Statistic] = Decibels()
    method: ClassVar[str] = f"range=255,exact=apart,{METHOD},lost=grey,excess=grey,mean=per-frame"

    def value(self, record: Record) -> float | None:
        pair = paired(record)
        if pair is None:
            return None
        frames = pair.frames(np.arange(len(pair)))
        mse = [
            float(np.square(source.astype(np.float32) - result).mean()) for source, result in frames
        ]
        return self.statistic.together(
            [10 * math.log10(255**2 / error) if error else math.inf for error in mse]
        )


@dataclass(frozen=True)
class PairedFaceMetric(FaceMetric):
    """Frames of source and result are compared at equal times. Frames without a face in the source
    are skipped; the row states how many were compared."""

    def judged(self, record: Record) -> tuple[int, int] | None:
        pair = paired(record)
        if pair is None:
            return None
        chosen = self.looked_at(pair)
        landmarks, _ = pair.values(self.landmarks(pair.source), self.landmarks(pair.result))
        return int(np.isfinite(landmarks[chosen, 0, 0]).sum()), len(chosen)

    def looked_at(self, pair: Pair) -> np.ndarray:
        """The times that are compared, int64."""
        return np.arange(len(pair))


@dataclass(frozen=True)
class AKD(PairedFaceMetric):
    """Average keypoint distance: mean distance of 68 facial landmarks from those of the source,
    pixels of the video.

    If a face is missing, together with its video or frame or alone, its landmarks are taken at
    their centroid in the source, as are those of frames beyond the end of the source. None without
    a face in the source.
    """

    reference: ClassVar[str] = f"{PAPER}, section IV-A3"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", *FaceMetric.cites)
    unit: ClassVar[str] = "px"
    better: ClassVar[str] = "lower"
    statistic: ClassVar[Statistic] = Mean(0.0)
    method: ClassVar[str] = f"{METHOD},lost=middle,excess=middle,mean=per-clip"

    def value(self, record: Record) -> float | None:
        pair = paired(record)
        if pair is None:
            return None
        source, result = pair.values(self.landmarks(pair.source), self.landmarks(pair.result))
        result = np.where(np.isfinite(result), result, source.mean(1, keepdims=True))
        distances = np.linalg.norm(result - source, axis=-1)
        return float(np.nanmean(distances)) if np.isfinite(distances).any() else None


@dataclass(frozen=True)
class CSIM(PairedFaceMetric):
    """Cosine similarity of identity: dlib's embeddings of the faces of source and result, at most
    1.

    Mean over frames spread over the clip. It is insensitive to motion and illumination, and
    different people have about 0.84: `csim-centred` discriminates better. A missing face, or a
    frame beyond the end of the source, has 0. None without a face in the source.

    Fields:
        frames: number of frames that are compared
    """

    reference: ClassVar[str] = f"{PAPER}, equation 24"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", *FaceMetric.cites)
    method: ClassVar[str] = f"network=dlib-resnet-v1,{METHOD},lost=0,excess=0"

    statistic: ClassVar[Statistic] = Score(-1.0, 1.0)

    frames: Annotated[int, Ge(1)] = 3

    @property
    def signature(self) -> str:
        return f"{super().signature},looked-at={self.frames}"

    def libraries(self) -> Mapping[str, str]:
        return {**super().libraries(), "dlib": "semcore-video[face]"}

    def looked_at(self, pair: Pair) -> np.ndarray:
        return pair.spread(self.frames)

    def value(self, record: Record) -> float | None:
        pair = paired(record)
        if pair is None:
            return None
        chosen = self.looked_at(pair)
        source_points, result_points = pair.values(
            self.landmarks(pair.source), self.landmarks(pair.result)
        )
        similarities = [
            self._similarity((source, source_points[at]), (result, result_points[at]))
            for at, (source, result) in zip(chosen, pair.frames(chosen), strict=True)
            if np.isfinite(source_points[at]).all()
        ]
        return float(np.mean(similarities)) if similarities else None

    def _similarity(
        self, source: tuple[np.ndarray, np.ndarray], result: tuple[np.ndarray, np.ndarray]
    ) -> float:
        """Of two pictures with the landmarks of their faces; NaN: no face."""
        if not np.isfinite(result[1]).all():
            return 0.0
        return similarity(*(self.comparable(self.embed(*face)) for face in (source, result)))

    def embed(self, picture: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Identity embedding of the face in a picture uint8 (H, W, 3) with the given 68
        landmarks."""
        return embedding(picture, points)

    def comparable(self, vector: np.ndarray) -> np.ndarray:
        """An embedding in the form that is compared."""
        return vector


@dataclass(frozen=True)
class CentredCSIM(CSIM):
    """Cosine similarity of identity after subtraction of the mean face, at most 1: different people
    are near 0.

    dlib's embeddings have a large common component; after subtraction of the mean over several
    people (recipe `mean-face`) they discriminate between people. Otherwise as `csim`.
    """

    def comparable(self, vector: np.ndarray) -> np.ndarray:
        return vector - mean_face()


@dataclass(frozen=True)
class LipCorrelation(PairedFaceMetric):
    """Correlation of the lip opening with that of the source over time, at most 1.

    It shows what a mean distance hides, since the head pose dominates distances. Lips missing in a
    frame, or in a frame beyond the end of the source, have the mean opening of the result: still or
    missing lips have 0. None if the lips of the source do not move: fewer than two frames with a
    face, or a still picture.
    """

    statistic: ClassVar[Statistic] = Score(-1.0, 1.0)
    method: ClassVar[str] = f"{METHOD},lost=still,excess=still"

    def value(self, record: Record) -> float | None:
        pair = paired(record)
        if pair is None:
            return None
        source, result = pair.values(
            opening(self.landmarks(pair.source)), opening(self.landmarks(pair.result))
        )
        compared = np.isfinite(source)
        source, result = source[compared], result[compared]
        if len(source) < 2 or source.std() < 1e-9:
            return None
        with_face = np.isfinite(result)
        mean = result[with_face].mean() if with_face.any() else 0.0
        return correlation(np.where(with_face, result, mean), source)
