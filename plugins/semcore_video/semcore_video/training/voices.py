"""Recipes of the voices: mel spectrograms of eSpeak NG's speech, from phones and durations, or from
lips and phones."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from annotated_types import Ge
from safetensors.numpy import load_file, save_file
from torch import nn

from semcore.interfaces import Recipe
from semcore.training.loop import command_of, run_epochs, run_steps, write_model
from semcore_video.resampling import resampled
from semcore_video.speech.lips import evened
from semcore_video.speech.mel import BANDS, HOP, RATE_HZ, energy_of, mel_of, pitch_of
from semcore_video.speech.networks import EXPANSION, MEAN, SPREAD
from semcore_video.speech.phones import NAMES, NUMBERS, SILENCE
from semcore_video.training.corpus import Spoken

HELD_OUT = 48
PAUSE = NUMBERS[SILENCE]


@dataclass(frozen=True)
class VoiceRecipe(Recipe):
    """Trains a network that makes mel spectrograms, on speech of eSpeak NG.

    Fields:
        sentences: number of sentences that are spoken to learn from
        epochs: number of checkpoints
        steps: batches between two checkpoints
        batch_size: sentences a step
        learning_rate: peak rate (AdamW)
        seed: seed of weights, sentences and order
        threads: CPU threads
    """

    sentences: Annotated[int, Ge(100)] = 2000
    epochs: Annotated[int, Ge(1)] = 20
    steps: Annotated[int, Ge(1)] = 250
    batch_size: Annotated[int, Ge(1)] = 12
    learning_rate: float = 1.5e-3
    seed: int = 6
    threads: int = 1


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a voice learns from: a sentence with its mel spectrogram, and the lips that say it, if
    it is to see them.

    Fields:
        phones: int64 (P,)
        durations: mel frames of each, int64 (P,)
        voice: index of `VOICES`
        mel: float32 (T, 80)
        variance: pitch and energy, float32 (T, 2)
        lips: uint8 (T / 4, 24, 32), or none
    """

    phones: np.ndarray
    durations: np.ndarray
    voice: int
    mel: np.ndarray
    variance: np.ndarray
    lips: np.ndarray


def lesson(one: Spoken, lips: np.ndarray | None = None) -> Lesson:
    """A spoken sentence as what is learnt from: a whole number of frames of video."""
    frames = int(one.durations.sum())
    whole = -(-frames // EXPANSION) * EXPANSION
    audio = resampled(one.audio, one.sample_rate_hz, RATE_HZ)
    audio = np.pad(audio, (0, max(whole * HOP - len(audio), 0)))[: whole * HOP]
    mel = mel_of(audio)[:whole]
    variance = np.stack([pitch_of(audio)[:whole], (energy_of(mel) - MEAN) / SPREAD], 1)
    durations = one.durations.copy()
    durations[-1] += whole - frames
    nothing = np.zeros((0, 24, 32), np.uint8)
    return Lesson(
        one.phones,
        durations,
        one.voice,
        mel,
        variance.astype(np.float32),
        nothing if lips is None else lips,
    )


def typical(lessons: Sequence[Lesson]) -> torch.Tensor:
    """How many frames each phone lasts on average, float32 (phones,)."""
    phones = np.concatenate([one.phones for one in lessons])
    durations = np.concatenate([one.durations for one in lessons])
    counts = np.bincount(phones, minlength=len(NAMES))
    sums = np.bincount(phones, weights=durations, minlength=len(NAMES))
    return torch.from_numpy(
        np.where(counts > 0, sums / np.maximum(counts, 1), 8.0).astype(np.float32)
    )


def train(
    recipe: VoiceRecipe,
    out: Path,
    network: Any,
    lessons: Sequence[Lesson],
    errors: Callable[[nn.Module, dict[str, torch.Tensor], torch.Tensor | None], list[torch.Tensor]],
    name: str,
    about: str,
) -> None:
    torch.set_num_threads(recipe.threads)
    tried, learnt = lessons[:HELD_OUT], lessons[HELD_OUT:]
    average = copy.deepcopy(network).eval()
    adam = torch.optim.AdamW(
        [{"params": list(network.parameters()), "peak": recipe.learning_rate}],
        lr=1.0,
        betas=(0.9, 0.98),
    )

    def cost(generator: torch.Generator, done: int) -> torch.Tensor:
        chosen = torch.randint(len(learnt), (recipe.batch_size,), generator=generator).tolist()
        batch = together([learnt[index] for index in chosen])
        return torch.stack(errors(network, batch, batch["variance"])).sum()

    def run_epoch(epoch: int) -> dict[str, float]:
        mean = run_steps(recipe, epoch, adam, network, average, cost, warm_up=0.05)
        return {"loss": mean, "mel": measure(average, tried, errors)[0]}

    seconds = run_epochs(
        recipe,
        out,
        recipe.epochs,
        {"network": network, "average": average},
        {"adam": adam},
        run_epoch,
    )
    average.half().float()  # what is measured is what is shipped: float16 weights
    mel, variance = measure(average, tried, errors)
    fields = ", ".join(
        f"{key} = {value}" for key, value in recipe.settings().items() if key != "data"
    )
    write_model(out, network.settings(), average, CARD.format(
        name=name, about=about, fields=fields, command=command_of(recipe), threads=recipe.threads,
        mel=mel, variance=variance, count=HELD_OUT, minutes=round(seconds / 60),
        size=sum(weights.numel() for weights in network.parameters()),
    ))  # fmt: skip


def together(lessons: Sequence[Lesson]) -> dict[str, torch.Tensor]:
    """Lessons as one batch, silence and zeros behind the shorter ones."""

    def padded(rows: list[np.ndarray]) -> torch.Tensor:
        return nn.utils.rnn.pad_sequence(
            [torch.from_numpy(np.ascontiguousarray(row)) for row in rows], batch_first=True
        )

    found = {
        "phones": padded([one.phones for one in lessons]),
        "durations": padded([one.durations for one in lessons]),
        "voices": torch.tensor([one.voice for one in lessons]),
        "mel": padded([one.mel for one in lessons]),
        "variance": padded([one.variance for one in lessons]),
        "frames": padded([np.ones(len(one.mel), np.float32) for one in lessons]),
        "spoken": padded([one.phones[one.phones != PAUSE] for one in lessons]),
        "there": padded([np.ones(int((one.phones != PAUSE).sum()), bool) for one in lessons]),
        "ends": torch.tensor([int(one.durations[:-1].sum()) for one in lessons]),
    }
    if len(lessons[0].lips):
        found["lips"] = padded([evened(one.lips) for one in lessons])
        rows, phones = len(found["lips"][0]), found["spoken"].shape[1]
        found["looks"] = torch.from_numpy(np.stack([_looks(one, rows, phones) for one in lessons]))
    return found


def _looks(one: Lesson, frames: int, phones: int) -> np.ndarray:
    """How much each frame of video should look at each phone that is no pause: shares of its time,
    float32."""
    owner = np.repeat(np.arange(len(one.phones)), one.durations)
    heard = one.phones[owner] != PAUSE
    found = np.zeros((frames, phones), np.float32)
    np.add.at(
        found,
        (np.flatnonzero(heard) // EXPANSION, (np.cumsum(one.phones != PAUSE) - 1)[owner[heard]]),
        1 / EXPANSION,
    )
    return found


def mel_errors(
    found: tuple[torch.Tensor, torch.Tensor], batch: dict[str, torch.Tensor]
) -> list[torch.Tensor]:
    """Equation 23: of the mel spectrogram (absolute, too, which keeps it sharp), of pitch, and of
    energy."""
    variance, mel = found
    there, count = batch["frames"], batch["frames"].sum()
    off = (mel[:, : there.shape[1]] - batch["mel"]) * there[..., None]
    apart = (variance[:, : there.shape[1]] - batch["variance"]) * there[..., None]
    return [
        off.abs().sum() / (count * BANDS),
        off.square().sum() / (count * BANDS * 4),
        apart.square().sum() / (2 * count),
    ]


@torch.no_grad()
def measure(
    network: nn.Module, lessons: Sequence[Lesson], errors: Callable[..., Any]
) -> tuple[float, float]:
    """Mean absolute error of unseen log mel spectrograms, and mean squared error of pitch and
    energy, each one alone."""
    batches = [together([one]) for one in lessons]
    found = np.mean(
        [[float(error) for error in errors(network, batch, None)] for batch in batches], axis=0
    )
    mel, _, variance = found[:3]
    return float(mel), float(variance)


def kept(out: Path, make: Callable[[], list[Lesson]]) -> list[Lesson]:
    """Lessons, made once and kept beside the checkpoints: a training that goes on need not speak
    them again."""
    out.mkdir(parents=True, exist_ok=True)
    file, fields = out / "lessons.safetensors", ("phones", "durations", "mel", "variance", "lips")
    if not file.exists():
        lessons = make()
        arrays = {
            f"{index}/{name}": getattr(one, name)
            for index, one in enumerate(lessons)
            for name in fields
        }
        voices = json.dumps([one.voice for one in lessons])
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, file)
        (out / "lessons.json").write_text(voices)
    tensors, voices = load_file(file), json.loads((out / "lessons.json").read_text())
    return [
        Lesson(voice=voice, **{name: tensors[f"{index}/{name}"] for name in fields})
        for index, voice in enumerate(voices)
    ]


CARD = """# {name}

{about} {size:,} parameters.

## Training

```
{command}
```

Settings: {fields}.

Sentences of the grammar of GRID and random words of the CMU dictionary, spoken by eSpeak NG in
five voices with phones stretched at random. {minutes} min on {threads} CPU thread(s), without the
time of synthesis.

## Measured on {count} unseen sentences of the same kind

| measure | value |
|---|---|
| mean absolute error of the logarithm of the mel spectrogram | {mel:.3f} |
| mean squared error of pitch (octaves) and energy (standard deviations) | {variance:.3f} |
"""
