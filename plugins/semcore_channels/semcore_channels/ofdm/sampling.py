"""From the gains and delays of paths to the response of a slot.

Gains are computed at few instants of a slot and interpolated; delays become phases over the
subcarriers.
"""

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
    """Where the response of a slot is sampled.

    Fields:
        ofdm_symbols: OFDM symbols of a slot
        symbol_s: time from one OFDM symbol to the next, s
        subcarriers: number of subcarriers
        subcarrier_spacing_hz: subcarrier spacing, Hz
        prefix_s: duration of the cyclic prefix, s
    """

    ofdm_symbols: int
    symbol_s: float
    subcarriers: int
    subcarrier_spacing_hz: float
    prefix_s: float

    def instants(self, doppler_hz: float) -> int:
        """Number of instants of a slot that Doppler shifts up to `doppler_hz` need.

        The interpolation of exp(i w t) from n instants at distance d has an error below
        (w d)^n / 4n; it is at most `PRECISION`.
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
        """Gains of paths (slots, rx, tx, instants, paths) -> (..., instants, subcarriers)."""
        return (gains.flatten(1, 3) @ self.phasors(delays_s)).unflatten(1, gains.shape[1:4])

    def phasors(self, delays_s: torch.Tensor) -> torch.Tensor:
        """The phase of a delay on each subcarrier, complex64 (slots, paths, subcarriers).

        The middle subcarrier is at the carrier frequency.
        """
        import torch

        frequencies = (
            torch.arange(self.subcarriers) - self.subcarriers // 2
        ) * self.subcarrier_spacing_hz
        phases = -2 * math.pi * delays_s.unsqueeze(-1) * frequencies
        return torch.polar(torch.ones_like(phases), phases)

    def over_time(self, sampled: torch.Tensor) -> torch.Tensor:
        """Responses at equidistant instants (..., instants, subcarriers) -> at each OFDM symbol."""
        import torch

        weights = _lagrange(sampled.shape[-2], self.ofdm_symbols)
        if weights is None:
            return sampled
        *outer, _, width = sampled.shape
        dense = weights @ torch.view_as_real(sampled).flatten(-2)
        return torch.view_as_complex(dense.reshape(*outer, self.ofdm_symbols, width, 2))

    def isi(self, delays_s: torch.Tensor, powers: torch.Tensor) -> torch.Tensor:
        """Power of the interference from paths beyond the cyclic prefix, as a share of the whole.

        Of a path that exceeds the prefix by a share e of an OFDM symbol, the receiver's window
        holds 1 - e of this symbol and e of the one before: the amplitude 1 - e arrives on its
        subcarrier, the power 1 - (1 - e)^2 is inter-symbol and inter-carrier interference.

        Args:
            delays_s, powers: of the paths, float32 (slots, paths)

        Returns:
            float32 (slots,)
        """
        useful_s = 1 / self.subcarrier_spacing_hz
        late = ((delays_s - self.prefix_s) / useful_s).clamp(0, 1)
        return (powers * (2 * late - late.square())).sum(1) / powers.sum(1)


@functools.cache
def _lagrange(instants: int, symbols: int) -> torch.Tensor | None:
    """Weights of polynomial interpolation from equidistant instants, float32 (symbols, instants).

    None: every OFDM symbol is an instant.
    """
    import torch

    if instants == symbols:
        return None
    nodes = torch.linspace(0, 1, instants, dtype=torch.float64)
    places = torch.linspace(0, 1, symbols, dtype=torch.float64)
    weights = torch.ones(symbols, instants, dtype=torch.float64)
    for node in range(instants):
        for other in range(instants):
            if other != node:
                weights[:, node] *= (places - nodes[other]) / (nodes[node] - nodes[other])
    return weights.float()
