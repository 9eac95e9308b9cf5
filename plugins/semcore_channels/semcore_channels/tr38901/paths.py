"""Rays and paths of TR 38.901, and their sum: the response of a slot."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from semcore_channels.ofdm.sampling import Sampling

if TYPE_CHECKING:
    import torch

SLOTS_AT_ONCE = 64
"""Slots whose rays are summed at once: their phasors fit the caches."""


@dataclass(frozen=True, eq=False)
class Paths:
    """Rays, grouped into paths of equal delay.

    Fields:
        amplitude: of each ray, float32 (slots, rays)
        phase: of each ray at the first antennas at time 0, float32 (slots, rays)
        rx_direction, tx_direction: unit vectors of arrival and departure, divided by the
            wavelength, float32 (slots, rays, 3)
        velocity: of the transmitter, m/s, float32 (slots, 3)
        rx_positions, tx_positions: of the antennas, m, float32 (antennas, 3)
        path: index of the path of each ray, int64 (rays,)
        delays: of each path, s, float32 (slots, paths)
    """

    amplitude: torch.Tensor
    phase: torch.Tensor
    rx_direction: torch.Tensor
    tx_direction: torch.Tensor
    velocity: torch.Tensor
    rx_positions: torch.Tensor
    tx_positions: torch.Tensor
    path: torch.Tensor
    delays: torch.Tensor

    def coefficients(self, times_s: torch.Tensor) -> torch.Tensor:
        """Gain of each path, TR 38.901 eq. 7.5-22 and 7.5-28 to 7.5-30, for vertical antennas.

        Returns:
            complex64 (slots, rx, tx, times, paths)
        """
        import torch

        turn = 2 * math.pi
        doppler = (self.tx_direction * self.velocity.unsqueeze(1)).sum(-1)
        over_time = self.phase.unsqueeze(-1) + turn * doppler.unsqueeze(-1) * times_s
        rx = turn * self.rx_direction @ self.rx_positions.mT
        tx = turn * self.tx_direction @ self.tx_positions.mT
        phases = rx[:, :, :, None, None] + tx[:, :, None, :, None] + over_time[:, :, None, None]
        rays = torch.polar(
            self.amplitude[:, :, None, None, None].expand_as(phases).contiguous(), phases
        )
        paths = rays.new_zeros(len(rays), self.delays.shape[1], *rays.shape[2:])
        return paths.index_add_(1, self.path, rays).movedim(1, -1)

    def split(self, size: int) -> Iterator[Paths]:
        """The paths of `size` slots at a time."""
        per_slot = ("amplitude", "phase", "rx_direction", "tx_direction", "velocity", "delays")
        for parts in zip(*(getattr(self, name).split(size) for name in per_slot), strict=True):
            yield replace(self, **dict(zip(per_slot, parts, strict=True)))

    def response(self, sampling: Sampling, doppler_hz: float) -> torch.Tensor:
        """The response of each slot.

        Args:
            sampling: where it is sampled
            doppler_hz: largest Doppler shift

        Returns:
            complex64 (slots, rx, tx, symbols, subcarriers)
        """
        import torch

        times_s, responses = sampling.times_s(sampling.instants(doppler_hz)), []
        for paths in self.split(SLOTS_AT_ONCE):
            gains = paths.coefficients(times_s)
            responses.append(sampling.over_time(sampling.over_frequency(gains, paths.delays)))
        return torch.cat(responses)

    @functools.cached_property
    def powers(self) -> torch.Tensor:
        """Mean power of each path, float32 (slots, paths)."""
        powers = self.amplitude.new_zeros(self.delays.shape)
        return powers.index_add_(1, self.path, self.amplitude.square())
