"""The kit itself: a component that breaks a law fails that law, and a good one fails none."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Any, ClassVar

import numpy as np
import pytest
import torch
from annotated_types import Ge

import semcore.testing
from semcore import (
    Bitstream,
    Candidates,
    ChannelModel,
    Codec,
    Component,
    Features,
    Generator,
    KBPolicy,
    KnowledgeBase,
    Layout,
    Metric,
    Picture,
    Plan,
    Planner,
    Received,
    Record,
    Rng,
    Sample,
    Scenario,
    Selector,
    SemanticEncoder,
    Semantics,
    Source,
    Span,
    Stream,
    Symbols,
    Text,
    Transport,
)
from semcore.planning.interface import PlanSimulator
from semcore.statistics.base import Statistic
from semcore.statistics.kinds import Mean, Score, Share
from semcore.testing import LawBroken, laws, run_laws

# -------------------------------------------------------------------------- good ones, to be broken


@dataclass(frozen=True)
class Channel(ChannelModel):
    """White noise.

    Fields:
        snr_db: Es/N0, dB
    """

    snr_db: Annotated[float, Ge(-50)] = 5.0

    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        var = 10 ** (-self.snr_db / 10)
        layout = symbols.layout
        noise = rng.complex_normal(layout.keys, layout.lengths, symbols.values.shape[1])
        report = [{"snr_db": self.snr_db}] * len(layout.keys)
        return symbols.received(symbols.values + var**0.5 * noise, var, report=report)


@dataclass(frozen=True)
class Amplitudes(Transport):
    """Features scaled to unit power; the scale arrives for free, as if in the first symbol."""

    carries: ClassVar[tuple[type[Stream], ...]] = (Features,)

    def send(self, batch: Sequence[Semantics], rng: Rng) -> Symbols:
        rows, spans = [], []
        for row, one in enumerate(batch):
            parts: list[torch.Tensor] = []
            for name, stream in one.streams.items():
                assert isinstance(stream, Features)
                values = torch.from_numpy(stream.values.flatten()).to(torch.complex64)
                start, scale = sum(map(len, parts)), self.scale(values, batch)
                parts.append(torch.cat([values / scale, self.header(scale)]))
                spans.append(
                    Span(row, start, start + len(parts[-1]), row, name, Features, stream.form)
                )
            rows.append(torch.cat(parts) if parts else torch.zeros(0, dtype=torch.complex64))
        senders = tuple((one.key, one.user) for one in batch)
        layout = Layout(
            tuple(map(len, rows)), tuple(spans), tuple(key for key, _ in senders), senders
        )
        return Symbols(torch.nn.utils.rnn.pad_sequence(rows, batch_first=True), layout)

    def scale(self, values: torch.Tensor, batch: Sequence[Semantics]) -> float:
        return float(values.abs().square().mean().sqrt())

    def header(self, scale: float) -> torch.Tensor:
        """The scale's logarithm as a phase: one symbol of unit power."""
        return torch.polar(torch.ones(1), torch.tensor([np.log(scale) / 8], dtype=torch.float32))

    def receive(self, received: Received) -> list[Semantics]:
        streams: dict[tuple[int, str], tuple[Stream | None, bool | None]] = {}
        for span in received.layout.spans:
            got = received.values[span.row, span.start : span.stop]
            scale = float(torch.exp(got[-1].angle().nan_to_num() * 8))
            values = (
                (got[:-1].real.nan_to_num().clamp(-1e6, 1e6) * scale).numpy().astype(np.float32)
            )
            streams[span.sample, span.stream] = Features(values.reshape(span.form)), None
        return received.layout.semantics(streams)


@dataclass(frozen=True)
class Painter(Generator):
    """Flat pictures in the colour that the caption's length says.

    Fields:
        candidates: how many
    """

    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = {"caption": (Text,)}
    candidates: Annotated[int, Ge(1)] = 3

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        return [self.paint(one, rng.at(one.key).numpy()) for one in batch]

    def paint(self, one: Semantics, rng: np.random.Generator) -> Candidates:
        level = len(one.text("caption") or "") % 100
        values = [level + int(rng.integers(100)) for _ in range(self.candidates)]
        return Candidates(
            tuple(
                Sample(one.key, one.user, image=np.full((8, 8, 3), value, np.uint8))
                for value in values
            )
        )


@dataclass(frozen=True)
class Captioner(SemanticEncoder):
    """Sends the text that came with the sample."""

    @property
    def streams(self) -> Mapping[str, type[Stream]]:
        return {"caption": Text}

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        return [
            Semantics(sample.id, {"caption": Text(sample.text or "")}, sample.user)
            for sample in samples
        ]


@dataclass(frozen=True)
class Brightest(Selector):
    """Keeps the brightest candidate."""

    def select(
        self, candidates: Sequence[Candidates], batch: Sequence[Semantics], kb: KnowledgeBase
    ) -> list[Sample]:
        return [
            max(some.samples, key=lambda sample: float(sample.image.mean())) for some in candidates
        ]  # type: ignore[union-attr]


@dataclass(frozen=True)
class Once(KBPolicy):
    """Sends the first picture of each user."""

    @property
    def streams(self) -> Mapping[str, type[Stream]]:
        return {"reference": Picture}

    def update(self, kb: KnowledgeBase, samples: Sequence[Sample]) -> list[Semantics]:
        return [self.one(kb, sample) for sample in samples]

    def one(self, kb: KnowledgeBase, sample: Sample) -> Semantics:
        if kb.of(sample.user) or sample.image is None:
            return Semantics(sample.id, {}, sample.user)
        return Semantics(sample.id, {"reference": Picture(sample.image)}, sample.user)


@dataclass(frozen=True)
class Switch(Planner):
    """Another workflow on a bad link."""

    def plan(
        self, scenario: Scenario, memory: Sequence[Mapping[str, Any]], simulator: PlanSimulator
    ) -> Plan:
        value = scenario.environment.get("channel.snr_db")
        return Plan({"workflow": "b"} if isinstance(value, float) and value < 0 else {})

    def plans(self) -> Sequence[Mapping[str, Any]] | None:
        return [{}, {"workflow": "b"}]


@dataclass(frozen=True)
class Plain(Codec):
    """Size and pixels, uncompressed."""

    lossless: ClassVar[bool] = True

    def encode(self, pixels: np.ndarray) -> bytes:
        return np.array(pixels.shape[:2], ">u2").tobytes() + pixels.tobytes()

    def decode(self, data: bytes, size: tuple[int, int] | None = None) -> np.ndarray | None:
        if len(data) < 4:
            return None
        height, width = (int(side) for side in np.frombuffer(data[:4], ">u2"))
        if len(data) != 4 + 3 * height * width or size not in (None, (height, width)):
            return None
        return np.frombuffer(data[4:], np.uint8).reshape(height, width, 3)


@dataclass(frozen=True)
class Error(Metric):
    """Mean absolute error of the picture, 255 without one."""

    better: ClassVar[str] = "lower"
    statistic: ClassVar[Statistic] = Mean(0.0, 255.0)

    def measure(self, records: Sequence[Record]) -> list[float | None]:
        return [self.value(record) for record in records]

    def value(self, record: Record) -> float | None:
        one, other = record.source.image, record.result.image
        if one is None or other is None or one.shape != other.shape:
            return None
        return float(np.abs(one.astype(float) - other).mean())


@dataclass(frozen=True)
class Words(Source):
    """Three texts."""

    def samples(self) -> Sequence[Sample]:
        return [Sample(name, text=name) for name in "abc"]


GOOD = (
    Channel(),
    Amplitudes(),
    Painter(),
    Captioner(),
    Brightest(),
    Once(),
    Switch(),
    Plain(),
    Error(),
    Words(),
)


@pytest.mark.parametrize("component", GOOD, ids=lambda one: one.kind)
def test_a_good_component_breaks_no_law(component: Component) -> None:
    verdicts = run_laws(component)
    assert not [f"{one.law.name}: {one.message}" for one in verdicts if one.result == "broken"]
    assert all(one.message for one in verdicts if one.result == "not applicable"), (
        "a law was skipped without a reason"
    )
    assert sum(one.result == "holds" for one in verdicts) >= 12


# -------------------------------------------------------------------------------------- broken ones

_calls: list[int] = []
_seen: dict[str, Any] = {}


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
class LosesNormalisation(Amplitudes):
    """Normalises power over the batch."""

    def scale(self, values: torch.Tensor, batch: Sequence[Semantics]) -> float:
        every = [
            torch.from_numpy(s.values.flatten()) for one in batch for s in one.streams.values()
        ]  # type: ignore[union-attr]
        return float(torch.cat(every).square().mean().sqrt())


@dataclass(frozen=True)
class ForgetsItsHeader(Amplitudes):
    """Leaves a symbol out of the accounts."""

    def send(self, batch: Sequence[Semantics], rng: Rng) -> Symbols:
        symbols = super().send(batch, rng)
        spans = tuple(replace(s, stop=s.stop - 1, uses={}) for s in symbols.layout.spans)
        return replace(symbols, layout=replace(symbols.layout, spans=spans))

    def receive(self, received: Received) -> list[Semantics]:
        spans = tuple(replace(s, stop=s.stop + 1, uses={}) for s in received.layout.spans)
        return super().receive(replace(received, layout=replace(received.layout, spans=spans)))


@dataclass(frozen=True)
class RaisesOnNoise(Amplitudes):
    """Stops at a scale that makes no sense."""

    def receive(self, received: Received) -> list[Semantics]:
        if received.values.abs().max() > 1e3:
            raise ValueError("a scale out of range")
        return super().receive(received)


@dataclass(frozen=True)
class CallsAnythingIntact(Amplitudes):
    """Has a check that never fails."""

    def receive(self, received: Received) -> list[Semantics]:
        return [
            replace(one, intact=dict.fromkeys(one.streams, True))
            for one in super().receive(received)
        ]


@dataclass(frozen=True)
class LetsNaNThrough(Amplitudes):
    """Adds what it received to what it makes of it."""

    def receive(self, received: Received) -> list[Semantics]:
        wrong = float(received.values.abs().sum()) * 0
        parts = [{name: Features(stream.values + np.float32(wrong)) for name,
                  stream in one.streams.items()}  # type: ignore[union-attr]
                 for one in super().receive(received)]  # fmt: skip
        return [
            replace(one, streams=own)
            for one, own in zip(super().receive(received), parts, strict=True)
        ]


@dataclass(frozen=True)
class DropsTheScale(Amplitudes):
    """Delivers normalised values."""

    def receive(self, received: Received) -> list[Semantics]:
        flat = replace(received, values=received.values.clone())
        for span in received.layout.spans:
            flat.values[span.row, span.stop - 1] = 1
        return super().receive(flat)


@dataclass(frozen=True)
class OneShort(Painter):
    """Paints one candidate less.

    Fields:
        candidates: how many
    """

    def paint(self, one: Semantics, rng: np.random.Generator) -> Candidates:
        return Candidates(super().paint(one, rng).samples[1:])


@dataclass(frozen=True)
class NeedsACaption(Painter):
    """Fails without a caption.

    Fields:
        candidates: how many
    """

    def paint(self, one: Semantics, rng: np.random.Generator) -> Candidates:
        return super().paint(replace(one, streams={"caption": one.streams["caption"]}), rng)


@dataclass(frozen=True)
class PaintsByPlace(Painter):
    """Colours depend on the place in the batch.

    Fields:
        candidates: how many
    """

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        return [self.paint(one, rng.at(place).numpy()) for place, one in enumerate(batch)]


@dataclass(frozen=True)
class LooksUpTheSource(Painter):
    """Keeps what it has seen under its key, array and all.

    Fields:
        candidates: how many
    """

    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = {"picture": (Picture,)}

    def paint(self, one: Semantics, rng: np.random.Generator) -> Candidates:
        kept = _seen.setdefault(one.key, one.streams.get("picture"))
        pixels = kept.pixels if isinstance(kept, Picture) else np.zeros((8, 8, 3), np.uint8)
        return Candidates((Sample(one.key, one.user, image=pixels),) * self.candidates)


@dataclass(frozen=True)
class Renames(Painter):
    """Forgets who sent it.

    Fields:
        candidates: how many
    """

    def paint(self, one: Semantics, rng: np.random.Generator) -> Candidates:
        return super().paint(replace(one, user="somebody"), rng)


@dataclass(frozen=True)
class ReadsTheKey(Painter):
    """Paints by the class in the key.

    Fields:
        candidates: how many
    """

    def paint(self, one: Semantics, rng: np.random.Generator) -> Candidates:
        level = 50 * sum(place for place, name in enumerate(("bird", "ship"), 1) if name in one.key)
        return Candidates(
            (Sample(one.key, one.user, image=np.full((8, 8, 3), level, np.uint8)),)
            * self.candidates
        )


@dataclass(frozen=True)
class ReadsTheFileName(Painter):
    """Paints by the number of the file.

    Fields:
        candidates: how many
    """

    def paint(self, one: Semantics, rng: np.random.Generator) -> Candidates:
        level = 100 if one.key.endswith(".png") else 0
        return Candidates(
            (Sample(one.key, one.user, image=np.full((8, 8, 3), level, np.uint8)),)
            * self.candidates
        )


@dataclass(frozen=True)
class RemembersTheKey(Painter):
    """Draws again what it once drew for a key.

    Fields:
        candidates: how many
    """

    def paint(self, one: Semantics, rng: np.random.Generator) -> Candidates:
        length = _lengths.setdefault(one.key, len(one.text("caption") or ""))
        return Candidates(
            (Sample(one.key, one.user, image=np.full((8, 8, 3), length % 250, np.uint8)),)
            * self.candidates
        )


_lengths: dict[str, int] = {}


@dataclass(frozen=True)
class KnowsTheUser(Brightest):
    """Takes the first candidate of some users."""

    def select(
        self, candidates: Sequence[Candidates], batch: Sequence[Semantics], kb: KnowledgeBase
    ) -> list[Sample]:
        bright = super().select(candidates, batch, kb)
        return [
            some.samples[0] if "dog" in one.user else best
            for some, one, best in zip(candidates, batch, bright, strict=True)
        ]


@dataclass(frozen=True)
class SendsTheKey(Amplitudes):
    """The header holds the key's first letter."""

    def send(self, batch: Sequence[Semantics], rng: Rng) -> Symbols:
        sent = super().send(batch, rng)
        turn = torch.tensor(
            [[1.0 if one.key[:1].isupper() or not one.streams else 1j] for one in batch]
        )
        return replace(sent, values=sent.values * turn)


@dataclass(frozen=True)
class TrustsSome(Once):
    """Keeps nothing of some users."""

    def apply(self, kb: KnowledgeBase, delivered: Sequence[Semantics]) -> KnowledgeBase:
        return super().apply(kb, [one for one in delivered if "cat" not in one.user])


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


@dataclass(frozen=True)
class EmitsMore(Captioner):
    """Sends a stream that it does not declare."""

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        return [
            replace(one, streams={**one.streams, "more": Bitstream(b"1")})
            for one in super().encode(samples, kb)
        ]


@dataclass(frozen=True)
class CountsTheBatch(Captioner):
    """Says how many there are."""

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        text = Text(f"one of {len(samples)}")
        return [replace(one, streams={"caption": text}) for one in super().encode(samples, kb)]


@dataclass(frozen=True)
class Overwrites(Captioner):
    """Works on the picture that it is given."""

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        for sample in samples:
            sample.image[0] = 0  # type: ignore[index]
        return super().encode(samples, kb)


@dataclass(frozen=True)
class Invents(Brightest):
    """Averages the candidates."""

    def select(
        self, candidates: Sequence[Candidates], batch: Sequence[Semantics], kb: KnowledgeBase
    ) -> list[Sample]:
        means = [
            np.mean([one.image for one in some.samples], axis=0).astype(np.uint8)
            for some in candidates
        ]  # type: ignore[misc]
        return [
            Sample(one.key, one.user, image=mean) for one, mean in zip(batch, means, strict=True)
        ]


@dataclass(frozen=True)
class TakesTheSecond(Brightest):
    """Chooses by place, and does not say so."""

    def select(
        self, candidates: Sequence[Candidates], batch: Sequence[Semantics], kb: KnowledgeBase
    ) -> list[Sample]:
        return [some.samples[1] for some in candidates]


@dataclass(frozen=True)
class AppliesLostUpdates(Once):
    """Holds a grey picture where an update was lost."""

    def apply(self, kb: KnowledgeBase, delivered: Sequence[Semantics]) -> KnowledgeBase:
        for update in delivered:
            stream = update.streams.get("reference", Picture(np.full((4, 4, 3), 128, np.uint8)))
            kb = kb.add(update.user, stream)
        return kb


@dataclass(frozen=True)
class BelievesPictures(Once):
    """Falls over a reference that is brighter than any of its own."""

    def update(self, kb: KnowledgeBase, samples: Sequence[Sample]) -> list[Semantics]:
        if any(stream.pixels.mean() > 130 for user in kb.entries for stream in kb.of(user)):  # type: ignore[union-attr]
            raise ValueError("too bright")
        return super().update(kb, samples)


@dataclass(frozen=True)
class StumblesOverNul(Brightest):
    """Takes captions for words."""

    def select(
        self, candidates: Sequence[Candidates], batch: Sequence[Semantics], kb: KnowledgeBase
    ) -> list[Sample]:
        if any("\0" in (one.text("caption") or "") for one in batch):
            raise ValueError("embedded null character")
        return super().select(candidates, batch, kb)


@dataclass(frozen=True)
class MixesUsers(Once):
    """One picture is enough for everybody."""

    def one(self, kb: KnowledgeBase, sample: Sample) -> Semantics:
        return Semantics(sample.id, {}, sample.user) if kb.entries else super().one(kb, sample)


@dataclass(frozen=True)
class ForgetsWhatArrived(Once):
    """Applies nothing."""

    def apply(self, kb: KnowledgeBase, delivered: Sequence[Semantics]) -> KnowledgeBase:
        return kb


@dataclass(frozen=True)
class LeavesItsPlans(Switch):
    """Plans what it did not announce."""

    def plans(self) -> Sequence[Mapping[str, Any]] | None:
        return [{}]


@dataclass(frozen=True)
class NeedsMemory(Switch):
    """Cannot begin."""

    def plan(
        self, scenario: Scenario, memory: Sequence[Mapping[str, Any]], simulator: PlanSimulator
    ) -> Plan:
        return Plan(dict(memory[-1]["in_force"]))


@dataclass(frozen=True)
class PlansObjects(Switch):
    """Plans what cannot be sent."""

    def plan(
        self, scenario: Scenario, memory: Sequence[Mapping[str, Any]], simulator: PlanSimulator
    ) -> Plan:
        return Plan({"channel": object()})

    def plans(self) -> None:
        return None


@dataclass(frozen=True)
class Trusting(Plain):
    """Believes the header."""

    def decode(self, data: bytes, size: tuple[int, int] | None = None) -> np.ndarray | None:
        height, width = (int(side) for side in np.frombuffer(data[:4], ">u2"))
        return np.frombuffer(data[4:], np.uint8).reshape(height, width, 3)


@dataclass(frozen=True)
class MakesRoomForAnything(Plain):
    """Takes as much memory as the header asks for."""

    def decode(self, data: bytes, size: tuple[int, int] | None = None) -> np.ndarray | None:
        height, width = (int(side) for side in np.frombuffer(data[:4].ljust(4, b"\0"), ">u2"))
        return np.zeros((height, width, 3), np.uint8) if size in (None, (height, width)) else None


@dataclass(frozen=True)
class Hoards(Plain):
    """Takes 600 MB for a file that it does not even read."""

    def decode(self, data: bytes, size: tuple[int, int] | None = None) -> np.ndarray | None:
        return (
            super().decode(data, size)
            if not data.startswith(b"GIF") or b"x" * 600 * 2**20
            else None
        )


@dataclass(frozen=True)
class NotQuiteLossless(Plain):
    """Loses the last bit."""

    def encode(self, pixels: np.ndarray) -> bytes:
        return super().encode(pixels & 0xFE)


@dataclass(frozen=True)
class AveragesTheBatch(Error):
    """Gives everyone the same value."""

    def measure(self, records: Sequence[Record]) -> list[float | None]:
        values = [value for value in super().measure(records) if value is not None]
        return [float(np.mean(values)) if values else None for _ in records]


@dataclass(frozen=True)
class WrongWayRound(Error):
    """Takes an error for a likeness."""

    better: ClassVar[str] = "higher"


@dataclass(frozen=True)
class Undeclared(Metric):
    """Does not say what kind of number it gives."""

    def measure(self, records: Sequence[Record]) -> list[float | None]:
        return [float(record.ledger.uses()) for record in records]


@dataclass(frozen=True)
class LeavesItsRange(Error):
    """Says that it is at most 1."""

    statistic: ClassVar[Statistic] = Score(0.0, 1.0)


@dataclass(frozen=True)
class ShareWithoutTrials(Error):
    """Says that it is a share, but not of how many trials."""

    statistic: ClassVar[Statistic] = Share(255.0)


@dataclass(frozen=True)
class InfiniteMean(Error):
    """Is infinite where nothing is wrong."""

    statistic: ClassVar[Statistic] = Mean(0.0)

    def value(self, record: Record) -> float | None:
        value = super().value(record)
        return value and 1 / value if value else value if value is None else float("inf")


@dataclass(frozen=True)
class GivesNaN(Error):
    """NaN where there is no picture."""

    def value(self, record: Record) -> float | None:
        value = super().value(record)
        return float("nan") if value is None else value


@dataclass(frozen=True)
class SameName(Source):
    """Two samples of one name."""

    def samples(self) -> Sequence[Sample]:
        return [Sample("a", text="a"), Sample("a", text="b")]


@dataclass(frozen=True)
class NewEveryTime(Source):
    """Another text at every call."""

    def samples(self) -> Sequence[Sample]:
        _calls.append(1)
        return [Sample("a", text=str(len(_calls)))]


BROKEN: list[tuple[Component, str]] = [
    (ScalesWithTheBatch(), "gives-a-row-the-same-in-any-batch"),
    (SeedsTorch(), "touches-no-global-random-state"),
    (ThreeDecibelsOff(), "delivers-the-snr-on-its-label"),
    (UnderstatesItsNoise(), "tells-how-much-noise-is-left"),
    (Shrinks(), "leaves-symbols-as-large-as-they-were"),
    (CutsGradients(), "lets-gradients-through"),
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
    (LosesNormalisation(), "every-row-has-unit-power"),
    (LosesNormalisation(), "sends-a-sample-the-same-in-any-batch"),
    (ForgetsItsHeader(), "every-column-is-paid-for"),
    (RaisesOnNoise(), "nothing-hostile-stops-it"),
    (CallsAnythingIntact(), "nothing-hostile-stops-it"),
    (LetsNaNThrough(), "nothing-hostile-stops-it"),
    (DropsTheScale(), "features-come-back"),
    (OneShort(), "gives-as-many-as-asked-for"),
    (NeedsACaption(), "works-with-any-stream-lost"),
    (PaintsByPlace(), "generates-a-sample-the-same-in-any-batch"),
    (LooksUpTheSource(), "is-unchanged-if-the-source-is-destroyed"),
    (Renames(), "gives-candidates-for-each-sample"),
    (ReadsTheKey(), "draws-the-same-under-any-name"),
    (ReadsTheFileName(), "draws-the-same-under-any-name"),
    (RemembersTheKey(), "draws-the-same-under-any-name"),
    (KnowsTheUser(), "chooses-the-same-under-any-name"),
    (SendsTheKey(), "sends-the-same-under-any-name"),
    (TrustsSome(), "learns-the-same-under-any-name"),
    (FadesByName(), "transmits-the-same-under-any-name"),
    (EmitsMore(), "emits-what-it-declares"),
    (CountsTheBatch(), "encodes-a-sample-the-same-in-any-batch"),
    (Overwrites(), "leaves-its-input-alone"),
    (Invents(), "chooses-one-of-the-candidates"),
    (TakesTheSecond(), "chooses-by-content-and-not-by-place"),
    (AppliesLostUpdates(), "a-lost-update-changes-nothing"),
    (BelievesPictures(), "strange-updates-do-no-harm"),
    (StumblesOverNul(), "chooses-one-of-the-candidates"),
    (MixesUsers(), "users-do-not-mix"),
    (ForgetsWhatArrived(), "both-ends-agree"),
    (LeavesItsPlans(), "keeps-to-its-plans"),
    (NeedsMemory(), "plans-in-every-situation"),
    (PlansObjects(), "plans-can-be-told"),
    (Trusting(), "hostile-bytes-do-no-harm"),
    (MakesRoomForAnything(), "bombs-are-not-unpacked"),
    (Hoards(), "bombs-are-not-unpacked"),
    (NotQuiteLossless(), "a-lossless-codec-keeps-every-pixel"),
    (AveragesTheBatch(), "measures-a-record-the-same-in-any-batch"),
    (WrongWayRound(), "an-equal-picture-is-the-best"),
    (GivesNaN(), "gives-a-value-or-none-a-record"),
    (Undeclared(), "declares-what-kind-of-number-it-gives"),
    (LeavesItsRange(), "keeps-to-its-range"),
    (ShareWithoutTrials(), "keeps-to-its-range"),
    (InfiniteMean(), "keeps-to-its-range"),
    (SameName(), "samples-have-names-of-their-own"),
    (NewEveryTime(), "gives-the-same-for-the-same"),
]


@pytest.mark.parametrize(
    ("component", "law"),
    BROKEN,
    ids=lambda one: one if isinstance(one, str) else type(one).__name__,
)
def test_a_broken_component_breaks_its_law(component: Component, law: str) -> None:
    verdicts = {one.law.name: one for one in run_laws(component)}
    assert verdicts[law].result == "broken", f"the law {law} did not notice"
    assert verdicts[law].message, "a broken law must say how"


# ------------------------------------------------------------------------------------------ the kit


def test_importing_the_kit_needs_no_pytest() -> None:
    check = (
        "import sys, semcore.testing; assert 'pytest' not in sys.modules; assert 'sionna' not "
        "in sys.modules"
    )
    subprocess.run([sys.executable, "-c", check], check=True, timeout=900)


def test_laws_have_names_and_say_what_they_demand() -> None:
    for component in GOOD:
        found = laws(component)
        assert len({law.name for law in found}) == len(found)
        assert all(law.doc.endswith(".") for law in found)


def test_conformance_makes_a_case_for_each_law_of_each_component() -> None:
    one, two = (
        semcore.testing.conformance(Channel()),
        semcore.testing.conformance(Channel(), Plain()),
    )
    cases = [[case.id for case in test.pytestmark[0].args[1]] for test in (one, two)]  # type: ignore[attr-defined]
    assert cases[0] == [law.name for law in laws(Channel())]
    assert len(cases[1]) == len(set(cases[1])) == len(laws(Channel())) + len(laws(Plain()))


def test_samples_and_batch_of_the_caller_are_what_a_component_is_tried_on() -> None:
    mute = (Sample("a", "x", text="only words"), Sample("b", "y", text="more words"))
    assert not [
        one.law.name for one in run_laws(Captioner(), samples=mute) if one.result == "broken"
    ]
    batch = (Semantics("k", {"caption": Text("x")}, "u"),)
    assert not [one.law.name for one in run_laws(Painter(), batch=batch) if one.result == "broken"]


def test_a_broken_law_is_an_assertion_error() -> None:
    with pytest.raises(LawBroken):
        next(law for law in laws(OneShort()) if law.name == "gives-as-many-as-asked-for").check()
