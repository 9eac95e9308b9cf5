"""Video from audio: the phones that arrived move the lips of whatever renderer follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Le

from semcore.errors import ComponentError
from semcore.interfaces import Generator
from semcore.limits import MAX_FRAMES
from semcore.rng import Rng
from semcore.types import Candidates, Features, KnowledgeBase, Semantics, Stream
from semcore_video.face.encoder import MOTION
from semcore_video.paper import PAPER
from semcore_video.resampling import USUAL_FPS
from semcore_video.speech.streams import SPOKEN, phone_times
from semcore_video.speech.visemes import motion_of
from semcore_video.weights import digest


@dataclass(frozen=True)
class VisemeMotion(Generator):
    """Expressions of a face from what it says, the head kept still, drawn by a renderer.

    Stands in for the audio-to-motion network: the share of each phone in windows about a frame,
    times a table that the recipe `visemes` learnt. Phones and their moments are those that arrived,
    or those of the text, spread evenly over its interval. Without either the face is still. The
    video is as long as the source, which the grant tells.

    Fields:
        renderer: draws a `motion`
        visemes: folder that the recipe `visemes` wrote; null: the shipped ones
        strength: factor of the expressions; a regression understates them
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
                f"VisemeMotion.renderer must draw a stream {MOTION!r}, as mesh-warp does, and "
                f"{type(self.renderer).__name__} "
                "does not"
            )

    def identity(self) -> Any:
        """The digest of the visemes."""
        return digest("visemes", self.visemes)

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        moving = [
            replace(got, streams={MOTION: Features(self.motion(got))}, intact={}) for got in batch
        ]
        return self.renderer.generate(moving, kb, rng.at("renderer"))

    def motion(self, got: Semantics) -> np.ndarray:
        """Motion of the face that says what arrived, float32 (frames, 12)."""
        names, ends = phone_times(got)
        frames, fps = got.extent.pictures(USUAL_FPS)
        if not frames:  # nobody says how long it is: as long as what is said
            frames = 1 if ends is None else min(max(round(float(ends[-1]) * fps), 1), MAX_FRAMES)
        if not names or ends is None:
            return motion_of([], np.zeros(1), frames, fps, self.visemes)
        if len(ends) != len(names) + 1:
            ends = np.linspace(ends[0], ends[1], len(names) + 1)
        return self.strength * motion_of(names, ends, frames, fps, self.visemes)
