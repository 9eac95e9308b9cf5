"""BPSK and square QAM with the Gray labels of TS 38.211, 5.1: bits to symbols, and symbols to soft bits.

Real and imaginary part of QAM are two independent amplitude modulations, so a soft bit needs 2^(m/2) distances and not
2^m. BPSK lies on the diagonal, as in the standard.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Annotated, Literal

from semcore.suggest import Spelt

if TYPE_CHECKING:
    import torch

Modulation = Annotated[
    Literal["bpsk", "4qam", "16qam", "64qam", "256qam"],
    Spelt((("qpsk", "4qam"), ("4psk", "4qam"), ("2psk", "bpsk"), ("2qam", "bpsk"), ("2pam", "bpsk"))),
]

BITS_PER_SYMBOL: dict[str, int] = {"bpsk": 1, "4qam": 2, "16qam": 4, "64qam": 6, "256qam": 8}


@functools.cache
def amplitudes(bits: int) -> torch.Tensor:
    """Amplitude of each label of one dimension, float32 (2^bits,), such that the complex symbol has unit mean power."""
    import torch

    levels = torch.zeros(1)
    for weight in range(bits):
        inner = 2**weight - levels  # TS 38.211, 5.1.3-5.1.6: (1 - 2 b0) [2^(bits-1) - (1 - 2 b1) [...]]
        levels = torch.cat((inner, -inner))
    return levels * (3 / (2 * (4**bits - 1))) ** 0.5


@functools.cache
def constellation(bits_per_symbol: int) -> torch.Tensor:
    """The symbol of each label, whose first bit weighs most, complex64 (2^bits_per_symbol,); TS 38.211, 5.1.2 to 5.1.6."""
    import torch

    labels = torch.arange(2**bits_per_symbol)
    bits = (labels.unsqueeze(1) >> torch.arange(bits_per_symbol - 1, -1, -1)) & 1
    if bits_per_symbol == 1:
        parts = amplitudes(1)[bits[:, 0]]
        return torch.complex(parts, parts)
    half = bits_per_symbol // 2
    weights = 2 ** torch.arange(half - 1, -1, -1)
    return torch.complex(amplitudes(half)[bits[:, ::2] @ weights], amplitudes(half)[bits[:, 1::2] @ weights])


def modulate(bits: torch.Tensor, bits_per_symbol: int) -> torch.Tensor:
    """Bits 0/1 (..., n) -> complex64 (..., n / bits_per_symbol); even bits label the real part, odd the imaginary."""
    import torch

    groups = bits.to(torch.uint8).unflatten(-1, (-1, bits_per_symbol))
    labels = groups[..., 0]
    for place in range(1, bits_per_symbol):
        labels = 2 * labels + groups[..., place]
    return constellation(bits_per_symbol)[labels.int()]


def demodulate(values: torch.Tensor, noise_var: torch.Tensor, bits_per_symbol: int) -> torch.Tensor:
    """Soft bits by the a posteriori rule.

    Args:
        values: complex64 (..., n), sent symbol plus circular Gaussian noise
        noise_var: float32 (..., n), variance of that complex noise
        bits_per_symbol: 1, 2, 4, 6 or 8

    Returns:
        float32 (..., n * bits_per_symbol), log p(bit = 1) - log p(bit = 0)
    """
    import torch

    if bits_per_symbol == 1:  # both parts say the same of the one bit
        return demodulate(values, noise_var, 2).unflatten(-1, (-1, 2)).sum(-1)
    variance = noise_var.clamp_min(1e-12)[..., None]
    parts = torch.view_as_real(values)
    if bits_per_symbol == 2:  # two levels: the difference of two squares
        return (parts * (-4 * float(amplitudes(1)[0])) / variance).flatten(-2)
    half = bits_per_symbol // 2
    metric = -(parts.unsqueeze(-1) - amplitudes(half)).square() / variance[..., None]
    likelihood = (metric - metric.amax(-1, keepdim=True)).exp()
    sums = (likelihood @ _members(half)).clamp_min(LEAST).log()  # of the levels whose bit is 1, then of those where it is 0
    return (sums[..., :half] - sums[..., half:]).transpose(-1, -2).flatten(-3)


LEAST = 1e-37
"""Likelihoods below it, against that of the nearest level, count as this: a soft bit is no larger than 85."""


@functools.cache
def _members(bits: int) -> torch.Tensor:
    """Which labels of one dimension have each bit set, and which not, float32 (2^bits, 2 * bits)."""
    import torch

    labels = torch.arange(2**bits).unsqueeze(1)
    ones = (labels >> torch.arange(bits - 1, -1, -1)) & 1
    return torch.cat((ones, 1 - ones), 1).float()
