"""Common part of the recipes of DeepWiVe and DeepSC-S: encoder, noisy channel and decoder, over a
range of SNRs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
import torch.nn.functional as F
from annotated_types import Ge, Le

from semcore import ChannelModel, Recipe, Rng
from semcore.training import (
    at_snrs,
    command_of,
    drawn_db,
    measured_at,
    train_network,
    write_model,
)
from semcore_video.training.data import data_summary

MEASURED = (-5.0, 0.0, 5.0, 10.0, 15.0, 20.0)
Draw = Callable[[torch.Generator], torch.Tensor]
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class JSCCRecipe(Recipe):
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
        threads: CPU threads
    """

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
    threads: int = 1


def over(
    channel: ChannelModel, numbers: torch.Tensor, snrs_db: Sequence[float], rng: Rng
) -> torch.Tensor:
    """Numbers (B, ...) over the channel, modulated as by `analog`; the batch is split equally over
    the SNRs."""
    flat = numbers.flatten(1)
    pairs = F.pad(flat, (0, flat.shape[1] % 2)).reshape(len(flat), -1, 2)
    values, noise_var = at_snrs(channel, torch.view_as_complex(pairs) / 2**0.5, snrs_db, rng)
    estimates = torch.view_as_real(values / (1 + noise_var) * 2**0.5).flatten(1)
    return estimates[:, : flat.shape[1]].reshape(numbers.shape)


def train(
    recipe: JSCCRecipe,
    out: Path,
    network: Any,
    draw: Draw,
    loss: Loss,
    measure: Callable[[Any, float], float],
    names: tuple[str, str, str],
) -> None:
    torch.set_num_threads(recipe.threads)
    adam = torch.optim.AdamW(
        [{"params": list(network.parameters()), "peak": recipe.learning_rate}],
        lr=1.0,
        betas=(0.9, 0.99),
    )

    def cost(generator: torch.Generator, done: int) -> torch.Tensor:
        true = draw(generator)
        snrs = drawn_db(recipe.snr_db, len(true), generator)
        return loss(
            network.decode(
                over(recipe.channel, network.encode(true), snrs, Rng(recipe.seed).at(done))
            ),
            true,
        )

    def measured(average: Any) -> dict[str, float]:
        return {f"{snr:g}dB": measure(average, snr) for snr in (0.0, 10.0, 20.0)}

    average, seconds = train_network(recipe, out, network, adam, cost, measured)
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
            threads=recipe.threads,
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

Trained on {data}. {minutes} min on {threads} CPU thread(s).

## Measured

On the excluded clips, {measured}.

| SNR, dB | {what} |
|---|---|
{scores}
"""
