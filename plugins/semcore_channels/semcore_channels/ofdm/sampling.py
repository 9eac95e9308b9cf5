"""From delays and gains of paths to the response of a slot: few instants, interpolated over time; delays become phases."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

PRECISION = 1e-4
"""Largest error of the interpolation over time, relative to the response: -80 dB."""


@dataclass(frozen=True)
class Sampling:
    """Where a response is sampled.

    Fields:
        ofdm_symbols: OFDM symbols of a slot
        symbol_s: time between two of them
        subcarriers: subcarriers
        subcarrier_spacing_hz: spacing
        prefix_s: duration of the cyclic prefix
    """

    ofdm_symbols: int
    symbol_s: float
    subcarriers: int
    subcarrier_spacing_hz: float
    prefix_s: float

    def instants(self, doppler_hz: float) -> int:
        """How many instants of a slot are enough for Doppler shifts up to `doppler_hz`.

        Interpolation of exp(i w t) at n instants with distance d has an error below (w d)^n / 4n.
        """
        span = 2 * math.pi * doppler_hz * self.symbol_s * (self.ofdm_symbols - 1)
        for count in range(2, self.ofdm_symbols):
            if (span / (count - 1)) ** count / (4 * count) < PRECISION and count <= 10:
                return count
        return self.ofdm_symbols

    def times_s(self, instants: int) -> torch.Tensor:
        """`instants` equidistant times from the first OFDM symbol to the last."""
        import torch

        return torch.linspace(0, (self.ofdm_symbols - 1) * self.symbol_s, instants)

    def over_frequency(self, gains: torch.Tensor, delays_s: torch.Tensor) -> torch.Tensor:
        """Gains of paths, complex64 (slots, rx, tx, instants, paths) -> (slots, rx, tx, instants, subcarriers)."""
        return (gains.flatten(1, 3) @ self.phasors(delays_s)).unflatten(1, gains.shape[1:4])

    def phasors(self, delays_s: torch.Tensor) -> torch.Tensor:
        """What a delay is on each subcarrier, the middle one at the carrier: complex64 (slots, paths, subcarriers)."""
        import torch

        frequencies = (torch.arange(self.subcarriers) - self.subcarriers // 2) * self.subcarrier_spacing_hz
        phases = -2 * math.pi * delays_s.unsqueeze(-1) * frequencies
        return torch.polar(torch.ones_like(phases), phases)

    def over_time(self, sampled: torch.Tensor) -> torch.Tensor:
        """Responses at equidistant instants (..., instants, subcarriers) -> at every OFDM symbol."""
        import torch

        weights = _lagrange(sampled.shape[-2], self.ofdm_symbols)
        if weights is None:
            return sampled
        *outer, _, width = sampled.shape
        dense = weights @ torch.view_as_real(sampled).flatten(-2)
        return torch.view_as_complex(dense.reshape(*outer, self.ofdm_symbols, width, 2))

    def isi(self, delays_s: torch.Tensor, powers: torch.Tensor) -> torch.Tensor:
        """Power of inter-symbol and inter-carrier interference by paths beyond the cyclic prefix, as a share of all power.

        Of a path that is late by a share e of an OFDM symbol, the receiver's window holds 1 - e of this symbol and e of the
        one before: the amplitude 1 - e arrives on the right subcarrier, the power 1 - (1 - e)^2 elsewhere. float32 (slots,).

        Args:
            delays_s, powers: of the paths, float32 (slots, paths)
        """
        useful_s = 1 / self.subcarrier_spacing_hz
        late = ((delays_s - self.prefix_s) / useful_s).clamp(0, 1)
        return (powers * (2 * late - late.square())).sum(1) / powers.sum(1)


@functools.cache
def _lagrange(instants: int, symbols: int) -> torch.Tensor | None:
    """Weights of polynomial interpolation from equidistant instants, float32 (symbols, instants); None: nothing to do."""
    import torch

    if instants == symbols:
        return None
    nodes = torch.linspace(0, 1, instants, dtype=torch.float64)
    places = torch.linspace(0, 1, symbols, dtype=torch.float64)
    weights = torch.ones(symbols, instants, dtype=torch.float64)
    for one in range(instants):
        for other in range(instants):
            if other != one:
                weights[:, one] *= (places - nodes[other]) / (nodes[one] - nodes[other])
    return weights.float()
