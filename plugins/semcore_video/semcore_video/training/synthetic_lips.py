"""Speech with lips: portraits animated by visemes, and the clips of the GRID corpus."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from semcore import Sample
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
from semcore_video.training.corpus import VOICES, Spoken, place_phones, sentences, spoken

FPS = 25.0
MOUTHS = 5
PIXELS = 128
"""Size of rendered portraits, which is sufficient for crops of the lips."""
TIMES = 150
"""Repetitions of each clip of GRID, with random voices, rates and faces."""
PACE, UNEVEN = 0.12, 0.15
"""Standard deviations of the logarithms of the rate of a clip, and of the rate of each of its
phones."""
DARK_SHARE = 0.3
"""Share of portraits without a mouth atlas."""


def speech_with_lips(
    data: str, leave_out: Sequence[str], count: int, rng: np.random.Generator
) -> Iterator[tuple[Spoken, np.ndarray]]:
    """Sentences and lips, uint8 (T, 24, 32): first of portraits, then of the clips of GRID, if
    any, that are not excluded."""
    given = Grid(data).samples() if data else ()
    clips = [clip for clip in given if clip.user not in leave_out]
    portraits = [portrait(portrait_of_astronaut((PIXELS, PIXELS))), *map(_face, clips)]
    faces = [face for face in portraits if face is not None]

    def face() -> Portrait:
        drawn = faces[int(rng.integers(len(faces)))]
        return replace(drawn, mouths=None) if rng.random() < DARK_SHARE else drawn

    for sentence in spoken(sentences(count, rng), rng):
        yield sentence, _moved(face(), sentence, rng)
    for clip in clips:
        yield from _real(clip, face, rng)


def _moved(face: Portrait, sentence: Spoken, rng: np.random.Generator) -> np.ndarray:
    """The lips of a portrait animated by visemes with random variations."""
    ends = np.concatenate([[0], np.cumsum(sentence.durations)]) * FRAME_S
    frames = -(-int(sentence.durations.sum()) // EXPANSION)
    names = [NAMES[number] for number in sentence.phones]
    motion = motion_of(names, ends, frames, FPS) * rng.uniform(0.7, 2.0)
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
    """A clip of GRID as rendered by a receiver of V2A, with random faces and voices.

    The durations of phones vary at random, for lips and voice alike, since a clip has only one
    timing.
    """
    assert clip.video is not None and clip.audio is not None and clip.sample_rate_hz and clip.text
    phones, points = align(clip.audio, clip.sample_rate_hz, clip.text), track(clip.video)
    if phones is None:
        return
    motion = basis().numbers(points, points[best_reference(points)])
    names = [phone.name for phone in phones]
    durations = np.array([phone.frames for phone in phones], np.int64)
    numbers = np.array([NUMBERS[name] for name in names], np.int64)
    for _ in range(TIMES):
        pace = np.exp(PACE * rng.standard_normal() + UNEVEN * rng.standard_normal(len(durations)))
        frames = np.maximum(np.round(durations * pace), 2).astype(np.int64)
        voice = int(rng.integers(len(VOICES)))
        wave, rate_hz, starts = speak(
            names[1:-1], VOICES[voice], int(rng.integers(35, 65)), int(rng.integers(150, 230))
        )
        moved = _resampled(motion, durations, frames)
        moved[:, POSE:] *= rng.uniform(0.7, 1.4)
        moved += 0.1 * rng.standard_normal(moved.shape).astype(np.float32)
        sentence = Spoken(
            clip.text, numbers, frames, place_phones(wave, rate_hz, starts, frames), rate_hz, voice
        )
        yield sentence, _lips(face(), moved)


def _resampled(
    motion: np.ndarray, old_durations: np.ndarray, new_durations: np.ndarray
) -> np.ndarray:
    """Motion (T, 12) resampled from one set of phone durations to another, both in frames of
    sound."""
    old_times = np.concatenate([[0], np.cumsum(old_durations)]) * FRAME_S * FPS
    new_times = np.concatenate([[0], np.cumsum(new_durations)]) * FRAME_S * FPS
    count = -(-int(new_durations.sum()) // EXPANSION)
    positions = np.interp(np.arange(count) + 0.5, new_times, old_times) - 0.5
    return np.stack(
        [np.interp(positions, np.arange(len(motion)), column) for column in motion.T], 1
    ).astype(np.float32)


def _lips(face: Portrait, motion: np.ndarray) -> np.ndarray:
    """The lips of a moving face, uint8 (T, 24, 32)."""
    points = basis().points(motion, face.points)
    return lips_of(np.stack([face.moved_to(frame_points) for frame_points in points]), points)


def _face(clip: Sample) -> Portrait | None:
    """The face of a clip at the size of the portraits, with its mouth atlas."""
    assert clip.video is not None
    from PIL import Image

    points = track(clip.video)
    best = Image.fromarray(clip.video[best_reference(points)]).resize(
        (PIXELS, PIXELS), Image.Resampling.BICUBIC
    )
    return portrait(np.asarray(best), mouths_of(clip.video, points, MOUTHS))
