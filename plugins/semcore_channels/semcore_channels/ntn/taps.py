"""NTN-TDL of TR 38.811: tapped delay lines of a satellite link, drawn as responses of slots."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from semcore import Rng
from semcore_channels.ofdm.estimation import Correlation
from semcore_channels.ofdm.sampling import Sampling
from semcore_channels.ofdm.slots import SlotRange
from semcore_channels.simd import LANES

if TYPE_CHECKING:
    import torch

Model = Literal["A", "B", "C", "D"]

SINUSOIDS = 16
"""Sinusoids of a tap. Their amplitudes are Gaussian, so a tap is Gaussian for any number."""
LINE_OF_SIGHT_DOPPLER = 0.7
"""Doppler shift of the line of sight relative to the largest, TR 38.901, 7.7.2."""


@dataclass(frozen=True)
class Tap:
    """A tap of a profile.

    Fields:
        delay: in units of the RMS delay spread
        power_db: mean power, dB
        line_of_sight: whether it is the line of sight, which does not fade
    """

    delay: float
    power_db: float
    line_of_sight: bool = False


PROFILES: dict[str, tuple[Tap, ...]] = {
    "A": (Tap(0, 0), Tap(1.0811, -4.675), Tap(2.8416, -6.482)),
    "B": (Tap(0, 0), Tap(0.7249, -1.973), Tap(0.7410, -4.332), Tap(5.7392, -11.914)),
    "C": (Tap(0, -0.394, True), Tap(0, -10.618), Tap(14.8124, -23.373)),
    "D": (Tap(0, -0.284, True), Tap(0, -11.991), Tap(0.5596, -9.887), Tap(7.3340, -16.771)),
}
"""TR 38.811 Tables 6.9.2-1 to 6.9.2-4, for an elevation of 50 degrees; A and B are NLOS."""


@dataclass(frozen=True)
class TappedDelayLine:
    """A tapped delay line with Doppler.

    Fields:
        model: NTN-TDL profile
        delay_spread_s: RMS delay spread, s
        doppler_hz: largest Doppler shift from the motion of the terminal, Hz
        offset_hz: frequency offset common to all taps, the remaining Doppler shift of the
            satellite, Hz
        sampling: where the response is sampled
    """

    model: Model
    delay_spread_s: float
    doppler_hz: float
    offset_hz: float
    sampling: Sampling

    @functools.cached_property
    def powers(self) -> torch.Tensor:
        """Mean power of each tap, float32 (taps,); the sum is 1."""
        import torch

        powers = torch.tensor([10 ** (tap.power_db / 10) for tap in PROFILES[self.model]])
        return powers / powers.sum()

    @functools.cached_property
    def delays_s(self) -> torch.Tensor:
        """Delay of each tap, s, float32 (taps,)."""
        import torch

        return torch.tensor([tap.delay * self.delay_spread_s for tap in PROFILES[self.model]])

    @property
    def line_of_sight(self) -> bool:
        """Whether the first tap is the line of sight."""
        return PROFILES[self.model][0].line_of_sight

    def response(self, parts: Sequence[SlotRange], rng: Rng, *, per_frame: bool) -> torch.Tensor:
        """Responses of the slots of `parts`, complex64 (slots, 1, symbols, subcarriers).

        Args:
            parts: the slots; each part has its own random numbers
            rng: address of the link
            per_frame: one realisation continues over all slots of a row; else each slot has its own
        """
        import torch

        sampling = self.sampling
        max_shift_hz = self.doppler_hz + abs(self.offset_hz)
        times = sampling.times_s(sampling.instants(max_shift_hz)).double()
        gains = self._gains(parts, rng, times, per_frame)
        slots = len(gains)
        gains = torch.nn.functional.pad(gains, (0, 0, 0, 0, 0, -slots % LANES)).unsqueeze(-1)
        phases = sampling.phasors(self.delays_s.unsqueeze(0))[0]
        sampled = gains[:, :, 0] * phases[0]
        for tap in range(1, len(phases)):
            sampled = sampled + gains[:, :, tap] * phases[tap]
        return sampling.over_time(sampled)[:slots].unsqueeze(1)

    def _gains(
        self, parts: Sequence[SlotRange], rng: Rng, times: torch.Tensor, per_frame: bool
    ) -> torch.Tensor:
        """Gains of the taps, complex64 (slots, instants, taps).

        A tap is sum_m g_m exp(2 pi i fd cos(a_m) t) / sqrt(M) with Gaussian g_m and uniform angles
        a_m: Gaussian at every instant, with the autocorrelation J0(2 pi fd t) of Clarke's model
        over the ensemble. The angles are those of other Gaussian numbers, so that a part uses its
        generator once.
        """
        import torch

        taps, first = len(self.powers), int(self.line_of_sight)
        drawn = []
        for part in parts:
            address = ("taps", part.key) if per_frame else ("taps", part.key, part.first)
            count = 1 if per_frame else part.count
            numbers = torch.randn(
                (count, 2, taps, SINUSOIDS),
                dtype=torch.complex64,
                generator=rng.at(*address).torch(),
            )
            drawn.append(numbers.expand(part.count, -1, -1, -1))
        amplitudes, directions = torch.cat(drawn).unbind(1)
        cosines = directions.real / directions.abs()
        times = times.expand(len(cosines), -1)
        if per_frame:
            slot_s = self.sampling.ofdm_symbols * self.sampling.symbol_s
            slots = torch.cat(
                [part.first + torch.arange(part.count, dtype=torch.float64) for part in parts]
            )
            times = times + slots.unsqueeze(1) * slot_s
        cycles = times[:, :, None, None] * (self.doppler_hz * cosines[:, None, first:].double())
        sums = torch.view_as_real((amplitudes[:, None, first:] * _phasors(cycles)).sum(-1))
        amplitude = (self.powers[first:] / SINUSOIDS).sqrt().unsqueeze(-1)
        gains = torch.view_as_complex(sums * amplitude)
        if first:
            begin = directions[:, 0, :1].angle().double() / (2 * math.pi)
            direct = _phasors(times * (LINE_OF_SIGHT_DOPPLER * self.doppler_hz) + begin)
            gains = torch.cat(((direct * self.powers[0].sqrt()).unsqueeze(-1), gains), -1)
        if not self.offset_hz:
            return gains
        return gains * _phasors(times * self.offset_hz).unsqueeze(-1)

    def correlation(self) -> Correlation:
        """In closed form: J0 over time, plus a line for the line of sight; the delay profile over
        frequency.
        """
        import torch

        lags = torch.arange(self.sampling.ofdm_symbols) * self.sampling.symbol_s
        angles = 2 * math.pi * lags
        time = torch.special.bessel_j0(angles * self.doppler_hz).to(torch.complex64)
        if self.line_of_sight:
            line = torch.polar(torch.ones(()), angles * LINE_OF_SIGHT_DOPPLER * self.doppler_hz)
            time = self.powers[0] * line + (1 - self.powers[0]) * time
        time = time * torch.polar(torch.ones(()), angles * self.offset_hz)
        bands = torch.arange(self.sampling.subcarriers) * self.sampling.subcarrier_spacing_hz
        phases = -2 * math.pi * bands.unsqueeze(1) * self.delays_s
        return Correlation(
            time, torch.polar(self.powers.expand_as(phases).contiguous(), phases).sum(1)
        )


def _phasors(cycles: torch.Tensor) -> torch.Tensor:
    """exp(2 pi i cycles), complex64; cycles are float64, because a long frame has many."""
    import torch

    phases = ((cycles - cycles.floor()) * (2 * math.pi)).float()
    return torch.polar(torch.ones_like(phases), phases)
