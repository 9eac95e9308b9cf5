"""Talking head: the video of one generator with the sound of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from semcore import Candidates, Features, Generator, KnowledgeBase, Rng, Sample, Semantics, Stream
from semcore_video.face.tracker import Tracking, track
from semcore_video.paper import PAPER
from semcore_video.resampling import interpolated
from semcore_video.speech.lips import lips_of
from semcore_video.speech.mel_voices import LIPS, LIPS_FPS


@dataclass(frozen=True)
class TalkingHead(Tracking, Generator):
    """The video of one generator with the sound of another, which may use the lips of the video.

    A voice with an input stream `lips` receives grey crops of the mouth of the generated video:
    audio from video. Video and sound are as long as the source; the grant states their length.

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
        voice_streams = {name: types for name, types in self.voice.accepts.items() if name != LIPS}
        return {**self.renderer.accepts, **voice_streams}

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        videos = self.renderer.generate(batch, kb, rng.at("renderer"))
        if LIPS in self.voice.accepts:
            batch = [_with_lips(*pair) for pair in zip(batch, videos, strict=True)]
        sounds = self.voice.generate(batch, kb, rng.at("voice"))
        return [
            Candidates([_together(received.key, received.user, video.samples[0], sound.samples[0])])
            for received, video, sound in zip(batch, videos, sounds, strict=True)
        ]


def _with_lips(received: Semantics, rendered: Candidates) -> Semantics:
    """The received streams with the lips of the rendered video; unchanged if there is no video, or
    no face in it."""
    video = rendered.samples[0].video
    points = None if video is None else track(video)
    if video is None or points is None or not np.isfinite(points).all():
        return received
    lips = lips_of(video, points).astype(np.float32)
    lips = interpolated(
        lips, max(round(len(video) * LIPS_FPS / (rendered.samples[0].fps or LIPS_FPS)), 1)
    )
    return replace(received, streams={**received.streams, LIPS: Features(lips)})


def _together(key: str, user: str, video: Sample, sound: Sample) -> Sample:
    return Sample(
        key,
        user,
        video=video.video,
        fps=video.fps,
        audio=sound.audio,
        sample_rate_hz=sound.sample_rate_hz,
    )
