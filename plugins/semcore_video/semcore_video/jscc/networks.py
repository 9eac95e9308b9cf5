"""Networks from frames or a waveform to numbers for an analog transport, and back from noisy
numbers."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from semcore import on_device
from semcore_video.mixer import Mixer


class FrameCode(nn.Module):
    """Groups of frames to numbers and back, after DeepWiVe: frames of a group are coded jointly,
    with context of other groups.

    Pictures are divided into squares of 8 x 8 pixels; convolutions combine neighbouring squares,
    and others along time the previous and next groups. The decoder infers the noise level from the
    power of the numbers.

    Args:
        group: frames that are coded jointly
        latent: real numbers per square of 16 x 16 pixels of a group
        width: channels; 1.5 times as many at the scale of 16 x 16
        depth: residual blocks at each scale
    """

    def __init__(self, group: int = 5, latent: int = 30, width: int = 128, depth: int = 2) -> None:
        super().__init__()
        self.group, self.latent, self.width, self.depth = group, latent, width, depth
        # The names of the layers are those of the shipped weights.
        coarse, pixels = width * 3 // 2, group * 3 * 64
        self.seen = nn.Sequential(
            nn.Conv2d(pixels, width, 1), *(Residual(width) for _ in range(depth))
        )
        self.less = nn.Conv2d(width, coarse, 2, 2)
        self.told = nn.ModuleList(_Step(coarse) for _ in range(depth))
        self.numbers = nn.Conv2d(coarse, latent, 1)
        self.heard = nn.Conv2d(latent + 1, coarse, 1)
        self.filled = nn.ModuleList(_Step(coarse) for _ in range(depth + 1))
        self.more = nn.ConvTranspose2d(coarse, width, 2, 2)
        self.drawn = nn.Sequential(
            *(Residual(width) for _ in range(depth)), nn.Conv2d(width, pixels, 1)
        )

    def settings(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        return {
            "group": self.group,
            "latent": self.latent,
            "width": self.width,
            "depth": self.depth,
        }

    @on_device
    def encode(self, frames: torch.Tensor) -> torch.Tensor:
        """Frames (B, G x group, 3, H, W), 0..1, sides multiples of 16 -> numbers of unit power (B,
        G, latent, H/16, W/16)."""
        batch, count = frames.shape[:2]
        groups = count // self.group
        squares = F.pixel_unshuffle(
            frames.reshape(batch * groups, self.group * 3, *frames.shape[3:]) - 0.5, 8
        )
        x = self.less(self.seen(squares))
        for step in self.told:
            x = step(x, groups)
        return _unit(self.numbers(x).reshape(batch, groups, self.latent, *x.shape[2:]))

    @on_device
    def decode(self, numbers: torch.Tensor) -> torch.Tensor:
        """Noisy numbers (B, G, latent, h, w), scaled for minimum error -> frames (B, T, 3, 16 h, 16
        w)."""
        batch, groups = numbers.shape[:2]
        power = _power(numbers).expand(batch, groups, 1, *numbers.shape[3:])
        x = self.heard(torch.cat([numbers, power], 2).flatten(0, 1))
        for step in self.filled:
            x = step(x, groups)
        pixels = F.pixel_shuffle(self.drawn(self.more(x)), 8)
        return pixels.reshape(batch, groups * self.group, 3, *pixels.shape[2:]) + 0.5


class Residual(nn.Module):
    """Residual block of two convolutions."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.one, self.two = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        nn.init.zeros_(self.two.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) -> the same shape."""
        result: torch.Tensor = x + self.two(F.gelu(self.one(F.gelu(x))))
        return result


class _Step(nn.Module):
    """A residual block within a group, and a convolution along the groups."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.beside = Residual(width)
        self.along = nn.Conv1d(width, width, 3, padding=1)
        nn.init.zeros_(self.along.weight)

    def forward(self, x: torch.Tensor, groups: int) -> torch.Tensor:
        x = self.beside(x)
        _, width, height, across = x.shape
        rows = x.reshape(-1, groups, width, height * across).permute(0, 3, 2, 1).flatten(0, 1)
        moved = self.along(F.gelu(rows)).unflatten(0, (-1, height * across)).permute(0, 3, 2, 1)
        return x + moved.reshape(x.shape)


class WaveCode(nn.Module):
    """A waveform to numbers and back, after DeepSC-S: learned windows, and blocks over time.

    Args:
        hop: step of the windows, samples; windows are twice as long
        latent: real numbers per step
        width: channels
        depth: blocks of encoder and decoder each
    """

    def __init__(self, hop: int = 64, latent: int = 86, width: int = 192, depth: int = 4) -> None:
        super().__init__()
        self.hop, self.latent = hop, latent
        self.windows = nn.Conv1d(1, width, 2 * hop, hop, hop // 2)
        self.told = nn.ModuleList(Mixer(width, 7) for _ in range(depth))
        self.numbers = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, latent))
        self.heard = nn.Linear(latent, width)
        self.filled = nn.ModuleList(Mixer(width, 7, conditions=1) for _ in range(depth))
        self.waves = nn.ConvTranspose1d(width, 1, 2 * hop, hop, hop // 2)

    def settings(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        return {
            "hop": self.hop,
            "latent": self.latent,
            "width": self.heard.out_features,
            "depth": len(self.told),
        }

    @on_device
    def encode(self, sound: torch.Tensor) -> torch.Tensor:
        """Sound (B, T x hop), about unit power where it is active -> numbers of unit power (B, T,
        latent)."""
        x = self.windows(sound[:, None]).transpose(1, 2)
        for block in self.told:
            x = block(x)
        return _unit(self.numbers(x))

    @on_device
    def decode(self, numbers: torch.Tensor) -> torch.Tensor:
        """Noisy numbers (B, T, latent), scaled for minimum error -> sound (B, T x hop)."""
        power = _power(numbers).reshape(len(numbers), 1)
        x = self.heard(numbers)
        for block in self.filled:
            x = block(x, power)
        sound: torch.Tensor = self.waves(x.transpose(1, 2))[:, 0]
        return sound


def _unit(numbers: torch.Tensor) -> torch.Tensor:
    """Numbers (B, ...) with unit mean square per row."""
    rms = numbers.flatten(1).square().mean(1).clamp(min=1e-9).sqrt()
    return numbers / _per_row(rms, numbers)


def _power(numbers: torch.Tensor) -> torch.Tensor:
    """Logarithm of the mean square of each row: 0 without noise, falling with the noise; (B, 1,
    ...)."""
    mean = numbers.flatten(1).square().mean(1).clamp(min=1e-3)
    return _per_row(mean.log(), numbers)


def _per_row(values: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
    """Values (B,) with the number of dimensions of `numbers`: (B, 1, ...)."""
    return values.reshape(-1, *(1 for _ in numbers.shape[1:]))
