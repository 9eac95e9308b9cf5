"""Learned codebook with context networks, for rows of tokens or numbers over a noisy channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from semcore import on_device
from semcore_video.mixer import Mixer

PHASES = 64
"""Length of a codeword, symbols; a token with more symbols repeats it."""
REACH_DB = 4.0
"""Maximum power of a token relative to the others, dB, and its negative the minimum."""


@dataclass(frozen=True, eq=False)
class SymbolMap:
    """Assignment of symbols to tokens, for rows of T tokens over `symbols` symbols each.

    Fields:
        token: int64 (S,), the token of each symbol
        phase: int64 (S,), the position in its codeword
    """

    token: torch.Tensor
    phase: torch.Tensor

    @classmethod
    def of(cls, tokens: int, symbols: int) -> SymbolMap:
        """The tokens share the symbols as evenly as possible."""
        owner = torch.div(torch.arange(symbols) * tokens, symbols, rounding_mode="floor")
        first = torch.searchsorted(owner, torch.arange(tokens))
        return cls(owner, (torch.arange(symbols) - first[owner]) % PHASES)


class Codebook(nn.Module):
    """Encoder and decoder of tokens, one pair for any number of symbols and any SNR.

    The encoder looks up the codeword of a token (symbols of unit modulus), and its context network
    reduces the power of tokens that the others predict. The decoder correlates the received symbols
    with every codeword, which gives the likelihoods without context, and its context network
    corrects these scores. A codeword stands for a token, decoded to the most likely one, or for a
    level of a number, decoded to the mean.

    Args:
        vocabulary: tokens or levels
        ordered: whether they are levels, with similar neighbours
        width: channels of the context networks
        depth: blocks of the decoder's context network
        kernel: receptive field of a block, tokens
    """

    def __init__(
        self, vocabulary: int, ordered: bool, width: int = 96, depth: int = 4, kernel: int = 7
    ) -> None:
        super().__init__()
        self.ordered = ordered
        self.table = nn.Parameter(
            _turns(vocabulary) if ordered else torch.randn(vocabulary, PHASES, 2)
        )
        self.sent = nn.Embedding(vocabulary, width)
        self.before = nn.ModuleList(Mixer(width, kernel, conditions=1) for _ in range(2))
        self.strength = nn.Linear(width, 1)
        self.believed = nn.Linear(vocabulary, width)
        self.after = nn.ModuleList(Mixer(width, kernel, conditions=1) for _ in range(depth))
        self.scores = nn.Linear(width, vocabulary)
        for last in (self.strength, self.scores):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def settings(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        kernel = self.before[0].along.kernel_size[0]  # type: ignore[index,union-attr]
        built = {
            "vocabulary": len(self.table),
            "ordered": self.ordered,
            "width": self.sent.embedding_dim,
        }
        return {**built, "depth": len(self.after), "kernel": kernel}

    @property
    def codewords(self) -> torch.Tensor:
        """complex64 (vocabulary, PHASES), of unit modulus."""
        return torch.view_as_complex(F.normalize(self.table, dim=2))

    @on_device
    def encode(self, tokens: torch.Tensor, symbols: int, snr_db: torch.Tensor) -> torch.Tensor:
        """Tokens int64 (B, T) -> symbols complex64 (B, symbols) of unit power per row; `snr_db`:
        (B,)."""
        slots = SymbolMap.of(tokens.shape[1], symbols)
        context = self.sent(tokens)
        for block in self.before:
            context = block(context, snr_db[:, None] / 20)
        decibels = REACH_DB * torch.tanh(self.strength(context)[..., 0])
        gain = 10 ** (decibels / 20)
        row = self.codewords[tokens[:, slots.token], slots.phase] * gain[:, slots.token]
        return row / row.abs().square().mean(1, keepdim=True).sqrt()

    @on_device
    def decode(self, values: torch.Tensor, noise_var: torch.Tensor, tokens: int) -> torch.Tensor:
        """Received symbols (B, S) and their noise variances -> scores float32 (B, T, vocabulary):
        logarithms of likelihoods."""
        slots = SymbolMap.of(tokens, values.shape[1])
        weighted = values / noise_var
        fit = _by_token(weighted, slots, tokens)  # (B, T, PHASES)
        words = torch.view_as_real(self.codewords).flatten(1)
        scores = 2 * torch.view_as_real(fit).flatten(2) @ words.T
        snr_db = 10 * torch.log10((1 / noise_var).mean(1).clamp(1e-6, 1e9))
        context = self.believed(F.softmax(scores, -1))
        for block in self.after:
            context = block(context, snr_db[:, None].clamp(-20, 40) / 20)
        result: torch.Tensor = scores + self.scores(context)
        return result


def _turns(levels: int) -> torch.Tensor:
    """Initial codewords of levels: phases proportional to the level, at slow and fast rates;
    (levels, PHASES, 2)."""
    # Turns from the lowest level to the highest.
    rates = torch.tensor([0.45, 2.0, 8.0, 0.9, 32.0, 4.0, 1.4, 16.0])
    turns = rates.repeat(PHASES // len(rates)) * (1 + 0.1 * torch.rand(PHASES))
    positions = torch.linspace(-0.5, 0.5, levels)[:, None]
    angles = 2 * torch.pi * (positions * turns + torch.rand(PHASES))
    return torch.stack([angles.cos(), angles.sin()], -1)


def _by_token(values: torch.Tensor, slots: SymbolMap, tokens: int) -> torch.Tensor:
    """Values complex64 (B, S), summed by token and phase: (B, T, PHASES)."""
    at = slots.token * PHASES + slots.phase
    found = values.new_zeros(len(values), tokens * PHASES)
    return found.index_add(1, at, values).reshape(len(values), tokens, PHASES)
