"""Channel estimation from the pilots, and the reliability of the estimate.

The response is wide-sense stationary over time and frequency: its correlation between two resource
elements is r_t[t - t'] r_f[f - f'] (`Correlation`). All estimators here are linear in the pilots,
so their error has a closed form in that correlation and the noise variance: the response is `trust`
times the estimate, with a remaining variance `unknown`. A receiver that takes a least-squares
estimate for the response is overconfident at low SNR, and at high SNR ignores the interpolation
error between pilots.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from semcore_channels.ofdm.grid import Grid

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, eq=False)
class Correlation:
    """Correlation of a response, E[h[t + dt, f + df] h*[t, f]] = time[dt] frequency[df].

    Fields:
        time: over OFDM symbols, complex64 (symbols,), 1 at lag 0
        frequency: over subcarriers, complex64 (subcarriers,), the mean power at lag 0
    """

    time: torch.Tensor
    frequency: torch.Tensor

    @classmethod
    def of(cls, response: torch.Tensor) -> Correlation:
        """The correlation of realisations, complex64 (slots, antennas, symbols, subcarriers)."""
        over_time = _lags(response.transpose(2, 3))
        return cls(over_time / over_time[0], _lags(response))

    @property
    def power(self) -> float:
        """Mean power of the response."""
        return float(self.frequency[0].real)

    def at_unit_power(self) -> Correlation:
        """The correlation of the response scaled to unit power."""
        return Correlation(self.time, self.frequency / self.power)


def _lags(values: torch.Tensor) -> torch.Tensor:
    """Correlation along the last dimension, averaged over all others, from the periodogram."""
    import torch

    count = values.shape[-1]
    spectrum = torch.fft.fft(values, 2 * count).abs().square().flatten(0, -2).mean(0)
    raw = torch.fft.ifft(spectrum)[:count] / torch.arange(count, 0, -1)
    return raw.to(torch.complex64)


@dataclass(frozen=True, eq=False)
class Estimator:
    """Estimates the response of every resource element from the pilots of its slot.

    `ls` is the least-squares estimate at each pilot, interpolated along time and frequency:
    linearly, and extrapolated beyond the outermost pilots, or from the nearest pilot. `lmmse` is
    the linear minimum mean square error estimate, the two-dimensional Wiener filter; it knows the
    correlation and the noise variance. (Wiener filter: P. Hoeher et al., ICASSP 1997; linear
    interpolation and least squares: S. Coleri et al., IEEE Trans. Broadcast. 48(3), 2002.)

    Fields:
        grid: positions of the pilots
        correlation: of the response
        method: `ls` or `lmmse`
        interpolation: `linear` or `nearest`, for `ls`
    """

    grid: Grid
    correlation: Correlation
    method: Literal["ls", "lmmse"] = "ls"
    interpolation: Literal["linear", "nearest"] = "linear"

    def interpolated(self, arrived: torch.Tensor, noise_var: torch.Tensor) -> torch.Tensor:
        """The estimate from received slots; linear, so signal and noise may be given separately.

        Args:
            arrived: complex64 (slots, antennas, symbols, subcarriers)
            noise_var: N0 at a small-scale response of unit power, float32 (slots,) or (1,); unused
                by `ls`

        Returns:
            complex64 of the shape of `arrived`
        """
        at_pilots = self.grid.at_pilots(arrived)
        if self.method == "ls":
            time, frequency = self._interpolators
            return frequency.over_frequency(time.over_time(at_pilots))
        over_time, over_frequency = self._modes
        modes = over_time.vectors.mH @ at_pilots @ over_frequency.vectors.conj()
        return over_time.spread @ (self._gain(noise_var) * modes) @ over_frequency.spread.mT

    def reliability(self, noise_var: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and variance of the response, given the estimate: trust x estimate, and unknown.

        Returns:
            trust, complex64, and unknown, float32; both broadcast to (slots, symbols, subcarriers)
        """
        if self.method == "ls":
            cross, square, power, noise = self._moments
            power = power + noise_var.reshape(-1, 1, 1) * noise
            return cross / power, (self.correlation.power - square / power).clamp_min(1e-12)
        over_time, over_frequency = self._modes
        gain = self._gain(noise_var)[:, 0]
        power = over_time.spread.abs().square() @ gain @ over_frequency.spread.abs().square().mT
        trust = self.correlation.time.new_ones(power.shape)
        return trust, (self.correlation.power - power).clamp_min(1e-12)

    def _gain(self, noise_var: torch.Tensor) -> torch.Tensor:
        """Diagonal of the Wiener filter in the modes: (slots, 1, time modes, frequency modes)."""
        time, frequency = self._modes
        return 1 / (time.values.unsqueeze(1) * frequency.values + noise_var.reshape(-1, 1, 1, 1))

    @functools.cached_property
    def _moments(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """E[h e*], |E[h e*]|^2, E|e|^2 without noise, and its increase per noise variance."""
        pairs = zip(*(axis.moments for axis in self._interpolators), strict=True)
        cross, power, noise = (time.unsqueeze(1) * frequency for time, frequency in pairs)
        return cross, cross.abs().square(), power.real.contiguous(), noise.real.contiguous()

    @functools.cached_property
    def _interpolators(self) -> tuple[_Interpolator, _Interpolator]:
        """Over time and over frequency."""
        nearest, grid, known = self.interpolation == "nearest", self.grid, self.correlation
        return (
            _Interpolator.between(grid.pilot_symbols, grid.ofdm_symbols, nearest, known.time),
            _Interpolator.between(
                grid.pilot_subcarriers, grid.subcarriers, nearest, known.frequency
            ),
        )

    @functools.cached_property
    def _modes(self) -> tuple[_Modes, _Modes]:
        """Of time and of frequency."""
        return (
            _Modes.of(self.grid.pilot_symbols, self.correlation.time),
            _Modes.of(self.grid.pilot_subcarriers, self.correlation.frequency),
        )


def _between(correlation: torch.Tensor, later: torch.Tensor, earlier: torch.Tensor) -> torch.Tensor:
    """Correlation of the response at `later` with that at `earlier`, in either order."""
    import torch

    lag = later - earlier
    values = correlation[lag.abs()]
    return torch.where(lag < 0, values.conj(), values)


@dataclass(frozen=True, eq=False)
class _Interpolator:
    """Interpolation along one dimension: each place is a weighted sum of two pilots.

    Fields:
        left, right: index of the pilots, int64 (places,)
        weight: weight of the right pilot, float32 (places,); the left one has 1 - weight
        moments: E[h e*], E|e|^2 of the noise-free estimate e, and the sum of the squared weights,
            complex64 (places,)
        identity: whether every place is a pilot
    """

    left: torch.Tensor
    right: torch.Tensor
    weight: torch.Tensor
    moments: tuple[torch.Tensor, torch.Tensor, torch.Tensor]
    identity: bool

    @classmethod
    def between(
        cls, pilots: tuple[int, ...], count: int, nearest: bool, correlation: torch.Tensor
    ) -> _Interpolator:
        """From pilots at some of `count` places, ascending.

        Args:
            pilots: places of the pilots
            count: number of places
            nearest: take the nearest pilot, instead of interpolating linearly
            correlation: of the response, complex64 (count,)
        """
        import torch

        places, known = torch.arange(count), torch.tensor(pilots)
        last = len(pilots) - 1
        right = torch.searchsorted(known, places).clamp(min(1, last), last)
        left = (right - 1).clamp_min(0)
        weight = (places - known[left]) / (known[right] - known[left]).clamp_min(1)
        if nearest:
            weight = weight.round().clamp(0, 1)
        if len(pilots) == 1:
            weight = torch.zeros(count)
        a, b = 1 - weight, weight
        at_left = _between(correlation, places, known[left])
        at_right = _between(correlation, places, known[right])
        across = _between(correlation, known[right], known[left]).real
        noise = (a.square() + b.square()).to(correlation.dtype)
        power = noise * correlation[0].real + 2 * a * b * across
        moments = (a * at_left + b * at_right, power, noise)
        return cls(left, right, weight, moments, len(pilots) == count)

    def over_time(self, values: torch.Tensor) -> torch.Tensor:
        """Complex (..., pilots, subcarriers) -> (..., places, subcarriers)."""
        import torch

        if self.identity:
            return values
        dense = self.matrix @ torch.view_as_real(values).flatten(-2)
        return torch.view_as_complex(dense.unflatten(-1, (-1, 2)))

    def over_frequency(self, values: torch.Tensor) -> torch.Tensor:
        """Complex (..., pilots) -> (..., places). By index: a place needs two of many pilots."""
        if self.identity:
            return values
        left, right = values.index_select(-1, self.left), values.index_select(-1, self.right)
        return left + (right - left) * self.weight

    @functools.cached_property
    def matrix(self) -> torch.Tensor:
        """The weights of all pilots, float32 (places, pilots)."""
        import torch

        pilots = torch.arange(int(self.right.max()) + 1)
        is_left, is_right = pilots == self.left[:, None], pilots == self.right[:, None]
        return is_left * (1 - self.weight[:, None]) + is_right * self.weight[:, None]


@dataclass(frozen=True, eq=False)
class _Modes:
    """One dimension of the response in the eigenvectors of its correlation at the pilots.

    Fields:
        values: variance of each mode, float32 (pilots,)
        vectors: the modes at the pilots, complex64 (pilots, pilots)
        spread: correlation of the response at every place with each mode, complex64 (places,
            pilots)
    """

    values: torch.Tensor
    vectors: torch.Tensor
    spread: torch.Tensor

    @classmethod
    def of(cls, pilots: tuple[int, ...], correlation: torch.Tensor) -> _Modes:
        """From pilots at some of the places, and the correlation, complex64 (places,)."""
        import torch

        places, known = torch.arange(len(correlation)), torch.tensor(pilots)
        exact = correlation.to(torch.complex128)
        values, vectors = torch.linalg.eigh(_between(exact, known.unsqueeze(1), known))
        spread = _between(exact, places.unsqueeze(1), known) @ vectors
        return cls(
            values.clamp_min(0).float(), vectors.to(torch.complex64), spread.to(torch.complex64)
        )
