"""Common part of the recipes of voices: mel spectrograms of speech of eSpeak NG."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from annotated_types import Ge
from safetensors.numpy import load_file, save_file
from torch import nn

from semcore.training import (
    DrawnBatches,
    NetworkRecipe,
    Step,
    Training,
    command_of,
    one_cycle,
    write_model,
)
from semcore_video.mixer import Mixer
from semcore_video.resampling import resample_audio
from semcore_video.speech.lips import normalised
from semcore_video.speech.mel import BANDS, HOP, RATE_HZ, energy_of, mel_of, pitch_of
from semcore_video.speech.networks import EXPANSION, MEAN, SPREAD, MelDecoder
from semcore_video.speech.phones import NAMES, NUMBERS, SILENCE
from semcore_video.training.corpus import Spoken

HELD_OUT = 48
Errors = Callable[[nn.Module, dict[str, torch.Tensor], torch.Tensor | None], list[torch.Tensor]]
"""Parts of the loss of a network on a batch, with the true pitch and energy if given."""
PAUSE = NUMBERS[SILENCE]


@dataclass(frozen=True)
class VoiceRecipe(NetworkRecipe):
    """Trains a network on mel spectrograms of synthetic speech.

    Fields:
        sentences: number of synthesised sentences
        epochs: number of checkpoints
        steps: batches per epoch
        batch_size: sentences per batch
        learning_rate: peak rate (AdamW)
        seed: seed of weights, sentences and order
    """

    watches: ClassVar[str] = "mel"

    sentences: Annotated[int, Ge(100)] = 2000
    epochs: Annotated[int, Ge(1)] = 20
    steps: Annotated[int, Ge(1)] = 250
    batch_size: Annotated[int, Ge(1)] = 12
    learning_rate: float = 1.5e-3
    seed: int = 6


@dataclass(frozen=True, eq=False)
class TrainingExample:
    """A sentence with its mel spectrogram, and optionally the lips.

    Fields:
        phones: int64 (P,)
        durations: mel frames of each, int64 (P,)
        voice: index of `VOICES`
        mel: float32 (T, 80)
        variance: pitch and energy, float32 (T, 2)
        lips: uint8 (T / 4, 24, 32), or empty
    """

    phones: np.ndarray
    durations: np.ndarray
    voice: int
    mel: np.ndarray
    variance: np.ndarray
    lips: np.ndarray


def training_example(sentence: Spoken, lips: np.ndarray | None = None) -> TrainingExample:
    """The example of a sentence, padded to a whole number of frames of video."""
    frames = int(sentence.durations.sum())
    whole = -(-frames // EXPANSION) * EXPANSION
    audio = resample_audio(sentence.audio, sentence.sample_rate_hz, RATE_HZ)
    audio = np.pad(audio, (0, max(whole * HOP - len(audio), 0)))[: whole * HOP]
    mel = mel_of(audio)[:whole]
    variance = np.stack([pitch_of(audio)[:whole], (energy_of(mel) - MEAN) / SPREAD], 1)
    durations = sentence.durations.copy()
    durations[-1] += whole - frames
    nothing = np.zeros((0, 24, 32), np.uint8)
    return TrainingExample(
        sentence.phones,
        durations,
        sentence.voice,
        mel,
        variance.astype(np.float32),
        nothing if lips is None else lips,
    )


def typical(examples: Sequence[TrainingExample]) -> torch.Tensor:
    """Average duration of each phone, frames, float32 (phones,)."""
    phones = np.concatenate([example.phones for example in examples])
    durations = np.concatenate([example.durations for example in examples])
    counts = np.bincount(phones, minlength=len(NAMES))
    sums = np.bincount(phones, weights=durations, minlength=len(NAMES))
    return torch.from_numpy(
        np.where(counts > 0, sums / np.maximum(counts, 1), 8.0).astype(np.float32)
    )


def train(
    recipe: VoiceRecipe,
    out: Path,
    network: Any,
    examples: Sequence[TrainingExample],
    errors: Errors,
    name: str,
    about: str,
) -> None:
    """Train a network, and write its weights and card; `errors`: parts of the loss of a batch."""
    test_examples, training_examples = examples[:HELD_OUT], examples[HELD_OUT:]
    network.to(recipe.place)
    recipe.translate(one for one in network.modules() if isinstance(one, (Mixer, MelDecoder)))
    adam = torch.optim.AdamW(
        [{"params": list(network.parameters()), "peak": recipe.learning_rate}],
        lr=1.0,
        betas=(0.9, 0.98),
    )
    chosen = _Examples(training_examples, recipe.batch_size)

    def cost(net: nn.Module, batch: dict[str, torch.Tensor], step: Step) -> torch.Tensor:
        with recipe.casting():
            return torch.stack(errors(net, batch, batch["variance"])).sum()

    def measured(average: nn.Module) -> dict[str, float]:
        return {"mel": measure(average, test_examples, errors)[0]}

    training = Training(
        network=network,
        optimizers={"adam": adam},
        batches=DrawnBatches(chosen.draw, recipe.steps, chosen.prepared),
        cost=cost,
        epochs=recipe.epochs,
        measure=measured,
        rate=functools.partial(one_cycle, warm_up=0.05),
    )
    average, seconds = training.run(recipe, out)
    mel, variance = measure(average, test_examples, errors)
    fields = ", ".join(
        f"{key} = {value}" for key, value in recipe.settings().items() if key != "data"
    )
    write_model(out, network.settings(), average, CARD.format(
        name=name, about=about, fields=fields, command=command_of(recipe), hardware=recipe.hardware,
        mel=mel, variance=variance, count=HELD_OUT, minutes=round(seconds / 60),
        size=sum(weights.numel() for weights in network.parameters()),
    ))  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Examples:
    """Examples, of which each batch takes `size` at random."""

    examples: Sequence[TrainingExample]
    size: int

    def draw(self, generator: torch.Generator) -> torch.Tensor:
        """Their numbers, int64 (size,)."""
        return torch.randint(len(self.examples), (self.size,), generator=generator)

    def prepared(self, numbers: torch.Tensor) -> dict[str, torch.Tensor]:
        """The batch."""
        return as_batch([self.examples[index] for index in numbers.tolist()])


def as_batch(examples: Sequence[TrainingExample]) -> dict[str, torch.Tensor]:
    """Examples as one batch, padded with silence and zeros."""

    def padded(rows: list[np.ndarray]) -> torch.Tensor:
        return nn.utils.rnn.pad_sequence(
            [torch.from_numpy(np.ascontiguousarray(row)) for row in rows], batch_first=True
        )

    texts = [example.phones[example.phones != PAUSE] for example in examples]
    found = {
        "phones": padded([example.phones for example in examples]),
        "durations": padded([example.durations for example in examples]),
        "voices": torch.tensor([example.voice for example in examples]),
        "mel": padded([example.mel for example in examples]),
        "variance": padded([example.variance for example in examples]),
        "frames": padded([np.ones(len(example.mel), np.float32) for example in examples]),
        "text_phones": padded(texts),
        "text_mask": padded([np.ones(len(text), bool) for text in texts]),
        "ends": torch.tensor([int(example.durations[:-1].sum()) for example in examples]),
    }
    if len(examples[0].lips):
        found["lips"] = padded([normalised(example.lips) for example in examples])
        rows, phones = len(found["lips"][0]), found["text_phones"].shape[1]
        found["attention"] = torch.from_numpy(
            np.stack([_target_attention(example, rows, phones) for example in examples])
        )
    return found


def _target_attention(example: TrainingExample, frames: int, phones: int) -> np.ndarray:
    """Target attention of each frame of video to each phone other than silence: shares of its
    duration, float32."""
    owner = np.repeat(np.arange(len(example.phones)), example.durations)
    spoken = example.phones[owner] != PAUSE
    rows = np.flatnonzero(spoken) // EXPANSION
    columns = (np.cumsum(example.phones != PAUSE) - 1)[owner[spoken]]
    found = np.zeros((frames, phones), np.float32)
    np.add.at(found, (rows, columns), 1 / EXPANSION)
    return found


def mel_errors(
    found: tuple[torch.Tensor, torch.Tensor], batch: dict[str, torch.Tensor]
) -> list[torch.Tensor]:
    """Equation 23: errors of the mel spectrogram (also absolute, which keeps it sharp), of pitch,
    and of energy."""
    variance, mel = found
    mask, count = batch["frames"], batch["frames"].sum()
    mel_error = (mel[:, : mask.shape[1]] - batch["mel"]) * mask[..., None]
    variance_error = (variance[:, : mask.shape[1]] - batch["variance"]) * mask[..., None]
    return [
        mel_error.abs().sum() / (count * BANDS),
        mel_error.square().sum() / (count * BANDS * 4),
        variance_error.square().sum() / (2 * count),
    ]


@torch.no_grad()
def measure(
    network: nn.Module, examples: Sequence[TrainingExample], errors: Errors
) -> tuple[float, float]:
    """Mean absolute error of log mel spectrograms of test sentences, and mean squared error of
    pitch and energy."""
    found = []
    for example in examples:
        losses = errors(network, as_batch([example]), None)
        found.append([float(loss) for loss in losses])
    mel, _, variance = np.mean(found, axis=0)[:3]
    return float(mel), float(variance)


def cached_examples(out: Path, make: Callable[[], list[TrainingExample]]) -> list[TrainingExample]:
    """Examples, cached next to the checkpoints so that a resumed training does not synthesise them
    again."""
    out.mkdir(parents=True, exist_ok=True)
    file, fields = out / "examples.safetensors", ("phones", "durations", "mel", "variance", "lips")
    if not file.exists():
        examples = make()
        arrays = {}
        for index, example in enumerate(examples):
            for name in fields:
                arrays[f"{index}/{name}"] = np.ascontiguousarray(getattr(example, name))
        voices = json.dumps([example.voice for example in examples])
        save_file(arrays, file)
        (out / "examples.json").write_text(voices)
    tensors, voices = load_file(file), json.loads((out / "examples.json").read_text())
    examples = []
    for index, voice in enumerate(voices):
        arrays = {name: tensors[f"{index}/{name}"] for name in fields}
        examples.append(TrainingExample(voice=voice, **arrays))
    return examples


CARD = """# {name}

{about} {size:,} parameters.

## Training

```
{command}
```

Settings: {fields}.

Sentences of the grammar of GRID and random words of the CMU dictionary, spoken by eSpeak NG in
five voices with phones stretched at random. {minutes} min on {hardware}, without the
time of synthesis.

## Measured on {count} unseen sentences of the same kind

| measure | value |
|---|---|
| mean absolute error of the logarithm of the mel spectrogram | {mel:.3f} |
| mean squared error of pitch (octaves) and energy (standard deviations) | {variance:.3f} |
"""
