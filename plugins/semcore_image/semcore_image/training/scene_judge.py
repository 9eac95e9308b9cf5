"""Recipe of scene-judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F

from semcore.training import train_network, write_model
from semcore_image.models.mini_clip import as_float
from semcore_image.models.scene_judge import BOX, CELLS, PITCH, Judgement, SceneJudge
from semcore_image.scenes.world import BACKGROUNDS, COLOURS, KINDS, TIMES, Description, Placed
from semcore_image.training.card import model_card
from semcore_image.training.scenes import (
    Drawn,
    SceneRecipe,
    optimizer_of,
    share,
    training_scenes,
    unseen,
)

WIDTHS = (32, 64, 128)
MEASURED = 4000
"""Unseen scenes for the card."""


@dataclass(frozen=True, kw_only=True)
class SceneJudgeRecipe(SceneRecipe):
    """Trains scene-judge, a detector that judges generated scenes, apart from all other models."""

    cites: ClassVar[tuple[str, ...]] = ("he2016deep",)
    watches: ClassVar[str] = "right"
    better: ClassVar[Literal["lower", "higher"]] = "higher"

    epochs: int = 24
    steps: int = 50
    learning_rate: float = 3e-3
    seed: int = 31

    def train(self, out: Path) -> None:
        torch.set_num_threads(self.threads)
        torch.manual_seed(self.seed)
        network = SceneJudge(WIDTHS).to(memory_format=torch.channels_last)
        check = unseen(400)

        def cost(generator: torch.Generator, done: int) -> torch.Tensor:
            return loss_of(network, training_scenes(self.seed, done, self.batch_size), self.place)

        def measure(average: SceneJudge) -> Mapping[str, float]:
            right = [whole(*pair) for pair in pairs(average, check)]
            return {"right": sum(right) / len(right)}

        average, seconds = train_network(
            self, out, network, optimizer_of(network, self.learning_rate), cost, measure
        )
        scores = evaluate(average, unseen(MEASURED, "measured"))
        scores.append((f"training time on {self.threads} CPU thread(s)", f"{seconds / 60:.0f} min"))
        scenes = f"{self.epochs * self.steps * self.batch_size:,} drawn scenes (`scenes`)"
        card = model_card("scene-judge", SUMMARY, self, scores, NOTES, scenes, "unseen scenes")
        write_model(out, {"widths": list(WIDTHS)}, average, card)


def loss_of(network: SceneJudge, scenes: Drawn, place: torch.device) -> torch.Tensor:
    """The loss of scenes: of what is in the cells, and of the background."""
    images = as_float(scenes.images).to(place).contiguous(memory_format=torch.channels_last)
    cells, ground = network(images)
    grounds = [list(BACKGROUNDS).index(one.background) for one in scenes.descriptions]
    times = [TIMES.index(one.time) for one in scenes.descriptions]
    split = len(BACKGROUNDS)
    return (
        cells_loss(cells, scenes.objects, place)
        + 0.5 * F.cross_entropy(ground[:, :split], torch.tensor(grounds, device=place))
        + 0.5 * F.cross_entropy(ground[:, split:], torch.tensor(times, device=place))
    )


def cells_loss(
    cells: torch.Tensor, objects: Sequence[Sequence[Placed]], place: torch.device
) -> torch.Tensor:
    """The loss of what is said of cells (B, 4 + kinds + colours, 8, 8) with objects in them."""
    things = [(number, one) for number, row in enumerate(objects) for one in row]
    rows = torch.tensor([number for number, _ in things])
    downs = torch.tensor([int(one.y // PITCH) for _, one in things])
    rights = torch.tensor([int(one.x // PITCH) for _, one in things])
    there = torch.zeros(len(cells), CELLS, CELLS)
    there[rows, downs, rights] = 1.0
    found = cells[rows, :, downs, rights]
    boxes = torch.tensor(
        [[one.x / PITCH % 1 - 0.5, one.y / PITCH % 1 - 0.5, one.side / PITCH] for _, one in things]
    )
    kinds = torch.tensor([KINDS.index(one.group.kind) for _, one in things])
    colours = torch.tensor([COLOURS.index(one.group.colour) for _, one in things])
    return (
        6 * F.binary_cross_entropy_with_logits(cells[:, 0], there.to(place))
        + 2 * F.smooth_l1_loss(found[:, 1:BOX], boxes.to(place), beta=0.1)
        + F.cross_entropy(found[:, BOX : BOX + len(KINDS)], kinds.to(place))
        + F.cross_entropy(found[:, BOX + len(KINDS) :], colours.to(place))
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


def evaluate(network: SceneJudge, scenes: Drawn) -> list[tuple[str, str]]:
    """Shares of unseen scenes of which the network is right."""
    said = pairs(network, scenes)
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
