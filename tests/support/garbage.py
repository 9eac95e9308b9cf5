"""A channel that delivers garbage: a jammed link, or an attacker's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

import semcore


@semcore.register("channel", "garbage")
@dataclass(frozen=True)
class Garbage(semcore.ChannelModel):
    """Symbols and noise variances that are anything: huge, infinite, NaN; sometimes the truth.

    Fields:
        seed: which
    """

    seed: int = 0

    def transmit(self, symbols: semcore.Symbols, rng: semcore.Rng) -> semcore.Received:
        random = rng.at(self.seed, *symbols.layout.keys).numpy()
        shape = tuple(symbols.values.shape)
        if random.integers(4) == 0:
            return symbols.received(symbols.values, 1e-6)
        strange = np.array([0, -1, 1e30, np.inf, np.nan], np.float32)
        parts = random.standard_normal((*shape, 2)).astype(np.float32)
        variance = np.exp(random.standard_normal(shape)).astype(np.float32)
        for values in (parts, variance):
            hit = random.random(values.shape) < random.choice([0, 0.01, 1])
            values[hit] = random.choice(strange, int(hit.sum()))
        return symbols.received(
            torch.view_as_complex(torch.from_numpy(parts)), torch.from_numpy(variance)
        )
