"""What the recipes on drawn scenes share: their settings, and scenes by lot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
from annotated_types import Ge

from semcore import Rng
from semcore.training import Batches, NetworkRecipe
from semcore_image.scenes.drawing import paint
from semcore_image.scenes.world import Description, Placed, drawn, placed

UNSEEN = 2024
"""Seed of the scenes that models are measured on; trainings draw theirs at other addresses."""


@dataclass(frozen=True, kw_only=True)
class SceneRecipe(NetworkRecipe):
    """Base of recipes on drawn scenes: every step draws new ones.

    Fields:
        epochs: number of checkpoints
        steps: per epoch
        batch_size: scenes per step
        learning_rate: peak rate (AdamW)
        seed: seed of weights and scenes
        threads: CPU threads
    """

    epochs: Annotated[int, Ge(1)] = 20
    steps: Annotated[int, Ge(1)] = 100
    batch_size: Annotated[int, Ge(1)] = 64
    learning_rate: float = 2e-3
    seed: int = 11
    threads: int = 1


@dataclass(frozen=True)
class Drawn:
    """Scenes that were drawn.

    Fields:
        descriptions: what they show
        objects: of each scene, as they are drawn
        images: uint8 (B, 3, 64, 64)
    """

    descriptions: Sequence[Description]
    objects: Sequence[Sequence[Placed]]
    images: torch.Tensor


def draw(rng: np.random.Generator, count: int) -> Drawn:
    """Scenes of 64x64 by lot."""
    descriptions = [drawn(rng) for _ in range(count)]
    objects = [placed(one, rng) for one in descriptions]
    images = np.stack(
        [paint(one, things, rng) for one, things in zip(descriptions, objects, strict=True)]
    )
    return Drawn(descriptions, objects, torch.from_numpy(images).permute(0, 3, 1, 2))


def unseen(count: int, purpose: str = "checked") -> Drawn:
    """Scenes that no training has seen, the same in every call.

    Args:
        purpose: `checked` during trainings, and for choices that are made after them, or `measured`
            for model cards: other scenes
    """
    return draw(Rng(UNSEEN).at("unseen-scenes", purpose).numpy(), count)


@dataclass(frozen=True, eq=False)
class SceneBatches(Batches):
    """New scenes for every step of a training.

    Fields:
        seed: of the recipe
        count: steps of an epoch
        size: scenes of a batch
        prepare: the tensors of scenes
    """

    seed: int
    count: int
    size: int
    prepare: Callable[[Drawn], Any]

    def plans(self, generator: torch.Generator) -> Iterable[int]:
        epoch = max(generator.initial_seed() - 1000 * self.seed, 0)  # 0 in validations
        return range(epoch * self.count, (epoch + 1) * self.count)

    def prepared(self, plan: int) -> Any:
        return self.prepare(draw(Rng(self.seed).at("training-scenes", plan).numpy(), self.size))


def optimizer_of(network: torch.nn.Module, learning_rate: float) -> torch.optim.AdamW:
    """AdamW, of which matrices decay and other weights do not."""
    weights = [one for one in network.parameters() if one.requires_grad]
    groups = [
        {"params": [one for one in weights if one.ndim > 1], "weight_decay": 0.02},
        {"params": [one for one in weights if one.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        [{**group, "peak": learning_rate} for group in groups], lr=1.0, betas=(0.9, 0.98)
    )


def share(right: Sequence[bool]) -> str:
    """The share of what is right, with its number."""
    return f"{sum(right) / len(right):.2%}"
