"""Small components of every kind that keep every law."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from annotated_types import Ge

from semcore import (
    Candidates,
    ChannelModel,
    Codec,
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
from semcore.statistics.kinds import Mean


@dataclass(frozen=True)
class Channel(ChannelModel):
    """White noise.

    Fields:
        snr_db: Es/N0, dB
    """

    snr_db: Annotated[float, Ge(-50)] = 5.0

    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        var = 10 ** (-self.snr_db / 10)
        report = [{"snr_db": self.snr_db}] * len(symbols.layout.keys)
        values = symbols.values + var**0.5 * rng.noise(symbols)
        return symbols.received(values, var, report=report)


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
