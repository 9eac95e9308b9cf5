"""What analog bursts share: a header that is one of many nearly orthogonal words, and symbols far apart on the air.

A header says what the receiver cannot do without: the scale of a burst, or its length. One that is misread spoils all that
follows, so it is read only if it is certain: a word is believed if its posterior probability, given the noise that the
receiver knows of, is at least `SURE`, and if what arrived looks like a word in that noise. So at most one header in a
million is misread, whatever the link; all others are right, or lost with their stream.
"""

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
SETS = 32
"""Sets, of which two words agree in no more than 36 of 64 places: all together a Kerdock code, 4096 words of distance 28."""
SURE = 1 - 1e-6
"""Posterior probability from which a word is believed: a wrong scale is worse than none."""
LIKE, NEAR = 2.0, 0.5
"""What is not like a word: its mean |y - word|^2 is more than `LIKE` times the noise variance, and more than `NEAR`."""


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


def read(values: torch.Tensor, noise_var: torch.Tensor, sets: int = 1) -> int | None:
    """The number behind what arrived, complex64 (copies x 32,), in noise float32 (copies x 32,); None if it is not certain."""
    import torch

    every = words(sets)
    combined = (values / noise_var).conj().reshape(-1, USES).sum(0)
    posterior = torch.softmax(2 * (every * combined).real.double().sum(1), 0)
    best = int(posterior.argmax())
    error = (values.reshape(-1, USES) - every[best]).abs().square().flatten()
    strange = float((error / noise_var).mean()) > LIKE and float(error.mean()) > NEAR
    return best if float(posterior[best]) >= SURE and not strange else None


def copies(snr_db: float) -> int:
    """How often a word is sent, to be hardly ever lost over a fading channel: once from 3 dB on, 8 times at -5 dB."""
    return int(2 ** min(max(math.ceil((3 - snr_db) / 3), 0), 5))


def arrived(span: Span, received: Received) -> tuple[torch.Tensor, torch.Tensor]:
    """What arrived of a span, made finite and in order: complex64 (n,) and float32 (n,)."""
    import torch

    at = span.row, slice(span.start, span.stop)
    values = torch.view_as_real(received.values[at].detach().cpu()).nan_to_num(0.0).clamp_(-1e6, 1e6)
    noise_var = received.noise_var[at].detach().cpu().nan_to_num(1e12).clamp_(1e-6, 1e12)
    return gathered(torch.view_as_complex(values.contiguous())), gathered(noise_var)


@functools.cache
def _masks() -> tuple[np.ndarray, ...]:
    """Signs (64,) that make another set of a set, (-1)^Q, by Kerdock's quadratic forms over GF(32) and one more bit.

    Q_a(x, b) = Tr((ax)^3 + (ax)^5) + b Tr(ax): for every two a, the sum of the forms has full rank, so words of different
    sets have a correlation of 8 of 64.
    """
    field, bit = np.arange(32), np.repeat([0, 1], 32)
    forms = []
    for a in field:
        x = _times(np.full(32, a), field)
        square = _times(x, x)
        cube, fifth = _times(square, x), _times(_times(square, square), x)
        forms.append(np.tile(_trace(cube) ^ _trace(fifth), 2) ^ (bit & np.tile(_trace(x), 2)))
    return tuple((1 - 2 * form).astype(np.float32) for form in forms)


def _times(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Products in GF(32), the residues of x^5 + x^2 + 1."""
    product = np.zeros_like(one)
    for place in range(5):
        product ^= (other >> place & 1) * (one << place)
    for place in range(8, 4, -1):
        product ^= (product >> place & 1) * (0b100101 << (place - 5))
    return product


def _trace(one: np.ndarray) -> np.ndarray:
    """x + x^2 + x^4 + x^8 + x^16, which is 0 or 1."""
    total, power = one.copy(), one
    for _ in range(4):
        power = _times(power, power)
        total ^= power
    return total
