"""Synchronisation metrics: lip opening and loudness."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from semcore import Mean, Record, Score, Statistic
from semcore_video.face.landmarks import correlation, opening
from semcore_video.metrics.face_metric import FaceMetric
from semcore_video.metrics.speech import RATE_HZ
from semcore_video.resampling import resample_audio

BAND_HZ = (300.0, 3400.0)
FARTHEST = 15
"""Maximum lag, frames."""
LEAST = 10
"""Minimum number of frames compared at the maximum lag."""


@dataclass(frozen=True)
class OverLags(FaceMetric, abc.ABC):
    """Lips are interpolated over frames without a face; the row states in how many one was found.
    None if these are less than half, or if video or sound are too short for the lags: 15 frames and
    another ten."""

    def judged(self, record: Record) -> tuple[int, int] | None:
        video = record.result.video
        if video is None:
            return None
        return int(np.isfinite(self.landmarks(video)[:, 0, 0]).sum()), len(video)

    def value(self, record: Record) -> float | None:
        result = record.result
        if result.video is None or result.audio is None:
            return None
        if not result.sample_rate_hz or not result.fps:
            return None
        frames_of_sound = len(result.audio) / result.sample_rate_hz * result.fps
        if min(len(result.video), frames_of_sound) < FARTHEST + LEAST:
            return None
        points = _without_gaps(self.landmarks(result.video))
        if points is None:
            return None
        lip_features = self.lip_features(points)
        audio_features = self.audio_features(
            result.audio, result.sample_rate_hz, result.fps, len(lip_features)
        )
        return self.summary(
            {lag: fit(lag, lip_features, audio_features) for lag in range(-FARTHEST, FARTHEST + 1)}
        )

    @abc.abstractmethod
    def lip_features(self, points: np.ndarray) -> np.ndarray:
        """Features of the lips, from the landmarks of the frames: (T, K)."""

    @abc.abstractmethod
    def audio_features(
        self, audio: np.ndarray, sample_rate_hz: int, fps: float, frames: int
    ) -> np.ndarray:
        """Corresponding features of the sound: (frames, K)."""

    @abc.abstractmethod
    def summary(self, found: dict[int, float]) -> float:
        """The value, from the correlation at each lag in frames; positive: the sound is late."""


@dataclass(frozen=True)
class AtNoLag(OverLags, abc.ABC):
    """The correlation at lag 0, at most 1."""

    statistic: ClassVar[Statistic] = Score(-1.0, 1.0)

    def summary(self, found: dict[int, float]) -> float:
        return found[0]


@dataclass(frozen=True)
class BestLag(OverLags, abc.ABC):
    """The lag of the highest correlation, frames."""

    better: ClassVar[str] = ""
    unit: ClassVar[str] = "frames"
    statistic: ClassVar[Statistic] = Mean(-FARTHEST, FARTHEST)

    def summary(self, found: dict[int, float]) -> float:
        return float(max(found, key=lambda lag: found[lag]))


@dataclass(frozen=True)
class _Sync(OverLags, abc.ABC):
    """Correlations of the lip opening with the loudness of the sound of the result, over lags."""

    method: ClassVar[str] = "audio=log-energy-300-3400Hz,lags=15,gaps=interpolated"

    def lip_features(self, points: np.ndarray) -> np.ndarray:
        return opening(points)[:, None]

    def audio_features(
        self, audio: np.ndarray, sample_rate_hz: int, fps: float, frames: int
    ) -> np.ndarray:
        return loudness(audio, sample_rate_hz, fps, frames)[:, None]


@dataclass(frozen=True)
class LipSync(_Sync, AtNoLag):
    """Correlation of the lip opening with the loudness of speech at lag 0, at most 1.

    Needs no weights, and is weak: real clips of GRID have about 0.4, because a mouth is sometimes
    open in silence and almost closed in loud speech; a face animated by a regression scores higher
    than a real one. Compare within a speaker. None if the result lacks lips or sound.
    """


@dataclass(frozen=True)
class SyncLag(_Sync, BestLag):
    """Delay of the sound at which it fits the lips best, frames, -15..15 (positive if late).

    From the same correlations as `lip-sync`. None if the result lacks lips or sound.
    """


def _without_gaps(points: np.ndarray) -> np.ndarray | None:
    """Landmarks (T, 68, 2), interpolated over frames without a face; None if more than half are
    missing."""
    with_face = np.flatnonzero(np.isfinite(points[:, 0, 0]))
    if 2 * len(with_face) < len(points):
        return None
    flat = points.reshape(len(points), -1)
    filled = [np.interp(np.arange(len(points)), with_face, column[with_face]) for column in flat.T]
    return np.stack(filled, 1).reshape(points.shape)


def loudness(audio: np.ndarray, sample_rate_hz: int, fps: float, frames: int) -> np.ndarray:
    """Logarithm of the energy of speech in each frame of a video: (frames,)."""
    from scipy.signal import butter, sosfiltfilt

    sound = sosfiltfilt(
        butter(4, BAND_HZ, "bandpass", fs=RATE_HZ, output="sos"),
        resample_audio(audio, sample_rate_hz, RATE_HZ),
    )
    edges = (np.arange(frames + 1) / fps * RATE_HZ).round().astype(int)
    padded = np.pad(sound, (0, max(edges[-1] - len(sound), 0)))
    return np.log10(
        np.add.reduceat(np.square(padded[: edges[-1]]), edges[:-1]) / np.diff(edges) + 1e-6
    )


def fit(lag: int, lips: np.ndarray, audio: np.ndarray) -> float:
    """Mean correlation of the columns of two (T, K) at a lag, frames."""
    count = len(lips) - abs(lag)
    lips_part, audio_part = lips[max(-lag, 0) :][:count], audio[max(lag, 0) :][:count]
    return float(
        np.mean([correlation(a, b) for a, b in zip(lips_part.T, audio_part.T, strict=True)])
    )
