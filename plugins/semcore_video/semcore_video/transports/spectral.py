"""Transport of numbers over time by DCT coefficients: the common part of fixed and trained
priors."""

from __future__ import annotations

import abc
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le

from semcore import Adaptive, ComponentError, Features, Received, Span, Stream
from semcore_channels.transports import header_code
from semcore_channels.transports.interleaving import interleave
from semcore_channels.transports.stream_layout import Burst, StreamTransport, deinterleaved_span

LEVELS, LEAST_DB, STEP_DB = header_code.SET_SIZE, -60.0, 0.75
"""Number of scales in the header, the root mean square of the first, and the step, dB."""
FADED = 4.0
"""Margin over the mean noise in the choice of the prior: fades cost most where it is wrong."""
BLOCK = 1024
"""Maximum number of real symbols over which coefficients are spread jointly: the estimate is cubic
in it."""


@dataclass(frozen=True, eq=False)
class Prior:
    """Variances of the coefficients of T frames of D numbers, assumed by both ends.

    Fields:
        variances: float64 (T, D)
    """

    variances: np.ndarray


@dataclass(frozen=True, eq=False)
class Plan:
    """The coefficients that are sent, largest variance first, and their amplitudes.

    Fields:
        chosen: indices into (T, D), flattened
        amplitudes: factor of each
        variances: assumed variance of each
        length: number of real symbols, of mean power 1/2 each
    """

    chosen: np.ndarray
    amplitudes: np.ndarray
    variances: np.ndarray
    length: int

    def error(self, spectrum: np.ndarray, noise: float) -> float:
        """Squared error of a spectrum (T x D,) with noise of one variance: of the coefficients that
        are sent, and of the rest."""
        sent, gains = spectrum[self.chosen], self.variances * self.amplitudes
        power = 2 * float(np.square(sent * self.amplitudes).sum()) / max(self.length, 1)
        weights = gains / np.maximum(gains * self.amplitudes + noise, 1e-30)
        error_sent = (
            np.square((1 - weights * self.amplitudes) * sent).sum()
            + np.square(weights).sum() * noise * power
        )
        return float(np.square(spectrum).sum() - np.square(sent).sum() + error_sent)

    def encode(self, spectrum: np.ndarray) -> np.ndarray:
        """A spectrum (T x D,) as real symbols (length,), each coefficient spread over many."""
        found = np.zeros(self.length)
        for numbers, coefficients, spreading in self._blocks():
            found[numbers] = spreading @ (
                spectrum[self.chosen[coefficients]] * self.amplitudes[coefficients]
            )
        return found

    def estimate(self, received: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """MMSE estimate of the coefficients (n,), given received real symbols and their noise
        variances (length,)."""
        found = np.zeros(len(self.chosen))
        for numbers, coefficients, spreading in self._blocks():
            amplitudes = self.amplitudes[coefficients]
            powers = self.variances[coefficients] * np.square(amplitudes)
            used = powers > 0
            weighted = spreading[:, used] / noise[numbers, None]
            precision = np.diag(1 / powers[used]) + spreading[:, used].T @ weighted
            part = np.zeros(len(powers))
            part[used] = (
                np.linalg.solve(precision, weighted.T @ received[numbers]) / amplitudes[used]
            )
            found[coefficients] = part
        return found

    def _blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Indices of real symbols, indices of coefficients, and the matrix with orthonormal columns
        that spreads the latter over the former."""
        count = -(-self.length // BLOCK)
        for block in range(count):
            numbers = np.arange(block, self.length, count)
            coefficients = np.arange(block, len(self.chosen), count)
            yield numbers, coefficients, _spreading(len(numbers), len(coefficients))


@functools.lru_cache(maxsize=16)
def _spreading(length: int, count: int) -> np.ndarray:
    """Matrix with orthonormal columns and entries of similar magnitude: float64 (length, count)."""
    from scipy.fft import dct

    signs = np.random.Generator(np.random.PCG64(length)).choice((-1.0, 1.0), length)
    columns = np.arange(count) * length // max(count, 1)
    return signs[:, None] * dct(np.eye(length), type=4, norm="ortho", axis=0)[:, columns]


@dataclass(frozen=True)
class Spectral(StreamTransport, Adaptive, abc.ABC):
    """Features over time as DCT coefficients: those of the largest variance, with the power
    allocation of minimum error.

    The rows of a stream (T, D) are frames. Both ends assume variances of the coefficients (DCT-II)
    of each column; the 2 `symbols` coefficients of the largest variance are sent. A coefficient of
    standard deviation s has the amplitude of minimum mean squared error over a channel with noise
    of variance v, a^2 = (w / s - v / s^2)+ with a common w, and is spread over the whole row by
    orthonormal columns, so that a fade affects many coefficients a little. The receiver is an MMSE
    estimator for the residual noise of each symbol (Wiener, if it is the same in all); the
    transmitter assumes the mean SNR of the channel.

    The scale that gives the row unit power is sent in a header of 32 channel uses, or more below 3
    dB: one of many nearly orthogonal codewords, for a level in steps of 0.75 dB. A stream whose
    header is not decoded is lost. The shape is known from the session.

    Fields:
        symbols: complex symbols per stream, without the header
    """

    carries: ClassVar[tuple[type[Stream], ...]] = (Features,)
    loopback_sdr_db: ClassVar[float] = 0.0

    symbols: Annotated[int, Ge(1), Le(1_000_000)] = 300

    @abc.abstractmethod
    def priors(self, form: tuple[int, int]) -> Sequence[Prior]:
        """Candidate priors of T frames of D numbers; the header states which of them fits a stream
        best."""

    def burst(self, name: str, stream: Stream) -> Burst:
        import torch
        from scipy.fft import dct

        if not isinstance(stream, Features) or not np.isfinite(stream.values).all():
            raise ComponentError(
                f"{type(self).__name__} sends finite numbers only, and stream {name!r} has others"
            )
        frames = _frames(stream.values).astype(np.float64)
        spectrum = dct(frames, axis=0, norm="ortho").ravel()
        priors = self.priors(_shape(frames))
        plans = [self.plan(prior) for prior in priors]
        best = int(np.argmin([plan.error(spectrum, FADED * self._noise) for plan in plans]))
        numbers = torch.from_numpy(plans[best].encode(spectrum).astype(np.float32))
        data = torch.view_as_complex(numbers.reshape(-1, 2))
        rms = float(data.abs().square().mean().sqrt()) if len(data) else 0.0
        level, scale = scale_of(rms)
        word = header_code.encode(best * LEVELS + level, len(priors), self._header_copies)
        symbols = interleave(torch.cat((word, data / scale)))
        return Burst(name, stream, symbols, {"header": len(word), "data": len(data)}, {})

    def stream(self, span: Span, received: Received) -> Stream | None:
        import torch
        from scipy.fft import idct

        values, noise_var = deinterleaved_span(span, received)
        frames = _frames(np.empty(span.form, np.float32))
        priors, header = self.priors(_shape(frames)), header_code.WORD_USES * self._header_copies
        number = header_code.decode(values[:header], noise_var[:header], len(priors))
        if number is None:
            return None
        best, level = divmod(number, LEVELS)
        plan = self.plan(priors[best])
        data = torch.view_as_real(values[header:]).flatten().numpy().astype(np.float64)
        noise = (noise_var[header:].repeat_interleave(2) / 2).numpy().astype(np.float64)
        spectrum = np.zeros(frames.size)
        # The variances are relative to the scale.
        spectrum[plan.chosen] = plan.estimate(data, noise) * scale_at(level)
        found = idct(spectrum.reshape(frames.shape), axis=0, norm="ortho")
        return Features(found.astype(np.float32).reshape(span.form))

    @property
    def _header_copies(self) -> int:
        """Repetitions of the header."""
        return header_code.copies(self.design_snr_db)

    @property
    def _noise(self) -> float:
        """Noise variance per real symbol assumed by both ends."""
        return float(10 ** (-self.design_snr_db / 10) / 2)

    def plan(self, prior: Prior) -> Plan:
        """The plan that both ends derive from `prior`."""
        variances = prior.variances.ravel()
        chosen = np.argsort(-variances, kind="stable")[: 2 * self.symbols]
        variances = variances[chosen]
        length = 2 * self.symbols if len(chosen) else 0
        return Plan(
            chosen, _amplitudes(np.sqrt(variances), self._noise, length / 2), variances, length
        )


def scale_of(rms: float) -> tuple[int, float]:
    """The level that the header sends for a root mean square, and its value."""
    level = int(
        np.clip(np.round((20 * np.log10(max(rms, 1e-9)) - LEAST_DB) / STEP_DB), 0, LEVELS - 1)
    )
    return level, scale_at(level)


def scale_at(level: int) -> float:
    """The root mean square of a level."""
    return float(10 ** ((LEAST_DB + STEP_DB * level) / 20))


def _frames(values: np.ndarray) -> np.ndarray:
    """Features as (T, D): the first axis is time."""
    return values.reshape(len(values), -1) if values.ndim > 1 else values[:, None]


def _shape(frames: np.ndarray) -> tuple[int, int]:
    return frames.shape[0], frames.shape[1]


def _amplitudes(deviations: np.ndarray, noise: float, power: float) -> np.ndarray:
    """Amplitudes of minimum mean squared error for a total power; `deviations` in descending
    order."""
    count = len(deviations)
    if not count:
        return deviations
    # Power p = a^2 s^2 = w s sqrt(v) - v for the first n coefficients, none for the others; n is
    # the largest that fits.
    sums = np.cumsum(deviations)
    levels = (power + noise * np.arange(1, count + 1)) / sums
    fits = int(np.flatnonzero(levels * deviations > noise)[-1]) + 1
    shares = np.maximum(levels[fits - 1] * deviations - noise, 0)
    shares[fits:] = 0
    return np.sqrt(shares) / deviations
