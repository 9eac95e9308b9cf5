"""An author's two modules as a network of pictures and symbols."""

from __future__ import annotations

import inspect
import math
from typing import Any

import torch
from torch import nn

from semcore import ComponentError
from semcore_image.jscc.network import PictureNetwork


class ModuleNetwork(PictureNetwork):
    """Two modules that know nothing of symbols.

    Args:
        encoder: maps pictures float32 0..1 (B, 3, H, W) to real features (B, ...) of any shape that
            follows from H and W; it gets `snr_db`, float32 (B,), if its `forward` has a parameter
            of this name
        decoder: maps features of the same shape to pictures (B, 3, H, W), around 0..1, likewise
        stride: H and W are multiples of it
        owner: named in messages
    """

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, stride: int = 1, owner: str = "the codec"
    ) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.stride, self.owner = stride, owner
        self._forms: dict[tuple[int, int], tuple[int, ...]] = {}

    def analyse(
        self, images: torch.Tensor, snr_db: torch.Tensor, text: torch.Tensor | None
    ) -> torch.Tensor:
        form = self.form((images.shape[2], images.shape[3]))
        found = _called(self.encoder, images, snr_db)
        if tuple(found.shape) != (len(images), *form):
            raise ComponentError(
                f"{self.owner}: the encoder made {list(found.shape)} of {len(images)} pictures, "
                f"and {[1, *form]} of one: the shape must follow from the size alone"
            )
        return found

    def synthesise(self, numbers: torch.Tensor, snr_db: torch.Tensor) -> torch.Tensor:
        return _called(self.decoder, numbers, snr_db)

    def form(self, size: tuple[int, int]) -> tuple[int, ...]:
        """The shape that the encoder gives features of a picture of `size`, found with a black
        one, once per size."""
        size = self.padded(size)
        if size not in self._forms:
            self._forms[size] = self._tried(size)
        return self._forms[size]

    def translate(self) -> None:
        self.encoder.compile()
        self.decoder.compile()

    def _tried(self, size: tuple[int, int]) -> tuple[int, ...]:
        place = next((one.device for one in self.parameters()), torch.device("cpu"))
        modes = {one: one.training for one in self.modules()}
        self.eval()  # statistics of normalisation layers do not see the black picture
        try:
            with torch.no_grad():
                found: Any = _called(
                    self.encoder,
                    torch.zeros(1, 3, *size, device=place),
                    torch.zeros(1, device=place),
                )
        except (RuntimeError, ValueError, TypeError) as error:
            raise ComponentError(
                f"{self.owner}: the encoder fails on a picture of {size[0]}x{size[1]} pixels: "
                f"{error}"
            ) from error
        finally:
            for one, mode in modes.items():
                one.training = mode
        if not isinstance(found, torch.Tensor) or found.is_complex() or found.ndim < 2:
            what = list(found.shape) if isinstance(found, torch.Tensor) else type(found).__name__
            kind = "complex " if isinstance(found, torch.Tensor) and found.is_complex() else ""
            raise ComponentError(
                f"{self.owner}: the encoder must give a tensor of real features (B, ...), not "
                f"{kind}{what}"
            )
        if len(found) != 1 or not math.prod(found.shape):
            raise ComponentError(
                f"{self.owner}: the encoder made features {list(found.shape)} of one picture; the "
                "first dimension is the batch, and there must be at least one number"
            )
        return tuple(found.shape[1:])


def _called(module: nn.Module, tensor: torch.Tensor, snr_db: torch.Tensor) -> torch.Tensor:
    """What a module makes of a batch; with the SNR if it asks for it."""
    more = {"snr_db": snr_db} if "snr_db" in inspect.signature(module.forward).parameters else {}
    made: torch.Tensor = module(tensor, **more)
    return made
