"""Augmentation of training pictures."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def augment(
    images: torch.Tensor, generator: torch.Generator, shift: int = 2, cutout: int = 0
) -> torch.Tensor:
    """Random mirroring, shift by up to `shift` pixels, and a square cutout of `cutout` pixels;
    float (B, 3, H, W)."""
    count, _, height, width = images.shape
    place = images.device  # random numbers are drawn on the CPU
    mirrored = (torch.rand(count, 1, 1, 1, generator=generator) < 0.5).to(place)
    images = torch.where(mirrored, images.flip(3), images)
    if shift:
        padded = F.pad(images, (shift,) * 4, mode="reflect")
        offsets = torch.randint(0, 2 * shift + 1, (2, count, 1), generator=generator)
        rows = (offsets[0] + torch.arange(height))[:, :, None].to(place)
        columns = (offsets[1] + torch.arange(width))[:, None, :].to(place)
        images = padded.permute(0, 2, 3, 1)[
            torch.arange(count, device=place)[:, None, None], rows, columns
        ].permute(0, 3, 1, 2)
    if cutout:
        corner = torch.randint(0, height - cutout + 1, (2, count, 1), generator=generator)
        inside = [(c <= torch.arange(height)) & (torch.arange(height) < c + cutout) for c in corner]
        hole = inside[0][:, None, :, None] & inside[1][:, None, None, :]
        images = images.masked_fill(hole.to(place), 0.5)
    return images.contiguous(memory_format=torch.channels_last)
