"""DeepJSCC with one network for all SNRs: convolutions on patches, modulated by the SNR."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from semcore_image.jscc.network import JsccNetwork, SNREmbedding


class ModulatedBlock(nn.Module):
    """A residual block whose input is scaled and shifted per channel by the SNR (FiLM)."""

    def __init__(self, width: int, inputs: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.modulation = nn.Linear(inputs, 2 * width)
        nn.init.zeros_(self.modulation.weight)
        # Each block starts as the identity; otherwise deep stacks diverge at high learning rates.
        nn.init.zeros_(self.second.weight)

    def forward(self, maps: torch.Tensor, snr: torch.Tensor) -> torch.Tensor:
        scale, shift = self.modulation(snr)[:, :, None, None].chunk(2, dim=1)
        return maps + self.second(F.silu(self.first(F.silu(maps * (1 + scale) + shift))))


class Stack(nn.Module):
    """Convolution, modulated blocks, convolution."""

    def __init__(
        self, inputs: int, width: int, blocks: int, outputs: int, embedding: int = 64
    ) -> None:
        super().__init__()
        self.told = SNREmbedding(embedding)
        self.enter = nn.Conv2d(inputs, width, 3, padding=1)
        self.blocks = nn.ModuleList(ModulatedBlock(width, embedding) for _ in range(blocks))
        self.leave = nn.Conv2d(width, outputs, 3, padding=1)

    def forward(self, maps: torch.Tensor, snr_db: torch.Tensor) -> torch.Tensor:
        snr = self.told(snr_db)
        maps = self.enter(maps).float()  # the residual sum stays in single precision under autocast
        for block in self.blocks:
            maps = block(maps, snr)
        return self.leave(maps)


class DeepJscc(JsccNetwork):
    """Convolutional JSCC (Bourtsoulatze et al.) on 4 x 4 patches, SNR-adaptive by FiLM (cf.
    ADJSCC).

    Args:
        latent: real values per 4 x 4 patch; 16 is CBR 1/6, 8 is CBR 1/12
        width: channels of the residual blocks
        blocks: residual blocks of each half
    """

    stride = 4

    def __init__(self, latent: int, width: int, blocks: int) -> None:
        super().__init__(latent)
        pixels = 3 * self.stride**2
        self.encoder = Stack(pixels, width, blocks, latent)
        self.decoder = Stack(latent, width, blocks, pixels)

    def analyse(
        self, images: torch.Tensor, snr_db: torch.Tensor, text: torch.Tensor | None
    ) -> torch.Tensor:
        return self.encoder(F.pixel_unshuffle(images * 2 - 1, self.stride), snr_db)

    def synthesise(self, numbers: torch.Tensor, snr_db: torch.Tensor) -> torch.Tensor:
        return F.pixel_shuffle(self.decoder(numbers, snr_db), self.stride) / 2 + 0.5
