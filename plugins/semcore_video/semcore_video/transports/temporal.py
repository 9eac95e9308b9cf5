"""The trained transports: motion, durations, text and phones, each with the pair that was trained
for it."""

from __future__ import annotations

import abc
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Le

from semcore.errors import ComponentError
from semcore.link.adaptation import Adaptive
from semcore.types import Features, Received, Span, Stream, Text, Tokens
from semcore_channels.transports import header_code
from semcore_channels.transports.interleaving import interleave
from semcore_channels.transports.stream_layout import Burst, StreamTransport, deinterleaved_span
from semcore_video.paper import PAPER
from semcore_video.transports.companded_quantiser import levels, nearest
from semcore_video.transports.spectral import Prior, Spectral, scale_at, scale_of
from semcore_video.weights import arrays, digest, network

if TYPE_CHECKING:
    import torch

    from semcore_video.transports.codebook import Codebook

LEAST = 4
"""Symbols that a token is given at least: with fewer, a codebook of 256 words could not be told
apart without noise."""
FRAMES = 75
"""Of the clips whose cosines the weights of motion describe; others have the same spectrum,
frequency by frequency."""


@dataclass(frozen=True)
class TemporalMotion(Spectral):
    """Motion as cosine coefficients, of which a training has learnt how likely they are, number by
    number.

    The pair of encoder and decoder that loses least of Gaussian numbers is linear, so what is
    learnt are their variances: of each number at each frequency, in a few kinds of clips (a still
    head that speaks, a head that turns ...). The header says which of them loses least. How
    coefficients are sent is told by `semcore_video.transports.spectral`.

    Fields:
        weights: folder that the recipe `temporal-motion` wrote; null: the shipped one
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
        return [prior_of(one, form) for one in self.variances]


def prior_of(variances: np.ndarray, form: tuple[int, int]) -> Prior:
    """What variances (75, D) say of T frames of D numbers; of other numbers than they know, what
    they say on average."""
    frames, numbers = form
    at = np.arange(frames) * FRAMES // max(frames, 1)
    found = variances[at]
    return Prior(
        found
        if numbers == variances.shape[1]
        else np.repeat(found.mean(1, keepdims=True), numbers, axis=1)
    )


@dataclass(frozen=True)
class TemporalCode(StreamTransport, Adaptive, abc.ABC):
    """A row of tokens, or of numbers as levels, by a trained pair of encoder and decoder.

    The encoder sends for each token a codeword of its own, weaker where the others foretell it; the
    decoder correlates and reads the context. A row takes `symbols` symbols, or 4 a token if that is
    more, behind a header of 32 channel uses, or more below 3 dB, which holds what the session does
    not tell. There are no bits and no check; a stream whose header is not understood is lost.

    Fields:
        symbols: complex symbols a stream, besides the header
        weights: folder that the recipe `temporal` wrote; null: the shipped one
    """

    reference: ClassVar[str] = f"{PAPER}, section III-B, eq. 13 to 15, Fig. 3"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic",)
    of: ClassVar[str]
    """The stream that the weights were trained for."""

    symbols: Annotated[int, Ge(1), Le(100_000)] = 300
    weights: str | None = None

    def identity(self) -> Any:
        """The digest of the weights."""
        return digest(f"temporal-{self.of}", self.weights)

    @functools.cached_property
    def network(self) -> Codebook:
        """The pair; its weights are loaded on first use."""
        from semcore_video.transports.codebook import Codebook

        return network(Codebook, f"temporal-{self.of}", self.weights, f"temporal of={self.of}")

    @property
    def vocabulary(self) -> int:
        """Tokens or levels of the network."""
        return len(self.network.table)

    @property
    def _words(self) -> int:
        """How often a word of the header is sent."""
        return header_code.copies(self.design_snr_db)

    def _sent(self, name: str, stream: Stream, header: torch.Tensor, tokens: np.ndarray) -> Burst:
        """A header, and tokens int64 (T,) behind it."""
        import torch

        data = torch.zeros(0, dtype=torch.complex64)
        if len(tokens):
            count = max(self.symbols, LEAST * len(tokens))
            with torch.inference_mode():
                told = torch.tensor([min(max(self.design_snr_db, -20.0), 40.0)])
                data = self.network.encode(torch.from_numpy(tokens)[None], count, told)[0].clone()
        return Burst(
            name,
            stream,
            interleave(torch.cat((header, data))),
            {"header": len(header), "data": len(data)},
            {},
        )

    def _scores(self, values: torch.Tensor, noise_var: torch.Tensor, tokens: int) -> torch.Tensor:
        """What may have been sent: scores float32 (T, vocabulary)."""
        import torch

        if not tokens or not len(values):
            return torch.zeros(tokens, self.vocabulary)
        with torch.inference_mode():
            return self.network.decode(values[None], noise_var[None], tokens)[0].clone()


@dataclass(frozen=True)
class TemporalText(TemporalCode):
    """A text by a trained pair of encoder and decoder, byte by byte; the header tells its length.

    The weights know sentences of English words in small letters; others arrive, but need a better
    channel.
    """

    carries: ClassVar[tuple[type[Stream], ...]] = (Text,)
    test_settings = ({}, {"symbols": 100, "snr_db": -5.0})
    of: ClassVar[str] = "text"

    def burst(self, name: str, stream: Stream) -> Burst:
        import torch

        assert isinstance(stream, Text)
        data = stream.value.encode("utf-8", errors="replace")[
            : header_code.SET_SIZE**2 - 1
        ]  # 16 kB
        high, low = divmod(len(data), header_code.SET_SIZE)
        # One word of two sets for a short text; a word of the other set says that the length goes
        # on in a second word.
        numbers = [low] if not high else [header_code.SET_SIZE + high, low]
        header = torch.cat([header_code.encode(number, 2, self._words) for number in numbers])
        return self._sent(name, stream, header, np.frombuffer(data, np.uint8).astype(np.int64))

    def stream(self, span: Span, received: Received) -> Stream | None:
        values, noise_var = deinterleaved_span(span, received)
        one = header_code.WORD_USES * self._words
        first, at = header_code.decode(values[:one], noise_var[:one], 2), one
        if first is None:
            return None
        length = first
        if first >= header_code.SET_SIZE:
            low, at = (
                header_code.decode(values[one : 2 * one], noise_var[one : 2 * one], 2)
                if len(values) >= 2 * one
                else None,
                2 * one,
            )
            if low is None:
                return None
            length = (
                first - header_code.SET_SIZE
            ) * header_code.SET_SIZE + low % header_code.SET_SIZE
        length = min(length, (len(values) - at) // LEAST)
        found = self._scores(values[at:], noise_var[at:], length).argmax(-1).tolist()
        return Text(bytes(found).decode("utf-8", errors="replace"))


@dataclass(frozen=True)
class TemporalPhones(TemporalCode):
    """Phones, or other tokens, by a trained pair of encoder and decoder.

    Tokens of an alphabet that is larger than that of the weights are sent as several digits.
    """

    carries: ClassVar[tuple[type[Stream], ...]] = (Tokens,)
    test_settings = ({}, {"symbols": 100, "snr_db": -5.0})
    of: ClassVar[str] = "phones"

    def burst(self, name: str, stream: Stream) -> Burst:
        import torch

        assert isinstance(stream, Tokens)
        digits = (
            stream.values[:, None]
            // self.vocabulary ** np.arange(self._digits(stream.vocabulary))
            % self.vocabulary
        )
        return self._sent(name, stream, torch.zeros(0, dtype=torch.complex64), digits.ravel())

    def stream(self, span: Span, received: Received) -> Stream:
        values, noise_var = deinterleaved_span(span, received)
        count, vocabulary = span.form
        digits = self._digits(vocabulary)
        scores = self._scores(values, noise_var, count * digits)
        if digits == 1:
            scores = scores[:, :vocabulary]
        found = scores.argmax(-1).numpy().reshape(count, digits) @ self.vocabulary ** np.arange(
            digits
        )
        return Tokens(np.minimum(found.astype(np.int64), vocabulary - 1), vocabulary)

    def _digits(self, vocabulary: int) -> int:
        """Digits of a token."""
        return next(digits for digits in range(1, 65) if self.vocabulary**digits >= vocabulary)


@dataclass(frozen=True)
class TemporalDurations(TemporalCode):
    """Durations, or other numbers, by a trained pair of encoder and decoder: levels, of which the
    receiver takes the mean.

    The header tells the root mean square of the stream, in steps of 0.75 dB; levels lie within
    twelve times that, denser near zero.
    """

    carries: ClassVar[tuple[type[Stream], ...]] = (Features,)
    test_settings = ({}, {"symbols": 100, "snr_db": -5.0})
    of: ClassVar[str] = "durations"

    def burst(self, name: str, stream: Stream) -> Burst:
        if not isinstance(stream, Features) or not np.isfinite(stream.values).all():
            raise ComponentError(
                f"TemporalDurations sends finite numbers, and stream {name!r} holds others"
            )
        values = stream.values.astype(np.float64).ravel()
        level, scale = scale_of(float(np.sqrt(np.square(values).mean())) if values.size else 0.0)
        tokens = nearest(values / scale, self.vocabulary)
        return self._sent(name, stream, header_code.encode(level, 1, self._words), tokens)

    def stream(self, span: Span, received: Received) -> Stream | None:
        import torch

        values, noise_var = deinterleaved_span(span, received)
        at, count = header_code.WORD_USES * self._words, int(np.prod(span.form))
        level = header_code.decode(values[:at], noise_var[:at])
        if level is None:
            return None
        shares = torch.softmax(self._scores(values[at:], noise_var[at:], count), -1)
        found = shares.numpy() @ levels(self.vocabulary) * scale_at(level)
        return Features(np.nan_to_num(found).astype(np.float32).reshape(span.form))
