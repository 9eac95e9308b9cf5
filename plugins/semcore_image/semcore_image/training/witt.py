"""Recipe of witt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from annotated_types import Ge

from semcore_image.jscc.network import JsccNetwork
from semcore_image.jscc.witt import Witt
from semcore_image.training.learned_codec import LearnedCodecRecipe


@dataclass(frozen=True)
class WITTRecipe(LearnedCodecRecipe):
    """Trains the transport witt: Swin transformers with channel modulation.

    Fields:
        widths: channels of each stage
        depths: Swin blocks of each stage
        heads: attention heads of each stage
        window: side of the attention windows, positions
    """

    cites: ClassVar[tuple[str, ...]] = ("yang2023witt", "krizhevsky2009learning")
    name: ClassVar[str] = "witt"
    about: ClassVar[str] = "Swin transformers with channel modulation networks, small."
    network: ClassVar[type[JsccNetwork]] = Witt

    epochs: Annotated[int, Ge(1)] = 4
    widths: tuple[Annotated[int, Ge(4)], ...] = (32, 96)
    depths: tuple[Annotated[int, Ge(1)], ...] = (1, 4)
    heads: tuple[Annotated[int, Ge(1)], ...] = (2, 6)
    window: Annotated[int, Ge(2)] = 4

    @property
    def architecture(self) -> dict[str, Any]:
        return {
            "latent": self.latent,
            "widths": self.widths,
            "depths": self.depths,
            "heads": self.heads,
            "window": self.window,
        }
