"""Channel estimation from the pilots, and what the receiver knows of its error.

The response is wide-sense stationary over time and frequency: its correlation between two resource elements is
r_t[t - t'] r_f[f - f'] (`Correlation`). Every estimator here is linear in the pilots, so its error has a closed form in
that correlation and the noise variance: how much of the estimate to believe (`trust`) and how much is not known after that
(`unknown`). A receiver that takes a least-squares estimate for the truth is overconfident in low SNR, and blind to what the
interpolation between pilots misses in high SNR.
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
        """The correlation measured over realisations, complex64 (slots, antennas, symbols, subcarriers)."""
        over_time = _lags(response.transpose(2, 3))
        return cls(over_time / over_time[0], _lags(response))

    @property
    def power(self) -> float:
        """Mean power of the response."""
        return float(self.frequency[0].real)

    def at_unit_power(self) -> Correlation:
        """The same of a response that is scaled to unit power."""
        return Correlation(self.time, self.frequency / self.power)


def _lags(values: torch.Tensor) -> torch.Tensor:
    """Correlation along the last dimension, averaged over all others, by the periodogram."""
    import torch

    count = values.shape[-1]
    spectrum = torch.fft.fft(values, 2 * count).abs().square().flatten(0, -2).mean(0)
    raw = torch.fft.ifft(spectrum)[:count] / torch.arange(count, 0, -1)
    return raw.to(torch.complex64)


@dataclass(frozen=True, eq=False)
class Estimator:
    """Estimates the response of every resource element from the pilots of its slot.

    `ls` takes each pilot as it arrived and interpolates between them along time and frequency: on a straight line, which
    is continued outside of the outermost pilots, or from the nearest. `lmmse` is the linear estimate of least mean square
    error, the two-dimensional Wiener filter; it knows the correlation and the noise variance. (Wiener filter: P. Hoeher
    et al., ICASSP 1997; linear and least-squares: S. Coleri et al., IEEE Trans. Broadcast. 48(3), 2002.)

    Fields:
        grid: where the pilots are
        correlation: of the response
        method: `ls` or `lmmse`
        interpolation: `linear` or `nearest`, for `ls`
    """

    grid: Grid
    correlation: Correlation
    method: Literal["ls", "lmmse"] = "ls"
    interpolation: Literal["linear", "nearest"] = "linear"

    def interpolated(self, arrived: torch.Tensor, noise_var: torch.Tensor) -> torch.Tensor:
        """What the estimator makes of anything that arrives, response or noise: it is linear.

        Args:
            arrived: complex64 (slots, antennas, symbols, subcarriers)
            noise_var: N0 at a small-scale response of unit power, float32 (slots,) or (1,); `ls` does without

        Returns:
            complex64 of the shape of `arrived`
        """
        at_pilots = self.grid.at_pilots(arrived)
        if self.method == "ls":
            time, frequency = self._lines
            return frequency.over_frequency(time.over_time(at_pilots))
        over_time, over_frequency = self._modes
        modes = over_time.vectors.mH @ at_pilots @ over_frequency.vectors.conj()
        return over_time.spread @ (self._gain(noise_var) * modes) @ over_frequency.spread.mT

    def reliability(self, noise_var: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The response lies around trust times the estimate, with the variance `unknown`.

        Returns:
            trust, complex64, and unknown, float32; both broadcast to (slots, symbols, subcarriers)
        """
        if self.method == "ls":
            agreement, square, power, noise = self._moments
            power = power + noise_var.reshape(-1, 1, 1) * noise
            return agreement / power, (self.correlation.power - square / power).clamp_min(1e-12)
        over_time, over_frequency = self._modes
        gain = self._gain(noise_var)[:, 0]
        power = over_time.spread.abs().square() @ gain @ over_frequency.spread.abs().square().mT
        return self.correlation.time.new_ones(power.shape), (self.correlation.power - power).clamp_min(1e-12)

    def _gain(self, noise_var: torch.Tensor) -> torch.Tensor:
        """The Wiener filter: with eigenvectors of both correlations it is a division, (slots, 1, time modes, others)."""
        time, frequency = self._modes
        return 1 / (time.values.unsqueeze(1) * frequency.values + noise_var.reshape(-1, 1, 1, 1))

    @functools.cached_property
    def _moments(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """E[h e*], its square, and E|e|^2 without and by noise of unit variance, of every resource element."""
        time, frequency = (line.moments for line in self._lines)
        agreement, power, noise = (_outer(over, across) for over, across in zip(time, frequency, strict=True))
        return agreement, agreement.abs().square(), power.real.contiguous(), noise.real.contiguous()

    @functools.cached_property
    def _lines(self) -> tuple[_Lines, _Lines]:
        nearest = self.interpolation == "nearest"
        return (
            _Lines.between(self.grid.pilot_symbols, self.grid.ofdm_symbols, nearest, self.correlation.time),
            _Lines.between(self.grid.pilot_subcarriers, self.grid.subcarriers, nearest, self.correlation.frequency),
        )

    @functools.cached_property
    def _modes(self) -> tuple[_Modes, _Modes]:
        return (
            _Modes.of(self.grid.pilot_symbols, self.correlation.time),
            _Modes.of(self.grid.pilot_subcarriers, self.correlation.frequency),
        )


def _outer(over_time: torch.Tensor, over_frequency: torch.Tensor) -> torch.Tensor:
    return over_time.unsqueeze(1) * over_frequency


def _between(correlation: torch.Tensor, later: torch.Tensor, earlier: torch.Tensor) -> torch.Tensor:
    """Correlation of the response at `later` with that at `earlier`, wherever the two lie."""
    import torch

    lag = later - earlier
    found = correlation[lag.abs()]
    return torch.where(lag < 0, found.conj(), found)


@dataclass(frozen=True, eq=False)
class _Lines:
    """Interpolation along one dimension: each place is a weighted sum of two pilots.

    Fields:
        left, right: which pilots, int64 (places,)
        weight: weight of the right one, float32 (places,); that of the left is 1 - weight
        moments: E[h e*], E|e|^2 of the noise-free estimate e, and the sum of the squared weights, complex64 (places,)
        whole: whether every place is a pilot of its own
    """

    left: torch.Tensor
    right: torch.Tensor
    weight: torch.Tensor
    moments: tuple[torch.Tensor, torch.Tensor, torch.Tensor]
    whole: bool

    @classmethod
    def between(cls, pilots: tuple[int, ...], count: int, nearest: bool, correlation: torch.Tensor) -> _Lines:
        import torch

        places, known = torch.arange(count), torch.tensor(pilots)
        right = torch.searchsorted(known, places).clamp(min(1, len(pilots) - 1), len(pilots) - 1)
        left = (right - 1).clamp_min(0)
        weight = (places - known[left]) / (known[right] - known[left]).clamp_min(1)
        weight = weight.round().clamp(0, 1) if nearest else weight
        weight = weight if len(pilots) > 1 else torch.zeros(count)
        a, b = 1 - weight, weight
        agreement = a * _between(correlation, places, known[left]) + b * _between(correlation, places, known[right])
        across = _between(correlation, known[right], known[left]).real
        noise = (a.square() + b.square()).to(correlation.dtype)
        power = noise * correlation[0].real + 2 * a * b * across
        return cls(left, right, weight, (agreement, power, noise), len(pilots) == count)

    def over_time(self, values: torch.Tensor) -> torch.Tensor:
        """Complex (..., pilots, subcarriers) -> (..., places, subcarriers): few pilots, so a product of matrices."""
        import torch

        if self.whole:
            return values
        dense = self.matrix @ torch.view_as_real(values).flatten(-2)
        return torch.view_as_complex(dense.unflatten(-1, (-1, 2)))

    def over_frequency(self, values: torch.Tensor) -> torch.Tensor:
        """Complex (..., pilots) -> (..., places): many pilots, of which each place wants two."""
        if self.whole:
            return values
        left, right = values.index_select(-1, self.left), values.index_select(-1, self.right)
        return left + (right - left) * self.weight

    @functools.cached_property
    def matrix(self) -> torch.Tensor:
        """The weights of all pilots, float32 (places, pilots)."""
        import torch

        known = torch.arange(int(self.right.max()) + 1)
        return (known == self.left[:, None]) * (1 - self.weight[:, None]) + (known == self.right[:, None]) * self.weight[
            :, None
        ]


@dataclass(frozen=True, eq=False)
class _Modes:
    """One dimension of the response, taken apart into what is uncorrelated at the pilots.

    Fields:
        values: variance of each mode, float32 (pilots,)
        vectors: the modes at the pilots, complex64 (pilots, pilots)
        spread: correlation of the response at every place with each mode, complex64 (places, pilots)
    """

    values: torch.Tensor
    vectors: torch.Tensor
    spread: torch.Tensor

    @classmethod
    def of(cls, pilots: tuple[int, ...], correlation: torch.Tensor) -> _Modes:
        import torch

        places, known = torch.arange(len(correlation)), torch.tensor(pilots)
        exact = correlation.to(torch.complex128)
        values, vectors = torch.linalg.eigh(_between(exact, known.unsqueeze(1), known))
        spread = _between(exact, places.unsqueeze(1), known) @ vectors
        return cls(values.clamp_min(0).float(), vectors.to(torch.complex64), spread.to(torch.complex64))
