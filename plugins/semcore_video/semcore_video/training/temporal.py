"""Recipe of the codebooks: rows of tokens or numbers through encoder, channel and decoder, over a
range of SNRs."""

from __future__ import annotations

import functools
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
import torch.nn.functional as F
from annotated_types import Ge, Le

from semcore import ChannelModel, Rng, name_of
from semcore.training import (
    DrawnBatches,
    NetworkRecipe,
    Step,
    Training,
    asked,
    at_place,
    at_snrs,
    by_row,
    drawn_db,
    measured_at,
    one_cycle,
    write_model,
)
from semcore_channels.transports.interleaving import deinterleave, interleave
from semcore_video.speech.phones import NUMBERS
from semcore_video.training.corpus import phones_of, sentences, spoken
from semcore_video.transports.codebook import Codebook
from semcore_video.transports.companded_quantiser import levels, quantise
from semcore_video.transports.temporal import LEAST

VOCABULARY = {"text": 256, "phones": 64, "durations": 256}
"""Bytes of UTF-8, phones with spare entries, levels."""
GROUPS, HELD_OUT, SENTENCES, SPOKEN = 8, 256, 20_000, 1_500
MEASURED = (-5.0, 0.0, 5.0, 10.0, 15.0, 20.0)


@dataclass(frozen=True)
class TemporalRecipe(NetworkRecipe):
    """Trains temporal-durations, -text or -phones: a stream through encoder, noisy channel and
    decoder, for minimum error (eq. 15).

    Fields:
        of: the stream
        channel: any registered channel; its `snr_db` or `block_snr_db` is drawn at random
        snr_db: minimum and maximum Es/N0 in training, dB
        symbols: minimum and maximum number of symbols per row in training
        symbols_measured: symbols per row in the measurements of the card
        epochs: number of checkpoints
        steps: batches per epoch
        batch_size: rows per batch
        learning_rate: peak rate (AdamW)
        seed: seed of weights, sentences, order and noise
    """

    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic",)
    watches: ClassVar[str] = "validation error"

    of: Literal["durations", "text", "phones"]
    channel: ChannelModel
    snr_db: tuple[Annotated[float, Ge(-50), Le(100)], Annotated[float, Ge(-50), Le(100)]] = (
        -8.0,
        23.0,
    )
    symbols: tuple[Annotated[int, Ge(1)], Annotated[int, Ge(1)]] = (100, 600)
    symbols_measured: Annotated[int, Ge(1)] = 300
    epochs: Annotated[int, Ge(1)] = 16
    steps: Annotated[int, Ge(1)] = 200
    batch_size: Annotated[int, Ge(8)] = 64
    learning_rate: float = 2e-3
    seed: int = 6

    @at_place
    def train(self, out: Path) -> None:
        """Train into `out`: checkpoints, then config.json, model.safetensors and the model card."""
        torch.manual_seed(self.seed)  # initial weights only; everything later has its own generator
        rng = np.random.Generator(np.random.PCG64(self.seed))
        rows = rows_of(self.of, rng)
        training_rows, test_rows = rows[HELD_OUT:], rows[:HELD_OUT]
        network = Codebook(VOCABULARY[self.of], ordered=self.of == "durations").to(self.place)
        others = [weights for name, weights in network.named_parameters() if name != "table"]
        groups = [
            {"params": [network.table], "peak": 5 * self.learning_rate},
            {"params": others, "peak": self.learning_rate},
        ]
        adam = torch.optim.AdamW(groups, lr=1.0, betas=(0.9, 0.99))
        self.translate([*network.before, *network.after])

        def measured(average: Codebook) -> dict[str, float]:
            errors = {
                f"{snr:g}dB": measure(average, self, test_rows[:64], snr)
                for snr in (-5.0, 0.0, 10.0)
            }
            return {**errors, "validation error": sum(errors.values()) / len(errors)}

        training = Training(
            network=network,
            optimizers={"adam": adam},
            batches=batches_of(training_rows, self),
            cost=self.cost,
            epochs=self.epochs,
            measure=measured,
            rate=functools.partial(one_cycle, warm_up=0.03),
        )
        average, seconds = training.run(self, out)
        scores = [(f"{snr:g}", f"{measure(average, self, test_rows, snr):.5f}") for snr in MEASURED]
        write_model(out, network.settings(), average, card(self, scores, seconds))

    def cost(self, network: Codebook, batch: Any, step: Step) -> torch.Tensor:
        """Loss of a batch over the channel."""
        tokens, symbols, snrs = batch
        with self.casting():
            scores = transmit(network, self.channel, tokens, symbols, snrs, step.rng)
        return cost(self.of, scores.float(), tokens)


def rows_of(of: str, rng: np.random.Generator) -> list[np.ndarray]:
    """Rows of tokens, or of durations in frames; the first `HELD_OUT` are for testing."""
    if of == "durations":
        return [sentence.durations for sentence in spoken(sentences(SPOKEN, rng), rng)]
    texts = sentences(SENTENCES, rng)
    if of == "phones":
        rows = []
        for text in texts:
            numbers = [NUMBERS[name] for name in phones_of(text, rng)]
            rows.append(np.array(numbers, np.int64))
        return rows
    return [np.frombuffer(text.encode(), np.uint8).astype(np.int64) for text in texts]


def batches_of(rows: list[np.ndarray], recipe: TemporalRecipe) -> DrawnBatches:
    """Batches of rows of equal length, frequent lengths more often, with a number of symbols and
    SNRs; durations are varied at random."""
    by_length: dict[int, list[np.ndarray]] = defaultdict(list)
    for row in rows:
        by_length[len(row)].append(row)
    stacked = {
        length: torch.from_numpy(np.stack(same)) for length, same in sorted(by_length.items())
    }
    drawn = _Rows(stacked, recipe)
    return DrawnBatches(drawn.draw, recipe.steps, drawn.prepared)


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows of tokens by length, each int64 (N, length)."""

    stacked: dict[int, torch.Tensor]
    recipe: TemporalRecipe

    def draw(self, generator: torch.Generator) -> tuple[torch.Tensor, int, list[float]]:
        """Tokens or durations (B, T), symbols per row, and SNRs in dB."""
        tokens = self._tokens(generator)
        symbols = int(torch.randint(*self.recipe.symbols, (), generator=generator))
        symbols = max(symbols, LEAST * tokens.shape[1])
        return tokens, symbols, drawn_db(self.recipe.snr_db, GROUPS, generator)

    def _tokens(self, generator: torch.Generator) -> torch.Tensor:
        lengths, of = list(self.stacked), self.recipe.of
        counts = [len(self.stacked[length]) for length in lengths]
        shares = torch.tensor(counts, dtype=torch.float64).sqrt()
        same = self.stacked[lengths[int(torch.multinomial(shares, 1, generator=generator))]]
        tokens = same[torch.randint(len(same), (self.recipe.batch_size,), generator=generator)]
        if of == "durations":
            return tokens * torch.exp(0.3 * torch.randn(tokens.shape, generator=generator))
        # A few rows are random, unlike any sentence.
        random = torch.randint(VOCABULARY[of], tokens.shape, generator=generator)
        return torch.where(torch.rand(len(tokens), 1, generator=generator) < 0.05, random, tokens)

    def prepared(
        self, drawn: tuple[torch.Tensor, int, list[float]]
    ) -> tuple[torch.Tensor, int, list[float]]:
        """Durations as levels."""
        tokens, symbols, snrs = drawn
        return in_levels(tokens) if self.recipe.of == "durations" else tokens, symbols, snrs


def in_levels(durations: torch.Tensor) -> torch.Tensor:
    """Durations (B, T) as levels of their root mean square."""
    scaled = durations / durations.double().square().mean(1, keepdim=True).sqrt()
    return torch.from_numpy(quantise(scaled.numpy(), VOCABULARY["durations"]))


def transmit(
    network: Codebook,
    channel: ChannelModel,
    tokens: torch.Tensor,
    symbols: int,
    snrs_db: list[float],
    rng: Rng,
) -> torch.Tensor:
    """Rows (B, T) over the channel, the batch split equally over the SNRs: scores (B, T,
    vocabulary)."""
    sent = interleave(network.encode(tokens, symbols, by_row(snrs_db, len(tokens))))
    received, noise_var = at_snrs(channel, sent, snrs_db, rng)
    return network.decode(deinterleave(received), deinterleave(noise_var), tokens.shape[1])


def cost(of: str, scores: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Equation 15: cross entropy of tokens, mean squared error of numbers."""
    if of != "durations":
        return F.cross_entropy(scores.flatten(0, 1), tokens.flatten())
    values = torch.from_numpy(levels(VOCABULARY[of])).to(scores.device)
    return (F.softmax(scores, -1) @ values - values[tokens]).square().mean()


@torch.no_grad()
def measure(
    network: Codebook, recipe: TemporalRecipe, rows: list[np.ndarray], snr_db: float
) -> float:
    """Error rate of tokens, or mean squared error of numbers in units of their mean square, of rows
    over the channel."""
    errors, count = 0.0, 0
    for number, row in enumerate(rows):
        tokens = torch.from_numpy(row)[None]
        tokens = in_levels(tokens) if recipe.of == "durations" else tokens
        symbols = max(recipe.symbols_measured, LEAST * tokens.shape[1])
        scores = transmit(
            network, recipe.channel, tokens, symbols, [snr_db], Rng(1).at("measure", number)
        )
        if recipe.of == "durations":
            errors += float(cost(recipe.of, scores, tokens)) * tokens.numel()
        else:
            errors += float((scores.argmax(-1) != tokens).sum())
        count += tokens.numel()
    return errors / count


def card(recipe: TemporalRecipe, scores: list[tuple[str, str]], seconds: float) -> str:
    """The model card (Markdown)."""
    fields = {
        name: value
        for name, value in recipe.settings().items()
        if name not in ("of", "channel", "data")
    }
    what = "token error rate"
    if recipe.of == "durations":
        what = "mean squared error, in units of the mean square"
    return CARD.format(
        of=recipe.of,
        what=what,
        command=" ".join(asked(recipe)),
        measured=measured_at(recipe.channel),
        channel=name_of(type(recipe.channel)),
        hardware=recipe.hardware,
        symbols=recipe.symbols_measured,
        fields=", ".join(f"{k} = {v}" for k, v in fields.items()),
        scores="\n".join(f"| {snr} | {value} |" for snr, value in scores),
        count=HELD_OUT,
        minutes=round(seconds / 60),
    )


CARD = """# temporal-{of}

Encoder and decoder of the stream `{of}` for any number of symbols: a learned codebook, and context
networks at both ends.

## Training

```
semcore train temporal {command} --out DIR
```

Settings: {fields}.

Sentences of the grammar of GRID and random words of the CMU dictionary; durations are those of
eSpeak NG, varied at random. Over the channel `{channel}`, each row at a random SNR of the range.
{minutes} min on {hardware}.

## Measured on {count} unseen sentences

{symbols} symbols each, {measured}.

| SNR, dB | {what} |
|---|---|
{scores}
"""
