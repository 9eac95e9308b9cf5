"""The interface of a modulation.

A new one is one file: a constellation, and `register` or an entry point.
"""

from __future__ import annotations

import abc
import functools
import math
from typing import TYPE_CHECKING

from semcore import ComponentError

if TYPE_CHECKING:
    import torch

LEAST = 1e-37
"""Smallest likelihood relative to that of the nearest point: a soft bit is at most 85."""
SYMBOLS_AT_ONCE = 2**14
"""Symbols whose distances to all points of a constellation are in memory together."""


class Modulation(abc.ABC):
    """Maps bits to complex symbols of unit mean power, and received symbols to soft bits.

    A subclass sets `bits_per_symbol` and returns its `constellation`. The demapper here is exact
    for any constellation; a subclass overrides `demodulate` where a faster one exists.
    """

    bits_per_symbol: int
    """Bits per complex symbol, 1 or more."""

    @abc.abstractmethod
    def constellation(self) -> torch.Tensor:
        """The symbol of each label, complex64 (2^bits_per_symbol,), of unit mean power.

        The first of a symbol's bits is the most significant one of its label.
        """

    @functools.cached_property
    def points(self) -> torch.Tensor:
        """The constellation, checked.

        Raises:
            ComponentError: its shape, its power or its points are wrong
        """
        import torch

        points, name = self.constellation(), type(self).__name__
        if points.shape != (2**self.bits_per_symbol,):
            raise ComponentError(
                f"{name}.constellation has the shape {tuple(points.shape)}; "
                f"with {self.bits_per_symbol} bits per symbol "
                f"it must be ({2**self.bits_per_symbol},)"
            )
        power = float(points.abs().square().mean())
        if not math.isclose(power, 1, rel_tol=1e-3):
            raise ComponentError(
                f"{name}.constellation has a mean power of {power:.4g}; it must be 1"
            )
        if len(torch.view_as_real(points).unique(dim=0)) < len(points):
            raise ComponentError(f"{name}.constellation has the same point for two labels")
        return points

    def modulate(self, bits: torch.Tensor) -> torch.Tensor:
        """Bits 0/1 (..., n) -> complex64 (..., n / bits_per_symbol)."""
        import torch

        groups = bits.to(torch.uint8).unflatten(-1, (-1, self.bits_per_symbol))
        labels = groups[..., 0] if self.bits_per_symbol <= 8 else groups[..., 0].int()
        for place in range(1, self.bits_per_symbol):
            labels = 2 * labels + groups[..., place]
        return self.points[labels.int()]

    def demodulate(self, values: torch.Tensor, noise_var: torch.Tensor) -> torch.Tensor:
        """Soft bits by the a posteriori rule, all labels equally likely.

        Args:
            values: complex64 (..., n), sent symbol plus circular Gaussian noise
            noise_var: float32 (..., n), variance of that complex noise

        Returns:
            float32 (..., n * bits_per_symbol), log p(bit = 1) - log p(bit = 0), within ±85
        """
        import torch

        flat, variance = values.flatten(), noise_var.expand(values.shape).flatten().clamp_min(1e-12)
        soft = [
            soft_bits(-(part.unsqueeze(-1) - self.points).abs().square() / noise.unsqueeze(-1))
            for part, noise in zip(
                flat.split(SYMBOLS_AT_ONCE), variance.split(SYMBOLS_AT_ONCE), strict=True
            )
        ]
        return torch.cat(soft).reshape(*values.shape[:-1], -1)


def soft_bits(log_likelihoods: torch.Tensor) -> torch.Tensor:
    """Soft bits from log-likelihoods of all labels: (..., 2^m) -> (..., m)."""
    count = log_likelihoods.shape[-1].bit_length() - 1
    likelihood = (log_likelihoods - log_likelihoods.amax(-1, keepdim=True)).exp()
    sums = (likelihood @ _members(count)).clamp_min(LEAST).log()
    return sums[..., :count] - sums[..., count:]


@functools.cache
def _members(bits: int) -> torch.Tensor:
    """Labels that have each bit set, then labels that have it clear, float32 (2^bits, 2 * bits)."""
    import torch

    labels = torch.arange(2**bits).unsqueeze(1)
    ones = (labels >> torch.arange(bits - 1, -1, -1)) & 1
    return torch.cat((ones, 1 - ones), 1).float()
