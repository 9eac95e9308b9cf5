"""A session: segment after segment, with a planner that may change the pipeline in between.

Every segment begins with the signalling of its plan and the updates of its knowledge base. Both are
sent over the same link, and can be lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from semcore.component.digest import digest
from semcore.limits import BATCH_VALUES
from semcore.link.expect import expect
from semcore.link.pipeline import Delivery, Pipeline, Transmission, noiseless_loopback, transmit
from semcore.planning.guard import enforce
from semcore.planning.interface import Planner
from semcore.planning.simulator import Judge, LinkSimulator, TrialCache, signal_plan, uncached
from semcore.planning.space import Space
from semcore.rng import Rng
from semcore.types import (
    Bitstream,
    Knowledge,
    KnowledgeBase,
    Plan,
    Sample,
    Scenario,
    Semantics,
    Stream,
    Text,
    heads,
)

LONGEST_TEXT = 200
"""Maximum number of characters of a text, sent or in a knowledge base, that a planner gets."""


@dataclass(frozen=True, eq=False)
class Segment:
    """One segment of a session: the plan in force, why, and the outcome of its samples."""

    index: int
    scenario: Scenario
    plan: Plan
    in_force: Mapping[str, Any]
    samples: list[Sample]
    outcome: Transmission


def run_session(
    build: Callable[[Mapping[str, Any]], Pipeline],
    samples: Sequence[Sample],
    rng: Rng,
    planner: Planner | None = None,
    scenarios: Sequence[Scenario] = (Scenario(),),
    batch_size: int = 64,
    *,
    space: Space | None = None,
    judge: Judge | None = None,
    cached: TrialCache = uncached,
) -> Iterator[Segment]:
    """Send a session. `build` makes the pipeline under given overrides.

    Where knowledge bases or plans make a sample depend on the one before it, a segment holds the
    next sample of every user; otherwise it is merely a batch, of about `batch_size` samples, or
    fewer if they are large (`limits.BATCH_VALUES`); samples that share channel uses stay together.
    Samples are read segment by segment. Scenarios follow each other and then start over. What the
    environment sets, no plan can change.

    Args:
        space: what the planner may plan; None: the values in its `plans()`
        judge: measures the metrics of a scenario's utility; None: no planner can try plans
        cached: (key, compute) -> the result of `compute`, or of an earlier call with this key
    """
    knowledge, memory, in_force = Knowledge(), list[Mapping[str, Any]](), dict[str, Any]()
    believed = KnowledgeBase()  # what the transmitter takes the receiver's to be
    begun = build(scenarios[0].environment)
    sequential = planner is not None or len(scenarios) > 1 or begun.kb is not None
    shared = begun.transport.group_size
    size = -(-batch_size // shared) * shared
    if space is None:
        space = Space.of(planner.plans() or () if planner else ())
    states = list[dict[str, Any]]()
    if planner:
        states = [dict(build(one.environment).channel.link_state()) for one in scenarios]
    index = 0
    for batch in _by_user(samples) if sequential else _batches(samples, size, shared):
        scenario = replace(scenarios[index % len(scenarios)], segment=index)
        decided = _Decided(Plan(), in_force, Delivery([]), False)
        if planner:
            scenario = replace(
                scenario,
                link=states[index % len(scenarios)],
                forecast=tuple(states[index % len(scenarios) + 1 :]),
                knowledge=_held(knowledge.tx),
            )
            # Only a genie gets the real link and the true state of the receiver.
            known = knowledge if planner.genie else Knowledge(knowledge.tx, believed)
            own = rng if planner.genie else rng.at("planner")
            simulator = LinkSimulator(
                space, build, scenario, batch, known, in_force, judge, own, planner.genie, cached
            )
            current = build({**in_force, **scenario.environment})
            decided = _decided(planner, simulator, current, memory, rng.at("plan", index))
            del simulator
            in_force = decided.in_force
        pipeline = replace(build({**in_force, **scenario.environment}), silent=decided.muted)
        outcome = transmit(pipeline, batch, knowledge, rng)
        if planner:
            believed = _believed(
                pipeline, batch, knowledge, outcome.knowledge, believed, rng.at("believed", index)
            )
        outcome = replace(outcome, delivery=outcome.delivery.after(decided.signalling))
        knowledge = outcome.knowledge
        segment = Segment(index, scenario, decided.plan, in_force, batch, outcome)
        memory.append(remember(segment))
        yield segment
        index += 1
        del batch, outcome, segment  # before the next samples are read


@dataclass(frozen=True)
class _Decided:
    """What a planner decided, and the outcome of its signalling.

    Fields:
        plan: its plan, within space and limits
        in_force: the plan in force from now on: the old one if the new one was lost
        signalling: the cost of the message, and whether it arrived
        muted: whether nothing is sent, because no plan keeps to the limits
    """

    plan: Plan
    in_force: dict[str, Any]
    signalling: Delivery
    muted: bool


def _decided(
    planner: Planner,
    simulator: LinkSimulator,
    current: Pipeline,
    memory: Sequence[Mapping[str, Any]],
    rng: Rng,
) -> _Decided:
    """Let a planner plan, enforce space and limits, and signal the plan over `current`."""
    scenario, before = simulator.scenario, dict(simulator.in_force)
    wanted = expect(planner, planner.plan(scenario, memory, simulator), Plan)
    chosen = enforce(wanted, simulator, scenario)
    if chosen.muted or dict(chosen.plan.overrides) == before:
        return _Decided(chosen.plan, before, Delivery([]), chosen.muted)
    plan = chosen.plan.overrides
    signalling = signal_plan(current, simulator.space, plan, simulator.samples, rng)
    # A plan that arrives damaged is lost, even if its transport has no check: both ends must run
    # the same pipeline.
    if signalling.arrived:
        return _Decided(chosen.plan, dict(plan), signalling, False)
    # The old plan stays in force, and must keep to the limits, too.
    muted = bool(scenario.limits and simulator.cost(before).over(scenario.limits))
    return _Decided(chosen.plan, before, signalling, muted)


def remember(segment: Segment) -> dict[str, Any]:
    """What a planner may know of a past segment: scenario, plan, what was delivered and its cost.

    Its texts were recognised or captioned by the transmitter, or came over a channel: they are
    data, not instructions.
    """
    arrived = segment.outcome.delivery.arrived
    return {
        **segment.scenario.plain(),
        "planned": dict(segment.plan.overrides),
        "in_force": dict(segment.in_force),
        "reasons": list(segment.plan.reasons),
        "plan_report": dict(segment.plan.report),
        "delivered": sum(semantics.arrived() for semantics in arrived) / max(len(arrived), 1),
        "channel_uses": segment.outcome.delivery.ledger.uses(),
        "update_uses": segment.outcome.update_uses,
        "texts": _texts(segment.outcome.sent),
    }


def _believed(
    p: Pipeline,
    samples: Sequence[Sample],
    before: Knowledge,
    after: Knowledge,
    believed: KnowledgeBase,
    rng: Rng,
) -> KnowledgeBase:
    """What the transmitter takes the receiver's knowledge base to be: the acknowledged updates."""
    if p.kb is None:
        return believed
    users = {
        user for user in after.tx.entries if digest(after.tx.of(user)) != digest(before.tx.of(user))
    }
    updates = [one for one in p.kb.update(before.tx, samples) if one.user in users] if users else []
    return p.kb.apply(believed, noiseless_loopback(p, updates, rng)) if updates else believed


def in_words(stream: Stream) -> str:
    """A text as it is, anything else by its type and size."""
    if isinstance(stream, Text):
        return stream.value.encode("utf-8", "replace").decode("utf-8")
    name = type(stream).__name__
    if isinstance(stream, Bitstream):
        return f"[{name} {len(stream.data)} bytes]"
    return f"[{name} {'×'.join(map(str, stream.form))}]"


def _held(kb: KnowledgeBase) -> dict[str, tuple[str, ...]]:
    return {user: tuple(in_words(one)[:LONGEST_TEXT] for one in kb.of(user)) for user in kb.entries}


def _texts(sent: Sequence[Semantics]) -> list[str]:
    streams = [stream for semantics in sent for stream in semantics.streams.values()]
    return [in_words(stream)[:LONGEST_TEXT] for stream in streams if isinstance(stream, Text)]


def _by_user(samples: Sequence[Sample]) -> Iterator[list[Sample]]:
    queues: dict[str, list[int]] = {}
    for index, (_, user) in enumerate(heads(samples)):
        queues.setdefault(user, []).append(index)
    for step in range(max(map(len, queues.values()), default=0)):
        yield [samples[queue[step]] for queue in queues.values() if step < len(queue)]


def _batches(samples: Sequence[Sample], size: int, shared: int) -> Iterator[list[Sample]]:
    batch: list[Sample] = []
    for index in range(len(samples)):
        batch.append(samples[index])
        full = len(batch) >= size or sum(sample.source_values for sample in batch) >= BATCH_VALUES
        if full and len(batch) % shared == 0:
            yield batch
            batch = []  # before the next sample is read
    if batch:
        yield batch
