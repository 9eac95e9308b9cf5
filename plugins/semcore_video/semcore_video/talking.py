"""Both halves of a talking head together: audio from video, or video from audio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from semcore.interfaces import Generator
from semcore.rng import Rng
from semcore.types import Candidates, KnowledgeBase, Sample, Semantics, Stream
from semcore_video.paper import PAPER


@dataclass(frozen=True)
class TalkingHead(Generator):
    """The moving picture of one generator with the sound of another.

    Fields:
        renderer: makes the video
        voice: makes the sound
    """

    reference: ClassVar[str] = f"{PAPER}, section III-C"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic",)
    tried_with = ({"renderer": {"use": "mesh-warp"}, "voice": {"use": "espeak"}},)

    renderer: Generator
    voice: Generator

    @property
    def accepts(self) -> Mapping[str, tuple[type[Stream], ...]]:  # type: ignore[override]  # of a class until its parts are known
        return {**self.renderer.accepts, **self.voice.accepts}

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        seen = self.renderer.generate(batch, kb, rng.at("renderer"))
        heard = self.voice.generate(batch, kb, rng.at("voice"))
        return [
            Candidates([_together(one.key, one.user, video.samples[0], sound.samples[0])])
            for one, video, sound in zip(batch, seen, heard, strict=True)
        ]


def _together(key: str, user: str, video: Sample, sound: Sample) -> Sample:
    return Sample(key, user, video=video.video, fps=video.fps, audio=sound.audio, sample_rate_hz=sound.sample_rate_hz)
