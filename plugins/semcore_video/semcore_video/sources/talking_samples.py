"""Synthetic talking heads, so that examples run without a download."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le

from semcore import (
    ComponentError,
    Extent,
    Features,
    KnowledgeBase,
    Rng,
    Sample,
    Semantics,
    Source,
    Tokens,
    extra,
)
from semcore.media import MAX_SEQUENCE_PIXELS
from semcore_video.face.cut import face_square
from semcore_video.face.mesh import eye_openness
from semcore_video.face.motion import basis
from semcore_video.face.tracker import Tracking
from semcore_video.face.warp import portrait
from semcore_video.licences import ESPEAK, MEDIAPIPE, PORTRAIT
from semcore_video.media.scaling import resized
from semcore_video.speech.align import pronounce
from semcore_video.speech.generator import EspeakVoice
from semcore_video.speech.phones import FRAME_S, NUMBERS, SILENCE
from semcore_video.speech.streams import DURATIONS, PHONES
from semcore_video.speech.visemes import motion_of

SENTENCES = (
    "bin blue at f two now",
    "place red by k seven again",
    "set white in c nine soon",
    "lay green with p four please",
    "bin white by s five again",
    "place green at q one now",
    "set blue with m eight please",
    "lay red in t three soon",
)
"""Sentences of the grammar of the GRID corpus."""
FPS, LENGTH_S, START_S, STOP_S = 25.0, 3.0, 0.6, 2.3
VOWEL = 1.7
"""Duration of a vowel relative to a consonant."""
BLINK = np.array([0.35, 0.9, 1.0, 0.7, 0.25], np.float32)
"""Closing of the eyelids in the frames of a blink."""


@dataclass(frozen=True)
class TalkingSamples(Tracking, Source):
    """A portrait that speaks sentences of six words: known words, phones, timing and motion; 3 s
    each, no download.

    The portrait shows the astronaut Eileen Collins (NASA, public domain) and is part of
    scikit-image. Phones move its lips by the shipped visemes; the head sways and the eyes blink;
    the voice is eSpeak NG. The motion depends on `seed` and the number of the sample.

    Fields:
        limit: number of samples
        size: (height, width) of the frames
        seed: selects sentences and motion
        user: name of the speaker; the samples of a user are consecutive and share a knowledge base
    """

    licences: ClassVar[tuple[str, ...]] = (MEDIAPIPE, ESPEAK, PORTRAIT)
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic",)
    test_settings = ({"limit": 2, "size": [96, 96]},)
    draws: ClassVar[bool] = True

    limit: Annotated[int, Ge(1), Le(1000)] = 4
    size: tuple[Annotated[int, Ge(64)], Annotated[int, Ge(64)]] = (256, 256)
    seed: int = 1
    user: str = "astronaut"

    def libraries(self) -> Mapping[str, str]:
        return {
            "skimage": "semcore-video[face]",
            "cv2": "semcore-video[face]",
            "mediapipe": "semcore-video[face]",
            "pocketsphinx": "semcore-video[speech]",
            "espeakng_loader": "semcore-video[speech]",
        }

    def check(self) -> None:
        pixels = round(FPS * LENGTH_S) * self.size[0] * self.size[1]
        if self.limit * pixels > MAX_SEQUENCE_PIXELS:
            most = MAX_SEQUENCE_PIXELS // pixels
            raise ComponentError(
                f"TalkingSamples.limit must be at most {most} at size {list(self.size)}, not "
                f"{self.limit}"
            )

    def samples(self) -> Sequence[Sample]:
        return [self._sample(number) for number in range(self.limit)]

    def _sample(self, number: int) -> Sample:
        rng = Rng(self.seed).at("talking", number).numpy()
        words = SENTENCES[(number + self.seed - 1) % len(SENTENCES)]
        names, frames = pronounce(words), round(FPS * LENGTH_S)
        # Vowels are longer than consonants; voice and lips have the same timing.
        shares = np.cumsum([0.0, *(VOWEL if name[0] in "AEIOU" else 1.0 for name in names)])
        moments = np.round((START_S + (STOP_S - START_S) * shares / shares[-1]) / FRAME_S)
        phones = Tokens(
            np.array([NUMBERS[name] for name in (SILENCE, *names)], np.int64), len(NUMBERS)
        )
        durations = Features(np.diff(moments, prepend=0).astype(np.float32))
        speech = Semantics("", {PHONES: phones, DURATIONS: durations}, extent=Extent(frames, FPS))
        [spoken] = EspeakVoice(voice="en-us+f3").generate([speech], KnowledgeBase(), Rng())
        voice = spoken.samples[0]
        motion = motion_of(names, moments * FRAME_S, frames, FPS) * 1.3
        time = np.arange(frames) / FPS
        # The head sways slowly by a few degrees, at a different rate per axis.
        for axis, reach in enumerate((4.0, 5.0, 2.0, 3.0, 2.0, 1.5)):
            pace, phase = rng.uniform(0.25, 0.6), rng.uniform(0, 2 * np.pi)
            motion[:, axis] += reach * np.sin(2 * np.pi * pace * time + phase)
        blink = int(rng.integers(5, frames - len(BLINK)))
        motion[blink : blink + len(BLINK), 6] -= 4.5 * BLINK * np.sign(_opens())
        face = portrait(portrait_of_astronaut(self.size))
        assert face is not None
        video = np.stack([face.moved_to(points) for points in basis().points(motion, face.points)])
        return Sample(
            f"{self.user}/{number:03d}",
            self.user,
            video=video,
            fps=FPS,
            audio=voice.audio,
            sample_rate_hz=voice.sample_rate_hz,
            text=words,
        )


@functools.cache
def portrait_of_astronaut(size: tuple[int, int]) -> np.ndarray:
    """The portrait of the samples, uint8 (H, W, 3).

    Raises:
        RunError: scikit-image, which includes it, is not installed
    """
    with extra("semcore-video[face]", "the portrait is part of scikit-image"):
        from skimage.data import astronaut

    picture = astronaut()
    cut = face_square([picture])
    assert cut is not None
    left, top, side = cut
    return resized(picture[top : top + side, left : left + side], size)


@functools.cache
def _opens() -> float:
    """The sign of the eyelid coefficient that opens the eyes."""
    face = portrait(portrait_of_astronaut((256, 256)))
    assert face is not None
    pair = np.zeros((2, 12), np.float32)
    pair[0, 6], pair[1, 6] = 1, -1
    more, less = eye_openness(basis().points(pair, face.points))
    return float(more - less)
