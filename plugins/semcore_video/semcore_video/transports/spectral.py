"""Numbers over time, sent as the cosines that they are made of: what codes with and without
training share."""

from __future__ import annotations

import abc
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le

from semcore.errors import ComponentError
from semcore.link.adaptation import Adaptive
from semcore.types import Features, Received, Span, Stream
from semcore_channels.transports import header_code
from semcore_channels.transports.interleaving import interleave
from semcore_channels.transports.stream_layout import Burst, StreamTransport, deinterleaved_span

LEVELS, LEAST_DB, STEP_DB = header_code.SET_SIZE, -60.0, 0.75
"""Scales that a header can tell, the root mean square of the first, and the step to the next,
dB."""
FADED = 4.0
"""How much more noise than on average is reckoned with when a prior is chosen: fades cost most
where it is wrong."""
BLOCK = 1024
"""Most real numbers that coefficients are spread over together: the estimate takes the cube of
it."""


@dataclass(frozen=True, eq=False)
class Prior:
    """What both ends believe of the coefficients of T frames of D numbers.

    Fields:
        variances: float64 (T, D)
    """

    variances: np.ndarray


@dataclass(frozen=True, eq=False)
class Plan:
    """Which coefficients are sent, the likeliest first, and how.

    Fields:
        chosen: indices into (T, D), flattened
        amplitudes: what each is multiplied by
        variances: of each, as both ends believe
        length: real numbers that carry them, 1/2 the mean power of each
    """

    chosen: np.ndarray
    amplitudes: np.ndarray
    variances: np.ndarray
    length: int

    def error(self, spectrum: np.ndarray, noise: float) -> float:
        """What is lost of a spectrum (T x D,) with noise of one variance: squared error of what is
        sent, and the rest."""
        heard, wanted = spectrum[self.chosen], self.variances * self.amplitudes
        power = 2 * float(np.square(heard * self.amplitudes).sum()) / max(self.length, 1)
        weights = wanted / np.maximum(wanted * self.amplitudes + noise, 1e-30)
        kept = (
            np.square((1 - weights * self.amplitudes) * heard).sum()
            + np.square(weights).sum() * noise * power
        )
        return float(np.square(spectrum).sum() - np.square(heard).sum() + kept)

    def sent(self, spectrum: np.ndarray) -> np.ndarray:
        """A spectrum (T x D,) as real numbers (length,), each coefficient spread over many."""
        found = np.zeros(self.length)
        for numbers, coefficients, turned in self._blocks():
            found[numbers] = turned @ (
                spectrum[self.chosen[coefficients]] * self.amplitudes[coefficients]
            )
        return found

    def estimate(self, heard: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """The coefficients of least mean squared error (n,), of real numbers as they arrived and
        their noise (length,)."""
        found = np.zeros(len(self.chosen))
        for numbers, coefficients, turned in self._blocks():
            amplitudes = self.amplitudes[coefficients]
            powers = self.variances[coefficients] * np.square(amplitudes)
            used = powers > 0
            seen = turned[:, used] / noise[numbers, None]
            told = np.diag(1 / powers[used]) + turned[:, used].T @ seen
            part = np.zeros(len(powers))
            part[used] = np.linalg.solve(told, seen.T @ heard[numbers]) / amplitudes[used]
            found[coefficients] = part
        return found

    def _blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Real numbers, coefficients, and the matrix with orthonormal columns that spreads these
        over those."""
        count = -(-self.length // BLOCK)
        for block in range(count):
            numbers, coefficients = (
                np.arange(block, self.length, count),
                np.arange(block, len(self.chosen), count),
            )
            yield numbers, coefficients, _spreading(len(numbers), len(coefficients))


@functools.lru_cache(maxsize=16)
def _spreading(length: int, count: int) -> np.ndarray:
    """Orthonormal columns whose entries are all about as large: float64 (length, count)."""
    from scipy.fft import dct

    signs = np.random.Generator(np.random.PCG64(length)).choice((-1.0, 1.0), length)
    columns = np.arange(count) * length // max(count, 1)
    return signs[:, None] * dct(np.eye(length), type=4, norm="ortho", axis=0)[:, columns]


@dataclass(frozen=True)
class Spectral(StreamTransport, Adaptive, abc.ABC):
    """Features over time as cosine coefficients, the likely ones with the power that serves them
    best.

    The rows of a stream (T, D) are frames. Of the coefficients of each column (DCT-II) both ends
    believe some variances; the 2 `symbols` likeliest are sent. A coefficient of deviation s gets
    the amplitude for which the mean squared error behind a channel with noise of variance v is
    least, a^2 = (w / s - v / s^2)+ with one w for all, and is spread over the whole row by
    orthonormal columns, so that a fade takes a little of many and not all of a few. The receiver's
    estimate is the one of least mean squared error for the noise that is left in each symbol
    (Wiener, where all have the same); the transmitter reckons with the mean SNR of the channel.

    The scale that gives the row unit power travels in a header of 32 channel uses, or more below 3
    dB: one of many words that are nearly orthogonal, which stands for a level in steps of 0.75 dB.
    A stream whose header is not understood is lost. The shape is known from the session.

    Fields:
        symbols: complex symbols a stream, besides the header
    """

    carries: ClassVar[tuple[type[Stream], ...]] = (Features,)
    loopback_sdr_db: ClassVar[float] = 0.0

    symbols: Annotated[int, Ge(1), Le(1_000_000)] = 300

    @abc.abstractmethod
    def priors(self, form: tuple[int, int]) -> Sequence[Prior]:
        """What may be believed of T frames of D numbers; the header says which of them serves a
        stream best."""

    def burst(self, name: str, stream: Stream) -> Burst:
        import torch
        from scipy.fft import dct

        if not isinstance(stream, Features) or not np.isfinite(stream.values).all():
            raise ComponentError(
                f"{type(self).__name__} sends finite numbers, and stream {name!r} holds others"
            )
        frames = _frames(stream.values).astype(np.float64)
        spectrum = dct(frames, axis=0, norm="ortho").ravel()
        priors = self.priors(_shape(frames))
        plans = [self.plan(one) for one in priors]
        best = int(np.argmin([plan.error(spectrum, FADED * self._noise) for plan in plans]))
        numbers = torch.from_numpy(plans[best].sent(spectrum).astype(np.float32))
        data = torch.view_as_complex(numbers.reshape(-1, 2))
        rms = float(data.abs().square().mean().sqrt()) if len(data) else 0.0
        level, scale = scale_of(rms)
        word = header_code.encode(best * LEVELS + level, len(priors), self._words)
        symbols = interleave(torch.cat((word, data / scale)))
        return Burst(name, stream, symbols, {"header": len(word), "data": len(data)}, {})

    def stream(self, span: Span, received: Received) -> Stream | None:
        import torch
        from scipy.fft import idct

        values, noise_var = deinterleaved_span(span, received)
        frames = _frames(np.empty(span.form, np.float32))
        priors, header = self.priors(_shape(frames)), header_code.WORD_USES * self._words
        number = header_code.decode(values[:header], noise_var[:header], len(priors))
        if number is None:
            return None
        best, level = divmod(number, LEVELS)
        plan = self.plan(priors[best])
        heard = torch.view_as_real(values[header:]).flatten().numpy().astype(np.float64)
        noise = (noise_var[header:].repeat_interleave(2) / 2).numpy().astype(np.float64)
        spectrum = np.zeros(frames.size)
        spectrum[plan.chosen] = plan.estimate(heard, noise) * scale_at(
            level
        )  # the variances are relative to it
        found = idct(spectrum.reshape(frames.shape), axis=0, norm="ortho")
        return Features(found.astype(np.float32).reshape(span.form))

    @property
    def _words(self) -> int:
        """How often the header is sent."""
        return header_code.copies(self.design_snr_db)

    @property
    def _noise(self) -> float:
        """The variance of the noise in a real number that both ends reckon with."""
        return float(10 ** (-self.design_snr_db / 10) / 2)

    def plan(self, prior: Prior) -> Plan:
        """What both ends agree on who believe `prior`."""
        variances = prior.variances.ravel()
        chosen = np.argsort(-variances, kind="stable")[: 2 * self.symbols]
        variances = variances[chosen]
        length = 2 * self.symbols if len(chosen) else 0
        return Plan(
            chosen, _amplitudes(np.sqrt(variances), self._noise, length / 2), variances, length
        )


def scale_of(rms: float) -> tuple[int, float]:
    """The level that a header tells of a root mean square, and what it stands for."""
    level = int(
        np.clip(np.round((20 * np.log10(max(rms, 1e-9)) - LEAST_DB) / STEP_DB), 0, LEVELS - 1)
    )
    return level, scale_at(level)


def scale_at(level: int) -> float:
    """The root mean square that a level stands for."""
    return float(10 ** ((LEAST_DB + STEP_DB * level) / 20))


def _frames(values: np.ndarray) -> np.ndarray:
    """Features as (T, D): the first axis is time."""
    return values.reshape(len(values), -1) if values.ndim > 1 else values[:, None]


def _shape(frames: np.ndarray) -> tuple[int, int]:
    return frames.shape[0], frames.shape[1]


def _amplitudes(deviations: np.ndarray, noise: float, power: float) -> np.ndarray:
    """Amplitudes of least mean squared error for a sum of powers, deviations falling."""
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
