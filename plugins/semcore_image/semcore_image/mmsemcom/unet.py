"""The denoiser of class-diffusion: a U-Net conditioned on time, class and features, with attention
in deep stages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from diffusers.models.embeddings import Timesteps
from torch import nn


class Residual(nn.Module):
    """Residual block of two convolutions, modulated by the condition (FiLM); the first of a stage
    may change the width."""

    def __init__(self, inputs: int, width: int, embedding: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, inputs)
        self.first = nn.Conv2d(inputs, width, 3, padding=1)
        self.told = nn.Linear(embedding, 2 * width)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.skip = nn.Conv2d(inputs, width, 1) if inputs != width else nn.Identity()
        nn.init.zeros_(self.second.weight)

    def forward(self, maps: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        scale, shift = self.told(condition)[:, :, None, None].chunk(2, dim=1)
        inner = self.first(F.silu(self.norm(maps)))
        return self.skip(maps) + self.second(F.silu(inner * (1 + scale) + shift))


class Attention(nn.Module):
    """Residual self-attention over positions, with layer norm and 1 x 1 convolutions."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.query, self.key, self.value = (nn.Conv2d(width, width, 1) for _ in range(3))
        self.out = nn.Conv2d(width, width, 1)
        nn.init.zeros_(self.out.weight)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        count, width, height, columns = maps.shape
        normed = self.norm(maps.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        query, key, value = (
            one(normed)
            .permute(0, 2, 3, 1)
            .reshape(count, height * columns, self.heads, -1)
            .transpose(1, 2)
            for one in (self.query, self.key, self.value)
        )
        mixed = (
            F.scaled_dot_product_attention(query, key, value)
            .transpose(1, 2)
            .reshape(count, height, columns, width)
        )
        return maps + self.out(mixed.permute(0, 3, 1, 2))


class Stage(nn.Module):
    """Residual blocks, each followed by attention if `heads` is not 0."""

    blocks: nn.ModuleList
    attention: nn.ModuleList

    def __init__(self, inputs: Sequence[int], width: int, embedding: int, heads: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Residual(one, width, embedding) for one in inputs)
        self.attention = nn.ModuleList(
            Attention(width, heads) if heads else nn.Identity() for _ in inputs
        )

    def steps(self) -> list[tuple[nn.Module, nn.Module]]:
        """Each block with the attention after it."""
        return list(zip(self.blocks, self.attention, strict=True))


class ClassUNet(nn.Module):
    """A small version of the U-Net of MMSemCom (section III-B1, Fig. 4): symmetric, with skip
    connections from every block.

    Args:
        size: side of the square pictures, pixels
        patch: side of the patches that are one position of the first stage, pixels
        widths: channels of each stage; each stage halves the side of the one before
        attention: attention heads of each stage; 0: no attention
        classes: number of classes
        semantics: number of received features to condition on; 0: only the class
        embedding: dimension of the condition
        predicts: `epsilon`, the noise, or `v_prediction`, the velocity (as in diffusers)
    """

    def __init__(
        self,
        size: int,
        patch: int,
        widths: Sequence[int],
        attention: Sequence[int],
        classes: int,
        semantics: int = 0,
        embedding: int = 256,
        predicts: str = "epsilon",
    ) -> None:
        super().__init__()
        self.size, self.patch, self.classes, self.semantics = size, patch, classes, semantics
        self.predicts = predicts
        pixels = 3 * patch**2
        self.time = nn.Sequential(
            Timesteps(64, True, 0),
            nn.Linear(64, embedding),
            nn.SiLU(),
            nn.Linear(embedding, embedding),
        )
        self.label = nn.Embedding(classes + 1, embedding)
        self.seen = (
            nn.Sequential(
                nn.Linear(semantics, embedding), nn.SiLU(), nn.Linear(embedding, embedding)
            )
            if semantics
            else None
        )
        self.enter = nn.Conv2d(pixels, widths[0], 3, padding=1)
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        self.shrink, self.grow = nn.ModuleList(), nn.ModuleList()
        before = widths[0]
        for index, (width, heads) in enumerate(zip(widths, attention, strict=True)):
            self.shrink.append(
                nn.Conv2d(before, before, 3, stride=2, padding=1) if index else nn.Identity()
            )
            self.down.append(Stage((before, width), width, embedding, heads))
            before = width
        self.middle = Stage((before, before), before, embedding, attention[-1])
        for index in reversed(range(len(widths))):
            width = widths[index]
            self.up.append(Stage((before + width, 2 * width), width, embedding, attention[index]))
            self.grow.append(nn.Conv2d(width, width, 3, padding=1) if index else nn.Identity())
            before = width
        self.leave = nn.Sequential(
            nn.GroupNorm(8, before), nn.SiLU(), nn.Conv2d(before, pixels, 3, padding=1)
        )

    def condition(
        self, labels: torch.Tensor, semantics: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Condition from classes (B,), `classes` for an unknown one, and features (B, semantics) ->
        (B, embedding)."""
        embedding = self.label(labels)
        if self.seen is not None and semantics is not None:
            known = semantics.isfinite().all(1, keepdim=True)
            embedding = embedding + torch.where(
                known, self.seen(torch.where(known, semantics, 0.0)), 0.0
            )
        return embedding

    def forward(
        self, noisy: torch.Tensor, times: torch.Tensor, condition: torch.Tensor
    ) -> torch.Tensor:
        """Noisy pictures (B, 3, size, size) at `times` (B,) -> the prediction, of the same
        shape."""
        embedding = F.silu(self.time(times) + condition)
        maps = self.enter(F.pixel_unshuffle(noisy, self.patch))
        skips = list[torch.Tensor]()
        stage: Any  # mypy types the items of a ModuleList as Module
        for shrink, stage in zip(self.shrink, self.down, strict=True):
            maps = shrink(maps)
            for block, attend in stage.steps():
                maps = attend(block(maps, embedding))
                skips.append(maps)
        for block, attend in self.middle.steps():
            maps = attend(block(maps, embedding))
        for stage, grow in zip(self.up, self.grow, strict=True):
            for block, attend in stage.steps():
                maps = attend(block(torch.cat((maps, skips.pop()), dim=1), embedding))
            if not isinstance(grow, nn.Identity):
                maps = grow(F.interpolate(maps, scale_factor=2.0, mode="nearest"))
        return F.pixel_shuffle(self.leave(maps), self.patch)


def build(**settings: Any) -> ClassUNet:
    """The denoiser from its settings (config.json), in channels-last memory format."""
    if isinstance(settings.get("classes"), Sequence):  # their names
        settings["classes"] = len(settings["classes"])
    net: Any = ClassUNet(**settings)
    return net.to(memory_format=torch.channels_last)
