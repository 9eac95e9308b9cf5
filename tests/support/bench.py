"""Small components of every kind that a run needs, named by the tests under `plugins:`.

Each call of a stage is appended to the file $BENCH_LOG, one line per sample, so that tests can
count what was computed in whichever process; each transmission appends its process id to
$BENCH_PIDS. A link of these sends a picture's mean brightness as a word and paints the word as a
flat picture.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt

import semcore
from semcore.interfaces import Record
from semcore.types import Span


def _count(stage: str, *names: str) -> None:
    if path := os.environ.get("BENCH_LOG"):
        with open(path, "a") as file:
            file.writelines(f"{stage} {name}\n" for name in names)
    if stage == "transmit" and (path := os.environ.get("BENCH_PIDS")):
        with open(path, "a") as file:
            file.write(f"{os.getpid()}\n")


@semcore.register("source", "greys")
@dataclass(frozen=True)
class Greys(semcore.Source):
    """Grey pictures.

    Fields:
        limit: number of pictures
        users: they belong to so many users in turn
        brightest: grey value of the last
    """

    limit: Annotated[int, Ge(0)] = 3
    users: Annotated[int, Ge(1)] = 1
    brightest: int = 240

    def samples(self) -> Sequence[semcore.Sample]:
        greys = np.linspace(10, self.brightest, self.limit).astype(np.uint8)
        return [
            semcore.Sample(
                f"s{i}", user=f"u{i % self.users}", image=np.full((8, 8, 3), grey, np.uint8)
            )
            for i, grey in enumerate(greys)
        ]


@semcore.register("codec", "word")
@dataclass(frozen=True)
class Word(semcore.Codec):
    """A picture's brightness as digits.

    Fields:
        quality: number of digits
    """

    quality: Annotated[int, Ge(1)] = 3

    def encode(self, pixels: np.ndarray) -> bytes:
        return f"{pixels.mean():03.0f}"[: self.quality].encode()

    def decode(self, data: bytes, size: tuple[int, int] | None = None) -> np.ndarray | None:
        return None


@semcore.register("encoder", "brightness")
@dataclass(frozen=True)
class Brightness(semcore.SemanticEncoder):
    """Says how bright a picture is.

    Fields:
        codec: makes the word
        prefix: stands before the word
    """

    codec: semcore.Codec = Word()
    prefix: str = ""

    @property
    def streams(self) -> Mapping[str, type[semcore.Stream]]:
        return {"caption": semcore.Text}

    def encode(
        self, samples: Sequence[semcore.Sample], kb: semcore.KnowledgeBase
    ) -> list[semcore.Semantics]:
        _count("encode", *(sample.id for sample in samples))
        words = [self.prefix + self.codec.encode(sample.image).decode() for sample in samples]
        return [
            semcore.Semantics(sample.id, {"caption": semcore.Text(word)}, sample.user)
            for sample, word in zip(samples, words, strict=True)
        ]


@semcore.register("transport", "qpsk")
@dataclass(frozen=True)
class Qpsk(semcore.Transport):
    """Bits as QPSK symbols, decided one by one; the length is told for free.

    Fields:
        repeat: every symbol is sent so often
        modulation: only one is known
    """

    repeat: Annotated[int, Ge(1)] = 1
    modulation: Literal["4qam", "qpsk"] = "qpsk"

    carries: ClassVar[tuple[type[Any], ...]] = (semcore.Text, semcore.Bitstream)

    def send(self, batch: Sequence[semcore.Semantics], rng: semcore.Rng) -> semcore.Symbols:
        import torch

        rows, spans, keys = [], [], []
        for index, semantics in enumerate(batch):
            for name, stream in semantics.streams.items():
                data = stream.value.encode() if isinstance(stream, semcore.Text) else stream.data
                bits = (
                    np.unpackbits(np.frombuffer(data, np.uint8))
                    .repeat(self.repeat)
                    .astype(np.float32)
                )
                signs = torch.from_numpy(1 - 2 * bits.reshape(-1, 2)) / 2**0.5
                spans.append(
                    Span(
                        len(rows),
                        0,
                        len(signs),
                        index,
                        name,
                        type(stream),
                        bits={"data": 8 * len(data)},
                    )
                )
                rows.append(torch.complex(signs[:, 0], signs[:, 1]))
                keys.append(semantics.key)
        values = (
            torch.nn.utils.rnn.pad_sequence(rows, True)
            if rows
            else torch.zeros(0, 0, dtype=torch.complex64)
        )
        senders = tuple((semantics.key, semantics.user) for semantics in batch)
        layout = semcore.Layout(tuple(map(len, rows)), tuple(spans), tuple(keys), senders)
        return semcore.Symbols(values, layout)

    def receive(self, received: semcore.Received) -> list[semcore.Semantics]:
        streams = {}
        for span in received.layout.spans:
            values = received.values[span.row, span.start : span.stop].numpy()
            soft = np.stack([values.real, values.imag], 1).reshape(-1, self.repeat).sum(1)
            data = np.packbits(soft < 0).tobytes()
            made = (
                semcore.Text(data.decode("utf-8", "replace"))
                if span.type is semcore.Text
                else semcore.Bitstream(data)
            )
            streams[span.sample, span.stream] = (made, None)
        return received.layout.semantics(streams)


@semcore.register("channel", "noise")
@dataclass(frozen=True)
class Noise(semcore.ChannelModel):
    """Gaussian noise, perhaps with a crash.

    Fields:
        snr_db: Es/N0
        speed_kmh: lowest and highest speed
        crash_db: it crashes if this is its SNR, unless $BENCH_CALM is set
        slow_s: it takes so long
    """

    snr_db: Annotated[float, Ge(-50)] = 10.0
    speed_kmh: tuple[float, float] = (3.0, 3.0)
    crash_db: float | None = None
    slow_s: Annotated[float, Ge(0)] = 0.0

    def check(self) -> None:
        if self.speed_kmh[0] > self.speed_kmh[1]:
            raise semcore.ComponentError("speed_kmh: the lowest speed comes first")

    def transmit(self, symbols: semcore.Symbols, rng: semcore.Rng) -> semcore.Received:
        _count("transmit", *symbols.layout.keys)
        time.sleep(self.slow_s)
        if self.crash_db == self.snr_db and "BENCH_CALM" not in os.environ:
            raise FloatingPointError("the amplifier burnt")
        variance = 10 ** (-self.snr_db / 10)
        noise = rng.complex_normal(
            symbols.layout.keys, symbols.layout.lengths, symbols.values.shape[1]
        )
        report = [
            {"snr_db": self.snr_db, "duration_s": 1e-6 * length}
            for length in symbols.layout.lengths
        ]
        return symbols.received(symbols.values + variance**0.5 * noise, variance, report=report)


@semcore.register("channel", "bursts")
@dataclass(frozen=True)
class Bursts(Noise):
    """Noise in a channel that does not keep still for long.

    Fields:
        longest: symbols after which it is another
    """

    longest: Annotated[int, Ge(1)] = 4

    def incompatibility(self, transport: semcore.Transport) -> str:
        repeat = getattr(transport, "repeat", 1)
        return (
            f"is another after {self.longest} symbols, and every symbol is repeated {repeat} times"
            * (repeat > self.longest)
        )


@semcore.register("generator", "flat")
@dataclass(frozen=True)
class Flat(semcore.Generator):
    """Paints the word as a flat picture.

    Fields:
        steps: has no effect
        candidates: it makes so many
        strength: scales the picture
    """

    steps: Annotated[int, Ge(1)] = 1
    candidates: Annotated[int, Ge(1)] = 1
    strength: Annotated[float, Gt(0)] = 1.0

    accepts: ClassVar[Mapping[str, tuple[type[Any], ...]]] = {"caption": (semcore.Text,)}

    def generate(
        self, batch: Sequence[semcore.Semantics], kb: semcore.KnowledgeBase, rng: semcore.Rng
    ) -> list[semcore.Candidates]:
        _count("generate", *(semantics.key for semantics in batch))
        return [self._one(semantics) for semantics in batch]

    def _one(self, semantics: semcore.Semantics) -> semcore.Candidates:
        word = "".join(c for c in semantics.text("caption") or "" if c in "0123456789")[:3]
        grey = min(255, int(self.strength * int(word or 0)))
        sample = semcore.Sample(
            semantics.key, semantics.user, image=np.full((8, 8, 3), grey, np.uint8)
        )
        return semcore.Candidates((sample,) * self.candidates)


@semcore.register("generator", "moving")
@dataclass(frozen=True)
class Moving(semcore.Generator):
    """Makes use of motion alone."""

    accepts: ClassVar[Mapping[str, tuple[type[Any], ...]]] = {"motion": (semcore.Features,)}

    def generate(
        self, batch: Sequence[semcore.Semantics], kb: semcore.KnowledgeBase, rng: semcore.Rng
    ) -> list[semcore.Candidates]:
        return [semcore.Candidates((semcore.Sample(semantics.key),)) for semantics in batch]


@semcore.register("transport", "analogue")
@dataclass(frozen=True)
class Analogue(Qpsk):
    """Carries features alone."""

    carries: ClassVar[tuple[type[Any], ...]] = (semcore.Features,)


@semcore.register("selector", "last")
@dataclass(frozen=True)
class Last(semcore.Selector):
    """Takes the last candidate."""

    def select(
        self,
        candidates: Sequence[semcore.Candidates],
        batch: Sequence[semcore.Semantics],
        kb: semcore.KnowledgeBase,
    ) -> list[semcore.Sample]:
        _count("select", *(semantics.key for semantics in batch))
        return [some.samples[-1] for some in candidates]


@semcore.register("planner", "alternate")
@dataclass(frozen=True)
class Alternate(semcore.Planner):
    """Takes its plans in turn.

    Fields:
        table: the plans: dotted path and value
    """

    table: tuple[tuple[str, Any], ...] = (("generator.steps", 1), ("generator.steps", 2))

    def plan(
        self,
        scenario: semcore.Scenario,
        memory: Sequence[Mapping[str, Any]],
        simulator: semcore.PlanSimulator,
    ) -> semcore.Plan:
        path, value = self.table[scenario.segment % len(self.table)]
        return semcore.Plan({path: value}, ("in turn",))

    def plans(self) -> Sequence[Mapping[str, Any]]:
        return [{path: value} for path, value in self.table]


@semcore.register("metric", "grey-error")
@dataclass(frozen=True)
class GreyError(semcore.Metric):
    """Mean distance in grey values.

    Fields:
        scale: factor
    """

    unit: ClassVar[str] = "grey"
    better: ClassVar[str] = "lower"
    statistic: ClassVar[semcore.Statistic] = semcore.Mean(0.0)
    scale: float = 1.0

    def measure(self, records: Sequence[Record]) -> list[float | None]:
        return [
            None
            if one.result.image is None
            else self.scale
            * float(np.abs(one.source.image.astype(float) - one.result.image).mean())
            for one in records
        ]


@semcore.register("metric", "odd")
@dataclass(frozen=True)
class Odd(semcore.Metric):
    """Values that JSON cannot hold, and values that are missing."""

    statistic: ClassVar[semcore.Statistic] = semcore.Mean()

    def measure(self, records: Sequence[Record]) -> list[float | None]:
        return [(float("nan"), float("inf"), None)[i % 3] for i, _ in enumerate(records)]


@semcore.register("recipe", "nothing")
@dataclass(frozen=True)
class Nothing(semcore.Recipe):
    """Trains nothing.

    Fields:
        epochs: how long
    """

    epochs: Annotated[int, Ge(1)] = 1

    def train(self, out: Any) -> None:
        (out / "README.md").write_text(f"# nothing\n\nafter {self.epochs} epochs\n")
