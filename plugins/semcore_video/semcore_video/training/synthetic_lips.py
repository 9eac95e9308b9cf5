"""Speech with the lips that say it: portraits moved as visemes say, and the clips of the GRID
corpus."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from semcore.types import Sample
from semcore_video.face.motion import POSE, basis
from semcore_video.face.mouths import mouths_of
from semcore_video.face.reference import best_reference
from semcore_video.face.tracker import track
from semcore_video.face.warp import Portrait, portrait
from semcore_video.sources.clips import Grid
from semcore_video.sources.talking_samples import portrait_of_astronaut
from semcore_video.speech.align import align
from semcore_video.speech.espeak import speak
from semcore_video.speech.lips import lips_of
from semcore_video.speech.networks import EXPANSION
from semcore_video.speech.phones import FRAME_S, NAMES, NUMBERS
from semcore_video.speech.visemes import motion_of
from semcore_video.training.corpus import VOICES, Spoken, placed, sentences, spoken

FPS = 25.0
MOUTHS = 5
PIXELS = 128
"""Portraits are drawn at this size: lips are cut out smaller still."""
TIMES = 150
"""How often each clip of GRID is taken, each time said by another voice, at another pace, and by
another face."""
PACE, UNEVEN = 0.12, 0.15
"""Standard deviations of the logarithms of the pace of a clip, and of the pace of each of its
phones."""
DARK_SHARE = 0.3
"""How often the mouths of a face are not known, so that they are dark."""


def seen_saying(
    data: str, leave_out: Sequence[str], count: int, rng: np.random.Generator
) -> Iterator[tuple[Spoken, np.ndarray]]:
    """Sentences and lips, uint8 (T, 24, 32): first of portraits, then of the clips of GRID that are
    not left out."""
    kept = [clip for clip in Grid(data).samples() if clip.user not in leave_out]
    known = [portrait(portrait_of_astronaut((PIXELS, PIXELS))), *map(_face, kept)]
    faces = [face for face in known if face is not None]

    def face() -> Portrait:
        drawn = faces[int(rng.integers(len(faces)))]
        return replace(drawn, mouths=None) if rng.random() < DARK_SHARE else drawn

    for one in spoken(sentences(count, rng), rng):
        yield one, _moved(face(), one, rng)
    for clip in kept:
        yield from _real(clip, face, rng)


def _moved(face: Portrait, one: Spoken, rng: np.random.Generator) -> np.ndarray:
    """The lips of a portrait that says a sentence more or less as visemes have it."""
    ends = np.concatenate([[0], np.cumsum(one.durations)]) * FRAME_S
    frames = -(-int(one.durations.sum()) // EXPANSION)
    motion = motion_of([NAMES[number] for number in one.phones], ends, frames, FPS) * rng.uniform(
        0.7, 2.0
    )
    steps = rng.standard_normal((frames + 24, motion.shape[1])).astype(np.float32)
    wander = np.apply_along_axis(
        np.convolve, 0, steps, np.hanning(25) / np.sqrt(np.square(np.hanning(25)).sum()), "valid"
    )
    motion[:, :POSE] += 2.0 * wander[:, :POSE]
    motion[:, POSE:] += 0.35 * wander[:, POSE:] + 0.15 * steps[:frames, POSE:]
    return _lips(face, motion)


def _real(
    clip: Sample, face: Callable[[], Portrait], rng: np.random.Generator
) -> Iterator[tuple[Spoken, np.ndarray]]:
    """A clip of GRID as a receiver of V2A renders it, moving many faces, and said by as many voices
    when it is said.

    Time goes faster and slower from phone to phone, for lips and voice alike: a clip shows one
    timing, and people have many.
    """
    assert clip.video is not None and clip.audio is not None and clip.sample_rate_hz and clip.text
    phones, points = align(clip.audio, clip.sample_rate_hz, clip.text), track(clip.video)
    if phones is None:
        return
    motion = basis().numbers(points, points[best_reference(points)])
    names, lasted = (
        [phone.name for phone in phones],
        np.array([phone.frames for phone in phones], np.int64),
    )
    numbers = np.array([NUMBERS[name] for name in names], np.int64)
    for _ in range(TIMES):
        pace = np.exp(PACE * rng.standard_normal() + UNEVEN * rng.standard_normal(len(lasted)))
        frames = np.maximum(np.round(lasted * pace), 2).astype(np.int64)
        voice = int(rng.integers(len(VOICES)))
        wave, rate_hz, starts = speak(
            names[1:-1], VOICES[voice], int(rng.integers(35, 65)), int(rng.integers(150, 230))
        )
        there = _at_its_time(motion, lasted, frames)
        there[:, POSE:] *= rng.uniform(0.7, 1.4)
        there += 0.1 * rng.standard_normal(there.shape).astype(np.float32)
        one = Spoken(
            clip.text, numbers, frames, placed(wave, rate_hz, starts, frames), rate_hz, voice
        )
        yield one, _lips(face(), there)


def _at_its_time(motion: np.ndarray, lasted: np.ndarray, lasts: np.ndarray) -> np.ndarray:
    """Motion (T, 12) of phones that lasted so many frames of sound, when each lasts as many
    others."""
    was, now = (
        np.concatenate([[0], np.cumsum(frames)]) * FRAME_S * FPS for frames in (lasted, lasts)
    )
    moments = np.interp(np.arange(-(-int(lasts.sum()) // EXPANSION)) + 0.5, now, was) - 0.5
    return np.stack(
        [np.interp(moments, np.arange(len(motion)), column) for column in motion.T], 1
    ).astype(np.float32)


def _lips(face: Portrait, motion: np.ndarray) -> np.ndarray:
    """The lips of a face that moves, uint8 (T, 24, 32)."""
    points = basis().points(motion, face.points)
    return lips_of(np.stack([face.moved_to(each) for each in points]), points)


def _face(clip: Sample) -> Portrait | None:
    """The face of a clip in the size of the portraits, with its mouths."""
    assert clip.video is not None
    from PIL import Image

    points = track(clip.video)
    best = Image.fromarray(clip.video[best_reference(points)]).resize(
        (PIXELS, PIXELS), Image.Resampling.BICUBIC
    )
    return portrait(np.asarray(best), mouths_of(clip.video, points, MOUTHS))
