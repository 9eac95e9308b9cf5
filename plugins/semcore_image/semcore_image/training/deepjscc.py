"""Recipe of deepjscc."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from annotated_types import Ge

from semcore_image.jscc.deepjscc import DeepJscc
from semcore_image.jscc.network import JsccNetwork
from semcore_image.training.learned_codec import LearnedCodecRecipe


@dataclass(frozen=True)
class DeepJSCCRecipe(LearnedCodecRecipe):
    """Trains the transport deepjscc: one network for all SNRs.

    Fields:
        width: channels of the residual blocks
        blocks: residual blocks of each half
    """

    cites: ClassVar[tuple[str, ...]] = (
        "bourtsoulatze2019deep",
        "xu2022wireless",
        "krizhevsky2009learning",
    )
    name: ClassVar[str] = "deepjscc"
    about: ClassVar[str] = (
        "Convolutional joint source-channel coding on 4 x 4 patches, ten residual blocks "
        "modulated by the SNR."
    )
    network: ClassVar[type[JsccNetwork]] = DeepJscc

    width: Annotated[int, Ge(4)] = 96
    blocks: Annotated[int, Ge(1)] = 5

    @property
    def architecture(self) -> dict[str, Any]:
        return {"latent": self.latent, "width": self.width, "blocks": self.blocks}
