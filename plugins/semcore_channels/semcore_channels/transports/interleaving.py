"""Interleaving over a whole burst: neighbouring symbols are sent far apart, so that a fade hits few
of them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def positions(length: int) -> torch.Tensor:
    """Channel use of each symbol of a burst, int64 (length,): steps of about 0.38 of the burst."""
    import torch

    step = max(round(length * 0.381966), 1)
    while math.gcd(step, max(length, 1)) != 1:
        step += 1
    return torch.arange(length) * step % max(length, 1)


def interleave(symbols: torch.Tensor) -> torch.Tensor:
    """Symbols (..., n) in the order in which they are sent."""
    import torch

    sent = torch.empty_like(symbols)
    sent[..., positions(symbols.shape[-1])] = symbols
    return sent


def deinterleave(values: torch.Tensor) -> torch.Tensor:
    """The inverse of `interleave`."""
    return values[..., positions(values.shape[-1])]
