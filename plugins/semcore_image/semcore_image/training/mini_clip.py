"""Recipe of mini-clip: contrastive training on pictures and corrupted captions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch
import torch.nn.functional as F

from semcore import Source
from semcore.training import NetworkRecipe, RowBatches, Step, Training, at_place, write_model
from semcore_image.models.mini_clip import MAX_CHARACTERS, MiniClip, as_float, text_to_bytes
from semcore_image.training.augmentation import augment
from semcore_image.training.card import data_summary, model_card
from semcore_image.training.data import UNSEEN, Split, is_true, load_split, mentioned
from semcore_image.training.noise import corrupt
from semcore_image.vocabulary import TEMPLATES, caption, with_article

PROMPTS = ("a photo of {}", "{}", "a picture of {}", "this is {}")


@dataclass(frozen=True, kw_only=True)
class MiniClipRecipe(NetworkRecipe):
    """Trains mini-clip: a convolutional image encoder and a character-level text encoder.

    Fields:
        data: folder with train/<class>/ and test/<class>/, with <class>/, or with the binary
            version of CIFAR-10; or a source of pictures
        epochs: passes over the training pictures
        batch_size: pictures per step
        text_batch_size: captions per step, at most batch_size
        learning_rate: peak rate of the convolutions (SGD with Nesterov momentum)
        text_learning_rate: peak rate of the text tower and the projections (AdamW)
        max_noise: maximum share of corrupted characters in training captions
        seed: seed of weights, order, augmentation and noise
    """

    cites: ClassVar[tuple[str, ...]] = ("radford2021learning", "krizhevsky2009learning")
    cpu_dtype: ClassVar[Literal["bfloat16"]] = "bfloat16"

    data: str | Source
    epochs: int = 9
    batch_size: int = 512
    text_batch_size: int = 128
    learning_rate: float = 0.4
    text_learning_rate: float = 2e-3
    max_noise: float = 0.3
    seed: int = 1
    threads: int = 2

    @at_place
    def train(self, out: Path) -> None:
        torch.manual_seed(self.seed)  # initial weights only; everything later has its own generator
        split, test = load_split(self.data, "train"), load_split(self.data, "test")
        model = MiniClip().to(memory_format=torch.channels_last)
        model.image.set_whitening(as_float(split.images[:: max(1, len(split) // 5000)]))
        model.to(self.place)
        self.translate([model.image, model.text])
        convolutions = list(model.image.blocks.parameters())
        others = [*model.text.parameters(), model.image.project.weight, model.log_scale]
        sgd = torch.optim.SGD(
            [{"params": convolutions, "peak": self.learning_rate}],
            lr=1.0,
            momentum=0.9,
            nesterov=True,
            weight_decay=5e-4,
        )
        adam = torch.optim.AdamW(
            [{"params": others, "peak": self.text_learning_rate}],
            lr=1.0,
            betas=(0.9, 0.98),
            weight_decay=0.02,
        )
        batches, unseen = (
            RowBatches([one.images, one.facts], self.batch_size)
            for one in (split, test.some(UNSEEN))
        )
        training = Training(
            network=model,
            optimizers={"sgd": sgd, "adam": adam},
            batches=batches,
            cost=lambda net, batch, step: self.cost(net, batch[1], step, split.classes),
            epochs=self.epochs,
            unseen=unseen,
            decay=lambda done: 0.98,
            clipped=others,
        )
        average, seconds = training.run(self, out)
        scores = evaluate(average, test, self.seed)
        config = {
            "widths": [64, 256, 256],
            "text_width": 128,
            "text_layers": 3,
            "embedding": 128,
            "classes": list(split.classes),
        }
        scores.append((f"training time on {self.hardware}", f"{seconds / 60:.1f} min"))
        write_model(
            out,
            config,
            average,
            model_card(TITLE, SUMMARY, self, scores, NOTES, data_summary(split)),
        )

    def cost(
        self,
        model: MiniClip,
        rows: tuple[torch.Tensor, torch.Tensor],
        step: Step,
        names: Sequence[str],
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Loss of pictures and facts of a batch, its part of the classes, and the shares of
        pictures and of captions whose class is found."""
        images, facts = as_float(rows[0]), rows[1].cpu()  # texts are made on the CPU
        place = images.device
        if model.training:
            images = augment(images, step.generator, shift=2, cutout=8)
        captioned = facts[: self.text_batch_size]
        templates, texts = self._captions(captioned, names, step)
        prompt = PROMPTS[int(step.numbers.integers(len(PROMPTS)))]
        ids = text_to_bytes([*texts, *(prompt.format(with_article(name)) for name in names)])
        # Padding takes as much time as characters.
        ids = ids[:, : max(8, int((ids != 0).any(0).nonzero().max()) + 1)].to(place)
        with self.casting():
            images, embeddings = model.image(images), model.text(ids)
        images, embeddings = (F.normalize(one.float(), dim=-1) for one in (images, embeddings))
        captions, classes = embeddings[: len(texts)], embeddings[len(texts) :]
        scale = model.log_scale.exp().clamp(max=100.0)
        # All captions that are true of a picture are positives.
        truth = is_true(mentioned(captioned, templates), facts).float().to(place)
        logits = scale * images @ captions.T
        match = 0.5 * (_soft_cross_entropy(logits, truth) + _soft_cross_entropy(logits.T, truth.T))
        labels, text_labels = facts[:, 0].to(place), captioned[:, 0].to(place)
        class_logits = scale * images @ classes.T
        class_loss = F.cross_entropy(class_logits, labels, label_smoothing=0.1)
        text_logits = scale * captions @ classes.T
        text_loss = F.cross_entropy(text_logits, text_labels)
        return 0.5 * match + class_loss + 0.25 * text_loss, {
            "class_loss": class_loss,
            "class_accuracy": (class_logits.argmax(1) == labels).float().mean(),
            "text_accuracy": (text_logits.argmax(1) == text_labels).float().mean(),
        }

    def _captions(
        self, facts: torch.Tensor, names: Sequence[str], step: Step
    ) -> tuple[torch.Tensor, list[str]]:
        """A random template of each caption, int64 (N,), and the captions, some corrupted."""
        templates = torch.randint(0, len(TEMPLATES), (len(facts),), generator=step.generator)
        # Half of the captions are full ones, which teach the colours.
        templates[torch.rand(len(facts), generator=step.generator) < 0.5] = 0
        texts = [
            caption(f, TEMPLATES[t], names)
            for f, t in zip(facts.tolist(), templates.tolist(), strict=True)
        ]
        rng = step.numbers
        rates = rng.random(len(texts)) * self.max_noise * (rng.random(len(texts)) < 0.7)
        return templates, [
            corrupt(text, rate, rng) for text, rate in zip(texts, rates, strict=True)
        ]


def _soft_cross_entropy(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Cross-entropy against the uniform distribution over the true columns; rows without one do not
    count."""
    known = truth.sum(1) > 0
    targets = truth[known] / truth[known].sum(1, keepdim=True)
    return F.cross_entropy(logits[known], targets)


def evaluate(model: MiniClip, test: Split, seed: int) -> list[tuple[str, str]]:
    """Zero-shot accuracy, retrieval of captions and robustness of the text tower on unseen
    pictures."""
    model.eval()
    classes = model.encode_text([f"a photo of {with_article(name)}" for name in test.classes])
    images = torch.cat([model.encode_image(part) for part in test.images.split(500)])
    accuracy = (images @ classes.T).argmax(1).eq(test.labels).float().mean().item()
    scores = [
        (
            f"zero-shot class accuracy, prompts 'a photo of a ...' (n = {len(test)})",
            f"{accuracy:.1%}",
        )
    ]
    captions = [caption(f, classes=test.classes) for f in test.facts.tolist()]
    rng = np.random.default_rng(seed)
    for rate in (0.0, 0.05, 0.1, 0.2, 0.3):
        noisy = [corrupt(text, rate, rng) for text in captions]
        texts = torch.cat(
            [model.encode_text(noisy[i : i + 500]) for i in range(0, len(noisy), 500)]
        )
        right = (texts @ classes.T).argmax(1).eq(test.labels).float().mean().item()
        label = (
            f"class recovered from full captions with {rate:.0%} damaged characters (n = "
            f"{len(noisy)})"
        )
        scores.append((label, f"{right:.1%}"))
    unique = sorted(set(captions))
    rows = torch.cat([model.encode_text(unique[i : i + 500]) for i in range(0, len(unique), 500)])
    own = torch.tensor([unique.index(c) for c in captions])
    similarity = images @ rows.T
    rank = (similarity > similarity.gather(1, own[:, None])).sum(1)
    first, ten = (rank < 1).float().mean(), (rank < 10).float().mean()
    matching = similarity.gather(1, own[:, None]).mean()
    return [
        *scores,
        (f"own caption first of {len(unique)} (first ten)", f"{first:.1%} ({ten:.1%})"),
        (
            "mean cosine of a picture with its caption (with any caption)",
            f"{matching:.3f} ({similarity.mean():.3f})",
        ),
    ]


TITLE = "mini-clip"
SUMMARY = (
    "A small CLIP for 32×32 pictures: a convolutional image tower and a character-level text "
    f"tower (at most {MAX_CHARACTERS} characters) with a joint 128-dimensional space. Trained with "
    "captions made from label and pixels, some with character errors like those of a channel."
)
NOTES = (
    "It only knows its training classes and ten colours. The colours in a caption are those of "
    "the pixels in the centre and at the border, by fixed rules, not by human annotation."
)
