"""Laws of the link for any transport and channel: batches, several streams, shared knowledge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest
import torch

from semcore.interfaces import ChannelModel, Generator, KBPolicy, SemanticEncoder, Transport
from semcore.link.multiplex import Multiplex
from semcore.link.pipeline import Delivery, Pipeline, link, update_knowledge
from semcore.planning.interface import Planner, PlanSimulator
from semcore.planning.session import run_session
from semcore.planning.space import Space
from semcore.rng import Rng
from semcore.types import (
    Bitstream,
    Candidates,
    Knowledge,
    KnowledgeBase,
    Layout,
    Plan,
    Received,
    Sample,
    Scenario,
    Semantics,
    Span,
    Stream,
    Symbols,
)


@dataclass(frozen=True)
class Raw(Transport):
    """Bytes as amplitudes, without any check.

    Fields:
        erases: streams that it loses
    """

    erases: tuple[str, ...] = ()

    def send(self, batch: Sequence[Semantics], rng: Rng) -> Symbols:
        spans, rows = [], []
        for row, one in enumerate(batch):
            parts = [torch.empty(0)]
            for name, stream in one.streams.items():
                assert isinstance(stream, Bitstream)
                start = sum(map(len, parts))
                parts.append(torch.tensor([float(byte) for byte in stream.data]))
                spans.append(Span(row, start, start + len(parts[-1]), row, name, Bitstream))
            rows.append(torch.cat(parts).to(torch.complex64))
        senders = tuple((one.key, one.user) for one in batch)
        layout = Layout(
            tuple(map(len, rows)), tuple(spans), tuple(one.key for one in batch), senders
        )
        return Symbols(torch.nn.utils.rnn.pad_sequence(rows, batch_first=True), layout)

    def receive(self, received: Received) -> list[Semantics]:
        streams: dict[tuple[int, str], tuple[Stream | None, bool | None]] = {}
        for span in received.layout.spans:
            values = received.values[span.row, span.start : span.stop].real.round().clamp(0, 255)
            stream = (
                None
                if span.stream in self.erases
                else Bitstream(bytes(int(value) for value in values))
            )
            streams[span.sample, span.stream] = stream, False if stream is None else None
        return received.layout.semantics(streams)


@dataclass(frozen=True)
class Noisy(ChannelModel):
    """Noise that changes bytes.

    Fields:
        deviation: of the noise
    """

    deviation: float = 0.0

    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        return symbols.received(
            symbols.values + self.deviation * rng.noise(symbols), self.deviation**2
        )


def data(semantics: Semantics) -> dict[str, bytes]:
    return {
        name: stream.data
        for name, stream in semantics.streams.items()
        if isinstance(stream, Bitstream)
    }


@dataclass(frozen=True)
class Silent(SemanticEncoder):
    """Sends nothing."""

    @property
    def streams(self) -> Mapping[str, type[Stream]]:
        return {}

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        return [Semantics(sample.id, {}, sample.user) for sample in samples]


@dataclass(frozen=True)
class Nothing(Generator):
    """Generates nothing."""

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        return [Candidates((Sample(one.key),)) for one in batch]


@dataclass(frozen=True)
class Two(KBPolicy):
    """Updates of two streams."""

    @property
    def streams(self) -> Mapping[str, type[Stream]]:
        return {"look": Bitstream, "voice": Bitstream}

    def update(self, kb: KnowledgeBase, samples: Sequence[Sample]) -> list[Semantics]:
        both = {"look": Bitstream(b"look"), "voice": Bitstream(b"voice")}
        return [Semantics(sample.id, both, sample.user) for sample in samples]


SPACE = Space({"workflow": ("other",)})


@dataclass(frozen=True)
class Wants(Planner):
    """Wants one plan."""

    def plan(self, scenario: Scenario, memory: Sequence[object], simulator: PlanSimulator) -> Plan:
        return Plan({"workflow": "other"})


def pipeline(transport: Transport, deviation: float = 0.0, kb: KBPolicy | None = None) -> Pipeline:
    return Pipeline(Silent(), Multiplex({"*": transport}), Noisy(deviation), Nothing(), kb=kb)


def test_what_a_sample_receives_does_not_depend_on_the_batch() -> None:
    """Samples without a stream, or in another order, each keep their own order and noise."""
    x, y, z = (Bitstream(bytes([level]) * 20) for level in (50, 100, 150))
    batch = [
        Semantics("a", {"y": y}),
        Semantics("b", {"x": x, "y": y}),
        Semantics("c", {"z": z, "y": y, "x": x}),
    ]
    p = pipeline(Raw(), 5.0)
    together = link(p, batch, Rng(1)).arrived
    for semantics, got in zip(batch, together, strict=True):
        (alone,) = link(p, [semantics], Rng(1)).arrived
        assert data(got) == data(alone)
        assert list(got.streams) == list(alone.streams) == list(semantics.streams)


def test_an_update_of_which_a_part_is_lost_changes_neither_end() -> None:
    knowledge, _ = update_knowledge(
        pipeline(Raw(("voice",)), kb=Two()), [Sample("a", "anna")], Knowledge(), Rng()
    )
    assert knowledge.tx.of("anna") == knowledge.rx.of("anna") == ()
    knowledge, _ = update_knowledge(
        pipeline(Raw(), kb=Two()), [Sample("a", "anna")], Knowledge(), Rng()
    )
    assert (
        knowledge.tx.of("anna")
        == knowledge.rx.of("anna")
        == (Bitstream(b"look"), Bitstream(b"voice"))
    )


@pytest.mark.parametrize(("deviation", "in_force"), [(0.0, {"workflow": "other"}), (20.0, {})])
def test_a_plan_that_arrives_damaged_is_not_in_force_even_if_nothing_checks_it(
    deviation: float, in_force: Mapping[str, str]
) -> None:
    def build(overrides: Mapping[str, object]) -> Pipeline:
        return pipeline(Raw(), deviation)

    (segment,) = run_session(build, [Sample("a", "anna")], Rng(), Wants(), space=SPACE)
    assert segment.in_force == in_force


def test_every_sample_has_the_air_time_of_all_its_rounds() -> None:
    data = Delivery(
        [],
        report={
            "a": {"duration_s": 1.0},
            "b": {"duration_s": 2.0, "air_time_s": 2.5},
            "c": {"snr_db": 3.0},
        },
    )
    updates = Delivery([], report={"b": {"duration_s": 0.5}, "d": {"duration_s": 4.0}})
    report = data.after(updates).report
    assert {key: seen.get("air_time_s") for key, seen in report.items()} == {
        "a": 1.0,
        "b": 3.0,
        "c": None,
        "d": 4.0,
    }
    assert report["b"]["duration_s"] == 2.0


def test_no_plan_changes_the_world() -> None:
    """What the environment sets wins over a plan that wants it otherwise."""
    asked: list[Mapping[str, object]] = []

    def build(overrides: Mapping[str, object]) -> Pipeline:
        asked.append(dict(overrides))
        return pipeline(Raw())

    world = Scenario(environment={"workflow": "as it is", "channel.snr_db": 3.0})
    list(run_session(build, [Sample("a", "anna")], Rng(), Wants(), (world,), space=SPACE))
    assert asked and all(overrides == world.environment for overrides in asked)


@dataclass(frozen=True)
class Shared(Raw):
    """Three samples share channel uses, or so it says."""

    @property
    def group_size(self) -> int:
        return 3


@pytest.mark.parametrize("batch_size", [1, 2, 3, 4, 64])
def test_samples_that_share_channel_uses_are_never_parted(batch_size: int) -> None:
    samples = [Sample(str(number)) for number in range(10)]
    segments = list(
        run_session(lambda overrides: pipeline(Shared()), samples, Rng(), batch_size=batch_size)
    )
    assert [sample for segment in segments for sample in segment.samples] == samples
    assert all(len(segment.samples) % 3 == 0 for segment in segments[:-1])
    assert Multiplex({"a": Shared(), "*": Raw()}).group_size == 3
