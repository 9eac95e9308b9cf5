"""Numbers that change slowly, sent as the cosines that they are made of: the best analog code without training."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le

from semcore.adaptive import Adaptive
from semcore.errors import ComponentError
from semcore.types import Features, Received, Span, Stream
from semcore_channels.rows import Burst, StreamTransport

if TYPE_CHECKING:
    import torch

HEADER, LEAST_DB, STEP_DB = 32, -40.0, 0.5
"""Channel uses of the header, the root mean square that its first word stands for, and the step to the next, dB."""


@dataclass(frozen=True)
class DCT(StreamTransport, Adaptive):
    """Features over time as cosine coefficients, the likely ones with the power that serves them best.

    The rows of a stream (T, D) are frames. The coefficients of each column (DCT-II) have, so both ends believe, the variance
    1 / (1 + (k / knee)^slope) at frequency k; the 2 `symbols` likeliest are sent. A coefficient of deviation s gets the
    amplitude for which the mean squared error behind a channel with noise of variance v is least, a^2 = (w / s - v / s^2)+
    with one w for all, and is estimated as s^2 a / (s^2 a^2 + v) times what arrives (Wiener). The transmitter reckons with
    the mean SNR of the channel, the receiver with the noise that is left in each symbol.

    The scale that gives the row unit power travels in a header of 32 channel uses, or 64 below 0 dB: one of 64 orthogonal
    words or of their negatives, which stands for a level in steps of half a decibel. The shape is known from the session.

    Fields:
        symbols: complex symbols a stream, besides the header; fewer if there are fewer numbers
        knee: frequency index from which coefficients become small
        slope: how fast
    """

    reference: ClassVar[str] = (
        "K.-H. Lee and D. P. Petersen, Optimal linear coding for vector channels, IEEE Trans. Commun., 1976"
    )
    cites: ClassVar[tuple[str, ...]] = ("lee1976optimal",)
    carries: ClassVar[tuple[type[Stream], ...]] = (Features,)
    close_db: ClassVar[float] = 0.0
    tried_with = ({}, {"symbols": 1000, "knee": 8.0})

    symbols: Annotated[int, Ge(1), Le(1_000_000)] = 300
    knee: Annotated[float, Gt(0)] = 4.0
    slope: Annotated[float, Ge(0), Le(8)] = 2.4

    def burst(self, name: str, stream: Stream) -> Burst:
        import torch
        from scipy.fft import dct

        if not isinstance(stream, Features) or not np.isfinite(stream.values).all():
            raise ComponentError(f"dct sends finite numbers, and stream {name!r} holds others")
        chosen, amplitudes, _ = self.plan(stream.form)
        spectrum = dct(_frames(stream.values).astype(np.float64), axis=0, norm="ortho").ravel()[chosen] * amplitudes
        numbers = torch.from_numpy(spectrum.astype(np.float32))
        data = torch.view_as_complex(torch.nn.functional.pad(numbers, (0, numbers.numel() % 2)).reshape(-1, 2))
        rms = float(data.abs().square().mean().sqrt()) if len(data) else 0.0
        level = int(np.clip(np.round((20 * np.log10(max(rms, 1e-9)) - LEAST_DB) / STEP_DB), 0, len(_words()) - 1))
        words = _words()[level].repeat(self._copies)
        symbols = torch.cat((words, data / _root_mean_square(level)))
        return Burst(name, stream, symbols, {"header": len(words), "data": len(data)}, {})

    def stream(self, span: Span, received: Received) -> Stream:
        import torch
        from scipy.fft import idct

        at = span.row, slice(span.start, span.stop)
        values = torch.view_as_real(received.values[at].detach().cpu()).nan_to_num(0.0).clamp(-1e6, 1e6)
        noise_var = received.noise_var[at].detach().cpu().nan_to_num(1e12).clamp(1e-12, 1e12)
        header = HEADER * self._copies
        weights = (torch.view_as_complex(values[:header].contiguous()) / noise_var[:header]).conj()
        level = int((_words() * weights.reshape(-1, HEADER).sum(0)).sum(1).real.argmax())
        chosen, amplitudes, variances = self.plan(span.form)
        heard = values[header:].flatten().numpy().astype(np.float64)[: len(chosen)]
        left = (noise_var[header:].repeat_interleave(2) / 2).numpy().astype(np.float64)[: len(chosen)]
        wanted = variances * amplitudes
        estimate = wanted / np.maximum(wanted * amplitudes + left, 1e-30) * heard
        frames = _frames(np.empty(span.form, np.float32))
        spectrum = np.zeros(frames.size)
        spectrum[chosen] = estimate * _root_mean_square(level)  # the variances above are relative to it
        return Features(idct(spectrum.reshape(frames.shape), axis=0, norm="ortho").astype(np.float32).reshape(span.form))

    @property
    def _copies(self) -> int:
        """How often the header is sent."""
        return 2 if self.reckoned_db < 0 else 1

    def plan(self, form: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What both ends agree on for features of a shape, the likeliest coefficients first.

        Returns:
            indices of the coefficients that are sent, their amplitudes and their variances; mean power sent: 1/2 a real number
        """
        frames = _frames(np.empty(form, np.float32))
        variances = np.repeat(1 / (1 + (np.arange(len(frames)) / self.knee) ** self.slope), frames.shape[1])
        chosen = np.argsort(-variances, kind="stable")[: 2 * self.symbols]
        variances = variances[chosen]
        noise = 10 ** (-self.reckoned_db / 10) / 2
        return chosen, _amplitudes(np.sqrt(variances), noise), variances


@functools.cache
def _words() -> torch.Tensor:
    """The words of the header, orthogonal or opposite, of unit power: complex64 (128, 32)."""
    import torch
    from scipy.linalg import hadamard

    rows = torch.from_numpy(hadamard(2 * HEADER).astype(np.float32)) / 2**0.5
    return torch.view_as_complex(torch.cat((rows, -rows)).reshape(-1, HEADER, 2).contiguous())


def _root_mean_square(level: int) -> float:
    return float(10 ** ((LEAST_DB + STEP_DB * level) / 20))


def _frames(values: np.ndarray) -> np.ndarray:
    """Features as (T, D): the first axis is time."""
    return values.reshape(len(values), -1) if values.ndim > 1 else values[:, None]


def _amplitudes(deviations: np.ndarray, noise: float) -> np.ndarray:
    """Amplitudes of least mean squared error with half a unit of power a number, deviations falling."""
    count = len(deviations)
    if not count:
        return deviations
    # Power p = a^2 s^2 = w s sqrt(v) - v for the first n coefficients, none for the others; n is the largest that fits.
    sums = np.cumsum(deviations)
    levels = (count / 2 + noise * np.arange(1, count + 1)) / sums
    fits = int(np.flatnonzero(levels * deviations > noise)[-1]) + 1
    power = np.maximum(levels[fits - 1] * deviations - noise, 0)
    power[fits:] = 0
    return np.sqrt(power) / deviations
