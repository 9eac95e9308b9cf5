"""The block diagram, as code. Start reading here.

            Semantics          Symbols          Received         Semantics'           Candidates
    Sample ─ encoder.encode ─ transport.send ─ channel.transmit ─ transport.receive ─ generator.generate ─ selector ─ Sample'
       │             ▲                                                       ▲
       └─ kb.update ─┴─ a round of its own over the same channel ─ kb.apply ─┘

`transmit` sends one batch. `converse` sends a session: segment by segment, with a planner that may change the pipeline
in between. What reaches the receiver has paid for it: nothing but `link` connects the two ends.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from semcore.interfaces import ChannelModel, Generator, KBPolicy, Planner, Selector, SemanticEncoder
from semcore.multiplex import Multiplex
from semcore.rng import Rng
from semcore.types import (
    Bitstream,
    Candidates,
    Entry,
    Knowledge,
    Ledger,
    Plan,
    Sample,
    Scenario,
    Semantics,
    split,
)


@dataclass(frozen=True)
class Pipeline:
    """The components of one link, both ends."""

    encoder: SemanticEncoder
    transport: Multiplex
    channel: ChannelModel
    generator: Generator
    selector: Selector | None = None
    kb: KBPolicy | None = None


@dataclass(frozen=True, eq=False)
class Delivery:
    """What a round over the link brought: the streams that arrived, what they cost, what the channel reported."""

    arrived: list[Semantics]
    ledger: Ledger = Ledger()
    report: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of a batch: by sample in the order of the batch, the accounts of all, the knowledge of both ends."""

    sent: list[Semantics]
    delivery: Delivery
    candidates: list[Candidates]
    results: list[Sample]
    knowledge: Knowledge
    ledger: Ledger


def transmit(p: Pipeline, samples: Sequence[Sample], knowledge: Knowledge, rng: Rng) -> Outcome:
    """Send a batch of samples from one end to the other."""
    knowledge, updates = tell(p, samples, knowledge, rng.at("update"))
    sent = p.encoder.encode(samples, knowledge.tx)
    data = link(p, sent, rng.at("data"))
    candidates = p.generator.generate(data.arrived, knowledge.rx, rng.at("generator"))
    results = p.selector.select(candidates, data.arrived, knowledge.rx) if p.selector else first(candidates)
    return Outcome(sent, _joined(updates, data), candidates, results, knowledge, updates.ledger + data.ledger)


def tell(p: Pipeline, samples: Sequence[Sample], knowledge: Knowledge, rng: Rng) -> tuple[Knowledge, Delivery]:
    """Bring the receiver's knowledge base up to date.

    Each update is acknowledged with one bit of feedback, so that both ends agree on what is in force: an update that was
    lost, or whose check failed, changes neither of them. One without a check (analog) is in force as it arrived.
    """
    if p.kb is None:
        return knowledge, Delivery([])
    updates = p.kb.update(knowledge.tx, samples)
    delivery = link(p, updates, rng)
    arrived = [there if there.arrived() else replace(there, streams={}) for there in delivery.arrived]
    acknowledged = [
        update if there.streams else replace(update, streams={}) for update, there in zip(updates, arrived, strict=True)
    ]
    feedback = Ledger(tuple(Entry(update.key, "update", "feedback", 0, 1) for update in updates if update.streams))
    agreed = Knowledge(p.kb.apply(knowledge.tx, acknowledged), p.kb.apply(knowledge.rx, arrived))
    return agreed, replace(delivery, ledger=delivery.ledger + feedback)


def link(p: Pipeline, batch: Sequence[Semantics], rng: Rng) -> Delivery:
    """One round over the channel: the only way from one end to the other."""
    symbols = p.transport.send(batch, rng.at("transport"))
    if symbols is None:
        return Delivery([replace(semantics, streams={}) for semantics in batch])
    received = p.channel.transmit(symbols, rng.at("channel"))
    layout = received.layout
    reports = {layout.senders[span.sample][0]: dict(received.report[span.row]) for span in layout.spans}
    return Delivery(p.transport.receive(received), Ledger.of(received), reports)


def first(candidates: Sequence[Candidates]) -> list[Sample]:
    """The first candidate of each sample: what a pipeline without a selector takes."""
    return [some.samples[0] for some in candidates]


# ---------------------------------------------------------------------------------------------- sessions


@dataclass(frozen=True, eq=False)
class Segment:
    """One segment of a session: the plan in force, why, and what became of its samples."""

    index: int
    scenario: Scenario
    plan: Plan
    in_force: Mapping[str, Any]
    samples: list[Sample]
    outcome: Outcome


def converse(
    build: Callable[[Mapping[str, Any]], Pipeline],
    samples: Sequence[Sample],
    rng: Rng,
    planner: Planner | None = None,
    scenarios: Sequence[Scenario] = (Scenario(),),
    batch_size: int = 64,
) -> Iterator[Segment]:
    """Send a session. `build` makes the pipeline under given overrides.

    Where knowledge bases or plans make a sample depend on the one before it, a segment holds the next sample of every
    user; otherwise it is merely a batch. Scenarios follow each other and then start over.
    """
    knowledge, memory, in_force = Knowledge(), list[Mapping[str, Any]](), dict[str, Any]()
    sequential = planner is not None or len(scenarios) > 1 or build(scenarios[0].environment).kb is not None
    for index, batch in enumerate(_by_user(samples) if sequential else _batches(samples, batch_size)):
        scenario = replace(scenarios[index % len(scenarios)], segment=index)
        plan = planner.plan(scenario, memory) if planner else Plan()
        notice = Ledger()
        if planner and dict(plan.overrides) != in_force:
            current = build({**scenario.environment, **in_force})
            in_force, notice = _signal(current, planner, plan, in_force, batch, rng.at("plan", index))
        pipeline = build({**scenario.environment, **in_force})
        outcome = transmit(pipeline, batch, knowledge, rng)
        outcome = replace(outcome, ledger=notice + outcome.ledger)
        knowledge = outcome.knowledge
        segment = Segment(index, scenario, plan, in_force, batch, outcome)
        memory.append(remember(segment))
        yield segment


def remember(segment: Segment) -> dict[str, Any]:
    """What a planner may know of a past segment: scenario, plan, what was delivered and what it cost."""
    arrived = segment.outcome.delivery.arrived
    return {
        "segment": segment.index,
        "environment": dict(segment.scenario.environment),
        "planned": dict(segment.plan.overrides),
        "in_force": dict(segment.in_force),
        "reasons": list(segment.plan.reasons),
        "delivered": sum(semantics.arrived() for semantics in arrived) / max(len(arrived), 1),
        "channel_uses": segment.outcome.ledger.uses(),
    }


def _signal(
    p: Pipeline, planner: Planner, plan: Plan, in_force: dict[str, Any], batch: Sequence[Sample], rng: Rng
) -> tuple[dict[str, Any], Ledger]:
    """Tell the receiver the new plan over the pipeline in force. If that is lost, the old plan stays, at both ends.

    A plan that both ends know beforehand is one byte, its number; any other is sent as JSON. The samples of the segment
    share the cost.
    """
    overrides = dict(plan.overrides)
    known = [dict(one) for one in planner.plans() or ()]
    message = json.dumps(overrides, sort_keys=True, separators=(",", ":")).encode()
    if overrides in known and len(known) <= 256:
        message = bytes([known.index(overrides)])
    delivery = link(p, [Semantics("plan", {"plan": Bitstream(message)})], rng)
    entries = (*delivery.ledger.entries, Entry("plan", "plan", "feedback", 0, 1))
    shared = tuple(
        Entry(sample.id, entry.stream, entry.kind, uses, bits)
        for entry in entries
        for sample, uses, bits in zip(
            batch, split(entry.uses, [1] * len(batch)), split(entry.bits, [1] * len(batch)), strict=True
        )
    )
    return (overrides if delivery.arrived[0].arrived() else in_force), Ledger(shared)


def _joined(updates: Delivery, data: Delivery) -> Delivery:
    """The data round, with the time that the updates took added to it."""
    report = {
        key: {
            name: value + (updates.report.get(key, {}).get(name, 0.0) if name.endswith("_s") else 0.0)
            for name, value in seen.items()
        }
        for key, seen in data.report.items()
    }
    return replace(data, report=report)


def _by_user(samples: Sequence[Sample]) -> Iterator[list[Sample]]:
    queues: dict[str, list[Sample]] = {}
    for sample in samples:
        queues.setdefault(sample.user, []).append(sample)
    for step in range(max(map(len, queues.values()), default=0)):
        yield [queue[step] for queue in queues.values() if step < len(queue)]


def _batches(samples: Sequence[Sample], size: int) -> Iterator[list[Sample]]:
    for start in range(0, len(samples), size):
        yield list(samples[start : start + size])
