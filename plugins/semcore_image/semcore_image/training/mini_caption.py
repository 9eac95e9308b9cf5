"""Recipe of mini-caption and of its knowledge base of captions."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from torch.nn.utils.rnn import pad_sequence

from semcore import Source
from semcore.training import NetworkRecipe, RowBatches, Step, Training, at_place, write_model
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
from semcore_image.training.data import UNSEEN, Split, load_split
from semcore_image.vocabulary import COLOURS, caption

SETTINGS: dict[str, Any] = {"channels": 256, "width": 128, "layers": 2, "heads": 4}


@dataclass(frozen=True, kw_only=True)
class MiniCaptionRecipe(NetworkRecipe):
    """Trains mini-caption: a text decoder on the frozen image tower of mini-clip.

    Fields:
        data: folder with train/<class>/ and test/<class>/, with <class>/, or with the binary
            version of CIFAR-10; or a source of pictures
        epochs: passes over the training pictures
        batch_size: pictures per step
        learning_rate: peak rate (AdamW)
        prompted: share of training captions with a prompt
        knowledge: captions in the knowledge base
        seed: seed of weights, order and dropout
    """

    cites: ClassVar[tuple[str, ...]] = ("liu2023visual", "krizhevsky2009learning")
    cpu_dtype: ClassVar[Literal["bfloat16"]] = "bfloat16"

    data: str | Source
    epochs: int = 3
    batch_size: int = 256
    learning_rate: float = 1e-3
    prompted: float = 0.4
    knowledge: int = 5000
    seed: int = 5
    threads: int = 2

    @at_place
    def train(self, out: Path) -> None:
        split, test = load_split(self.data, "train"), load_split(self.data, "test")
        out.mkdir(parents=True, exist_ok=True)
        self._write_knowledge(out, split)
        clip = load_mini("mini-clip")
        unseen = test.some(UNSEEN)

        @functools.cache  # computed lazily: not needed if training is finished
        def features(seen: bool) -> torch.Tensor:
            parts = (split if seen else unseen).images.split(500)
            return torch.cat([_features(clip, part, self) for part in parts], dim=1)

        settings = {**SETTINGS, "classes": list(split.classes)}
        torch.manual_seed(self.seed)  # initial weights only; everything later has its own generator
        model = CaptionDecoder(**settings).to(self.place)
        self.translate([model.project, model.layers])
        adam = torch.optim.AdamW(
            [{"params": list(model.parameters()), "peak": self.learning_rate}],
            lr=1.0,
            betas=(0.9, 0.98),
            weight_decay=0.05,
        )
        training = Training(
            network=model,
            optimizers={"adam": adam},
            batches=RowBatches([split.facts], self.batch_size),
            cost=lambda net, batch, step: self.cost(net, batch, step, features(net.training)),
            epochs=self.epochs,
            unseen=RowBatches([unseen.facts], self.batch_size),
            decay=lambda done: 0.99,
        )
        average, seconds = training.run(self, out)
        scores = evaluate(MiniCaption(clip, average), test)
        scores.append(
            (f"training time on {self.hardware}, mini-clip given", f"{seconds / 60:.1f} min")
        )
        card = model_card(TITLE, SUMMARY, self, scores, NOTES, data_summary(split))
        write_model(out, settings, average, card)

    def cost(
        self, model: CaptionDecoder, batch: Any, step: Step, features: torch.Tensor
    ) -> torch.Tensor:
        """Cross-entropy of the words of random captions; `features`: maps of all pictures and
        their mirror images."""
        chosen, (facts,) = batch
        place, prompts = chosen.device, list(PROMPTS)
        numbers = torch.randint(1, len(prompts), (len(chosen),), generator=step.generator)
        numbers[torch.rand(len(chosen), generator=step.generator) >= self.prompted] = 0
        words, answers = _sentences(model, [prompts[i] for i in numbers.tolist()], facts.tolist())
        mirrored = torch.randint(0, 2, (len(chosen),), generator=step.generator)
        maps = features[mirrored, chosen.cpu()].to(place).float()
        with self.casting():
            logits = model(words.to(place), model.memory(maps))
        return F.cross_entropy(
            logits.float().flatten(0, 1),
            answers.to(place).flatten(),
            ignore_index=PAD,
            label_smoothing=0.05,
        )

    def _write_knowledge(self, out: Path, split: Split) -> None:
        """Write the captions of the knowledge base."""
        every = max(1, len(split) // self.knowledge)
        sentences = [
            caption(f, classes=split.classes)
            for f in split.facts[::every][: self.knowledge].tolist()
        ]
        (out / "knowledge.txt").write_text("\n".join(sentences) + "\n")


def _features(clip: MiniClip, images: torch.Tensor, recipe: NetworkRecipe) -> torch.Tensor:
    """Feature maps of pictures and of their mirror images on the CPU, bfloat16 (2, B, C, 4, 4)."""
    with recipe.casting():
        return (
            torch.stack([clip.image_map(images), clip.image_map(images.flip(3))]).bfloat16().cpu()
        )


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
