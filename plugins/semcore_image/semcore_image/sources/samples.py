"""Synthetic pictures, so that every example runs without a download."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Le

from semcore import Rng, Sample, Source
from semcore.media import MAX_DRAWN
from semcore_image.pixels import check_drawn
from semcore_image.sources.drawings import DRAWINGS
from semcore_image.sources.scene import COLOURS, Scene, tint
from semcore_image.vocabulary import with_article

# Class -> (colours of the object, colours of the background).
PALETTES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "airplane": (("white", "grey", "red", "yellow"), ("blue", "blue", "white")),
    "automobile": (("red", "blue", "yellow", "white", "black"), ("grey", "green", "brown")),
    "bird": (("brown", "red", "yellow", "blue"), ("green", "green", "white")),
    "cat": (("grey", "black", "brown"), ("white", "brown", "green")),
    "deer": (("brown",), ("green", "green", "white")),
    "dog": (("brown", "orange", "black", "white"), ("green", "grey", "blue")),
    "frog": (("green", "yellow"), ("brown", "grey", "white")),
    "horse": (("brown", "black", "white", "brown"), ("green", "green", "blue")),
    "ship": (("red", "black", "white", "grey"), ("blue",)),
    "truck": (("red", "white", "orange", "yellow", "blue"), ("grey", "blue", "green")),
}
GROUNDED = {
    "automobile": 0.50,
    "cat": 0.42,
    "deer": 0.40,
    "frog": 0.35,
    "horse": 0.42,
    "ship": 0.58,
    "truck": 0.52,
}
"""Height of the horizon for classes on the ground or on water; the others have none."""

Side = Annotated[int, Ge(16), Le(1024)]
"""Side of a drawn picture, pixels."""


@dataclass(frozen=True)
class SamplePictures(Source):
    """Drawings of the ten classes of CIFAR-10, with light, shadow and texture; no download, no
    licence.

    They are drawn at four times the size and downsampled. Picture i shows class i mod 10; colours,
    position, mirroring, light and grain follow from `seed`, the class and the number, so a picture
    does not depend on `limit`. The id is for example `ship-01`, the label is the class, and the
    text is the true caption: "a red ship on a blue background".

    Fields:
        limit: number of pictures
        size: (height, width)
        seed: seed of the drawings
        user: sender of the pictures; pictures of one user form a sequence and share a knowledge
            base
    """

    draws: ClassVar[bool] = True

    limit: Annotated[int, Ge(1), Le(MAX_DRAWN)] = 20
    size: tuple[Side, Side] = (32, 32)
    seed: int = 1
    user: str = ""

    def check(self) -> None:
        check_drawn("SamplePictures.limit", self.limit, self.size)

    def samples(self) -> Sequence[Sample]:
        names = sorted(DRAWINGS)
        return [
            self._sample(names[index % len(names)], index // len(names))
            for index in range(self.limit)
        ]

    def _sample(self, name: str, number: int) -> Sample:
        rng = Rng(self.seed).at("samples", name, number).numpy()
        colours, backgrounds = PALETTES[name]
        background = backgrounds[rng.integers(len(backgrounds))]
        choice = [colour for colour in colours if colour != background]
        # Consecutive numbers differ in colour, so that even a few pictures vary.
        colour = choice[(number + self.seed) % len(choice)]
        scene = Scene(self.size, rng)
        ground, horizon = COLOURS[background], GROUNDED.get(name)
        if name == "ship":
            scene.backdrop(tint(ground, 1.45), tint(ground, 0.72), 0.10, horizon)
        elif horizon:
            scene.backdrop(tint(ground, 0.78), tint(ground, 1.12), 0.13, horizon)
        else:
            scene.backdrop(tint(ground, 0.9), tint(ground, 1.25), 0.08)
        DRAWINGS[name](scene, COLOURS[colour])
        caption = f"{with_article(colour)} {name} on {with_article(background)} background"
        return Sample(
            f"{name}-{number + 1:02d}", self.user, image=scene.finish(), text=caption, label=name
        )
