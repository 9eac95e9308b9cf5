"""Forced alignment by PocketSphinx, whose wheel includes an acoustic model and a dictionary."""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from semcore import extra
from semcore_video.resampling import resample_audio
from semcore_video.speech.phones import FRAME_S, NUMBERS, SILENCE

RATE_HZ = 16000
PADDING_S, DITHER = 0.25, 1e-3
"""Silence added around a sound, and amplitude of added noise: the decoder fails on digital
silence."""
_LOCK = threading.Lock()


@dataclass(frozen=True)
class Phone:
    """A phone of the CMU dictionary, or SIL, with its duration in frames."""

    name: str
    frames: int


def align(audio: np.ndarray, sample_rate_hz: int, text: str) -> list[Phone] | None:
    """The phones of a spoken text, including silences, with durations that sum to that of the
    sound; None if text and sound do not match.

    Args:
        audio: float32 (S,)
        text: the spoken text; words that are not in the dictionary are skipped
    """
    total = round(len(audio) / sample_rate_hz / FRAME_S)
    with _LOCK:
        words = [word for word in words_of(text) if in_dictionary(word)]
        if not words or not total:
            return None
        decoder = _decoder()
        data = pcm(audio, sample_rate_hz)
        try:
            decoder.set_align_text(" ".join(words))
            decode_utterance(decoder, data)
            decoder.set_alignment()
            decode_utterance(decoder, data)
            alignment = decoder.get_alignment()
        except RuntimeError:
            return None
        if alignment is None:
            return None
        found = [Phone(entry.name if entry.name in NUMBERS else SILENCE, entry.duration)
                 for word in alignment for entry in word]  # fmt: skip
    return _fit(found, round(PADDING_S / FRAME_S), total)


def evenly_spaced(names: Sequence[str], frames: int) -> list[Phone]:
    """Phones of equal duration over the frames of a sound; silence if there are none."""
    names = names or [SILENCE]
    ends = np.linspace(0, max(frames, 1), len(names) + 1).round().astype(int)
    return [
        Phone(name, int(last - first))
        for name, first, last in zip(names, ends, ends[1:], strict=False)
    ]


def pronounce(text: str) -> list[str]:
    """The phones of a text, by the dictionary; words that are not in it are skipped."""
    with _LOCK:
        found = [_decoder().lookup_word(word) for word in words_of(text)]
    return [phone for spelled in found if spelled for phone in spelled.split() if phone in NUMBERS]


def in_dictionary(word: str) -> bool:
    """Whether a word is in the dictionary."""
    return _decoder().lookup_word(word) is not None


def words_of(text: str) -> list[str]:
    """Words in lower case, with letters and apostrophes only."""
    words = []
    for word in text.lower().split():
        letters = [letter for letter in word if letter.isalpha() or letter == "'"]
        if letters:
            words.append("".join(letters))
    return words


def _fit(phones: list[Phone], padding: int, total: int) -> list[Phone] | None:
    """Phones without the padding, extended with silence to `total` frames; consecutive silences are
    merged."""
    merged: list[Phone] = []
    at = 0
    for phone in phones:
        start, stop = max(at, padding), min(at + phone.frames, padding + total)
        at += phone.frames
        if stop <= start:
            continue
        if merged and merged[-1].name == phone.name == SILENCE:
            merged[-1] = Phone(SILENCE, merged[-1].frames + stop - start)
        else:
            merged.append(Phone(phone.name, stop - start))
    if not any(phone.name != SILENCE for phone in merged):
        return None
    missing = total - sum(phone.frames for phone in merged)
    if missing and merged[-1].name == SILENCE:
        merged[-1] = Phone(SILENCE, merged[-1].frames + missing)
    elif missing:
        merged.append(Phone(SILENCE, missing))
    return merged


def pcm(audio: np.ndarray, sample_rate_hz: int) -> bytes:
    """16-bit sound at 16 kHz with padding and dither."""
    audio = resample_audio(audio, sample_rate_hz, RATE_HZ)
    quiet = np.zeros(round(PADDING_S * RATE_HZ), np.float32)
    padded = np.concatenate([quiet, audio, quiet])
    noise = np.random.Generator(np.random.PCG64(0)).standard_normal(len(padded)) * DITHER
    return ((padded + noise).clip(-1, 1) * 32767).astype("<i2").tobytes()


def decode_utterance(decoder: Any, data: bytes) -> None:
    """Run a decoder on a whole sound."""
    decoder.start_utt()
    decoder.process_raw(data, no_search=False, full_utt=True)
    decoder.end_utt()


@functools.cache
def _decoder() -> Any:
    return new_decoder()


def new_decoder() -> Any:
    """A decoder of PocketSphinx.

    Raises:
        RunError: it is not installed
    """
    with extra("semcore-video[speech]", "alignment and recognition need PocketSphinx"):
        from pocketsphinx import Decoder
    return Decoder(lm=None, loglevel="FATAL", cmn="batch")
