"""What the recipes of pictures share: augmentation, and the model card."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from semcore import Recipe
from semcore.training.loop import command_of
from semcore_image.training.data import Split


def augment(images: torch.Tensor, generator: torch.Generator, shift: int = 2, cutout: int = 0) -> torch.Tensor:
    """Random mirror, shift by up to `shift` pixels and a square hole of `cutout` pixels; float (B, 3, H, W)."""
    count, _, height, width = images.shape
    images = torch.where(torch.rand(count, 1, 1, 1, generator=generator) < 0.5, images.flip(3), images)
    if shift:
        padded = F.pad(images, (shift,) * 4, mode="reflect")
        offsets = torch.randint(0, 2 * shift + 1, (2, count, 1), generator=generator)
        rows = (offsets[0] + torch.arange(height))[:, :, None]
        columns = (offsets[1] + torch.arange(width))[:, None, :]
        images = padded.permute(0, 2, 3, 1)[torch.arange(count)[:, None, None], rows, columns].permute(0, 3, 1, 2)
    if cutout:
        corner = torch.randint(0, height - cutout + 1, (2, count, 1), generator=generator)
        inside = [(c <= torch.arange(height)) & (torch.arange(height) < c + cutout) for c in corner]
        hole = inside[0][:, None, :, None] & inside[1][:, None, None, :]
        images = images.masked_fill(hole, 0.5)
    return images.contiguous(memory_format=torch.channels_last)


def learnt_from(split: Split) -> str:
    """What a training learnt from, as its card says it: how many pictures, of which classes, from where."""
    known = f"{', '.join(split.classes[:20])}{', ...' if len(split.classes) > 20 else ''}"
    return f"{len(split):,} pictures of {len(split.classes)} classes ({known}) of {split.origin}"


def model_card(
    title: str,
    summary: str,
    recipe: Recipe,
    scores: list[tuple[str, str]],
    notes: str,
    learnt: str = "",
    measured_on: str = "unseen pictures",
) -> str:
    """The model card (Markdown): what it is, how it was trained and on what, what it scored, and on which pictures."""
    fields = {k: v for k, v in recipe.settings().items() if k != "data"}
    lines = [f"# {title}", "", summary, "", "## Training", "", "```", command_of(recipe), "```"]
    lines += ["", "Settings: " + ", ".join(f"{k} = {v}" for k, v in fields.items()) + ".", ""]
    lines += [f"Learnt from {learnt}.", ""] if learnt else []
    lines += [f"## Measured on {measured_on}", "", "| measure | value |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in scores]
    return "\n".join([*lines, "", notes, ""])
