"""What analog bursts share: a header that is one of many nearly orthogonal words, and symbols far apart on the air."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import numpy as np

from semcore.types import Received, Span

if TYPE_CHECKING:
    import torch

USES = 32
"""Channel uses of a word."""
A_SET = 4 * USES
"""Words of a set, orthogonal or opposite to each other: the rows of a Hadamard matrix and their negatives."""
SURE = 0.9
"""Probability from which a word is believed: a wrong scale is worse than none."""
SETS = 8
"""Sets, of which two words agree in no more than 36 of 64 places (a part of a Kerdock code)."""


@functools.cache
def words(sets: int = 1) -> torch.Tensor:
    """Words of unit power, complex64 (sets x 128, 32)."""
    import torch
    from scipy.linalg import hadamard

    rows = hadamard(2 * USES).astype(np.float32) / 2**0.5
    both = np.concatenate([rows, -rows])
    every = np.concatenate([both * mask for mask in _masks()[:sets]])
    return torch.view_as_complex(torch.from_numpy(every.reshape(-1, USES, 2)).contiguous())


def apart(length: int) -> torch.Tensor:
    """Where each symbol of a burst goes, int64 (length,): neighbours far from each other, so that no fade takes them all."""
    import torch

    step = max(round(length * 0.381966), 1)
    while math.gcd(step, max(length, 1)) != 1:
        step += 1
    return torch.arange(length) * step % max(length, 1)


def spread(symbols: torch.Tensor) -> torch.Tensor:
    """Symbols (..., n) in the order in which they go on the air."""
    import torch

    found = torch.empty_like(symbols)
    found[..., apart(symbols.shape[-1])] = symbols
    return found


def gathered(values: torch.Tensor) -> torch.Tensor:
    """The inverse of `spread`."""
    return values[..., apart(values.shape[-1])]


def sent(number: int, sets: int = 1, copies: int = 1) -> torch.Tensor:
    """The word of a number, complex64 (copies x 32,)."""
    return words(sets)[number].repeat(copies)


def heard(values: torch.Tensor, noise_var: torch.Tensor, sets: int = 1) -> int | None:
    """The number behind what arrived, complex64 (copies x 32,); None if no number is likely enough to be believed."""
    import torch

    weights = (values / noise_var).conj()
    likely = torch.softmax(2 * (words(sets) * weights.reshape(-1, USES).sum(0)).sum(1).real.double(), 0)
    best = int(likely.argmax())
    return best if float(likely[best]) >= SURE else None


def copies(snr_db: float) -> int:
    """How often a word is sent, to be hardly ever mistaken over a fading channel: once from 3 dB on, 8 times at -5 dB."""
    return int(2 ** min(max(math.ceil((3 - snr_db) / 3), 0), 5))


def arrived(span: Span, received: Received) -> tuple[torch.Tensor, torch.Tensor]:
    """What arrived of a span, made finite and in order: complex64 (n,) and float32 (n,)."""
    import torch

    at = span.row, slice(span.start, span.stop)
    values = torch.view_as_real(received.values[at].detach().cpu()).nan_to_num(0.0).clamp(-1e6, 1e6)
    noise_var = received.noise_var[at].detach().cpu().nan_to_num(1e12).clamp(1e-6, 1e12)
    return gathered(torch.view_as_complex(values.contiguous())), gathered(noise_var)


@functools.cache
def _masks() -> tuple[np.ndarray, ...]:
    """Signs (64,) that make another set of a set: (-1)^Q of quadratic forms whose differences all have full rank."""
    bits = 6
    places = (np.arange(2**bits)[:, None] >> np.arange(bits)) & 1
    found = [np.zeros((bits, bits), np.int64)]
    for number in range(1, 2 ** (bits * (bits - 1) // 2)):
        form = np.zeros((bits, bits), np.int64)
        form[np.triu_indices(bits, 1)] = (number >> np.arange(bits * (bits - 1) // 2)) & 1
        if all(_regular(form ^ other) for other in found):
            found.append(form)
        if len(found) == SETS:
            break
    return tuple((1 - 2 * (np.einsum("pi,ij,pj->p", places, form, places) % 2)).astype(np.float32) for form in found)


def _regular(form: np.ndarray) -> bool:
    """Whether an alternating form, given by its upper triangle, has full rank over two elements."""
    matrix = form ^ form.T
    for column in range(len(matrix)):
        pivot = next((row for row in range(column, len(matrix)) if matrix[row, column]), None)
        if pivot is None:
            return False
        matrix[[column, pivot]] = matrix[[pivot, column]]
        for row in range(len(matrix)):
            if row != column and matrix[row, column]:
                matrix[row] ^= matrix[column]
    return True
