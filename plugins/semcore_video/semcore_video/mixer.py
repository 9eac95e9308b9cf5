"""Residual block of the networks of this package."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class Mixer(nn.Module):
    """A residual block over time: depthwise convolution, then two linear layers; (B, T, W) -> (B,
    T, W).

    Args:
        width: channels
        kernel: receptive field, time steps
        conditions: number of conditioning inputs (FiLM), such as an SNR; 0: none
    """

    def __init__(self, width: int, kernel: int, conditions: int = 0) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.along = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        # The names of the layers are those of the shipped weights.
        self.told = nn.Linear(conditions, 2 * width) if conditions else None
        self.up = nn.Linear(width, 2 * width)
        self.down = nn.Linear(2 * width, width)

    def forward(self, x: torch.Tensor, conditions: torch.Tensor | None = None) -> torch.Tensor:
        """`conditions`: (B, conditions)."""
        y = self.along(self.norm(x).transpose(1, 2)).transpose(1, 2)
        if self.told is not None and conditions is not None:
            scale, shift = self.told(conditions)[:, None].chunk(2, -1)
            y = y * (1 + scale) + shift
        result: torch.Tensor = x + self.down(F.gelu(self.up(y)))
        return result
