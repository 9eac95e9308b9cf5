"""Recipe of the codebooks: rows of tokens or numbers through encoder, channel and decoder, over a
range of SNRs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
import torch.nn.functional as F
from annotated_types import Ge, Le

from semcore import ChannelModel, Recipe, Rng, name_of
from semcore.training import (
    asked,
    at_snrs,
    by_row,
    drawn_db,
    measured_at,
    train_network,
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
Rows = Callable[[torch.Generator], torch.Tensor]
"""Draws a batch of rows of equal length, int64 (B, T)."""


@dataclass(frozen=True)
class TemporalRecipe(Recipe):
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
        threads: CPU threads
    """

    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic",)

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
    threads: int = 1

    def train(self, out: Path) -> None:
        """Train into `out`: checkpoints, then config.json, model.safetensors and the model card."""
        torch.set_num_threads(self.threads)
        torch.manual_seed(self.seed)  # initial weights only; everything later has its own generator
        rng = np.random.Generator(np.random.PCG64(self.seed))
        rows = rows_of(self.of, rng)
        training_rows, test_rows = rows[HELD_OUT:], rows[:HELD_OUT]
        network = Codebook(VOCABULARY[self.of], ordered=self.of == "durations")
        others = [weights for name, weights in network.named_parameters() if name != "table"]
        groups = [
            {"params": [network.table], "peak": 5 * self.learning_rate},
            {"params": others, "peak": self.learning_rate},
        ]
        adam = torch.optim.AdamW(groups, lr=1.0, betas=(0.9, 0.99))
        draw = batches_of(training_rows, self)

        def cost_of_step(generator: torch.Generator, done: int) -> torch.Tensor:
            tokens = draw(generator)
            symbols = max(
                int(torch.randint(*self.symbols, (), generator=generator)), LEAST * tokens.shape[1]
            )
            snrs = drawn_db(self.snr_db, GROUPS, generator)
            return cost(
                self.of,
                transmit(network, self.channel, tokens, symbols, snrs, Rng(self.seed).at(done)),
                tokens,
            )

        def measured(average: Codebook) -> dict[str, float]:
            return {
                f"{snr:g}dB": measure(average, self, test_rows[:64], snr)
                for snr in (-5.0, 0.0, 10.0)
            }

        average, seconds = train_network(self, out, network, adam, cost_of_step, measured, 0.03)
        scores = [(f"{snr:g}", f"{measure(average, self, test_rows, snr):.5f}") for snr in MEASURED]
        write_model(out, network.settings(), average, card(self, scores, seconds))


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


def batches_of(rows: list[np.ndarray], recipe: TemporalRecipe) -> Rows:
    """Draws batches of rows of equal length, frequent lengths more often; durations are varied at
    random."""
    by_length: dict[int, list[np.ndarray]] = defaultdict(list)
    for row in rows:
        by_length[len(row)].append(row)
    lengths = sorted(by_length)
    stacked = {length: torch.from_numpy(np.stack(by_length[length])) for length in lengths}
    shares = torch.tensor(
        [len(by_length[length]) for length in lengths], dtype=torch.float64
    ).sqrt()

    def draw(generator: torch.Generator) -> torch.Tensor:
        length = lengths[int(torch.multinomial(shares, 1, generator=generator))]
        chosen = torch.randint(len(stacked[length]), (recipe.batch_size,), generator=generator)
        tokens = stacked[length][chosen]
        if recipe.of == "durations":
            spread = torch.exp(0.3 * torch.randn(tokens.shape, generator=generator))
            return in_levels(tokens * spread)
        # A few rows are random, unlike any sentence.
        random = torch.randint(VOCABULARY[recipe.of], tokens.shape, generator=generator)
        return torch.where(torch.rand(len(tokens), 1, generator=generator) < 0.05, random, tokens)

    return draw


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
    values = torch.from_numpy(levels(VOCABULARY[of]))
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
        threads=recipe.threads,
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
{minutes} min on {threads} CPU thread(s).

## Measured on {count} unseen sentences

{symbols} symbols each, {measured}.

| SNR, dB | {what} |
|---|---|
{scores}
"""
