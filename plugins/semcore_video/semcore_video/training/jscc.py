"""Common part of the recipes of DeepWiVe and DeepSC-S: encoder, noisy channel and decoder, over a
range of SNRs."""

from __future__ import annotations

import abc
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from annotated_types import Ge, Le
from torch import nn

from semcore import ChannelModel, Rng
from semcore.training import (
    DrawnBatches,
    NetworkRecipe,
    Step,
    Training,
    at_snrs,
    command_of,
    drawn_db,
    measured_at,
    one_cycle,
    write_model,
)
from semcore_video.training.data import data_summary

MEASURED = (-5.0, 0.0, 5.0, 10.0, 15.0, 20.0)
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class JSCCRecipe(NetworkRecipe):
    """Trains encoder and decoder jointly with the channel.

    Fields:
        data: folder of videos with sound
        channel: any registered channel; its `snr_db` or `block_snr_db` is drawn at random
        leave_out: names of clips excluded from training, for testing
        snr_db: minimum and maximum Es/N0 in training, dB
        epochs: number of checkpoints
        steps: batches per epoch
        batch_size: excerpts per batch
        learning_rate: peak rate (AdamW)
        seed: seed of weights, order and noise
    """

    watches: ClassVar[str] = "validation quality"
    better: ClassVar[Literal["lower", "higher"]] = "higher"

    data: str
    channel: ChannelModel
    leave_out: tuple[str, ...] = ()
    snr_db: tuple[Annotated[float, Ge(-50), Le(100)], Annotated[float, Ge(-50), Le(100)]] = (
        -5.0,
        23.0,
    )
    epochs: Annotated[int, Ge(1)] = 20
    steps: Annotated[int, Ge(1)] = 125
    batch_size: Annotated[int, Ge(1)] = 4
    learning_rate: float = 1e-3
    seed: int = 6


def over(
    channel: ChannelModel, numbers: torch.Tensor, snrs_db: Sequence[float], rng: Rng
) -> torch.Tensor:
    """Numbers (B, ...) over the channel, modulated as by `analog`; the batch is split equally over
    the SNRs."""
    flat = numbers.float().flatten(1)
    pairs = F.pad(flat, (0, flat.shape[1] % 2)).reshape(len(flat), -1, 2)
    values, noise_var = at_snrs(channel, torch.view_as_complex(pairs) / 2**0.5, snrs_db, rng)
    estimates = torch.view_as_real(values / (1 + noise_var) * 2**0.5).flatten(1)
    return estimates[:, : flat.shape[1]].reshape(numbers.shape)


class Excerpts(abc.ABC):
    """Excerpts of recordings, of which each batch takes some at random."""

    @abc.abstractmethod
    def draw(self, generator: torch.Generator) -> Any:
        """The place of an excerpt, and all else that is random in it."""

    @abc.abstractmethod
    def excerpt(self, place: Any) -> torch.Tensor:
        """The excerpt of a place, float32."""


@dataclass(frozen=True, eq=False)
class _Batches:
    """Batches of excerpts, each with SNRs.

    Fields:
        rows: excerpts of each row of a batch
        snr_db: lowest and highest SNR, dB
    """

    rows: Sequence[Excerpts]
    snr_db: tuple[float, float]

    def draw(self, generator: torch.Generator) -> tuple[list[Any], list[float]]:
        """Places of excerpts, and SNRs in dB."""
        places = [row.draw(generator) for row in self.rows]
        return places, drawn_db(self.snr_db, len(places), generator)

    def prepared(self, drawn: tuple[list[Any], list[float]]) -> tuple[torch.Tensor, list[float]]:
        """Excerpts (B, ...), and SNRs in dB."""
        pairs = zip(self.rows, drawn[0], strict=True)
        return torch.stack([row.excerpt(place) for row, place in pairs]), drawn[1]


def train(
    recipe: JSCCRecipe,
    out: Path,
    network: Any,
    rows: Sequence[Excerpts],
    loss: Loss,
    measure: Callable[[Any, float], float],
    names: tuple[str, str, str],
) -> None:
    """Train a network, and write its weights and card.

    Args:
        rows: of what each row of a batch is an excerpt
        loss: of what was decoded and what was sent
        measure: quality of the network at an SNR in dB, higher is better
        names: of the codec, of the measure, and what the codec is
    """
    network.to(recipe.place)
    for part in network.children():
        recipe.translate(part if isinstance(part, nn.ModuleList) else [part])
    adam = torch.optim.AdamW(
        [{"params": list(network.parameters()), "peak": recipe.learning_rate}],
        lr=1.0,
        betas=(0.9, 0.99),
    )
    drawn = _Batches(rows, recipe.snr_db)

    def cost(net: Any, batch: tuple[torch.Tensor, list[float]], step: Step) -> torch.Tensor:
        true, snrs = batch
        with recipe.casting():
            found = net.decode(over(recipe.channel, net.encode(true), snrs, step.rng))
        return loss(found.float(), true)

    def measured(average: Any) -> dict[str, float]:
        found = {f"{snr:g}dB": measure(average, snr) for snr in (0.0, 10.0, 20.0)}
        return {**found, "validation quality": sum(found.values()) / len(found)}

    training = Training(
        network=network,
        optimizers={"adam": adam},
        batches=DrawnBatches(drawn.draw, recipe.steps, drawn.prepared),
        cost=cost,
        epochs=recipe.epochs,
        measure=measured,
        rate=functools.partial(one_cycle, warm_up=0.05),
    )
    average, seconds = training.run(recipe, out)
    with torch.no_grad():
        scores = "\n".join(f"| {snr:g} | {measure(average, snr):.1f} |" for snr in MEASURED)
    name, what, about = names
    settings = {
        key: value for key, value in recipe.settings().items() if key not in ("data", "channel")
    }
    write_model(
        out,
        network.settings(),
        average,
        CARD.format(
            name=name,
            what=what,
            about=about,
            command=command_of(recipe),
            data=data_summary(recipe.data),
            measured=measured_at(recipe.channel),
            fields=", ".join(f"{k} = {v}" for k, v in settings.items()),
            scores=scores,
            minutes=round(seconds / 60),
            hardware=recipe.hardware,
            size=sum(weights.numel() for weights in network.parameters()),
        ),
    )


CARD = """# {name}

{about} {size:,} parameters.

## Training

```
{command}
```

Settings: {fields}.

Trained on {data}. {minutes} min on {hardware}.

## Measured

On the excluded clips, {measured}.

| SNR, dB | {what} |
|---|---|
{scores}
"""
