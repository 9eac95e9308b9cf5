"""Recipe of mini-clip: contrastive training on pictures and corrupted captions."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F

from semcore import Recipe, Source
from semcore.training import move_average, one_cycle, run_epochs, set_rate, write_model
from semcore_image.models.mini_clip import MAX_CHARACTERS, MiniClip, as_float, text_to_bytes
from semcore_image.training.augmentation import augment
from semcore_image.training.card import data_summary, model_card
from semcore_image.training.data import Split, is_true, load_split, mentioned
from semcore_image.training.noise import corrupt
from semcore_image.vocabulary import TEMPLATES, caption, with_article

PROMPTS = ("a photo of {}", "{}", "a picture of {}", "this is {}")


@dataclass(frozen=True)
class MiniClipRecipe(Recipe):
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
        threads: CPU threads
    """

    cites: ClassVar[tuple[str, ...]] = ("radford2021learning", "krizhevsky2009learning")

    data: str | Source
    epochs: int = 9
    batch_size: int = 512
    text_batch_size: int = 128
    learning_rate: float = 0.4
    text_learning_rate: float = 2e-3
    max_noise: float = 0.3
    seed: int = 1
    threads: int = 2

    def train(self, out: Path) -> None:
        torch.set_num_threads(self.threads)
        torch.manual_seed(self.seed)  # initial weights only; everything later has its own generator
        split = load_split(self.data, "train")
        model = MiniClip().to(memory_format=torch.channels_last)
        model.image.set_whitening(as_float(split.images[:: max(1, len(split) // 5000)]))
        average = copy.deepcopy(model).eval()
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
        steps = max(len(split) // self.batch_size, 1)

        def run_epoch(epoch: int) -> dict[str, float]:
            generator = torch.Generator().manual_seed(self.seed * 1000 + epoch)
            rng = np.random.default_rng([self.seed, epoch])
            order = torch.randperm(len(split), generator=generator)
            totals = torch.zeros(4)
            model.train()
            for step in range(steps):
                chosen = order[step * self.batch_size : (step + 1) * self.batch_size]
                factor = one_cycle(epoch * steps + step, self.epochs * steps)
                set_rate(sgd, factor)
                set_rate(adam, factor)
                loss, parts = _loss(self, model, split, chosen, generator, rng)
                sgd.zero_grad()
                adam.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(others, 1.0)
                sgd.step()
                adam.step()
                move_average(average, model, 0.98)
                totals += parts
                if step % 20 == 0:
                    print(epoch, step, [round(x, 3) for x in parts.tolist()], flush=True)
            names = ("loss", "class_loss", "class_accuracy", "text_accuracy")
            return dict(zip(names, (totals / steps).tolist(), strict=True))

        modules = {"model": model, "average": average}
        seconds = run_epochs(self, out, self.epochs, modules, {"sgd": sgd, "adam": adam}, run_epoch)
        average.half().float()  # the shipped weights are float16, so these are measured
        scores = evaluate(average, load_split(self.data, "test"), self.seed)
        config = {
            "widths": [64, 256, 256],
            "text_width": 128,
            "text_layers": 3,
            "embedding": 128,
            "classes": list(split.classes),
        }
        scores.append((f"training time on {self.threads} CPU threads", f"{seconds / 60:.1f} min"))
        write_model(
            out,
            config,
            average,
            model_card(TITLE, SUMMARY, self, scores, NOTES, data_summary(split)),
        )


def _loss(
    recipe: MiniClipRecipe,
    model: MiniClip,
    split: Split,
    chosen: torch.Tensor,
    generator: torch.Generator,
    rng: np.random.Generator,
) -> tuple[torch.Tensor, torch.Tensor]:
    facts = split.facts[chosen]
    images = augment(as_float(split.images[chosen]), generator, shift=2, cutout=8)
    captioned = facts[: recipe.text_batch_size]
    templates = torch.randint(0, len(TEMPLATES), (len(captioned),), generator=generator)
    # Half of the captions are full ones, which teach the colours.
    templates[torch.rand(len(captioned), generator=generator) < 0.5] = 0
    texts = [
        caption(f, TEMPLATES[t], split.classes)
        for f, t in zip(captioned.tolist(), templates.tolist(), strict=True)
    ]
    rates = rng.random(len(texts)) * recipe.max_noise * (rng.random(len(texts)) < 0.7)
    texts = [corrupt(text, rate, rng) for text, rate in zip(texts, rates, strict=True)]
    prompt = PROMPTS[int(rng.integers(len(PROMPTS)))]
    ids = text_to_bytes([*texts, *(prompt.format(with_article(name)) for name in split.classes)])
    # Padding takes as much time as characters.
    ids = ids[:, : max(8, int((ids != 0).any(0).nonzero().max()) + 1)]
    with torch.autocast("cpu", torch.bfloat16):
        images, embeddings = model.image(images), model.text(ids)
    images, embeddings = (F.normalize(one.float(), dim=-1) for one in (images, embeddings))
    captions, classes = embeddings[: len(texts)], embeddings[len(texts) :]
    scale = model.log_scale.exp().clamp(max=100.0)
    # All captions that are true of a picture are positives.
    truth = is_true(mentioned(captioned, templates), facts).float()
    logits = scale * images @ captions.T
    match = 0.5 * (_soft_cross_entropy(logits, truth) + _soft_cross_entropy(logits.T, truth.T))
    class_logits = scale * images @ classes.T
    class_loss = F.cross_entropy(class_logits, facts[:, 0], label_smoothing=0.1)
    text_logits = scale * captions @ classes.T
    text_loss = F.cross_entropy(text_logits, captioned[:, 0])
    loss = 0.5 * match + class_loss + 0.25 * text_loss
    right = (class_logits.argmax(1) == facts[:, 0]).float().mean()
    text_right = (text_logits.argmax(1) == captioned[:, 0]).float().mean()
    return loss, torch.stack([loss.detach(), class_loss.detach(), right, text_right])


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
