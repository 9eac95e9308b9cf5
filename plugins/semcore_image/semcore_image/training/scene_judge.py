"""Recipe of scene-judge."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
import torch.nn.functional as F

from semcore.training import Training, at_place, write_model
from semcore_image.models.mini_clip import as_float
from semcore_image.models.scene_judge import BOX, CELLS, PITCH, Judgement, SceneJudge
from semcore_image.scenes.world import BACKGROUNDS, COLOURS, KINDS, TIMES, Description
from semcore_image.training.card import model_card
from semcore_image.training.scenes import (
    UNSEEN,
    Drawn,
    SceneBatches,
    SceneRecipe,
    optimizer_of,
    share,
    unseen,
)

WIDTHS = (32, 64, 128)
CHECKED = 6
"""Batches of unseen scenes by which an epoch is judged."""
MEASURED = 4000
"""Unseen scenes for the card."""


@dataclass(frozen=True, kw_only=True)
class SceneJudgeRecipe(SceneRecipe):
    """Trains scene-judge, a detector that judges generated scenes, apart from all other models."""

    cites: ClassVar[tuple[str, ...]] = ("he2016deep",)
    watches: ClassVar[str] = "validation loss"

    epochs: int = 24
    steps: int = 50
    learning_rate: float = 3e-3
    seed: int = 31

    @at_place
    def train(self, out: Path) -> None:
        torch.manual_seed(self.seed)  # initial weights only; everything later has its own generator
        network = SceneJudge(WIDTHS).to(memory_format=torch.channels_last).to(self.place)
        self.translate([network])
        training = Training(
            network=network,
            optimizers={"adam": optimizer_of(network, self.learning_rate)},
            batches=SceneBatches(self.seed, self.steps, self.batch_size, as_tensors),
            cost=lambda net, batch, step: self.cost(net, batch),
            epochs=self.epochs,
            unseen=SceneBatches(UNSEEN, CHECKED, self.batch_size, as_tensors),
        )
        average, seconds = training.run(self, out)
        scores = evaluate(average)
        scores.append((f"training time on {self.hardware}", f"{seconds / 60:.0f} min"))
        scenes = f"{self.epochs * self.steps * self.batch_size:,} drawn scenes (`scenes`)"
        card = model_card("scene-judge", SUMMARY, self, scores, NOTES, scenes, "unseen scenes")
        write_model(out, {"widths": list(WIDTHS)}, average, card)

    def cost(self, network: SceneJudge, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """The loss of a batch, as `as_tensors` makes it: of the cells, and of the background."""
        images, grounds, rows, downs, rights, boxes, kinds, colours = batch
        with self.casting():
            cells, ground = network(as_float(images).contiguous(memory_format=torch.channels_last))
        cells, ground = cells.float(), ground.float()
        there = torch.zeros(len(cells), CELLS, CELLS, device=cells.device)
        there[rows, downs, rights] = 1.0
        found = cells[rows, :, downs, rights]
        split = len(BACKGROUNDS)
        return (
            6 * F.binary_cross_entropy_with_logits(cells[:, 0], there)
            + 2 * F.smooth_l1_loss(found[:, 1:BOX], boxes, beta=0.1)
            + F.cross_entropy(found[:, BOX : BOX + len(KINDS)], kinds)
            + F.cross_entropy(found[:, BOX + len(KINDS) :], colours)
            + 0.5 * F.cross_entropy(ground[:, :split], grounds[:, 0])
            + 0.5 * F.cross_entropy(ground[:, split:], grounds[:, 1])
        )


def as_tensors(scenes: Drawn) -> tuple[torch.Tensor, ...]:
    """Scenes for the loss: images; background and time of day, int64 (B, 2); of each object its
    scene, row and column of its cell, int64 (N,), its place in the cell and side in cells, float32
    (N, 3), its kind and colour, int64 (N,)."""
    things = [(number, one) for number, row in enumerate(scenes.objects) for one in row]
    return (
        scenes.images,
        torch.tensor(
            [
                [list(BACKGROUNDS).index(d.background), TIMES.index(d.time)]
                for d in scenes.descriptions
            ]
        ),
        torch.tensor([number for number, _ in things]),
        torch.tensor([int(one.y // PITCH) for _, one in things]),
        torch.tensor([int(one.x // PITCH) for _, one in things]),
        torch.tensor(
            [
                [one.x / PITCH % 1 - 0.5, one.y / PITCH % 1 - 0.5, one.side / PITCH]
                for _, one in things
            ]
        ),
        torch.tensor([KINDS.index(one.group.kind) for _, one in things]),
        torch.tensor([COLOURS.index(one.group.colour) for _, one in things]),
    )


def pairs(network: SceneJudge, scenes: Drawn) -> list[tuple[Judgement, Description]]:
    """What the network says of scenes, and what they show."""
    said = [one for part in scenes.images.split(200) for one in network.judge(part)]
    return list(zip(said, scenes.descriptions, strict=True))


def whole(said: Judgement, shown: Description) -> bool:
    """Whether kind, colour, count and place of the main objects are all right."""
    main = shown.main
    return (said.kind, said.colour, said.count, said.place) == (
        *(main.kind, main.colour, main.count, main.place),
    )


def evaluate(network: SceneJudge) -> list[tuple[str, str]]:
    """Shares of unseen scenes of which the network is right."""
    said = pairs(network, unseen(MEASURED, "measured"))
    scores = [
        (
            f"{name} of the main objects",
            share([getattr(a, name) == getattr(b.main, name) for a, b in said]),
        )
        for name in ("kind", "colour", "count", "place")
    ]
    return [
        *scores,
        ("all four", share([whole(a, b) for a, b in said])),
        (
            "number of all objects",
            share([a.objects == sum(g.count for g in b.groups) for a, b in said]),
        ),
        ("background", share([a.background == b.background for a, b in said])),
        (f"day or night (n = {len(said)})", share([a.time == b.time for a, b in said])),
    ]


SUMMARY = (
    "A small residual network that finds the objects of a drawn scene: kind, colour, centre and "
    "side of each. It judges generated scenes, so it shares neither architecture nor seed nor "
    "scenes with the models that it judges."
)
NOTES = (
    "It knows the kinds and colours of drawn scenes; of any other picture, the result is "
    "meaningless. Licence: that of this package; the scenes are drawn by its code."
)
