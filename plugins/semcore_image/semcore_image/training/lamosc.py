"""Recipe of lamosc."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge

from semcore_image.jscc.lamosc import Lamosc
from semcore_image.jscc.network import JsccNetwork
from semcore_image.models.weights import load_mini
from semcore_image.training.learned_codec import LearnedCodecRecipe


@dataclass(frozen=True)
class LaMoSCRecipe(LearnedCodecRecipe):
    """Trains the transport lamosc, which fuses the picture with its caption by mini-caption.

    Fields:
        width: channels
        blocks: residual blocks of each half
    """

    cites: ClassVar[tuple[str, ...]] = ("zhao2024lamosc", "krizhevsky2009learning")
    name: ClassVar[str] = "lamosc"
    about: ClassVar[str] = (
        "Visual features fused by attention with the embedding of a caption by mini-caption, then "
        "coded jointly."
    )
    network: ClassVar[type[JsccNetwork]] = Lamosc

    epochs: Annotated[int, Ge(1)] = 6
    width: Annotated[int, Ge(4)] = 64
    blocks: Annotated[int, Ge(1)] = 4

    @property
    def architecture(self) -> dict[str, Any]:
        return {"latent": self.latent, "width": self.width, "blocks": self.blocks, "text": 128}

    def text(self, images: torch.Tensor) -> torch.Tensor | None:
        """Embeddings by mini-clip of captions by mini-caption: float32 (B, 128)."""
        return load_mini("mini-clip").encode_text(load_mini("mini-caption").caption(images))
