"""Estimated utility of a plan, from remembered segments and trials weighted by similarity."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semcore import PlanSimulator, Scenario, Space, Trial, utility
from semcore_llm.memory.store import Memory, number, similarity

OTHER_VALUE = 0.15
"""Factor on the similarity of two plans per setting that differs; its square root for neighbours on
an ordered axis."""
MOST_REMEMBERED = 4.0
"""Maximum total weight of the remembered segments of a plan."""
DOUBT = 0.5
"""Weight of the mean over all plans, as a prior for each plan."""
USES = "channel-uses"
"""The metric that includes the channel uses of updates."""


@dataclass(frozen=True)
class Estimate:
    """Estimate of a plan.

    Fields:
        utility: estimated utility, 0..1
        known: total weight of the evidence, in segments of equal plan and scenario
    """

    utility: float
    known: float


@dataclass(frozen=True)
class Evidence:
    """Utility of a plan in one segment.

    Fields:
        plan: the plan in force
        worth: its utility, 0..1
        weight: similarity of the segment to the current one, 0..1; higher for a trial
        updated: whether the knowledge base was updated
        tried: whether it is a trial on the current segment, not a remembered segment
    """

    plan: Mapping[str, Any]
    worth: float
    weight: float
    updated: bool
    tried: bool = False


def evidence_of(
    memory: Memory, scenario: Scenario, share: float = 1.0, knowledge: bool = True
) -> list[Evidence]:
    """Evidence from remembered segments, by the utility of the scenario's user.

    Args:
        share: share of the cost of an update that is charged to a segment
        knowledge: whether the similarity considers the knowledge of the receiver
    """
    found = []
    for line in memory.lines:
        outcome, weight = line["outcome"], similarity(line, scenario, knowledge)
        update_uses = number(outcome.get("update_uses")) or 0.0
        worth = worth_of(scenario, outcome["metrics"], update_uses, share)
        if worth is not None and weight > 1e-6:
            found.append(Evidence(line["plan"]["in_force"], worth, weight, update_uses > 0))
    return found


def worth_of(
    scenario: Scenario, metrics: Mapping[str, Any], update_uses: float, share: float
) -> float | None:
    """Utility of a segment to which a share of the cost of its updates is charged; None without a
    utility."""
    uses = number(metrics.get(USES))
    if uses is None:
        return utility(scenario.utility, metrics)
    return utility(scenario.utility, {**metrics, USES: uses - update_uses * (1 - share)})


def trial_worth(trial: Trial, simulator: PlanSimulator, share: float) -> float:
    """Utility of a trial to whose segment a share of the cost of its updates is charged."""
    update_uses = trial.update_uses / max(len(simulator.samples), 1)
    return worth_of(simulator.scenario, trial.metrics, update_uses, share) or 0.0


def share_of(horizon: int, scenario: Scenario, session: Sequence[Mapping[str, Any]]) -> float:
    """Share of the cost of an update that is charged to the segment, if an update serves `horizon`
    segments or all that remain.

    An update that comes earlier is also charged the rest of the previous one, so that updating
    every segment costs the full price.
    """
    serves = min(horizon, 1 + len(scenario.forecast))
    since = next(
        (age for age, record in enumerate(reversed(session), 1) if record.get("update_uses")),
        horizon,
    )
    return min((1 + max(horizon - since, 0) * serves / horizon) / serves, 1.0)


@dataclass(frozen=True)
class Candidate:
    """A plan in the current segment.

    Fields:
        plan: the plan
        matters: settings that make a difference in this segment
        updates: whether it would update the knowledge base; None: unknown
    """

    plan: Mapping[str, Any]
    matters: tuple[str, ...]
    updates: bool | None = None

    @classmethod
    def of(cls, plan: Mapping[str, Any], simulator: PlanSimulator) -> Candidate:
        """The candidate of a plan in a simulator."""
        return cls(plan, tuple(simulator.matters(plan)), simulator.updates(plan))


def estimate(evidence: Sequence[Evidence], space: Space, one: Candidate) -> Estimate | None:
    """Estimated utility of a plan, from all evidence weighted by similarity; None without
    evidence."""
    total = math.fsum(seen.weight for seen in evidence)
    if not total:
        return None
    common = math.fsum(seen.worth * seen.weight for seen in evidence) / total
    weights = [seen.weight * _same(one, seen, space) for seen in evidence]
    remembered = math.fsum(
        weight for weight, seen in zip(weights, evidence, strict=True) if not seen.tried
    )
    # Remembered segments share what memory does not record (such as the picture that the receiver
    # holds), so their weight is bounded.
    most = min(1.0, MOST_REMEMBERED / remembered) if remembered else 1.0
    weights = [
        weight if seen.tried else weight * most
        for weight, seen in zip(weights, evidence, strict=True)
    ]
    known = math.fsum(weights)
    mean = math.fsum(weight * seen.worth for weight, seen in zip(weights, evidence, strict=True))
    return Estimate((mean + DOUBT * common) / (known + DOUBT), known)


def _same(one: Candidate, seen: Evidence, space: Space) -> float:
    """Similarity of the plan of a segment to another one, 0..1."""
    share = 1.0 if one.updates in (None, seen.updated) else OTHER_VALUE
    for path in one.matters:
        if path in one.plan and path in seen.plan and one.plan[path] == seen.plan[path]:
            continue
        grid = space.grid_values(path)
        ordered = all(number(value) is not None for value in grid)
        apart = [
            grid.index(plan[path])
            for plan in (one.plan, seen.plan)
            if path in plan and plan[path] in grid
        ]
        share *= OTHER_VALUE ** (
            0.5 if ordered and len(apart) == 2 and abs(apart[0] - apart[1]) == 1 else 1.0
        )
    return share
