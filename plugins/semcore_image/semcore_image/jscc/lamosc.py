"""LaMoSC: visual features and a text embedding, fused and jointly coded."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from semcore_image.jscc.deepjscc import Stack
from semcore_image.jscc.network import JsccNetwork


class Fusion(nn.Module):
    """Cross-attention from positions to a text: (B, C, H, W) and (B, D) -> (B, C, H, W).

    Keys and values are `words` learned projections of the text embedding.
    """

    def __init__(self, width: int, text: int, words: int = 4, heads: int = 4) -> None:
        super().__init__()
        self.words = words
        self.read = nn.Linear(text, words * width)
        self.norm = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)

    def forward(self, maps: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        positions = maps.flatten(2).transpose(1, 2)
        words = self.read(text).reshape(len(text), self.words, -1)
        attended, _ = self.attention(self.norm(positions), words, words, need_weights=False)
        return (positions + attended).transpose(1, 2).reshape(maps.shape)


class Lamosc(JsccNetwork):
    """A small LaMoSC (Zhao et al.): visual and textual features are fused by attention, then coded
    jointly.

    Args:
        latent: real values per 4 x 4 patch
        width: channels
        blocks: residual blocks of each half
        text: dimension of the text embedding
    """

    stride = 4
    reads_text = True

    def __init__(self, latent: int, width: int, blocks: int, text: int) -> None:
        super().__init__(latent)
        pixels = 3 * self.stride**2
        self.text = text
        self.visual = nn.Conv2d(pixels, width, 3, padding=1)
        self.fusion = Fusion(width, text)
        self.encoder = Stack(width, width, blocks, latent)
        self.decoder = Stack(latent, width, blocks, pixels)

    def analyse(
        self, images: torch.Tensor, snr_db: torch.Tensor, text: torch.Tensor | None
    ) -> torch.Tensor:
        maps = self.visual(F.pixel_unshuffle(images * 2 - 1, self.stride))
        return self.encoder(
            self.fusion(maps, images.new_zeros(len(images), self.text) if text is None else text),
            snr_db,
        )

    def synthesise(self, numbers: torch.Tensor, snr_db: torch.Tensor) -> torch.Tensor:
        return F.pixel_shuffle(self.decoder(numbers, snr_db), self.stride) / 2 + 0.5
