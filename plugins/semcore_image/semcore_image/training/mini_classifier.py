"""Recipe of mini-classifier."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
import torch.nn.functional as F

from semcore import Source
from semcore.training import (
    NetworkRecipe,
    RowBatches,
    Step,
    Training,
    at_place,
    one_cycle,
    write_model,
)
from semcore_image.models.mini_classifier import MiniClassifier
from semcore_image.models.mini_clip import as_float
from semcore_image.training.augmentation import augment
from semcore_image.training.card import data_summary, model_card
from semcore_image.training.data import UNSEEN, Split, load_split

SETTINGS: dict[str, Any] = {"widths": [64, 128, 192], "stem": 32}


@dataclass(frozen=True, kw_only=True)
class MiniClassifierRecipe(NetworkRecipe):
    """Trains mini-classifier, which classifies generated pictures, independently of mini-clip.

    Each stage is a full cycle of the learning rate that ends at its epoch (warm restarts).

    Fields:
        data: folder with train/<class>/ and test/<class>/, with <class>/, or with the binary
            version of CIFAR-10; or a source of pictures
        stages: last epoch of each stage, ascending
        batch_size: pictures per step
        learning_rate: peak rate (SGD with Nesterov momentum)
        seed: seed of weights, order and augmentation
    """

    cites: ClassVar[tuple[str, ...]] = ("he2016deep", "krizhevsky2009learning")
    cpu_dtype: ClassVar[Literal["bfloat16"]] = "bfloat16"

    data: str | Source
    stages: tuple[int, ...] = (10, 16, 22)
    batch_size: int = 256
    learning_rate: float = 0.3
    seed: int = 3
    threads: int = 2

    @at_place
    def train(self, out: Path) -> None:
        torch.manual_seed(self.seed)  # initial weights only; everything later has its own generator
        split, test = load_split(self.data, "train"), load_split(self.data, "test")
        settings = {**SETTINGS, "classes": list(split.classes)}
        model = MiniClassifier(**settings).to(self.place).to(memory_format=torch.channels_last)
        self.translate([model])
        sgd = torch.optim.SGD(
            [{"params": list(model.parameters()), "peak": self.learning_rate}],
            lr=1.0,
            momentum=0.9,
            nesterov=True,
            weight_decay=5e-4,
        )
        batches, unseen = (
            RowBatches([one.images, one.labels], self.batch_size)
            for one in (split, test.some(UNSEEN))
        )

        def rate(done: int, total: int) -> float:
            stage = next(end for end in self.stages if done < end * batches.count)
            return one_cycle(done, stage * batches.count)

        training = Training(
            network=model,
            optimizers={"sgd": sgd},
            batches=batches,
            cost=self.cost,
            epochs=self.stages[-1],
            unseen=unseen,
            rate=rate,
            decay=lambda done: 0.99,
            clipped=(),
        )
        average, seconds = training.run(self, out)
        scores = evaluate(average, test)
        scores.append((f"training time on {self.hardware}", f"{seconds / 60:.1f} min"))
        card = model_card(TITLE, SUMMARY, self, scores, NOTES, data_summary(split))
        write_model(out, settings, average, card)

    def cost(
        self, model: MiniClassifier, batch: Any, step: Step
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Loss of a batch, and the share of pictures whose class is found."""
        _, (pixels, labels) = batch
        images = as_float(pixels)
        if model.training:
            images = augment(images, step.generator, shift=3, cutout=8)
        with self.casting():
            logits = model(images)
        loss = F.cross_entropy(logits.float(), labels, label_smoothing=0.1)
        return loss, {"accuracy": (logits.argmax(1) == labels).float().mean()}


def evaluate(model: MiniClassifier, test: Split) -> list[tuple[str, str]]:
    """Accuracy on unseen pictures, overall and per class."""
    right = (
        torch.cat([model.classify(x) for x in test.images.split(500)])
        .argmax(1)
        .eq(test.labels)
        .float()
    )
    scores = [(f"accuracy (n = {len(test)})", f"{right.mean():.1%}")]
    return scores + [
        (f"accuracy on {name}", f"{right[test.labels == i].mean():.1%}")
        for i, name in enumerate(test.classes)
    ]


TITLE = "mini-classifier"
SUMMARY = (
    "A small residual network that classifies pictures. It measures generated pictures, so it "
    "shares neither architecture nor seed with mini-clip."
)
NOTES = (
    "It always returns one of its training classes; for a picture of anything else, the result is "
    "meaningless."
)
