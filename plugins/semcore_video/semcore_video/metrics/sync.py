"""Metrics of synchronisation: whether the lips of a result open when its sound is loud."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from semcore.interfaces import Record
from semcore.statistics.kinds import Mean, Score, Statistic
from semcore_video.face.landmarks import correlation, opening
from semcore_video.metrics.face_metric import Judge
from semcore_video.metrics.speech import RATE_HZ
from semcore_video.resampling import resampled

BAND_HZ = (300.0, 3400.0)
FARTHEST = 15
"""Frames by which sound and lips may be apart."""
LEAST = 10
"""Frames that are compared at the farthest lag, at least."""


@dataclass(frozen=True)
class OverLags(Judge, abc.ABC):
    """Lips are interpolated over frames without a face; the row says in how many one was found.
    None where that is less than half of them, or where the video or the sound is too short for the
    lags: 15 frames and another ten."""

    def judged(self, record: Record) -> tuple[int, int] | None:
        video = record.result.video
        return (
            None
            if video is None
            else (int(np.isfinite(self.landmarks(video)[:, 0, 0]).sum()), len(video))
        )

    def value(self, record: Record) -> float | None:
        result = record.result
        if (
            result.video is None
            or result.audio is None
            or not result.sample_rate_hz
            or not result.fps
        ):
            return None
        if (
            min(len(result.video), len(result.audio) / result.sample_rate_hz * result.fps)
            < FARTHEST + LEAST
        ):
            return None
        points = _without_gaps(self.landmarks(result.video))
        if points is None:
            return None
        seen = self.seen(points)
        heard = self.heard(result.audio, result.sample_rate_hz, result.fps, len(seen))
        return self.told({lag: fit(lag, seen, heard) for lag in range(-FARTHEST, FARTHEST + 1)})

    @abc.abstractmethod
    def seen(self, points: np.ndarray) -> np.ndarray:
        """What lips do, of the landmarks of the frames: (T, K)."""

    @abc.abstractmethod
    def heard(self, audio: np.ndarray, sample_rate_hz: int, fps: float, frames: int) -> np.ndarray:
        """What a sound has to say of that: (frames, K)."""

    @abc.abstractmethod
    def told(self, found: dict[int, float]) -> float:
        """The value, of the correlation at each lag in frames; positive: the sound is late."""


@dataclass(frozen=True)
class _Sync(OverLags, abc.ABC):
    """Correlations of the opening of the lips with the loudness of the sound of the result, over
    lags."""

    method: ClassVar[str] = "audio=log-energy-300-3400Hz,lags=15,gaps=interpolated"

    def seen(self, points: np.ndarray) -> np.ndarray:
        return opening(points)[:, None]

    def heard(self, audio: np.ndarray, sample_rate_hz: int, fps: float, frames: int) -> np.ndarray:
        return loudness(audio, sample_rate_hz, fps, frames)[:, None]


@dataclass(frozen=True)
class LipSync(_Sync):
    """Correlation of the opening of the lips with the loudness of speech at lag 0, at most 1.

    Needs no weights, and is weak: true clips of GRID have about 0.4, because a mouth is open in
    silence and loud when almost shut, too; a face that a regression moves has more than a true one.
    Compare at the same speaker. None where the result lacks lips or sound.
    """

    statistic: ClassVar[Statistic] = Score(-1.0, 1.0)

    def told(self, found: dict[int, float]) -> float:
        return found[0]


@dataclass(frozen=True)
class SyncLag(_Sync):
    """How many frames the sound is late where it fits the lips best, -15..15; positive: late.

    From the same correlations as `lip-sync`. None where the result lacks lips or sound.
    """

    better: ClassVar[str] = ""
    unit: ClassVar[str] = "frames"
    statistic: ClassVar[Statistic] = Mean(-FARTHEST, FARTHEST)

    def told(self, found: dict[int, float]) -> float:
        return float(max(found, key=lambda lag: found[lag]))


def _without_gaps(points: np.ndarray) -> np.ndarray | None:
    """Landmarks (T, 68, 2) with those of frames without a face interpolated; None where more than
    half are missing."""
    there = np.flatnonzero(np.isfinite(points[:, 0, 0]))
    if 2 * len(there) < len(points):
        return None
    flat = points.reshape(len(points), -1)
    filled = [np.interp(np.arange(len(points)), there, column[there]) for column in flat.T]
    return np.stack(filled, 1).reshape(points.shape)


def loudness(audio: np.ndarray, sample_rate_hz: int, fps: float, frames: int) -> np.ndarray:
    """Logarithm of the energy of speech about each frame of a video: (frames,)."""
    from scipy.signal import butter, sosfiltfilt

    sound = sosfiltfilt(
        butter(4, BAND_HZ, "bandpass", fs=RATE_HZ, output="sos"),
        resampled(audio, sample_rate_hz, RATE_HZ),
    )
    edges = (np.arange(frames + 1) / fps * RATE_HZ).round().astype(int)
    padded = np.pad(sound, (0, max(edges[-1] - len(sound), 0)))
    return np.log10(
        np.add.reduceat(np.square(padded[: edges[-1]]), edges[:-1]) / np.diff(edges) + 1e-6
    )


def fit(lag: int, seen: np.ndarray, heard: np.ndarray) -> float:
    """Mean correlation of the columns of two (T, K) that are so many frames apart."""
    count = len(seen) - abs(lag)
    one, other = seen[max(-lag, 0) :][:count], heard[max(lag, 0) :][:count]
    return float(np.mean([correlation(a, b) for a, b in zip(one.T, other.T, strict=True)]))
