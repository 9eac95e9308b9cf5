"""The knowledge base of MMSemCom: drawings and photographs of each class."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from semcore import Source
from semcore_image.sources.drawings import DRAWINGS
from semcore_image.sources.samples import SamplePictures
from semcore_image.training.data import Split, load_split

DRAWN_BY = 1
"""Seed of the drawings, the default of the source `samples`."""


def knowledge(data: str | Source, drawings: int, photographs: int | None, size: int = 32) -> Split:
    """The first drawings of the source `samples` (if it has the class) and the first photographs of
    each class."""
    split = load_split(data, "train", size)
    first = [
        (split.labels == label).nonzero().flatten()[:photographs]
        for label in range(len(split.classes))
    ]
    chosen = torch.cat(first)
    wanted = SamplePictures(
        limit=max(1, drawings * len(DRAWINGS)), size=(size, size), seed=DRAWN_BY
    ).samples()
    drawn = [one for one in wanted if one.label in split.classes] if drawings else []
    if not drawn:
        return replace(split, images=split.images[chosen], facts=split.facts[chosen])
    pictures = [
        torch.from_numpy(np.ascontiguousarray(one.image.transpose(2, 0, 1)))
        for one in drawn
        if one.image is not None
    ]
    labels = torch.tensor([split.classes.index(one.label) for one in drawn if one.label])
    unknown = torch.full_like(labels, -1)
    facts = torch.cat((torch.stack((labels, unknown, unknown), 1), split.facts[chosen]))
    origin = f"{split.origin}, {len(drawn):,} of them drawings of the source `samples`"
    return Split(
        torch.cat((torch.stack(pictures), split.images[chosen])), facts, split.classes, origin
    )
