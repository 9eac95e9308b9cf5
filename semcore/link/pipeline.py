"""The block diagram as code. Start reading here.

           Semantics  Symbols    Received   Semantics'   Candidates
    Sample ─ encode ─ send ─ transmit ─ receive ─ generate ─ select ─ Sample'
       │        ▲                           ▲
       └─ kb.update ── a round over the same channel ── kb.apply

`transmit` sends one batch; `semcore.planning.session` sends segments, between which a planner may
change the pipeline. Only `link` connects the two ends, so that all that reaches the receiver has
used the channel; the receiver sees pseudonyms of samples and users (`semcore.link.pseudonyms`).
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
    """Whether nothing is sent: all streams are lost, and no channel use is spent."""

    @functools.cached_property
    def adapted_transport(self) -> Multiplex:
        """The transports as set up for this channel, see `Transport.adapted_to`."""
        return self.transport.adapted_to(self.channel)


@dataclass(frozen=True, eq=False)
class Delivery:
    """The outcome of one round over the link.

    Fields:
        arrived: the streams that arrived, by sample in the order of the batch
        ledger: channel uses and bits of the round
        report: sample -> report of the channel; `duration_s` is the time of this round,
            `air_time_s` that of all rounds of the sample
    """

    arrived: list[Semantics]
    ledger: Ledger = Ledger()
    report: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def after(self, earlier: Delivery) -> Delivery:
        """This round with the channel uses and air time of an earlier one (updates, a plan).

        Every sample has an `air_time_s`, so that a mean over samples covers all of them.
        """
        report = {key: dict(self.report.get(key, {})) for key in (*self.report, *earlier.report)}
        for key, own in report.items():
            rounds = (own, earlier.report.get(key, {}))
            times = [one.get("air_time_s", one.get("duration_s")) for one in rounds]
            if any(time is not None for time in times):
                own["air_time_s"] = sum(time or 0.0 for time in times)
        return replace(self, ledger=earlier.ledger + self.ledger, report=report)


@dataclass(frozen=True, eq=False)
class Transmission:
    """The outcome of a batch, by sample in its order, and the knowledge of both ends after it.

    `update_uses`: channel uses of the round of updates
    """

    sent: list[Semantics]
    delivery: Delivery
    candidates: list[Candidates]
    results: list[Sample]
    knowledge: Knowledge
    update_uses: int = 0


def transmit(
    p: Pipeline, samples: Sequence[Sample], knowledge: Knowledge, rng: Rng
) -> Transmission:
    """Send a batch of samples from one end to the other."""
    knowledge, updates = update_knowledge(p, samples, knowledge, rng.at("update"))
    sent = expect_each(p.encoder, p.encoder.encode(samples, knowledge.tx), Semantics, samples)
    data = link(p, sent, rng.at("data"))
    data = replace(data, arrived=granted(data.arrived, samples))
    candidates = generated(p.generator, data.arrived, knowledge.rx, rng.at("generator"))
    results = first(candidates)
    if p.selector:
        results = selected(p.selector, candidates, data.arrived, knowledge.rx)
    delivery, uses = data.after(updates), updates.ledger.uses()
    return Transmission(sent, delivery, candidates, results, knowledge, uses)


def granted(arrived: Sequence[Semantics], samples: Sequence[Sample]) -> list[Semantics]:
    """What arrived, with the extent of each sample, which the receiver knows from the grant."""
    pairs = zip(arrived, samples, strict=True)
    return [replace(semantics, extent=Extent.of(sample)) for semantics, sample in pairs]


def update_knowledge(
    p: Pipeline, samples: Sequence[Sample], knowledge: Knowledge, rng: Rng
) -> tuple[Knowledge, Delivery]:
    """Update the knowledge bases of both ends.

    One bit of feedback acknowledges each update, so that both ends agree: an update with a stream
    that was lost or failed its check changes neither. Without a check (analog), it applies as it
    arrived.
    """
    if p.kb is None:
        return knowledge, Delivery([])
    updates = expect_each(p.kb, p.kb.update(knowledge.tx, samples), Semantics, samples)
    delivery = link(p, updates, rng)
    arrived, acknowledged = [], []
    for update, received in zip(updates, delivery.arrived, strict=True):
        ok = received.arrived() and received.streams.keys() == update.streams.keys()
        arrived.append(received if ok else received.only([]))
        acknowledged.append(update if ok else update.only([]))
    agreed = Knowledge(p.kb.apply(knowledge.tx, acknowledged), applied(p.kb, knowledge.rx, arrived))
    return agreed, replace(delivery, ledger=delivery.ledger + feedback(updates))


def feedback(updates: Sequence[Semantics]) -> Ledger:
    """One bit per update: the receiver's acknowledgement."""
    keys = [update.key for update in updates if update.streams]
    return Ledger(tuple(Entry(key, "update", "feedback", 0, 1) for key in keys))


def link(p: Pipeline, batch: Sequence[Semantics], rng: Rng) -> Delivery:
    """One round over the channel: the only way from one end to the other."""
    names = Pseudonyms.of(batch, component=p.adapted_transport)
    with names.in_errors(), steps.stage("link", len(batch)):
        address, symbols = names.rng(rng), None
        if not p.silent:
            symbols = p.adapted_transport.send(names.batch(batch), address.at("transport"))
        if symbols is None:
            return Delivery([replace(semantics, streams={}) for semantics in batch])
        transmitted = p.channel.transmit(symbols, address.at("channel"))
        hint = "end with symbols.received(values, noise_var)"
        received = expect(p.channel, transmitted, Received, hint)
        arrived = p.adapted_transport.receive(received)
    senders = tuple((semantics.key, semantics.user) for semantics in batch)
    layout = replace(received.layout, senders=senders)
    reports: dict[str, dict[str, float]] = {}
    for sample, row in dict.fromkeys((span.sample, span.row) for span in layout.spans):
        report = reports.setdefault(layout.senders[sample][0], {})
        report.update(_with_times_added(received.report[row], report))
    return Delivery(named(arrived, batch), Ledger.of(replace(received, layout=layout)), reports)


def generated(
    generator: Generator, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng
) -> list[Candidates]:
    """Candidates for a batch that arrived."""
    with Pseudonyms.of(batch, kb, generator).in_errors() as names:
        address = names.receivers_rng(rng, batch)
        candidates = generator.generate(names.batch(batch), names.knowledge(kb), address)
        return named_candidates(expect_each(generator, candidates, Candidates, batch), batch)


def selected(
    selector: Selector,
    candidates: Sequence[Candidates],
    batch: Sequence[Semantics],
    kb: KnowledgeBase,
) -> list[Sample]:
    """The candidates of a batch that a selector picks."""
    with Pseudonyms.of(batch, kb, selector).in_errors() as names:
        hidden = names.batch(batch)
        chosen = selector.select(named_candidates(candidates, hidden), hidden, names.knowledge(kb))
        return named_samples(expect_each(selector, chosen, Sample, batch), batch)


def applied(kb: KBPolicy, known: KnowledgeBase, delivered: Sequence[Semantics]) -> KnowledgeBase:
    """The receiver's knowledge base after the updates that were delivered."""
    with Pseudonyms.of(delivered, known, kb).in_errors() as names:
        return names.true_knowledge(kb.apply(names.knowledge(known), names.batch(delivered)))


def noiseless_loopback(p: Pipeline, batch: Sequence[Semantics], rng: Rng) -> list[Semantics]:
    """What arrives without noise: the transmitter's estimate of what the receiver has."""
    symbols = p.adapted_transport.send(batch, rng)
    if symbols is None:
        return [replace(semantics, streams={}) for semantics in batch]
    return p.adapted_transport.receive(symbols.received(symbols.values, QUIET))


def _with_times_added(report: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    """A report with the times (`..._s`) of another one added."""
    times = {name: value for name, value in other.items() if name.endswith("_s")}
    return {name: value + times.get(name, 0.0) for name, value in report.items()}


def first(candidates: Sequence[Candidates]) -> list[Sample]:
    """The first candidate of each sample, for a pipeline without a selector."""
    return [some.samples[0] for some in candidates]
