"""Recipe of mini-caption and of its knowledge base of captions."""

from __future__ import annotations

import copy
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch.nn.utils.rnn import pad_sequence

from semcore import Recipe, Source
from semcore.training import descend, one_cycle, run_epochs, set_rate, write_model
from semcore_image.models.mini_caption import (
    END,
    PAD,
    PROMPTS,
    CaptionDecoder,
    MiniCaption,
    encode_prompt,
)
from semcore_image.models.mini_clip import MiniClip
from semcore_image.models.weights import load_mini
from semcore_image.training.card import data_summary, model_card
from semcore_image.training.data import Split, load_split
from semcore_image.vocabulary import COLOURS, caption

SETTINGS: dict[str, Any] = {"channels": 256, "width": 128, "layers": 2, "heads": 4}


@dataclass(frozen=True)
class MiniCaptionRecipe(Recipe):
    """Trains mini-caption: a text decoder on the frozen image tower of mini-clip.

    Fields:
        data: folder with train/<class>/ and test/<class>/, with <class>/, or with the binary
            version of CIFAR-10; or a source of pictures
        epochs: passes over the training pictures
        batch_size: pictures per step
        learning_rate: peak rate (AdamW)
        prompted: share of training captions with a prompt
        knowledge: captions in the knowledge base
        seed: seed of weights and order
        threads: CPU threads
    """

    cites: ClassVar[tuple[str, ...]] = ("liu2023visual", "krizhevsky2009learning")

    data: str | Source
    epochs: int = 3
    batch_size: int = 256
    learning_rate: float = 1e-3
    prompted: float = 0.4
    knowledge: int = 5000
    seed: int = 5
    threads: int = 2

    def train(self, out: Path) -> None:
        torch.set_num_threads(self.threads)
        torch.manual_seed(self.seed)  # initial weights and dropout
        split = load_split(self.data, "train")
        out.mkdir(parents=True, exist_ok=True)
        every = max(1, len(split) // self.knowledge)
        sentences = [
            caption(f, classes=split.classes)
            for f in split.facts[::every][: self.knowledge].tolist()
        ]
        (out / "knowledge.txt").write_text("\n".join(sentences) + "\n")
        clip = load_mini("mini-clip")

        @functools.cache  # computed lazily: not needed if training is finished
        def features() -> torch.Tensor:
            return torch.cat([_features(clip, part) for part in split.images.split(500)], dim=1)

        settings = {**SETTINGS, "classes": list(split.classes)}
        model = CaptionDecoder(**settings)
        average = copy.deepcopy(model).eval()
        adam = torch.optim.AdamW(
            [{"params": list(model.parameters()), "peak": self.learning_rate}],
            lr=1.0,
            betas=(0.9, 0.98),
            weight_decay=0.05,
        )
        steps = max(len(split) // self.batch_size, 1)
        prompts = list(PROMPTS)

        def run_epoch(epoch: int) -> dict[str, float]:
            generator = torch.Generator().manual_seed(self.seed * 1000 + epoch)
            order = torch.randperm(len(split), generator=generator)
            total = 0.0
            model.train()
            for step in range(steps):
                chosen = order[step * self.batch_size : (step + 1) * self.batch_size]
                set_rate(adam, one_cycle(epoch * steps + step, self.epochs * steps))
                numbers = torch.randint(1, len(prompts), (len(chosen),), generator=generator)
                numbers[torch.rand(len(chosen), generator=generator) >= self.prompted] = 0
                words, answers = _sentences(
                    model, [prompts[i] for i in numbers.tolist()], split.facts[chosen].tolist()
                )
                mirrored = torch.randint(0, 2, (len(chosen),), generator=generator)
                with torch.autocast("cpu", torch.bfloat16):
                    logits = model(words, model.memory(features()[mirrored, chosen].float()))
                loss = F.cross_entropy(
                    logits.float().flatten(0, 1),
                    answers.flatten(),
                    ignore_index=PAD,
                    label_smoothing=0.05,
                )
                total += descend(loss, adam, model, average, 0.99)
            return {"loss": total / steps}

        seconds = run_epochs(
            self, out, self.epochs, {"model": model, "average": average}, {"adam": adam}, run_epoch
        )
        average.half().float()  # the shipped weights are float16, so these are measured
        scores = evaluate(MiniCaption(clip, average), load_split(self.data, "test"))
        scores.append(
            (
                f"training time on {self.threads} CPU threads, mini-clip given",
                f"{seconds / 60:.1f} min",
            )
        )
        card = model_card(TITLE, SUMMARY, self, scores, NOTES, data_summary(split))
        write_model(out, settings, average, card)


def _features(clip: MiniClip, images: torch.Tensor) -> torch.Tensor:
    """Feature maps of pictures and of their mirror images, bfloat16 (2, B, C, 4, 4)."""
    with torch.autocast("cpu", torch.bfloat16):
        return torch.stack([clip.image_map(images), clip.image_map(images.flip(3))]).bfloat16()


def _sentences(
    model: CaptionDecoder, prompts: list[str], facts: list[list[int]]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Input words and target words, int64 (B, L); targets are PAD in prompts and padding."""
    rows, targets = [], []
    for prompt, fact in zip(prompts, facts, strict=True):
        question = encode_prompt(prompt, model.index)
        answer = caption(fact, PROMPTS[prompt], model.classes).split()
        ids = [*(model.index[word] for word in answer), END]
        rows.append(torch.tensor(question + ids[:-1]))
        targets.append(torch.tensor([PAD] * (len(question) - 1) + ids))
    return (
        pad_sequence(rows, batch_first=True, padding_value=PAD),
        pad_sequence(targets, batch_first=True, padding_value=PAD),
    )


def evaluate(model: MiniCaption, test: Split) -> list[tuple[str, str]]:
    """Accuracy of class and colours on unseen pictures."""
    model.eval()

    def ask(prompt: str | None) -> list[str]:
        return [text for part in test.images.split(500) for text in model.caption(part, prompt)]

    def share(index: int, names: Sequence[str], texts: list[list[str]]) -> str:
        right = [
            set(names[f[index]].split()) <= set(words)
            for f, words in zip(facts, texts, strict=True)
        ]
        return f"{sum(right) / len(right):.1%}"

    facts = test.facts.tolist()
    full = [text.split() for text in ask(None)]
    whole = sum(
        " ".join(words) == caption(f, classes=test.classes)
        for words, f in zip(full, facts, strict=True)
    ) / len(full)
    return [
        (f"the caption names the class (n = {len(test)})", share(0, test.classes, full)),
        ("colour of the object as in the pixels", share(1, COLOURS, [words[:3] for words in full])),
        ("colour of the background", share(2, COLOURS, [words[-3:] for words in full])),
        ("all three, word for word", f"{whole:.1%}"),
        (
            "'what is it?' answered correctly",
            share(0, test.classes, [text.split() for text in ask("what is it?")]),
        ),
    ]


TITLE = "mini-caption"
SUMMARY = (
    "A small LLaVA: the frozen image tower of mini-clip, a projection, and a two-layer transformer "
    "decoder that generates a caption word by word, given an optional prompt."
)
NOTES = (
    "Prompts: "
    + ", ".join(f"'{p}'" for p in PROMPTS if p)
    + "; without a prompt, the full caption. `knowledge.txt` has captions of an even subset of the "
    "training pictures, made from label and pixels: a knowledge base for semantic entropy."
)
