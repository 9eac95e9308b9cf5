"""Recipe of learned codecs of an author's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Le

from semcore import ComponentError, name_of
from semcore_image.jscc.module_codec import ModuleCodec
from semcore_image.jscc.network import PictureNetwork
from semcore_image.training.learned_codec import CodecRecipe


@dataclass(frozen=True, kw_only=True)
class PictureCodecRecipe(CodecRecipe):
    """Trains a codec of two modules (`ModuleCodec`) end to end, over any channel.

    Fields:
        transport: the codec; where it has `weights`, training begins with these
        size: side of the training pictures, pixels; others are cropped to a square and resampled
    """

    cites: ClassVar[tuple[str, ...]] = ("bourtsoulatze2019deep",)

    transport: ModuleCodec
    size: Annotated[int, Ge(8), Le(1024)] = 32

    def check(self) -> None:
        if not isinstance(self.transport, ModuleCodec):
            raise ComponentError("PictureCodecRecipe.transport must be a semcore_image.ModuleCodec")

    @property
    def side(self) -> int:
        return self.size

    def fresh(self) -> PictureNetwork:
        network = self.transport.made(self.seed)
        if self.transport.weights is not None:
            network.load_state_dict(self.transport.network.state_dict())
        return network

    def config(self) -> Mapping[str, Any]:
        return {"transport": name_of(type(self.transport)), "settings": self.transport.design()}

    def title(self) -> tuple[str, str]:
        text = (type(self.transport).__doc__ or "").strip().partition("\n\n")[0]
        settings = ", ".join(f"{name} = {value}" for name, value in self.transport.design().items())
        about = f"{' '.join(text.split())}\n\nSettings of the transport: {settings or 'none'}."
        return name_of(type(self.transport)), about

    def cost(self, images: torch.Tensor, decoded: torch.Tensor) -> torch.Tensor:
        return self.transport.loss(images, decoded)
