"""NTN-TDL of TR 38.811: tapped delay lines of a satellite link, drawn straight as responses of a slot."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from semcore.rng import Rng
from semcore_channels.ofdm.estimation import Correlation
from semcore_channels.ofdm.sampling import Sampling
from semcore_channels.ofdm.slots import SlotRange
from semcore_channels.simd import LANES

if TYPE_CHECKING:
    import torch

Model = Literal["A", "B", "C", "D"]

SINUSOIDS = 16
"""Waves that a tap is made of. Their amplitudes are Gaussian, so a tap is, too, however few they are."""
LINE_OF_SIGHT_DOPPLER = 0.7
"""Doppler shift of the line of sight as a share of the largest, TR 38.901, 7.7.2."""


@dataclass(frozen=True)
class Tap:
    """A tap: delay in units of the RMS delay spread, power in dB, and whether it is the line of sight, which stays."""

    delay: float
    power_db: float
    line_of_sight: bool = False


PROFILES: dict[str, tuple[Tap, ...]] = {
    "A": (Tap(0, 0), Tap(1.0811, -4.675), Tap(2.8416, -6.482)),
    "B": (Tap(0, 0), Tap(0.7249, -1.973), Tap(0.7410, -4.332), Tap(5.7392, -11.914)),
    "C": (Tap(0, -0.394, True), Tap(0, -10.618), Tap(14.8124, -23.373)),
    "D": (Tap(0, -0.284, True), Tap(0, -11.991), Tap(0.5596, -9.887), Tap(7.3340, -16.771)),
}
"""TR 38.811 Tables 6.9.2-1 to 6.9.2-4, for an elevation of 50 degrees; A and B have no line of sight."""


@dataclass(frozen=True)
class TappedDelayLine:
    """A profile in motion.

    Fields:
        model: profile
        delay_spread_s: RMS delay spread
        doppler_hz: largest Doppler shift of the terminal's motion
        offset_hz: frequency offset common to all taps, what is left of the satellite's Doppler shift
        sampling: where the response is sampled
    """

    model: Model
    delay_spread_s: float
    doppler_hz: float
    offset_hz: float
    sampling: Sampling

    @functools.cached_property
    def powers(self) -> torch.Tensor:
        """Mean power of each tap, together 1, float32 (taps,)."""
        import torch

        powers = torch.tensor([10 ** (tap.power_db / 10) for tap in PROFILES[self.model]])
        return powers / powers.sum()

    @functools.cached_property
    def delays_s(self) -> torch.Tensor:
        """Delay of each tap, float32 (taps,)."""
        import torch

        return torch.tensor([tap.delay * self.delay_spread_s for tap in PROFILES[self.model]])

    @property
    def line_of_sight(self) -> bool:
        """Whether the first tap is one."""
        return PROFILES[self.model][0].line_of_sight

    def response(self, parts: Sequence[SlotRange], rng: Rng, *, lasting: bool) -> torch.Tensor:
        """Responses of the slots of `parts`, complex64 (slots, 1, symbols, subcarriers).

        Args:
            parts: the slots; each part draws at its own address
            rng: address of the link
            lasting: one realisation goes on over all slots of a row, or else every slot has its own
        """
        import torch

        sampling = self.sampling
        fading = self.doppler_hz + abs(self.offset_hz)
        times = sampling.times_s(sampling.instants(fading)).double()
        gains = self._gains(parts, rng, times, lasting)
        slots = len(gains)
        gains = torch.nn.functional.pad(gains, (0, 0, 0, 0, 0, -slots % LANES)).unsqueeze(-1)
        delays = sampling.phasors(self.delays_s.unsqueeze(0))[0]
        sampled = gains[:, :, 0] * delays[0]
        for tap in range(1, len(delays)):
            sampled = sampled + gains[:, :, tap] * delays[tap]
        return sampling.over_time(sampled)[:slots].unsqueeze(1)

    def _gains(self, parts: Sequence[SlotRange], rng: Rng, times: torch.Tensor, lasting: bool) -> torch.Tensor:
        """Gains of the taps, complex64 (slots, instants, taps).

        A tap is sum_m g_m exp(2 pi i fd cos(a_m) t) / sqrt(M) with Gaussian g_m and uniform angles a_m: Gaussian at every
        instant, with the autocorrelation J0(2 pi fd t) of Clarke's model over the ensemble. The angles are those of other
        Gaussian numbers, so that a part needs its generator once.
        """
        import torch

        turn, taps, first = 2 * math.pi, len(self.powers), int(self.line_of_sight)
        drawn = [
            torch.randn(
                1 if lasting else part.count, 2, taps, SINUSOIDS, dtype=torch.complex64,
                generator=rng.at("taps", part.key, *(() if lasting else (part.first,))).torch(),
            ).expand(part.count, -1, -1, -1)
            for part in parts
        ]  # fmt: skip
        amplitudes, directions = torch.cat(drawn).unbind(1)
        shares = directions.real / directions.abs()  # cosines of the angles
        moments = times.expand(len(shares), -1)
        if lasting:
            slot_s = self.sampling.ofdm_symbols * self.sampling.symbol_s
            begins = torch.cat([part.first + torch.arange(part.count, dtype=torch.float64) for part in parts])
            moments = moments + begins.unsqueeze(1) * slot_s
        cycles = moments[:, :, None, None] * (self.doppler_hz * shares[:, None, first:].double())
        gains = (amplitudes[:, None, first:] * _turned(cycles)).sum(-1)
        gains = torch.view_as_complex(torch.view_as_real(gains) * (self.powers[first:] / SINUSOIDS).sqrt().unsqueeze(-1))
        if first:
            begin = directions[:, 0, :1].angle().double() / turn
            direct = _turned(moments * (LINE_OF_SIGHT_DOPPLER * self.doppler_hz) + begin)
            gains = torch.cat(((direct * self.powers[0].sqrt()).unsqueeze(-1), gains), -1)
        return gains * _turned(moments * self.offset_hz).unsqueeze(-1) if self.offset_hz else gains

    def correlation(self) -> Correlation:
        """In closed form: J0 over time, with a line where there is a line of sight; the delay profile over frequency."""
        import torch

        lags = torch.arange(self.sampling.ofdm_symbols) * self.sampling.symbol_s
        turns = 2 * math.pi * lags
        time = torch.special.bessel_j0(turns * self.doppler_hz).to(torch.complex64)
        if self.line_of_sight:
            line = torch.polar(torch.ones(()), turns * LINE_OF_SIGHT_DOPPLER * self.doppler_hz)
            time = self.powers[0] * line + (1 - self.powers[0]) * time
        time = time * torch.polar(torch.ones(()), turns * self.offset_hz)
        bands = torch.arange(self.sampling.subcarriers) * self.sampling.subcarrier_spacing_hz
        phases = -2 * math.pi * bands.unsqueeze(1) * self.delays_s
        return Correlation(time, torch.polar(self.powers.expand_as(phases).contiguous(), phases).sum(1))


def _turned(cycles: torch.Tensor) -> torch.Tensor:
    """exp(2 pi i cycles), complex64; the cycles in double precision, for a frame has many."""
    import torch

    phases = ((cycles - cycles.floor()) * (2 * math.pi)).float()
    return torch.polar(torch.ones_like(phases), phases)
