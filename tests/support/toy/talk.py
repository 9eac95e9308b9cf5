"""Talking heads on a page: the satellite paper's two workflows as a toy, the plugin of talk.yaml.

A head is a flat background (the speaker's look) with a mouth; a voice is a tone as loud as the
mouth is open. Every letter opens the mouth by an amount and for a number of frames of its own, so
that video, sound and text determine one another:

    v2a   text, motion     ─ renderer ─ video ─ lips ─ vocoder ─ sound
    a2v   text, durations  ─ vocoder ─ sound ─ loudness ─ renderer ─ video
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import semcore
from semcore import (
    Candidates,
    Features,
    KnowledgeBase,
    Picture,
    Record,
    Rng,
    Sample,
    Semantics,
    Stream,
    Text,
    Tokens,
)

SIDE, FRAMES, FPS = 16, 12, 12.0
PER_FRAME, RATE_HZ = 100, 1200
MOUTH = np.array([200, 0, 0], np.uint8)
STEPS = 4
"""The mouth opens by 0, 1, ... STEPS rows; its opening is a share of STEPS."""
TALK = {
    "anna": [
        ("cab", (4, 5, 3), 40),
        ("bad", (3, 3, 6), 220),
        ("ad", (6, 6), 220),
        ("bead", (3, 3, 3, 3), 220),
    ],
    "ben": [
        ("dab", (2, 8, 2), 120),
        ("ebb", (4, 8, 0), 120),
        ("ceda", (2, 4, 2, 4), 120),
        ("ace", (5, 4, 3), 120),
    ],
}
"""user -> (text, frames of each letter, grey value of the look) of each segment."""


def opening(letter: str) -> float:
    """How far a letter opens the mouth, 0..1 in steps of 1/STEPS."""
    return ord(letter) % (STEPS + 1) / STEPS


def openings(text: str, durations: Sequence[int]) -> np.ndarray:
    """The opening in every frame, float (FRAMES,); what is missing is closed."""
    spoken = [
        opening(letter)
        for letter, frames in zip(text, durations, strict=False)
        for _ in range(frames)
    ]
    return np.array((spoken + [0.0] * FRAMES)[:FRAMES])


def draw(background: np.ndarray, motion: np.ndarray) -> np.ndarray:
    """uint8 (3,) and (opening, shift) per frame (FRAMES, 2) -> uint8 (FRAMES, SIDE, SIDE, 3)."""
    video = np.tile(background, (len(motion), SIDE, SIDE, 1))
    for frame, (wide, shift) in zip(video, np.nan_to_num(motion), strict=True):
        rows, left = (
            int(np.clip(round(wide * STEPS), 0, STEPS)),
            2 + int(np.clip(round(shift * 4), 0, 4)),
        )
        frame[8 : 8 + rows, left : left + 8] = MOUTH
    return video


def seen(video: np.ndarray) -> np.ndarray:
    """(opening, shift) of every frame of a video, float32 (FRAMES, 2)."""
    mouth = (video == MOUTH).all(-1)
    wide = mouth.any(2).sum(1) / STEPS
    left = np.where(mouth.any((1, 2)), mouth.any(1).argmax(1), 2)
    return np.stack([wide, (left - 2) / 4], 1).astype(np.float32)


def speak(wide: np.ndarray) -> np.ndarray:
    """A tone as loud as the mouth is open: float32 (FRAMES * PER_FRAME,)."""
    tone = 0.8 * np.sin(2 * np.pi * np.arange(PER_FRAME) / 10)
    return (np.asarray(wide)[:, None] * tone).astype(np.float32).flatten()


def heard(audio: np.ndarray) -> np.ndarray:
    """The opening in every frame of a sound, to the nearest step."""
    loud = np.sqrt(2 * np.mean(audio.reshape(-1, PER_FRAME).astype(float) ** 2, axis=1)) / 0.8
    return np.round(np.clip(loud, 0, 1) * STEPS) / STEPS


@semcore.register("source", "toy-talk")
@dataclass(frozen=True)
class Talk(semcore.Source):
    """Two speakers, four segments each; one of them changes her look in the second."""

    def samples(self) -> Sequence[Sample]:
        made = []
        for user, segments in TALK.items():
            for index, (text, durations, look) in enumerate(segments):
                wide = openings(text, durations)
                motion = np.stack([wide, np.arange(FRAMES) % 5 / 4 * (wide > 0)], axis=1)
                video = draw(np.full(3, look, np.uint8), motion)
                made.append(
                    Sample(f"{user}/{index}", user, None, video, FPS, speak(wide), RATE_HZ, text)
                )
        return made


@semcore.register("encoder", "toy-face")
@dataclass(frozen=True)
class Face(semcore.SemanticEncoder):
    """The text, and twelve parameters of motion per frame, of which two are not zero."""

    @property
    def streams(self) -> Mapping[str, type[Stream]]:
        return {"text": Text, "motion": Features}

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        return [
            Semantics(s.id, {"text": Text(s.text or ""), "motion": self._motion(s)}, s.user)
            for s in samples
        ]

    def _motion(self, sample: Sample) -> Features:
        assert sample.video is not None
        return Features(np.pad(seen(sample.video), ((0, 0), (0, 10))))


@semcore.register("encoder", "toy-voice")
@dataclass(frozen=True)
class Voice(semcore.SemanticEncoder):
    """The text, and how many frames each of its letters lasts, heard in the sound."""

    @property
    def streams(self) -> Mapping[str, type[Stream]]:
        return {"text": Text, "durations": Tokens}

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        return [
            Semantics(s.id, {"text": Text(s.text or ""), "durations": self._durations(s)}, s.user)
            for s in samples
        ]

    def _durations(self, sample: Sample) -> Tokens:
        assert sample.audio is not None
        wide, frames = heard(sample.audio), []
        for letter in sample.text or "":
            rest = wide[sum(frames) :]
            stops = np.flatnonzero(rest != opening(letter))
            frames.append(int(stops[0]) if len(stops) else len(rest))
        return Tokens(np.array(frames, np.int64), 16)


@semcore.register("generator", "toy-renderer")
@dataclass(frozen=True)
class Renderer(semcore.Generator):
    """Stream `motion` as video, in front of the newest known look; grey and still without them."""

    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = {"motion": (Features,)}

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        return [Candidates((self._render(one, kb),)) for one in batch]

    def _render(self, one: Semantics, kb: KnowledgeBase) -> Sample:
        looks = [entry.pixels[0, 0] for entry in kb.of(one.user) if isinstance(entry, Picture)]
        motion = one.streams.get("motion")
        moves = motion.values[:, :2] if isinstance(motion, Features) else np.zeros((FRAMES, 2))
        background = looks[-1] if looks else np.full(3, 128, np.uint8)
        return Sample(one.key, one.user, video=draw(background, moves), fps=FPS)


@semcore.register("generator", "toy-vocoder")
@dataclass(frozen=True)
class Vocoder(semcore.Generator):
    """A sound as loud as `lips`, else as `text` and `durations` say; silence without them."""

    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = {
        "text": (Text,), "durations": (Tokens,), "lips": (Features,)
    }  # fmt: skip

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        return [
            Candidates(
                (Sample(one.key, one.user, audio=speak(self._wide(one)), sample_rate_hz=RATE_HZ),)
            )
            for one in batch
        ]

    def _wide(self, one: Semantics) -> np.ndarray:
        lips, durations = one.streams.get("lips"), one.streams.get("durations")
        if isinstance(lips, Features):
            return np.clip(lips.values.reshape(len(lips.values), -1)[:, 0], 0, 1)
        return openings(
            one.text("text") or "",
            durations.values.tolist() if isinstance(durations, Tokens) else [],
        )


def only(
    generator: semcore.Generator, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng
) -> list[Sample]:
    """The one candidate for each sample."""
    return [some.samples[0] for some in generator.generate(batch, kb, rng)]


def together(one: Semantics, video: Sample, sound: Sample) -> Candidates:
    """Video, sound and text as one reconstruction."""
    made = Sample(
        one.key,
        one.user,
        None,
        video.video,
        video.fps,
        sound.audio,
        sound.sample_rate_hz,
        one.text("text"),
    )
    return Candidates((made,))


@semcore.register("generator", "toy-v2a")
@dataclass(frozen=True)
class VideoToAudio(semcore.Generator):
    """Renders the video from motion, and makes the sound from the lips of the rendered video.

    Fields:
        renderer: makes a video of the stream `motion`
        vocoder: makes a sound of the stream `lips`
    """

    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = {
        "text": (Text,),
        "motion": (Features,),
    }
    renderer: semcore.Generator
    vocoder: semcore.Generator

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        videos = only(
            self.renderer, [one.only(["motion"]) for one in batch], kb, rng.at("renderer")
        )
        read = [
            Semantics(
                one.key,
                {**one.only(["text"]).streams, "lips": Features(seen(video.video)[:, :1])},
                one.user,
            )
            for one, video in zip(batch, videos, strict=True)
        ]
        sounds = only(self.vocoder, read, kb, rng.at("vocoder"))
        return [together(*parts) for parts in zip(batch, videos, sounds, strict=True)]


@semcore.register("generator", "toy-a2v")
@dataclass(frozen=True)
class AudioToVideo(semcore.Generator):
    """Makes the sound from text and durations, and renders the video from its loudness.

    Fields:
        vocoder: makes a sound of the streams `text` and `durations`
        renderer: makes a video of the stream `motion`
    """

    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = {
        "text": (Text,),
        "durations": (Tokens,),
    }
    vocoder: semcore.Generator
    renderer: semcore.Generator

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        sounds = only(self.vocoder, batch, kb, rng.at("vocoder"))
        moves = [
            np.stack([heard(sound.audio), np.zeros(FRAMES)], 1).astype(np.float32)
            for sound in sounds
        ]
        read = [
            Semantics(one.key, {"motion": Features(move)}, one.user)
            for one, move in zip(batch, moves, strict=True)
        ]
        videos = only(self.renderer, read, kb, rng.at("renderer"))
        return [together(*parts) for parts in zip(batch, videos, sounds, strict=True)]


@semcore.register("metric", "toy-lip-sync")
@dataclass(frozen=True)
class LipSync(semcore.Metric):
    """Share of the frames of the result in which the mouth is as far open as the sound is loud."""

    statistic: ClassVar[semcore.Statistic] = semcore.Score(0.0, 1.0)

    def measure(self, records: Sequence[Record]) -> list[float | None]:
        return [self._agreement(record.result) for record in records]

    def _agreement(self, result: Sample) -> float | None:
        if result.video is None or result.audio is None:
            return None
        return float(np.mean(seen(result.video)[:, 0] == heard(result.audio)))
