"""Metrics of synchronisation that have learnt what lips do when they are heard."""

from __future__ import annotations

import abc
import functools
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from semcore.statistics.kinds import Mean, Score, Statistic
from semcore_video.face.landmarks import opening, widths
from semcore_video.licences import LIBROSA
from semcore_video.metrics.face_metric import Judge
from semcore_video.metrics.sync import FARTHEST, OverLags
from semcore_video.resampling import resampled
from semcore_video.speech.mel import HOP, RATE_HZ, mel_of
from semcore_video.weights import arrays, digest

BANDS, ABOUT = 20, 3
"""Bands of the spectrogram, and frames before and behind that are heard with each."""


@dataclass(frozen=True)
class _Fit(OverLags, abc.ABC):
    """Correlations of what the lips of the result do with what its sound says that they do, over
    lags."""

    licences: ClassVar[tuple[str, ...]] = (*Judge.licences, LIBROSA)
    cites: ClassVar[tuple[str, ...]] = (*Judge.cites, "cooke2006audio")

    @property
    def signature(self) -> str:
        settings = f"{self.judge},heard={digest('lip-fit')},lags={FARTHEST},gaps=interpolated"
        return f"{type(self).__name__}|{self.version}|{settings}"

    def seen(self, points: np.ndarray) -> np.ndarray:
        return lip_motion(points)

    def heard(self, audio: np.ndarray, sample_rate_hz: int, fps: float, frames: int) -> np.ndarray:
        return heard(audio, sample_rate_hz, fps, frames) @ regression()


@dataclass(frozen=True)
class LipFit(_Fit):
    """Correlation of opening, width and speed of the lips with what a regression hears in the
    sound, at lag 0, at most 1.

    The regression, from mel spectrograms of a quarter of a second, comes with the package (recipe
    `lip-fit`, which says how well it does for strangers). It tells sound that is late from sound
    that is not, where loudness alone cannot; a face that a regression moves has more than a true
    one, as in the paper. None where the result lacks lips or sound.
    """

    statistic: ClassVar[Statistic] = Score(-1.0, 1.0)

    def told(self, found: dict[int, float]) -> float:
        return found[0]


@dataclass(frozen=True)
class LipFitLag(_Fit):
    """How many frames the sound is late where it fits the lips best, -15..15; positive: late.

    From the same correlations as `lip-fit`. None where the result lacks lips or sound.
    """

    better: ClassVar[str] = ""
    unit: ClassVar[str] = "frames"
    statistic: ClassVar[Statistic] = Mean(-FARTHEST, FARTHEST)

    def told(self, found: dict[int, float]) -> float:
        return float(max(found, key=lambda lag: found[lag]))


def lip_motion(points: np.ndarray) -> np.ndarray:
    """Opening and width of the lips and their speeds, each of zero mean and unit deviation:
    landmarks -> (T, 4)."""
    shape = np.stack([opening(points), widths(points)], 1)
    both = np.concatenate([shape, np.gradient(shape, axis=0) if len(shape) > 1 else 0 * shape], 1)
    return (both - both.mean(0)) / np.maximum(both.std(0), 1e-6)


def heard(audio: np.ndarray, sample_rate_hz: int, fps: float, frames: int) -> np.ndarray:
    """The sound about each frame of a video, even over the clip, and a one: float64 (frames, 1 + 7
    x 20).

    Where the sound is shorter than the video, silence follows.
    """
    audio = np.pad(audio, (0, max(round(frames / fps * sample_rate_hz) - len(audio), 0)))
    mel = mel_of(resampled(audio, sample_rate_hz, RATE_HZ))
    bands = mel.reshape(len(mel), BANDS, -1).mean(2)
    edges = np.minimum(
        (np.arange(frames + 1) / fps * RATE_HZ / HOP).round().astype(int), len(bands) - 1
    )
    seen = np.stack(
        [
            bands[first : max(last, first + 1)].mean(0)
            for first, last in zip(edges, edges[1:], strict=False)
        ]
    )
    seen = (seen - seen.mean(0)) / np.maximum(seen.std(0), 1e-6)
    padded = np.pad(seen, ((ABOUT, ABOUT), (0, 0)))
    about = [padded[shift : shift + frames] for shift in range(2 * ABOUT + 1)]
    return np.concatenate([np.ones((frames, 1)), *about], 1)


@functools.cache
def regression() -> np.ndarray:
    """From what is heard to what lips do: float64 (141, 4)."""
    found: np.ndarray = arrays("lip-fit", None, "regression", "lip-fit").astype(np.float64)
    return found
