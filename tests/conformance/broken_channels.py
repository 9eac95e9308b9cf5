"""Channels, each of which breaks a law."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch

from semcore import Component, Received, Rng, Symbols, Transport

from .good import Channel

_calls: list[int] = []


@dataclass(frozen=True)
class ScalesWithTheBatch(Channel):
    """Noise that depends on how many rows there are.

    Fields:
        snr_db: Es/N0, dB
    """

    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        got = super().transmit(symbols, rng)
        scale = len(symbols.layout.keys) ** 0.5
        return replace(got, values=symbols.values + (got.values - symbols.values) * scale)


@dataclass(frozen=True)
class SeedsTorch(Channel):
    """Noise from the global generator, seeded.

    Fields:
        snr_db: Es/N0, dB
    """

    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        torch.manual_seed(rng.integer() % 2**31)
        got = super().transmit(symbols, rng)
        return replace(
            got, values=symbols.values + got.noise_var.sqrt() * torch.randn_like(symbols.values)
        )


@dataclass(frozen=True)
class ThreeDecibelsOff(Channel):
    """N0/2 taken for N0, and believed.

    Fields:
        snr_db: Es/N0, dB
    """

    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        got = Channel(self.snr_db - 3.01).transmit(symbols, rng)
        return replace(got, report=({"snr_db": self.snr_db},) * len(got.report))


@dataclass(frozen=True)
class UnderstatesItsNoise(Channel):
    """Says that there is half of the noise that there is.

    Fields:
        snr_db: Es/N0, dB
    """

    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        got = super().transmit(symbols, rng)
        return replace(got, values=symbols.values + 2**0.5 * (got.values - symbols.values))


@dataclass(frozen=True)
class Shrinks(Channel):
    """A biased equaliser: the least mean square error, truly told.

    Fields:
        snr_db: Es/N0, dB
    """

    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        got, kept = super().transmit(symbols, rng), 1 / (1 + 10 ** (-self.snr_db / 10))
        return replace(got, values=kept * got.values, noise_var=kept * got.noise_var)


@dataclass(frozen=True)
class CutsGradients(Channel):
    """Goes through NumPy.

    Fields:
        snr_db: Es/N0, dB
    """

    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        return super().transmit(replace(symbols, values=symbols.values.detach().clone()), rng)


@dataclass(frozen=True)
class DoublesGradients(Channel):
    """The right symbols, and twice their gradient.

    Fields:
        snr_db: Es/N0, dB
    """

    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        got = super().transmit(symbols, rng)
        return replace(got, values=got.values + symbols.values - symbols.values.detach())


@dataclass(frozen=True)
class NoiseOfOneDimension(Channel):
    """All of the noise in the real part.

    Fields:
        snr_db: Es/N0, dB
    """

    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        got = super().transmit(symbols, rng)
        noise = (got.values - symbols.values).real * 2**0.5
        return replace(got, values=symbols.values + noise)


@dataclass(frozen=True)
class Impulsive(Channel):
    """Noise of the right power, all of it in a tenth of the symbols.

    Fields:
        snr_db: Es/N0, dB
    """

    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        got = super().transmit(symbols, rng)
        struck = rng.at("strokes").uniform(symbols) > 0.9
        return replace(
            got, values=symbols.values + struck * 10**0.5 * (got.values - symbols.values)
        )


@dataclass(frozen=True)
class OneNoiseForAll(Channel):
    """The same noise in every row.

    Fields:
        snr_db: Es/N0, dB
    """

    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        got = super().transmit(symbols, rng)
        width = symbols.values.shape[1]
        return replace(
            got, values=symbols.values + got.noise_var.sqrt() * rng.complex_normal(("x",), (width,))
        )


@dataclass(frozen=True)
class BackToFront(Channel):
    """More SNR, more noise.

    Fields:
        snr_db: Es/N0, dB
    """

    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        return Channel(10 - self.snr_db).transmit(symbols, rng)


@dataclass(frozen=True)
class KnowsOneTransport(Channel):
    """Looks at a setting that other transports lack."""

    def incompatibility(self, transport: Transport) -> str:
        return "" if transport.modulation == "4qam" else "knows 4-QAM alone"  # type: ignore[attr-defined]


@dataclass(frozen=True)
class RefusesWithoutReason(Channel):
    """Says that it refuses, and not why."""

    def incompatibility(self, transport: Transport) -> str:
        return True  # type: ignore[return-value]


@dataclass(frozen=True)
class Remembers(Channel):
    """Every call is another one.

    Fields:
        snr_db: Es/N0, dB
    """

    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        _calls.append(1)
        return super().transmit(symbols, rng.at(len(_calls)))


@dataclass(frozen=True)
class SwallowsArguments(Channel):
    """Takes anything.

    Fields:
        snr_db: Es/N0, dB
    """

    def helper(self, *args: Any, **kwargs: Any) -> None:
        """Does nothing."""


@dataclass(frozen=True)
class SaysNothing(Channel):
    """Has a field that nobody knows of.

    Fields:
        snr_db: Es/N0, dB
    """

    gain: float = 1.0


@dataclass(frozen=True)
class HidesItsUnit(Channel):
    """Has a field without its unit.

    Fields:
        snr_db: Es/N0, dB
        bandwidth: of the signal, in Hz
    """

    bandwidth: float = 1e6


@dataclass(frozen=True)
class WritesItsKeyDown(Channel):
    """Takes a key as it is.

    Fields:
        snr_db: Es/N0, dB
        api_key: of a service
    """

    api_key: str | None = None


@dataclass(frozen=True)
class BelievesAnything(Channel):
    """Checks nothing.

    Fields:
        snr_db: Es/N0, dB
    """

    def __post_init__(self) -> None:
        pass


@dataclass(frozen=True)
class StaysOnTheCPU(Channel):
    """Random numbers where they were drawn, wherever the symbols are.

    Fields:
        snr_db: Es/N0, dB
    """

    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        layout, noise_var = symbols.layout, 10 ** (-self.snr_db / 10)
        noise = rng.complex_normal(layout.keys, layout.lengths, symbols.values.shape[1])
        report = [{"snr_db": self.snr_db} for _ in layout.keys]
        values = symbols.values + noise_var**0.5 * noise
        return symbols.received(values, noise_var, report=report)


@dataclass(frozen=True)
class AnswersOnTheCPU(Channel):
    """Everything where the random numbers are drawn, and left there.

    Fields:
        snr_db: Es/N0, dB
    """

    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        return super().transmit(replace(symbols, values=symbols.values.cpu()), rng)


@dataclass(frozen=True)
class PicklesItsWeights(Channel):
    """Takes its tables along.

    Fields:
        snr_db: Es/N0, dB
    """

    @cached_property
    def table(self) -> np.ndarray:
        return np.zeros(10_000)

    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        assert len(self.table)
        return super().transmit(symbols, rng)

    def __getstate__(self) -> dict[str, Any]:
        return dict(self.__dict__)


@dataclass(frozen=True)
class FadesByName(Channel):
    """Rows with a number in their name fade.

    Fields:
        snr_db: SNR
    """

    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        got = super().transmit(symbols, rng)
        noisier = torch.tensor([[2.0 if "01" in key else 1.0] for key in symbols.layout.keys])
        return replace(got, noise_var=got.noise_var * noisier)


BROKEN_CHANNELS: list[tuple[Component, str]] = [
    (ScalesWithTheBatch(), "gives-a-row-the-same-in-any-batch"),
    (SeedsTorch(), "touches-no-global-random-state"),
    (ThreeDecibelsOff(), "delivers-the-snr-on-its-label"),
    (UnderstatesItsNoise(), "tells-how-much-noise-is-left"),
    (Shrinks(), "leaves-symbols-as-large-as-they-were"),
    (CutsGradients(), "lets-gradients-through"),
    (StaysOnTheCPU(), "answers-on-the-device-of-the-symbols"),
    (AnswersOnTheCPU(), "answers-on-the-device-of-the-symbols"),
    (DoublesGradients(), "lets-gradients-through"),
    (NoiseOfOneDimension(), "leaves-circular-noise"),
    (Impulsive(), "decisions-fail-as-often-as-noise-var-says"),
    (OneNoiseForAll(), "draws-other-noise-for-another-seed-and-row"),
    (BackToFront(), "more-snr-never-means-more-error"),
    (KnowsOneTransport(), "says-in-words-what-it-cannot-serve"),
    (RefusesWithoutReason(), "says-in-words-what-it-cannot-serve"),
    (Remembers(), "gives-the-same-for-the-same"),
    (SwallowsArguments(), "has-explicit-signatures"),
    (SaysNothing(), "documents-every-field"),
    (HidesItsUnit(), "units-stand-in-names"),
    (WritesItsKeyDown(), "takes-secrets-by-name"),
    (BelievesAnything(), "refuses-bad-values"),
    (PicklesItsWeights(), "survives-pickling"),
    (FadesByName(), "transmits-the-same-under-any-name"),
]
"""Each with the law that it breaks."""
