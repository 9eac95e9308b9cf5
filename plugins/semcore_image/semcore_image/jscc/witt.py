"""WITT: Swin transformers at both ends, and channel modulation by the SNR."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from semcore import extra
from semcore_image.jscc.network import JsccNetwork

MODULATIONS = 7
"""SNR modulations of the channel modulation network, between eight fully connected layers."""


class Modulation(nn.Module):
    """One factor per channel from the SNR (three fully connected layers)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(1, width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.Sigmoid(),
        )

    def forward(self, snr_db: torch.Tensor) -> torch.Tensor:
        return self.layers(snr_db[:, None] / 10)[:, None]


class ChannelModNet(nn.Module):
    """Scales features (B, N, C): x * sigmoid(f(x, SNR)), f being layers modulated by the SNR."""

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = width * 3 // 2
        self.layers = nn.ModuleList(
            [nn.Linear(width, inner), *(nn.Linear(inner, inner) for _ in range(MODULATIONS - 1))]
        )
        self.modulations = nn.ModuleList(Modulation(inner) for _ in range(MODULATIONS))
        self.last = nn.Linear(inner, width)

    def forward(self, features: torch.Tensor, snr_db: torch.Tensor) -> torch.Tensor:
        modulated = features
        for layer, modulation in zip(self.layers, self.modulations, strict=True):
            modulated = layer(modulated) * modulation(snr_db)
        return features * torch.sigmoid(self.last(modulated))


def _blocks(width: int, depth: int, heads: int, window: int, side: int) -> nn.Sequential:
    """Swin blocks, every other one with shifted windows, for maps of any size."""
    with extra("semcore-image[models]", "WITT needs timm"):
        from timm.models.swin_transformer import SwinTransformerBlock

    return nn.Sequential(
        *(
            SwinTransformerBlock(
                width,
                (side, side),
                heads,
                window_size=window,
                shift_size=number % 2 * (window // 2),
                always_partition=True,
                dynamic_mask=True,
            )
            for number in range(depth)
        )
    )


class Merge(nn.Module):
    """Patch merging, 2 x 2 positions to one: (B, H, W, C) -> (B, H / 2, W / 2, outputs).

    Features are layer-normalised before; pixels are not, which would remove the brightness.
    """

    def __init__(self, inputs: int, outputs: int, pixels: bool) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Identity() if pixels else nn.LayerNorm(4 * inputs), nn.Linear(4 * inputs, outputs)
        )

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        count, height, width, channels = maps.shape
        squares = maps.reshape(count, height // 2, 2, width // 2, 2, channels).permute(
            0, 1, 3, 2, 4, 5
        )
        return self.layers(squares.flatten(3))


class Divide(nn.Module):
    """Patch division, one position to 2 x 2: (B, H, W, C) -> (B, 2 H, 2 W, outputs)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.LayerNorm(inputs), nn.Linear(inputs, 4 * outputs))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        count, height, width, _ = maps.shape
        squares = (
            self.layers(maps).reshape(count, height, width, 2, 2, -1).permute(0, 1, 3, 2, 4, 5)
        )
        return squares.reshape(count, 2 * height, 2 * width, -1)


class Witt(JsccNetwork):
    """WITT (Yang et al., ICASSP 2023): stages of Swin blocks, channel modulation, and the inverse.

    Args:
        latent: real values per patch of `stride` x `stride` pixels
        widths: channels of each stage; each stage halves the side
        depths: Swin blocks of each stage
        heads: attention heads of each stage
        window: side of the attention windows, positions
    """

    def __init__(
        self,
        latent: int,
        widths: Sequence[int],
        depths: Sequence[int],
        heads: Sequence[int],
        window: int,
    ) -> None:
        super().__init__(latent)
        self.stride = 2 ** len(widths)
        side = 4 * window  # masks are precomputed for this side, and computed on demand for others
        stages = list(zip(widths, depths, heads, strict=True))
        before, down, up = 3, list[nn.Module](), list[nn.Module]()
        for width, depth, head in stages:
            down += [
                Merge(before, width, pixels=not down),
                _blocks(width, depth, head, window, side),
            ]
            up[:0] = [_blocks(width, depth, head, window, side), Divide(width, before)]
            before = width
        self.down, self.up = nn.Sequential(*down), nn.Sequential(*up)
        self.transmitter, self.receiver = ChannelModNet(before), ChannelModNet(before)
        self.narrow, self.widen = nn.Linear(before, latent), nn.Linear(latent, before)

    def analyse(
        self, images: torch.Tensor, snr_db: torch.Tensor, text: torch.Tensor | None
    ) -> torch.Tensor:
        maps = self.down((images * 2 - 1).permute(0, 2, 3, 1))
        modulated = self.transmitter(maps.flatten(1, 2), snr_db).reshape(maps.shape)
        return self.narrow(modulated).permute(0, 3, 1, 2)

    def synthesise(self, numbers: torch.Tensor, snr_db: torch.Tensor) -> torch.Tensor:
        maps = self.widen(numbers.permute(0, 2, 3, 1))
        modulated = self.receiver(maps.flatten(1, 2), snr_db).reshape(maps.shape)
        return self.up(modulated).permute(0, 3, 1, 2) / 2 + 0.5
