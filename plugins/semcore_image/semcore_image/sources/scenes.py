"""Drawn scenes with exact captions, so that sentences can be sent without a download."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Le

from semcore import OnDemand, Rng, Sample, Source
from semcore.media import MAX_DRAWN
from semcore_image.pixels import check_drawn
from semcore_image.scenes.drawing import picture
from semcore_image.scenes.grammar import WORDINGS, caption
from semcore_image.scenes.world import Description, drawn

Side = Annotated[int, Ge(64), Le(1024)]
"""Side of a drawn scene, pixels."""


@dataclass(frozen=True)
class Scenes(Source):
    """Drawn scenes of objects with number, colour, size and place; no download, no licence.

    A scene has one to four main objects of a kind, sometimes one or two smaller ones above, below,
    to the left or to the right of them, and sometimes a single one elsewhere, before one of eight
    backgrounds, by day or at night. There are 32 kinds, 10 colours, three sizes and nine places. Of
    a number, everything follows from `seed`, so a picture does not depend on `limit`. The label is
    the kind of the main objects, and the text is an exact caption in one of several wordings, for
    example "two red birds at the top, above a small green tree, under a grey sky, one small white
    boat on the left".

    Fields:
        limit: number of scenes
        size: (height, width); scenes of another shape than a square are wider, objects are not
        seed: seed of the scenes
        offset: number of scenes to skip first
        user: sender of the pictures; pictures of one user form a sequence and share a knowledge
            base
    """

    draws: ClassVar[bool] = True

    limit: Annotated[int, Ge(1), Le(MAX_DRAWN)] = 20
    size: tuple[Side, Side] = (64, 64)
    seed: int = 1
    offset: Annotated[int, Ge(0)] = 0
    user: str = ""

    def check(self) -> None:
        check_drawn("Scenes.limit", self.limit, self.size)

    def samples(self) -> Sequence[Sample]:
        heads = [(f"scene-{self.offset + at + 1:04d}", self.user) for at in range(self.limit)]
        return OnDemand(heads, lambda at: self._sample(*heads[at], self.offset + at))

    def description(self, number: int) -> Description:
        """What the scene of a number, from 0 on, shows."""
        return drawn(Rng(self.seed).at("scene", number).numpy())

    def _sample(self, name: str, user: str, number: int) -> Sample:
        shown = self.description(number)
        rng = Rng(self.seed).at("drawing", number).numpy()
        text = caption(shown, int(rng.integers(len(WORDINGS))))
        pixels = picture(shown, rng, self.size)
        return Sample(name, user, image=pixels, text=text, label=shown.main.kind)
