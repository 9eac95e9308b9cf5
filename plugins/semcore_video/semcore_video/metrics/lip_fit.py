"""Synchronisation metrics with a trained regression from sound to lips."""

from __future__ import annotations

import abc
import functools
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from semcore_video.face.landmarks import opening, widths
from semcore_video.licences import LIBROSA
from semcore_video.metrics.face_metric import FaceMetric
from semcore_video.metrics.sync import FARTHEST, AtNoLag, BestLag, OverLags
from semcore_video.resampling import resample_audio
from semcore_video.speech.mel import HOP, RATE_HZ, mel_of
from semcore_video.weights import arrays, digest

BANDS, ABOUT = 20, 3
"""Bands of the spectrogram, and context frames before and after each frame."""


@dataclass(frozen=True)
class _Fit(OverLags, abc.ABC):
    """Correlations of the lip motion of the result with that predicted from its sound, over
    lags."""

    licences: ClassVar[tuple[str, ...]] = (*FaceMetric.licences, LIBROSA)
    cites: ClassVar[tuple[str, ...]] = (*FaceMetric.cites, "cooke2006audio")

    @property
    def signature(self) -> str:
        fit = f"heard={digest('lip-fit')},lags={FARTHEST},gaps=interpolated"
        settings = f"{self.detector_label},{fit}"
        return f"{type(self).__name__}|{self.version}|{settings}"

    def lip_features(self, points: np.ndarray) -> np.ndarray:
        return lip_motion(points)

    def audio_features(
        self, audio: np.ndarray, sample_rate_hz: int, fps: float, frames: int
    ) -> np.ndarray:
        return audio_features(audio, sample_rate_hz, fps, frames) @ regression()


@dataclass(frozen=True)
class LipFit(_Fit, AtNoLag):
    """Correlation of opening, width and speed of the lips with their prediction from the sound, at
    lag 0, at most 1.

    The regression, from mel spectrograms of a quarter of a second, is part of the package (recipe
    `lip-fit`, whose card states its accuracy for unseen speakers). It detects delayed sound where
    loudness alone cannot; a face animated by a regression scores higher than a real one, as in the
    paper. None if the result lacks lips or sound.
    """


@dataclass(frozen=True)
class LipFitLag(_Fit, BestLag):
    """Delay of the sound at which it fits the lips best, frames, -15..15 (positive if late).

    From the same correlations as `lip-fit`. None if the result lacks lips or sound.
    """


def lip_motion(points: np.ndarray) -> np.ndarray:
    """Opening and width of the lips and their speeds, each with zero mean and unit standard
    deviation: landmarks -> (T, 4)."""
    shape = np.stack([opening(points), widths(points)], 1)
    motion = np.concatenate([shape, np.gradient(shape, axis=0) if len(shape) > 1 else 0 * shape], 1)
    return (motion - motion.mean(0)) / np.maximum(motion.std(0), 1e-6)


def audio_features(audio: np.ndarray, sample_rate_hz: int, fps: float, frames: int) -> np.ndarray:
    """Mel spectrogram around each frame of a video, normalised over the clip, and a constant 1:
    float64 (frames, 1 + 7 x 20).

    Sound shorter than the video is padded with silence.
    """
    audio = np.pad(audio, (0, max(round(frames / fps * sample_rate_hz) - len(audio), 0)))
    mel = mel_of(resample_audio(audio, sample_rate_hz, RATE_HZ))
    bands = mel.reshape(len(mel), BANDS, -1).mean(2)
    edges = np.minimum(
        (np.arange(frames + 1) / fps * RATE_HZ / HOP).round().astype(int), len(bands) - 1
    )
    spans = zip(edges, edges[1:], strict=False)
    rows = np.stack([bands[first : max(last, first + 1)].mean(0) for first, last in spans])
    rows = (rows - rows.mean(0)) / np.maximum(rows.std(0), 1e-6)
    padded = np.pad(rows, ((ABOUT, ABOUT), (0, 0)))
    about = [padded[shift : shift + frames] for shift in range(2 * ABOUT + 1)]
    return np.concatenate([np.ones((frames, 1)), *about], 1)


@functools.cache
def regression() -> np.ndarray:
    """Map from audio features to lip motion: float64 (141, 4)."""
    found: np.ndarray = arrays("lip-fit", None, "regression", "lip-fit").astype(np.float64)
    return found
