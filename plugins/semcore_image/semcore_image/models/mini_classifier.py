"""mini-classifier, a classifier that is independent of mini-clip."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from semcore import on_device
from semcore_image.models.mini_clip import as_float
from semcore_image.vocabulary import CLASSES


def convolution(channels_in: int, channels_out: int, stride: int = 1) -> nn.Sequential:
    """3×3 convolution, batch normalisation, SiLU."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.SiLU(),
    )


class Residual(nn.Module):
    """Two convolutions and a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(convolution(channels, channels), convolution(channels, channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.body(x)


class MiniClassifier(nn.Module):
    """A small residual network with strided convolutions for 32×32 pictures."""

    def __init__(
        self,
        widths: Sequence[int] = (64, 128, 192),
        stem: int = 32,
        classes: Sequence[str] = CLASSES,
    ) -> None:
        super().__init__()
        self.classes = tuple(classes)
        ins = (stem, *widths[:-1])
        stages = [
            nn.Sequential(convolution(i, o, 2), Residual(o))
            for i, o in zip(ins, widths, strict=True)
        ]
        self.body = nn.Sequential(convolution(3, stem), *stages)
        self.head = nn.Linear(widths[-1], len(self.classes))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Float pictures 0..1 (B, 3, 32, 32) to logits (B, classes)."""
        return self.head(self.body(images * 4 - 2).mean((2, 3)))

    @on_device
    @torch.no_grad()
    def classify(self, images: torch.Tensor) -> torch.Tensor:
        """uint8 or float 0..1 (B, 3, 32, 32) to logits float32 (B, classes), averaged over picture
        and mirror image."""
        images = as_float(images)
        return (self(images) + self(images.flip(3))) / 2
