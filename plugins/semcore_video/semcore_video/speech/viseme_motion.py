"""Video from audio: facial motion from phones, drawn by a renderer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Le

from semcore import (
    Candidates,
    ComponentError,
    Features,
    Generator,
    KnowledgeBase,
    Rng,
    Semantics,
    Stream,
)
from semcore.media import MAX_FRAMES
from semcore_video.face.encoder import MOTION
from semcore_video.paper import PAPER
from semcore_video.resampling import USUAL_FPS
from semcore_video.speech.streams import SPOKEN, phone_times
from semcore_video.speech.visemes import motion_of
from semcore_video.weights import digest


@dataclass(frozen=True)
class VisemeMotion(Generator):
    """Facial expressions from phones, with a still head, drawn by a renderer.

    Replaces the audio-to-motion network: the share of each phone in windows around a frame, times a
    table trained by the recipe `visemes`. Phones and their times are those received, or those of
    the text, spread evenly over its interval. Without either the face is still. The video is as
    long as the source; the grant states its length.

    Fields:
        renderer: draws a stream `motion`
        visemes: folder written by the recipe `visemes`; null: the shipped ones
        strength: gain of the expressions, which the regression underestimates
    """

    reference: ClassVar[str] = (
        f"{PAPER}, section III-C1, equation 17, by a table in place of its network"
    )
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", "cooke2006audio")
    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = SPOKEN
    test_settings = ({"renderer": {"use": "mesh-warp"}},)

    renderer: Generator
    visemes: str | None = None
    strength: Annotated[float, Ge(0), Le(4)] = 1.3

    def check(self) -> None:
        if MOTION not in self.renderer.accepts:
            raise ComponentError(
                f"VisemeMotion.renderer must accept a stream {MOTION!r}, as mesh-warp does; "
                f"{type(self.renderer).__name__} does not"
            )

    def identity(self) -> Any:
        """The digest of the visemes."""
        return digest("visemes", self.visemes)

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        moving = [
            replace(received, streams={MOTION: Features(self.motion(received))}, intact={})
            for received in batch
        ]
        return self.renderer.generate(moving, kb, rng.at("renderer"))

    def motion(self, received: Semantics) -> np.ndarray:
        """Facial motion for the received speech, float32 (frames, 12)."""
        names, ends = phone_times(received)
        frames, fps = received.extent.pictures(USUAL_FPS)
        if not frames:  # no grant: as long as the speech
            frames = 1 if ends is None else min(max(round(float(ends[-1]) * fps), 1), MAX_FRAMES)
        if not names or ends is None:
            return motion_of([], np.zeros(1), frames, fps, self.visemes)
        if len(ends) != len(names) + 1:
            ends = np.linspace(ends[0], ends[1], len(names) + 1)
        return self.strength * motion_of(names, ends, frames, fps, self.visemes)
