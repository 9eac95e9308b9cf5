"""The block diagram, as code. Start reading here.

            Semantics          Symbols          Received         Semantics'           Candidates
    Sample ─ encoder.encode ─ transport.send ─ channel.transmit ─ transport.receive ─ generator.generate ─ selector ─ Sample'
       │             ▲                                                       ▲
       └─ kb.update ─┴─ a round of its own over the same channel ─ kb.apply ─┘

`transmit` sends one batch; session.py sends segment after segment, with a planner that may change the pipeline in between.
What reaches the receiver has paid for it: nothing but `link` connects the two ends, and samples and users have other names
at the receiver, see pseudonyms.py.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from semcore import steps
from semcore.interfaces import ChannelModel, Generator, KBPolicy, Selector, SemanticEncoder
from semcore.link.expect import expect, expect_each
from semcore.link.multiplex import Multiplex
from semcore.link.pseudonyms import Pseudonyms, named, named_candidates, named_samples
from semcore.rng import Rng
from semcore.types import (
    Candidates,
    Entry,
    Extent,
    Knowledge,
    KnowledgeBase,
    Ledger,
    Received,
    Sample,
    Semantics,
)

QUIET = 1e-4
"""Noise variance of a link without noise: 40 dB."""


@dataclass(frozen=True)
class Pipeline:
    """The components of one link, both ends."""

    encoder: SemanticEncoder
    transport: Multiplex
    channel: ChannelModel
    generator: Generator
    selector: Selector | None = None
    kb: KBPolicy | None = None
    silent: bool = False
    """Whether nothing may be sent: everything is lost, and costs nothing."""

    @functools.cached_property
    def adapted_transport(self) -> Multiplex:
        """The transports as the transmitter sets them up for this channel; both ends know how."""
        return self.transport.adapted_to(self.channel)


@dataclass(frozen=True, eq=False)
class Delivery:
    """What a round over the link brought.

    Fields:
        arrived: the streams that arrived, by sample in the order of the batch
        ledger: what they cost
        report: sample -> what the channel said of itself; `duration_s` is the time of this round alone, `air_time_s`
            that of every round the sample needed
    """

    arrived: list[Semantics]
    ledger: Ledger = Ledger()
    report: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def after(self, earlier: Delivery) -> Delivery:
        """This round with what an earlier one (updates, a plan) cost in channel uses and air time.

        Samples that took no part in the earlier one have an `air_time_s`, too, so that a mean over samples is one over all.
        """
        report = {key: dict(self.report.get(key, {})) for key in (*self.report, *earlier.report)}
        for key, mine in report.items():
            times = [one.get("air_time_s", one.get("duration_s")) for one in (mine, earlier.report.get(key, {}))]
            if any(time is not None for time in times):
                mine["air_time_s"] = sum(time or 0.0 for time in times)
        return replace(self, ledger=earlier.ledger + self.ledger, report=report)


@dataclass(frozen=True, eq=False)
class Transmission:
    """What became of a batch: by sample in the order of the batch; the knowledge of both ends after it.

    `update_uses`: channel uses of the round that told the knowledge base
    """

    sent: list[Semantics]
    delivery: Delivery
    candidates: list[Candidates]
    results: list[Sample]
    knowledge: Knowledge
    update_uses: int = 0


def transmit(p: Pipeline, samples: Sequence[Sample], knowledge: Knowledge, rng: Rng) -> Transmission:
    """Send a batch of samples from one end to the other."""
    knowledge, updates = update_knowledge(p, samples, knowledge, rng.at("update"))
    sent = expect_each(p.encoder, p.encoder.encode(samples, knowledge.tx), Semantics, samples)
    data = link(p, sent, rng.at("data"))
    data = replace(data, arrived=granted(data.arrived, samples))
    candidates = generated(p.generator, data.arrived, knowledge.rx, rng.at("generator"))
    results = selected(p.selector, candidates, data.arrived, knowledge.rx) if p.selector else first(candidates)
    return Transmission(sent, data.after(updates), candidates, results, knowledge, updates.ledger.uses())


def granted(arrived: Sequence[Semantics], samples: Sequence[Sample]) -> list[Semantics]:
    """What arrived, with the extent of each sample: the receiver was granted a time that long for pictures that large."""
    return [replace(there, extent=Extent.of(sample)) for there, sample in zip(arrived, samples, strict=True)]


def update_knowledge(p: Pipeline, samples: Sequence[Sample], knowledge: Knowledge, rng: Rng) -> tuple[Knowledge, Delivery]:
    """Bring the receiver's knowledge base up to date.

    Each update is acknowledged with one bit of feedback, so that both ends agree on what is in force: an update of which
    a stream was lost, or failed its check, changes neither of them. One without a check (analog) is in force as it
    arrived.
    """
    if p.kb is None:
        return knowledge, Delivery([])
    updates = expect_each(p.kb, p.kb.update(knowledge.tx, samples), Semantics, samples)
    delivery = link(p, updates, rng)
    whole = [
        there.arrived() and there.streams.keys() == update.streams.keys()
        for update, there in zip(updates, delivery.arrived, strict=True)
    ]
    arrived = [there if ok else there.only([]) for there, ok in zip(delivery.arrived, whole, strict=True)]
    acknowledged = [update if ok else update.only([]) for update, ok in zip(updates, whole, strict=True)]
    agreed = Knowledge(p.kb.apply(knowledge.tx, acknowledged), applied(p.kb, knowledge.rx, arrived))
    return agreed, replace(delivery, ledger=delivery.ledger + feedback(updates))


def feedback(updates: Sequence[Semantics]) -> Ledger:
    """One bit for each update, by which the receiver says whether it arrived."""
    return Ledger(tuple(Entry(update.key, "update", "feedback", 0, 1) for update in updates if update.streams))


def link(p: Pipeline, batch: Sequence[Semantics], rng: Rng) -> Delivery:
    """One round over the channel: the only way from one end to the other."""
    names = Pseudonyms.of(batch, component=p.adapted_transport)
    with names.in_errors(), steps.stage("link", len(batch)):
        symbols = None if p.silent else p.adapted_transport.send(names.batch(batch), names.rng(rng).at("transport"))
        if symbols is None:
            return Delivery([replace(semantics, streams={}) for semantics in batch])
        transmitted = p.channel.transmit(symbols, names.rng(rng).at("channel"))
        received = expect(p.channel, transmitted, Received, "end with symbols.received(values, noise_var)")
        arrived = p.adapted_transport.receive(received)
    layout = replace(received.layout, senders=tuple((semantics.key, semantics.user) for semantics in batch))
    reports: dict[str, dict[str, float]] = {}
    for sample, row in dict.fromkeys((span.sample, span.row) for span in layout.spans):
        report = reports.setdefault(layout.senders[sample][0], {})
        report.update(_with_times_added(received.report[row], report))
    return Delivery(named(arrived, batch), Ledger.of(replace(received, layout=layout)), reports)


def generated(generator: Generator, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
    """What a generator makes of a batch that arrived."""
    with Pseudonyms.of(batch, kb, generator).in_errors() as names:
        made = generator.generate(names.batch(batch), names.knowledge(kb), names.receivers_rng(rng, batch))
        return named_candidates(expect_each(generator, made, Candidates, batch), batch)


def selected(
    selector: Selector, candidates: Sequence[Candidates], batch: Sequence[Semantics], kb: KnowledgeBase
) -> list[Sample]:
    """What a selector takes of the candidates of a batch."""
    with Pseudonyms.of(batch, kb, selector).in_errors() as names:
        hidden = names.batch(batch)
        chosen = selector.select(named_candidates(candidates, hidden), hidden, names.knowledge(kb))
        return named_samples(expect_each(selector, chosen, Sample, batch), batch)


def applied(kb: KBPolicy, known: KnowledgeBase, delivered: Sequence[Semantics]) -> KnowledgeBase:
    """What the receiver knows after the updates that were delivered."""
    with Pseudonyms.of(delivered, known, kb).in_errors() as names:
        return names.true_knowledge(kb.apply(names.knowledge(known), names.batch(delivered)))


def noiseless_loopback(p: Pipeline, batch: Sequence[Semantics], rng: Rng) -> list[Semantics]:
    """What arrives over a link without noise: what a transmitter takes to be at the receiver once it was acknowledged."""
    symbols = p.adapted_transport.send(batch, rng)
    if symbols is None:
        return [replace(semantics, streams={}) for semantics in batch]
    return p.adapted_transport.receive(symbols.received(symbols.values, QUIET))


def _with_times_added(report: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    """A report with the times (`..._s`) of another one added to its own."""
    return {name: value + (other.get(name, 0.0) if name.endswith("_s") else 0.0) for name, value in report.items()}


def first(candidates: Sequence[Candidates]) -> list[Sample]:
    """The first candidate of each sample: what a pipeline without a selector takes."""
    return [some.samples[0] for some in candidates]
