"""Training data of speech: sentences of words of the CMU dictionary, their phones, and speech of
eSpeak NG."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semcore import extra
from semcore_video.speech.espeak import speak
from semcore_video.speech.grid import GRID_WORDS
from semcore_video.speech.phones import FRAME_S, NUMBERS, SILENCE
from semcore_video.speech.stretch import stretched

LONGEST_WORD = 10
GRID_SHARE = 0.5
"""Share of sentences with the grammar of GRID; the others are random words."""
VOICES = ("en-us", "en-us+m3", "en-us+f3", "en-us+f2", "en-gb-x-rp")


@dataclass(frozen=True, eq=False)
class Spoken:
    """A synthesised sentence.

    Fields:
        text: the words
        phones: indices of phones, with silences at both ends, int64 (P,)
        durations: of each, frames of 10 ms, int64 (P,)
        audio: float32 (S,), in -1..1
        sample_rate_hz: of the sound
        voice: index of the speaker in `VOICES`
    """

    text: str
    phones: np.ndarray
    durations: np.ndarray
    audio: np.ndarray
    sample_rate_hz: int
    voice: int


def sentences(count: int, rng: np.random.Generator) -> list[str]:
    """Sentences of the GRID corpus and sequences of random words."""
    words = sorted(dictionary())
    found = []
    for _ in range(count):
        if rng.random() < GRID_SHARE:
            chosen = [str(rng.choice(list(choices.values()))) for choices in GRID_WORDS]
        else:
            indices = rng.integers(len(words), size=int(rng.integers(2, 9)))
            chosen = [words[index] for index in indices.tolist()]
        found.append(" ".join(chosen))
    return found


@functools.cache
def dictionary() -> dict[str, tuple[str, ...]]:
    """Words of letters a-z -> their phones, by PocketSphinx's dictionary; `a` is the letter."""
    with extra("semcore-video[speech]", "the dictionary is PocketSphinx's"):
        from pocketsphinx import get_model_path

    found = {}
    with open(get_model_path("en-us/cmudict-en-us.dict"), encoding="utf-8") as lines:
        for line in lines:
            word, *phones = line.split()
            if (
                word.isascii()
                and word.isalpha()
                and len(word) <= LONGEST_WORD
                and all(phone in NUMBERS for phone in phones)
            ):
                found[word] = tuple(phones)
    return {**found, "a": ("EY",)}


def phones_of(text: str, rng: np.random.Generator) -> list[str]:
    """The phones of a sentence with silence at both ends, and at random between words."""
    found = [SILENCE]
    for word in text.split():
        found += dictionary()[word]
        if rng.random() < 0.08:
            found.append(SILENCE)
    return found if found[-1] == SILENCE else [*found, SILENCE]


def spoken(texts: Sequence[str], rng: np.random.Generator) -> list[Spoken]:
    """Sentences, each spoken by a random voice at a random rate, with phones stretched
    individually."""
    found = []
    for text in texts:
        names = phones_of(text, rng)
        voice = int(rng.integers(len(VOICES)))
        wave, rate_hz, starts = speak(
            names[1:-1], VOICES[voice], int(rng.integers(35, 65)), int(rng.integers(130, 260))
        )
        if not len(wave):
            continue
        drawn = np.diff(phone_starts(wave, rate_hz, starts)) * np.exp(
            0.25 * rng.standard_normal(len(starts))
        )
        frames = np.concatenate(
            [[rng.integers(5, 90)], np.maximum(np.round(drawn / FRAME_S), 2), [rng.integers(5, 90)]]
        )
        numbers = np.array([NUMBERS[name] for name in names], np.int64)
        audio = place_phones(wave, rate_hz, starts, frames)
        found.append(Spoken(text, numbers, frames.astype(np.int64), audio, rate_hz, voice))
    return found


def phone_starts(wave: np.ndarray, rate_hz: int, starts: Sequence[int]) -> np.ndarray:
    """Start times of the phones of a sound, and end of the last one, s."""
    return np.maximum.accumulate(np.array([*starts, len(wave)]) / rate_hz)


def place_phones(
    wave: np.ndarray, rate_hz: int, starts: Sequence[int], frames: np.ndarray
) -> np.ndarray:
    """A sound with phones stretched to given durations, between the silences first and last in
    `frames`."""
    target_times = np.concatenate([[0], np.cumsum(frames[1:-1])]) * FRAME_S
    sound = stretched(
        wave, rate_hz, phone_starts(wave, rate_hz, starts).tolist(), target_times.tolist()
    )
    before = np.zeros(round(frames[0] * FRAME_S * rate_hz), np.float32)
    after = np.zeros(round(frames[-1] * FRAME_S * rate_hz), np.float32)
    return np.concatenate([before, sound, after])
