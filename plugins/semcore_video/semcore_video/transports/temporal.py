"""Trained transports for motion, durations, text and phones."""

from __future__ import annotations

import abc
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Le

from semcore import Adaptive, ComponentError, Features, Received, Span, Stream, Text, Tokens
from semcore_channels.transports import header_code
from semcore_channels.transports.interleaving import interleave
from semcore_channels.transports.stream_layout import Burst, StreamTransport, deinterleaved_span
from semcore_video.paper import PAPER
from semcore_video.transports.companded_quantiser import levels, quantise
from semcore_video.transports.spectral import Prior, Spectral, scale_at, scale_of
from semcore_video.weights import arrays, digest, network

if TYPE_CHECKING:
    import torch

    from semcore_video.transports.codebook import Codebook

LEAST = 4
"""Minimum number of symbols per token: with fewer, a codebook of 256 words is ambiguous even
without noise."""
FRAMES = 75
"""Length of the clips described by the weights of motion; others have the same spectrum, frequency
by frequency."""


@dataclass(frozen=True)
class TemporalMotion(Spectral):
    """Motion as DCT coefficients with trained variances.

    The encoder and decoder of minimum error for Gaussian numbers are linear, so that only variances
    are trained: of each number at each frequency, for a few kinds of clips (a still head that
    speaks, a head that turns ...). The header states which of them gives the smallest error. The
    coding is that of `semcore_video.transports.spectral`.

    Fields:
        weights: folder written by the recipe `temporal-motion`; null: the shipped one
    """

    reference: ClassVar[str] = (
        f"{PAPER}, eq. 13 to 15; K.-H. Lee and D. P. Petersen, IEEE Trans. Commun., 1976"
    )
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", "lee1976optimal")
    test_settings = ({}, {"symbols": 100, "snr_db": -5.0})

    weights: str | None = None

    def identity(self) -> Any:
        """The digest of the weights."""
        return digest("temporal-motion", self.weights)

    @functools.cached_property
    def variances(self) -> np.ndarray:
        """Variances by kind, frequency and number: float64 (kinds, 75, 12)."""
        return arrays("temporal-motion", self.weights, "variances", "temporal-motion").astype(
            np.float64
        )

    def priors(self, form: tuple[int, int]) -> Sequence[Prior]:
        return [prior_of(variances_of_kind, form) for variances_of_kind in self.variances]


def prior_of(variances: np.ndarray, form: tuple[int, int]) -> Prior:
    """The prior of T frames of D numbers from variances (75, D); for another D, their mean over the
    numbers."""
    frames, numbers = form
    at = np.arange(frames) * FRAMES // max(frames, 1)
    found = variances[at]
    if numbers != variances.shape[1]:
        found = np.repeat(found.mean(1, keepdims=True), numbers, axis=1)
    return Prior(found)


@dataclass(frozen=True)
class TemporalCode(StreamTransport, Adaptive, abc.ABC):
    """A row of tokens, or of quantised numbers, by a trained encoder and decoder.

    The encoder sends a codeword per token, with less power if the other tokens predict it; the
    decoder correlates and uses the context. A row takes `symbols` symbols, or 4 per token if that
    is more, after a header of 32 channel uses, or more below 3 dB, for what the session does not
    state. There are no bits and no checksum; a stream whose header is not decoded is lost.

    Fields:
        symbols: complex symbols per stream, without the header
        weights: folder written by the recipe `temporal`; null: the shipped one
    """

    reference: ClassVar[str] = f"{PAPER}, section III-B, eq. 13 to 15, Fig. 3"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic",)
    of: ClassVar[str]
    """Name of the stream that the weights were trained for."""

    symbols: Annotated[int, Ge(1), Le(100_000)] = 300
    weights: str | None = None

    def identity(self) -> Any:
        """The digest of the weights."""
        return digest(f"temporal-{self.of}", self.weights)

    @functools.cached_property
    def network(self) -> Codebook:
        """Encoder and decoder; the weights are loaded on first use."""
        from semcore_video.transports.codebook import Codebook

        return network(Codebook, f"temporal-{self.of}", self.weights, f"temporal of={self.of}")

    @property
    def vocabulary(self) -> int:
        """Number of tokens or levels of the network."""
        return len(self.network.table)

    @property
    def _header_copies(self) -> int:
        """Repetitions of each codeword of the header."""
        return header_code.copies(self.design_snr_db)

    def _burst(self, name: str, stream: Stream, header: torch.Tensor, tokens: np.ndarray) -> Burst:
        """A header, followed by tokens int64 (T,)."""
        import torch

        data = torch.zeros(0, dtype=torch.complex64)
        if len(tokens):
            count = max(self.symbols, LEAST * len(tokens))
            with torch.inference_mode():
                snr_db = torch.tensor([min(max(self.design_snr_db, -20.0), 40.0)])
                data = self.network.encode(torch.from_numpy(tokens)[None], count, snr_db)[0].clone()
        return Burst(
            name,
            stream,
            interleave(torch.cat((header, data))),
            {"header": len(header), "data": len(data)},
            {},
        )

    def _scores(self, values: torch.Tensor, noise_var: torch.Tensor, tokens: int) -> torch.Tensor:
        """Scores of the tokens, float32 (T, vocabulary)."""
        import torch

        if not tokens or not len(values):
            return torch.zeros(tokens, self.vocabulary)
        with torch.inference_mode():
            return self.network.decode(values[None], noise_var[None], tokens)[0].clone()


@dataclass(frozen=True)
class TemporalText(TemporalCode):
    """A text by a trained encoder and decoder, byte by byte; the header states its length.

    The weights were trained on lower-case English sentences; other texts need a better channel.
    """

    carries: ClassVar[tuple[type[Stream], ...]] = (Text,)
    test_settings = ({}, {"symbols": 100, "snr_db": -5.0})
    of: ClassVar[str] = "text"

    def burst(self, name: str, stream: Stream) -> Burst:
        import torch

        assert isinstance(stream, Text)
        longest = header_code.SET_SIZE**2 - 1  # 16 kB
        data = stream.value.encode("utf-8", errors="replace")[:longest]
        high, low = divmod(len(data), header_code.SET_SIZE)
        # A short text has one codeword of two sets; a codeword of the other set indicates that the
        # length continues in a second one.
        numbers = [low] if not high else [header_code.SET_SIZE + high, low]
        header = torch.cat(
            [header_code.encode(number, 2, self._header_copies) for number in numbers]
        )
        return self._burst(name, stream, header, np.frombuffer(data, np.uint8).astype(np.int64))

    def stream(self, span: Span, received: Received) -> Stream | None:
        values, noise_var = deinterleaved_span(span, received)
        uses = header_code.WORD_USES * self._header_copies
        first, at = header_code.decode(values[:uses], noise_var[:uses], 2), uses
        if first is None:
            return None
        length = first
        if first >= header_code.SET_SIZE:
            at = 2 * uses
            if len(values) < at:
                return None
            low = header_code.decode(values[uses:at], noise_var[uses:at], 2)
            if low is None:
                return None
            size = header_code.SET_SIZE
            length = (first - size) * size + low % size
        length = min(length, (len(values) - at) // LEAST)
        found = self._scores(values[at:], noise_var[at:], length).argmax(-1).tolist()
        return Text(bytes(found).decode("utf-8", errors="replace"))


@dataclass(frozen=True)
class TemporalPhones(TemporalCode):
    """Phones, or other tokens, by a trained encoder and decoder.

    Tokens of a vocabulary larger than that of the weights are sent as several digits.
    """

    carries: ClassVar[tuple[type[Stream], ...]] = (Tokens,)
    test_settings = ({}, {"symbols": 100, "snr_db": -5.0})
    of: ClassVar[str] = "phones"

    def burst(self, name: str, stream: Stream) -> Burst:
        import torch

        assert isinstance(stream, Tokens)
        powers = self.vocabulary ** np.arange(self._digits(stream.vocabulary))
        digits = stream.values[:, None] // powers % self.vocabulary
        return self._burst(name, stream, torch.zeros(0, dtype=torch.complex64), digits.ravel())

    def stream(self, span: Span, received: Received) -> Stream:
        values, noise_var = deinterleaved_span(span, received)
        count, vocabulary = span.form
        digits = self._digits(vocabulary)
        scores = self._scores(values, noise_var, count * digits)
        if digits == 1:
            scores = scores[:, :vocabulary]
        powers = self.vocabulary ** np.arange(digits)
        found = scores.argmax(-1).numpy().reshape(count, digits) @ powers
        return Tokens(np.minimum(found.astype(np.int64), vocabulary - 1), vocabulary)

    def _digits(self, vocabulary: int) -> int:
        """Number of digits per token."""
        return next(digits for digits in range(1, 65) if self.vocabulary**digits >= vocabulary)


@dataclass(frozen=True)
class TemporalDurations(TemporalCode):
    """Durations, or other numbers, by a trained encoder and decoder: quantised levels, decoded to
    their posterior mean.

    The header states the root mean square of the stream, in steps of 0.75 dB; levels extend to
    twelve times that, denser near zero.
    """

    carries: ClassVar[tuple[type[Stream], ...]] = (Features,)
    test_settings = ({}, {"symbols": 100, "snr_db": -5.0})
    of: ClassVar[str] = "durations"

    def burst(self, name: str, stream: Stream) -> Burst:
        if not isinstance(stream, Features) or not np.isfinite(stream.values).all():
            raise ComponentError(
                f"TemporalDurations sends finite numbers only, and stream {name!r} has others"
            )
        values = stream.values.astype(np.float64).ravel()
        level, scale = scale_of(float(np.sqrt(np.square(values).mean())) if values.size else 0.0)
        tokens = quantise(values / scale, self.vocabulary)
        return self._burst(name, stream, header_code.encode(level, 1, self._header_copies), tokens)

    def stream(self, span: Span, received: Received) -> Stream | None:
        import torch

        values, noise_var = deinterleaved_span(span, received)
        at, count = header_code.WORD_USES * self._header_copies, int(np.prod(span.form))
        level = header_code.decode(values[:at], noise_var[:at])
        if level is None:
            return None
        shares = torch.softmax(self._scores(values[at:], noise_var[at:], count), -1)
        found = shares.numpy() @ levels(self.vocabulary) * scale_at(level)
        return Features(np.nan_to_num(found).astype(np.float32).reshape(span.form))
