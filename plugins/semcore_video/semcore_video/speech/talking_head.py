"""Both halves of a talking head together: audio from video, or video from audio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from semcore.interfaces import Generator
from semcore.rng import Rng
from semcore.types import Candidates, Features, KnowledgeBase, Sample, Semantics, Stream
from semcore_video.face.tracker import Tracking, track
from semcore_video.paper import PAPER
from semcore_video.resampling import in_steps
from semcore_video.speech.lips import lips_of
from semcore_video.speech.mel_voices import LIPS, LIPS_FPS


@dataclass(frozen=True)
class TalkingHead(Tracking, Generator):
    """The moving picture of one generator with the sound of another, which may look at the lips of
    the picture.

    A voice that takes a stream `lips` gets grey pictures of the mouth of the video that was made:
    audio from video. Picture and sound are as long as the source, which the grant tells.

    Fields:
        renderer: makes the video
        voice: makes the sound
    """

    reference: ClassVar[str] = f"{PAPER}, section III-C"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic",)
    test_settings = ({"renderer": {"use": "mesh-warp"}, "voice": {"use": "deepsc-s"}},)

    renderer: Generator
    voice: Generator

    @property
    def accepts(self) -> Mapping[str, tuple[type[Stream], ...]]:  # type: ignore[override]  # of a class until its parts are known
        heard = {name: types for name, types in self.voice.accepts.items() if name != LIPS}
        return {**self.renderer.accepts, **heard}

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        seen = self.renderer.generate(batch, kb, rng.at("renderer"))
        said = (
            [_with_lips(*both) for both in zip(batch, seen, strict=True)]
            if LIPS in self.voice.accepts
            else batch
        )
        heard = self.voice.generate(said, kb, rng.at("voice"))
        return [
            Candidates([_together(one.key, one.user, video.samples[0], sound.samples[0])])
            for one, video, sound in zip(batch, seen, heard, strict=True)
        ]


def _with_lips(got: Semantics, seen: Candidates) -> Semantics:
    """What arrived, with the lips of the video that was made of it; as it is if there is none, or
    no face in it."""
    video = seen.samples[0].video
    points = None if video is None else track(video)
    if video is None or points is None or not np.isfinite(points).all():
        return got
    lips = lips_of(video, points).astype(np.float32)
    lips = in_steps(lips, max(round(len(video) * LIPS_FPS / (seen.samples[0].fps or LIPS_FPS)), 1))
    return replace(got, streams={**got.streams, LIPS: Features(lips)})


def _together(key: str, user: str, video: Sample, sound: Sample) -> Sample:
    return Sample(
        key,
        user,
        video=video.video,
        fps=video.fps,
        audio=sound.audio,
        sample_rate_hz=sound.sample_rate_hz,
    )
