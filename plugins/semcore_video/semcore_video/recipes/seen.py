"""Speech with the lips that say it: portraits moved as visemes say, and the clips of the GRID corpus."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from semcore.types import Sample
from semcore_video.clips import Grid
from semcore_video.face.gate import best_reference
from semcore_video.face.motion import POSE, basis
from semcore_video.face.tracker import track
from semcore_video.face.warp import Portrait, portrait
from semcore_video.recipes import LipVoiceRecipe
from semcore_video.recipes.corpus import VOICES, Spoken, placed, sentences, spoken
from semcore_video.speech.align import align
from semcore_video.speech.espeak import speak
from semcore_video.speech.lips import lips_of
from semcore_video.speech.networks import EXPANSION
from semcore_video.speech.phones import FRAME_S, NAMES, NUMBERS
from semcore_video.speech.visemes import motion_of
from semcore_video.talking_samples import portrait_of_astronaut

FPS = 25.0
PIXELS = 128
"""Portraits are drawn at this size: lips are cut out smaller still."""
TIMES = 12
"""How often each clip of GRID is taken, each time said by another voice."""


def seen_saying(recipe: LipVoiceRecipe, rng: np.random.Generator) -> Iterator[tuple[Spoken, np.ndarray]]:
    """Sentences and lips, uint8 (T, 24, 32): first of portraits, then of the clips of GRID that are not left out."""
    clips = {one.user: one for one in Grid(recipe.data).samples()}
    kept = {user: clip for user, clip in clips.items() if user not in recipe.leave_out}
    pictures = [portrait_of_astronaut((PIXELS, PIXELS)), *map(_best_frame, kept.values())]
    faces = [face for face in map(portrait, pictures) if face is not None]
    for one in spoken(sentences(recipe.sentences, rng), rng):
        yield one, _moved(faces[int(rng.integers(len(faces)))], one, rng)
    for clip in kept.values():
        yield from _real(clip, rng)


def _moved(face: Portrait, one: Spoken, rng: np.random.Generator) -> np.ndarray:
    """The lips of a portrait that says a sentence more or less as visemes have it."""
    ends = np.concatenate([[0], np.cumsum(one.durations)]) * FRAME_S
    frames = -(-int(one.durations.sum()) // EXPANSION)
    motion = motion_of([NAMES[number] for number in one.phones], ends, frames, FPS) * rng.uniform(0.7, 2.0)
    steps = rng.standard_normal((frames + 24, motion.shape[1])).astype(np.float32)
    wander = np.apply_along_axis(np.convolve, 0, steps, np.hanning(25) / np.sqrt(np.square(np.hanning(25)).sum()), "valid")
    motion[:, :POSE] += 2.0 * wander[:, :POSE]
    motion[:, POSE:] += 0.35 * wander[:, POSE:] + 0.15 * steps[:frames, POSE:]
    points = basis().points(motion, face.points)
    return lips_of(np.stack([face.moved_to(each) for each in points]), points)


def _real(clip: Sample, rng: np.random.Generator) -> Iterator[tuple[Spoken, np.ndarray]]:
    """A clip of GRID as a receiver of V2A renders it, said by several voices exactly when it was said."""
    assert clip.video is not None and clip.audio is not None and clip.sample_rate_hz and clip.text
    phones, points = align(clip.audio, clip.sample_rate_hz, clip.text), track(clip.video)
    best = best_reference(points)
    face = portrait(clip.video[best])
    if phones is None or face is None:
        return
    moved = basis().points(basis().numbers(points, points[best]), face.points)
    lips = lips_of(np.stack([face.moved_to(each) for each in moved]), moved)
    names, frames = [phone.name for phone in phones], np.array([phone.frames for phone in phones], np.int64)
    numbers = np.array([NUMBERS[name] for name in names], np.int64)
    for _ in range(TIMES):
        voice = int(rng.integers(len(VOICES)))
        wave, rate_hz, starts = speak(names[1:-1], VOICES[voice], int(rng.integers(35, 65)), int(rng.integers(150, 230)))
        yield Spoken(clip.text, numbers, frames, placed(wave, rate_hz, starts, frames), rate_hz, voice), lips


def _best_frame(clip: Sample) -> np.ndarray:
    """The frame of a clip that is best as a reference, in the size of the portraits."""
    assert clip.video is not None
    from PIL import Image

    points = track(clip.video)
    return np.asarray(Image.fromarray(clip.video[best_reference(points)]).resize((PIXELS, PIXELS), Image.Resampling.BICUBIC))
