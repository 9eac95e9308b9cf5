"""Header code of analog bursts: a number as one of up to 4096 nearly orthogonal code words of 32
channel uses.

A header holds what the receiver cannot do without: the scale of a burst, or its length. A wrong
header spoils all that follows, so the decoder rejects an uncertain one: it accepts a code word only
if its posterior probability, given the noise variance that the receiver knows, is at least
`MIN_POSTERIOR`, and if the received symbols look like that word in that noise. At most one header
in a million is then decoded wrongly, whatever the link; a rejected header loses its stream.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

WORD_USES = 32
"""Channel uses of a code word."""
SET_SIZE = 4 * WORD_USES
"""Code words of a set, orthogonal or opposite to each other: rows of a Hadamard matrix and their
negatives.
"""
SETS = 32
"""Sets, of which two words agree in at most 36 of 64 places: together a Kerdock code, 4096 words of
distance 28.
"""
MIN_POSTERIOR = 1 - 1e-6
"""Posterior probability from which a code word is accepted: a wrong scale is worse than none."""
MAX_NOISE_RATIO, MAX_ERROR = 2.0, 0.5
"""A word is rejected if its mean |y - word|^2 is more than `MAX_NOISE_RATIO` times the noise
variance
and more than `MAX_ERROR`."""


@functools.cache
def code_words(sets: int = 1) -> torch.Tensor:
    """Code words of unit power, complex64 (sets x 128, 32)."""
    import torch
    from scipy.linalg import hadamard

    rows = hadamard(2 * WORD_USES).astype(np.float32) / 2**0.5
    both = np.concatenate([rows, -rows])
    every = np.concatenate([both * mask for mask in _masks()[:sets]])
    return torch.view_as_complex(torch.from_numpy(every.reshape(-1, WORD_USES, 2)).contiguous())


def encode(number: int, sets: int = 1, copies: int = 1) -> torch.Tensor:
    """The code word of a number, 0 to sets x 128 - 1, complex64 (copies x 32,)."""
    return code_words(sets)[number].repeat(copies)


def decode(values: torch.Tensor, noise_var: torch.Tensor, sets: int = 1) -> int | None:
    """The number that was sent; None if it is uncertain.

    Args:
        values: received symbols, complex64 (copies x 32,)
        noise_var: variance of the noise in each, float32 (copies x 32,)
        sets: sets of code words in use
    """
    import torch

    every = code_words(sets)
    combined = (values / noise_var).conj().reshape(-1, WORD_USES).sum(0)
    posterior = torch.softmax(2 * (every * combined).real.double().sum(1), 0)
    best = int(posterior.argmax())
    error = (values.reshape(-1, WORD_USES) - every[best]).abs().square().flatten()
    unlike = float((error / noise_var).mean()) > MAX_NOISE_RATIO and float(error.mean()) > MAX_ERROR
    return best if float(posterior[best]) >= MIN_POSTERIOR and not unlike else None


def copies(snr_db: float) -> int:
    """Copies of a code word for reliable reception over a fading channel: 1 from 3 dB on, 8 at -5
    dB, at most 32.
    """
    return int(2 ** min(max(math.ceil((3 - snr_db) / 3), 0), 5))


@functools.cache
def _masks() -> tuple[np.ndarray, ...]:
    """Signs (64,) that turn the first set into the others: (-1)^Q with Kerdock's quadratic forms
    over
    GF(32) and one more bit.

    Q_a(x, b) = Tr((ax)^3 + (ax)^5) + b Tr(ax): for any two a, the sum of the forms has full rank,
    so words of different sets have a correlation of 8 of 64.
    """
    field, bit = np.arange(32), np.repeat([0, 1], 32)
    masks = []
    for a in field:
        x = _product(np.full(32, a), field)
        square = _product(x, x)
        cube, fifth = _product(square, x), _product(_product(square, square), x)
        form = np.tile(_trace(cube) ^ _trace(fifth), 2) ^ (bit & np.tile(_trace(x), 2))
        masks.append((1 - 2 * form).astype(np.float32))
    return tuple(masks)


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Products in GF(32), the residues modulo x^5 + x^2 + 1."""
    product = np.zeros_like(a)
    for place in range(5):
        product ^= (b >> place & 1) * (a << place)
    for place in range(8, 4, -1):
        product ^= (product >> place & 1) * (0b100101 << (place - 5))
    return product


def _trace(x: np.ndarray) -> np.ndarray:
    """x + x^2 + x^4 + x^8 + x^16, which is 0 or 1."""
    total, power = x.copy(), x
    for _ in range(4):
        power = _product(power, power)
        total ^= power
    return total
