"""A session: segment after segment, with a planner that may change the pipeline in between.

Every segment begins with what its plan and its knowledge base cost; both are told over the same link, and can be lost.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from semcore.interfaces import Planner
from semcore.pipeline import Delivery, Outcome, Pipeline, link, transmit
from semcore.rng import Rng
from semcore.types import Bitstream, Entry, Knowledge, Ledger, Plan, Sample, Scenario, Semantics


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
    user; otherwise it is merely a batch, of about `batch_size` samples: those that share channel uses are not parted.
    Scenarios follow each other and then start over. What the environment sets, no plan can change.
    """
    knowledge, memory, in_force = Knowledge(), list[Mapping[str, Any]](), dict[str, Any]()
    begun = build(scenarios[0].environment)
    sequential, shared = planner is not None or len(scenarios) > 1 or begun.kb is not None, begun.transport.shared_by
    size = -(-batch_size // shared) * shared
    for index, batch in enumerate(_by_user(samples) if sequential else _batches(samples, size)):
        scenario = replace(scenarios[index % len(scenarios)], segment=index)
        plan = planner.plan(scenario, memory) if planner else Plan()
        notice = Delivery([])
        if planner and dict(plan.overrides) != in_force:
            current = build({**in_force, **scenario.environment})
            in_force, notice = _signal(current, planner, plan, in_force, batch, rng.at("plan", index))
        pipeline = build({**in_force, **scenario.environment})
        outcome = transmit(pipeline, batch, knowledge, rng)
        outcome = replace(outcome, delivery=outcome.delivery.after(notice))
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
        "channel_uses": segment.outcome.delivery.ledger.uses(),
    }


def _signal(
    p: Pipeline, planner: Planner, plan: Plan, in_force: dict[str, Any], batch: Sequence[Sample], rng: Rng
) -> tuple[dict[str, Any], Delivery]:
    """Tell the receiver the new plan over the pipeline in force. If that is lost, the old plan stays, at both ends.

    A plan that both ends know beforehand is one byte, its number; any other is sent as JSON. The samples of the segment
    share its channel uses; each of them waits for it. A message that arrives damaged is lost, whether or not its transport
    has a check: both ends run the one pipeline, so they cannot be of two minds.
    """
    overrides = dict(plan.overrides)
    known = [dict(one) for one in planner.plans() or ()]
    message = json.dumps(overrides, sort_keys=True, separators=(",", ":")).encode()
    if overrides in known and len(known) <= 256:
        message = bytes([known.index(overrides)])
    told = Bitstream(message)
    delivery = link(p, [Semantics("plan", {"plan": told})], rng)
    ledger = delivery.ledger + Ledger((Entry("plan", "plan", "feedback", 0, 1),))
    report = {sample.id: delivery.report.get("plan", {}) for sample in batch}
    there = delivery.arrived[0]
    arrived = there.arrived() and there.streams.get("plan") == told
    return overrides if arrived else in_force, Delivery([], ledger.shared([sample.id for sample in batch]), report)


def _by_user(samples: Sequence[Sample]) -> Iterator[list[Sample]]:
    queues: dict[str, list[Sample]] = {}
    for sample in samples:
        queues.setdefault(sample.user, []).append(sample)
    for step in range(max(map(len, queues.values()), default=0)):
        yield [queue[step] for queue in queues.values() if step < len(queue)]


def _batches(samples: Sequence[Sample], size: int) -> Iterator[list[Sample]]:
    for start in range(0, len(samples), size):
        yield list(samples[start : start + size])
