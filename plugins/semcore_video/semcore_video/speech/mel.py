"""Mel spectrograms of the networks and vocoders."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from semcore import extra

RATE_HZ, HOP, WINDOW, BANDS, HIGHEST_HZ = 16000, 160, 1024, 80, 8000.0
"""Parameters of the spectrogram; the hop of 10 ms is the frame of durations."""
LEAST = 1e-5
"""Minimum magnitude before the logarithm."""


def mel_of(audio: np.ndarray) -> np.ndarray:
    """Natural logarithm of the magnitude in 80 mel bands: sound at 16 kHz (S,) -> float32 (S // 160
    + 1, 80)."""
    librosa = _librosa()
    spectrum = np.abs(librosa.stft(audio.astype(np.float32), n_fft=WINDOW, hop_length=HOP))
    return np.log(np.maximum(_bands() @ spectrum, LEAST)).T.astype(np.float32)


def sound_of(mel: np.ndarray, iterations: int = 60) -> np.ndarray:
    """The sound of a mel spectrogram (T, 80) by Griffin-Lim: float32 ((T - 1) x 160,)."""
    if len(mel) < 2:
        return np.zeros(0, np.float32)
    librosa = _librosa()
    magnitudes = np.maximum(
        _inverse() @ np.exp(np.clip(mel, np.log(LEAST), 4.0)).T.astype(np.float32), 0
    )
    sound = librosa.griffinlim(
        magnitudes, n_iter=iterations, hop_length=HOP, n_fft=WINDOW, random_state=0
    )
    return np.clip(sound, -1, 1).astype(np.float32)


def in_bands(mel: np.ndarray, bands: int, lowest_hz: float, highest_hz: float) -> np.ndarray:
    """Magnitudes of a mel spectrogram (T, 80) in other mel bands: (T, bands), by the pseudo-inverse
    of the filter bank."""
    librosa = _librosa()
    if (bands, lowest_hz, highest_hz) == (BANDS, 0.0, HIGHEST_HZ):
        return np.exp(mel)
    spectrum = np.maximum(_inverse() @ np.exp(np.clip(mel, np.log(LEAST), 4.0)).T, 0)
    filters = librosa.filters.mel(
        sr=RATE_HZ, n_fft=WINDOW, n_mels=bands, fmin=lowest_hz, fmax=highest_hz
    )
    return (filters @ spectrum).T


def pitch_of(audio: np.ndarray) -> np.ndarray:
    """Fundamental frequency of sound at 16 kHz, octaves above 100 Hz, 0 if unvoiced: float32 (S //
    160 + 1,)."""
    librosa = _librosa()
    audio = audio.astype(np.float32)
    found = librosa.yin(audio, fmin=60, fmax=400, sr=RATE_HZ, frame_length=WINDOW, hop_length=HOP)
    loud = librosa.feature.rms(y=audio, frame_length=WINDOW, hop_length=HOP)[0]
    voiced = (loud > 0.1 * max(float(loud.max()), 1e-6)) & (found < 390)
    return np.where(voiced, np.log2(found / 100), 0).astype(np.float32)


def energy_of(mel: np.ndarray) -> np.ndarray:
    """Energy of each frame of a mel spectrogram: mean of its logarithms, float32 (T,)."""
    return mel.mean(1).astype(np.float32)


@functools.cache
def _bands() -> np.ndarray:
    librosa = _librosa()
    return librosa.filters.mel(sr=RATE_HZ, n_fft=WINDOW, n_mels=BANDS, fmax=HIGHEST_HZ)


@functools.cache
def _inverse() -> np.ndarray:
    return np.linalg.pinv(_bands())


def _librosa() -> Any:
    with extra("semcore-video[speech]", "mel spectrograms need librosa"):
        import librosa
    return librosa
