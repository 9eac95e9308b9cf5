"""Recipe of mini-classifier."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
import torch.nn.functional as F

from semcore import Recipe, Source
from semcore.training import move_average, one_cycle, run_epochs, set_rate, write_model
from semcore_image.models.mini_classifier import MiniClassifier
from semcore_image.models.mini_clip import as_float
from semcore_image.training.augmentation import augment
from semcore_image.training.card import data_summary, model_card
from semcore_image.training.data import Split, load_split

SETTINGS: dict[str, Any] = {"widths": [64, 128, 192], "stem": 32}


@dataclass(frozen=True)
class MiniClassifierRecipe(Recipe):
    """Trains mini-classifier, which classifies generated pictures, independently of mini-clip.

    Each stage is a full cycle of the learning rate that ends at its epoch (warm restarts).

    Fields:
        data: folder with train/<class>/ and test/<class>/, with <class>/, or with the binary
            version of CIFAR-10; or a source of pictures
        stages: last epoch of each stage, ascending
        batch_size: pictures per step
        learning_rate: peak rate (SGD with Nesterov momentum)
        seed: seed of weights, order and augmentation
        threads: CPU threads
    """

    cites: ClassVar[tuple[str, ...]] = ("he2016deep", "krizhevsky2009learning")

    data: str | Source
    stages: tuple[int, ...] = (10, 16, 22)
    batch_size: int = 256
    learning_rate: float = 0.3
    seed: int = 3
    threads: int = 2

    def train(self, out: Path) -> None:
        torch.set_num_threads(self.threads)
        torch.manual_seed(self.seed)  # initial weights only; everything later has its own generator
        split = load_split(self.data, "train")
        settings = {**SETTINGS, "classes": list(split.classes)}
        model = MiniClassifier(**settings).to(memory_format=torch.channels_last)
        average = copy.deepcopy(model).eval()
        sgd = torch.optim.SGD(
            [{"params": list(model.parameters()), "peak": self.learning_rate}],
            lr=1.0,
            momentum=0.9,
            nesterov=True,
            weight_decay=5e-4,
        )
        steps = max(len(split) // self.batch_size, 1)

        def run_epoch(epoch: int) -> dict[str, float]:
            generator = torch.Generator().manual_seed(self.seed * 1000 + epoch)
            order = torch.randperm(len(split), generator=generator)
            totals = torch.zeros(2)
            model.train()
            stage = next(end for end in self.stages if epoch < end)
            for step in range(steps):
                chosen = order[step * self.batch_size : (step + 1) * self.batch_size]
                images = augment(as_float(split.images[chosen]), generator, shift=3, cutout=8)
                set_rate(sgd, one_cycle(epoch * steps + step, stage * steps))
                with torch.autocast("cpu", torch.bfloat16):
                    logits = model(images)
                loss = F.cross_entropy(logits.float(), split.labels[chosen], label_smoothing=0.1)
                sgd.zero_grad()
                loss.backward()
                sgd.step()
                move_average(average, model, 0.99)
                right = (logits.argmax(1) == split.labels[chosen]).float().mean()
                totals += torch.stack([loss.detach(), right])
            return dict(zip(("loss", "accuracy"), (totals / steps).tolist(), strict=True))

        seconds = run_epochs(
            self,
            out,
            self.stages[-1],
            {"model": model, "average": average},
            {"sgd": sgd},
            run_epoch,
        )
        average.half().float()  # the shipped weights are float16, so these are measured
        scores = evaluate(average, load_split(self.data, "test"))
        scores.append((f"training time on {self.threads} CPU threads", f"{seconds / 60:.1f} min"))
        card = model_card(TITLE, SUMMARY, self, scores, NOTES, data_summary(split))
        write_model(out, settings, average, card)


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
