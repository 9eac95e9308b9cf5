"""A detector of the objects of drawn scenes, which judges pictures that others generate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from semcore import on_device
from semcore_image.models.mini_classifier import Residual, convolution
from semcore_image.models.mini_clip import as_float
from semcore_image.scenes.world import BACKGROUNDS, COLOURS, KINDS, PLACES, SIDE, TIMES

CELLS = 8
"""Cells per side, each of which holds the centre of at most one object."""
PITCH = SIDE / CELLS
BOX = 4
"""Channels of a cell: whether an object is there, its offset (right, down), and its side."""
WEAKEST, SURE = 0.005, 0.25
"""Probability from which a cell counts, and sum over cells from which an object is there."""
APART = (0.45, 6.0, 10.0)
"""Distance below which cells have found the same object: share of its side, and limits in parts of
64."""
REACH, ALIKE, LIKELY = 1.45, 1.3, 0.02
"""Objects belong together if their distance in sides and the ratio of their sides are below these,
and the probability that both are of one kind is above."""


@dataclass(frozen=True)
class Seen:
    """An object that was found; lengths in parts of 64.

    Fields:
        kinds, colours: logarithms of probabilities of KINDS and COLOURS
    """

    x: float
    y: float
    side: float
    kinds: torch.Tensor
    colours: torch.Tensor


@dataclass(frozen=True)
class Judgement:
    """What a picture shows; without objects, `kind`, `colour` and `place` are "".

    Fields:
        kind, colour, count, place: of the main objects, which are the largest
        background, time: of the scene
        objects: number of all that were found
    """

    kind: str
    colour: str
    count: int
    place: str
    background: str
    time: str
    objects: int


class SceneJudge(nn.Module):
    """A residual network that says of each of 8x8 cells what object has its centre there."""

    def __init__(self, widths: Sequence[int] = (32, 64, 128)) -> None:
        super().__init__()
        first, second, third = widths
        self.body = nn.Sequential(
            nn.PixelUnshuffle(2),
            convolution(12, first),
            convolution(first, second, 2),
            Residual(second),
            convolution(second, third, 2),
            Residual(third),
        )
        self.cells = nn.Conv2d(third, BOX + len(KINDS) + len(COLOURS), 1)
        self.ground = nn.Linear(third, len(BACKGROUNDS) + len(TIMES))

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Float pictures 0..1 (B, 3, 64, 64) to what is in the cells, (B, 4 + kinds + colours, 8,
        8), and logits of background and time, (B, backgrounds + times)."""
        features = self.body(images * 4 - 2)
        return self.cells(features), self.ground(features.mean((2, 3)))

    @on_device
    @torch.no_grad()
    def judge(self, images: torch.Tensor) -> list[Judgement]:
        """uint8 or float 0..1 (B, 3, 64, 64) to what each picture shows."""
        cells, grounds = self(as_float(images))
        return [
            judged(objects(cell.cpu()), ground.cpu())
            for cell, ground in zip(cells, grounds, strict=True)
        ]


def objects(cells: torch.Tensor) -> list[Seen]:
    """The objects in the cells (4 + kinds + colours, 8, 8) of a picture, the surest first.

    Where a centre is on the border of cells, these share its probability: what cells say of the
    same object is added.
    """
    flat = cells.flatten(1)
    there = flat[0].sigmoid()
    wanted = [at for at in there.argsort(descending=True).tolist() if there[at] >= WEAKEST]
    flat, there, cell = flat[:, wanted], there[wanted], torch.tensor(wanted)
    across, down = (cell % CELLS + 0.5 + flat[1]) * PITCH, (cell // CELLS + 0.5 + flat[2]) * PITCH
    found, left = list[Seen](), torch.ones(len(wanted), dtype=torch.bool)
    for first in range(len(wanted)):
        if not left[first]:
            continue
        apart = min(max(APART[0] * float(flat[3, first]) * PITCH, APART[1]), APART[2])
        same = left & ((across - across[first]).hypot(down - down[first]) < apart)
        left &= ~same
        if (sure := there[same].sum()) < SURE:
            continue
        shares = there[same] / sure
        said = (flat[:, same] * shares).sum(1)
        x, y = float(across[same] @ shares), float(down[same] @ shares)
        kinds, colours = said[BOX:].split((len(KINDS), len(COLOURS)))
        found.append(
            Seen(x, y, float(said[3]) * PITCH, kinds.log_softmax(0), colours.log_softmax(0))
        )
    return found


def groups(found: Sequence[Seen]) -> list[list[Seen]]:
    """Objects that belong together: of one kind, or near each other and alike."""
    left, made = list(found), list[list[Seen]]()
    while left:
        group = [left.pop(0)]
        for one in group:  # grows while it is gone through
            joined = [other for other in left if _together(one, other)]
            group += joined
            left = [other for other in left if not any(other is each for each in joined)]
        made.append(group)
    return made


def _together(one: Seen, other: Seen) -> bool:
    large, small = max(one.side, other.side), max(min(one.side, other.side), 1e-3)
    same = float((one.kinds + other.kinds).exp().sum())
    near = math.hypot(one.x - other.x, one.y - other.y) < REACH * large
    return same > 0.5 or (near and large < ALIKE * small and same > LIKELY)


def judged(found: Sequence[Seen], ground: torch.Tensor) -> Judgement:
    """What a picture shows of which these objects were found; `ground`: logits (B + T,)."""
    background = list(BACKGROUNDS)[int(ground[: len(BACKGROUNDS)].argmax())]
    time = TIMES[int(ground[len(BACKGROUNDS) :].argmax())]
    if not found:
        return Judgement("", "", 0, "", background, time, 0)
    main = max(groups(found), key=lambda group: sum(one.side for one in group) / len(group))
    kind = KINDS[int(torch.stack([one.kinds for one in main]).sum(0).argmax())]
    colour = COLOURS[int(torch.stack([one.colours for one in main]).sum(0).argmax())]
    # the middle of the rectangle around the centres, as of a group that is drawn
    column, row = (
        min(max(int(3 * (min(at) + max(at)) / 2 / SIDE), 0), 2)
        for at in ([one.x for one in main], [one.y for one in main])
    )
    return Judgement(
        kind, colour, len(main), PLACES[3 * row + column], background, time, len(found)
    )
