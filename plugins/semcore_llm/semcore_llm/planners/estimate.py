"""What a plan will be worth: by the segments that memory holds, and by trials, weighted by their likeness to it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semcore import PlanSimulator, Scenario, Space, Trial
from semcore.types import utility
from semcore_llm.memory.store import Memory, alike, number

OTHER_VALUE = 0.15
"""What one setting that differs leaves of the likeness of two plans; a neighbour on an ordered axis leaves its root."""
MOST_REMEMBERED = 4.0
"""All that is remembered of a plan weighs no more than so many segments; a trial weighs more."""
DOUBT = 0.5
"""So many likenesses weighs what is known of all plans together, where little is known of one."""
USES = "channel-uses"
"""The metric that updates add to."""


@dataclass(frozen=True)
class Estimate:
    """What memory says of a plan.

    Fields:
        utility: what it will be worth, 0..1
        known: how many segments of equal plan and scenario that rests on; near 0: on those of others
    """

    utility: float
    known: float


@dataclass(frozen=True)
class Evidence:
    """What one segment says of its plan.

    Fields:
        plan: the plan that was in force
        worth: what it was worth, 0..1
        weight: how much the segment has in common with the one that comes, 0..1; more for a trial
        updated: whether it told the knowledge base anything
        tried: whether it is a trial of this very segment, and not a memory of another one
    """

    plan: Mapping[str, Any]
    worth: float
    weight: float
    updated: bool
    tried: bool = False


def evidence_of(memory: Memory, scenario: Scenario, share: float = 1.0, knowledge: bool = True) -> list[Evidence]:
    """What each line says, to the scenario's user, of its plan.

    Args:
        share: of what an update costs, that this segment bears
        knowledge: whether it matters what the receiver knows already
    """
    found = []
    for line in memory.lines:
        outcome, weight = line["outcome"], alike(line, scenario, knowledge)
        update_uses = number(outcome.get("update_uses")) or 0.0
        worth = worth_of(scenario, outcome["metrics"], update_uses, share)
        if worth is not None and weight > 1e-6:
            found.append(Evidence(line["plan"]["in_force"], worth, weight, update_uses > 0))
    return found


def worth_of(scenario: Scenario, metrics: Mapping[str, Any], update_uses: float, share: float) -> float | None:
    """What a segment is worth that bears a share of what its updates cost; None without a utility."""
    uses = number(metrics.get(USES))
    if uses is None:
        return utility(scenario.utility, metrics)
    return utility(scenario.utility, {**metrics, USES: uses - update_uses * (1 - share)})


def trial_worth(trial: Trial, simulator: PlanSimulator, share: float) -> float:
    """What a trial was worth if its segment bears a share of what its updates cost."""
    update_uses = trial.update_uses / max(len(simulator.samples), 1)
    return worth_of(simulator.scenario, trial.metrics, update_uses, share) or 0.0


def share_of(horizon: int, scenario: Scenario, session: Sequence[Mapping[str, Any]]) -> float:
    """The share that a segment bears of what an update costs, if an update serves `horizon` segments, or all that are left.

    One that comes before the last one has served its time bears the rest of that one, too: who updates every segment pays
    every time.
    """
    serves = min(horizon, 1 + len(scenario.forecast))
    since = next((age for age, record in enumerate(reversed(session), 1) if record.get("update_uses")), horizon)
    return min((1 + max(horizon - since, 0) * serves / horizon) / serves, 1.0)


@dataclass(frozen=True)
class Candidate:
    """A plan as this segment sees it.

    Fields:
        plan: the plan
        matters: the paths that make a difference in this segment
        updates: whether it would tell the knowledge base anything; None: nobody knows
    """

    plan: Mapping[str, Any]
    matters: tuple[str, ...]
    updates: bool | None = None

    @classmethod
    def of(cls, plan: Mapping[str, Any], simulator: PlanSimulator) -> Candidate:
        """The candidate that a plan is on a simulator."""
        return cls(plan, tuple(simulator.matters(plan)), simulator.updates(plan))


def estimate(evidence: Sequence[Evidence], space: Space, one: Candidate) -> Estimate | None:
    """What a plan will be worth, by all evidence, weighted by likeness; None if there is none."""
    total = math.fsum(seen.weight for seen in evidence)
    if not total:
        return None
    common = math.fsum(seen.worth * seen.weight for seen in evidence) / total
    weights = [seen.weight * _same(one, seen, space) for seen in evidence]
    remembered = math.fsum(weight for weight, seen in zip(weights, evidence, strict=True) if not seen.tried)
    # What memory does not know (which picture the receiver holds, say) it does not know however often it was asked.
    most = min(1.0, MOST_REMEMBERED / remembered) if remembered else 1.0
    weights = [weight if seen.tried else weight * most for weight, seen in zip(weights, evidence, strict=True)]
    known = math.fsum(weights)
    mean = math.fsum(weight * seen.worth for weight, seen in zip(weights, evidence, strict=True))
    return Estimate((mean + DOUBT * common) / (known + DOUBT), known)


def _same(one: Candidate, seen: Evidence, space: Space) -> float:
    """How much of what a segment showed of its plan holds for another one, 0..1."""
    share = 1.0 if one.updates in (None, seen.updated) else OTHER_VALUE
    for path in one.matters:
        if path in one.plan and path in seen.plan and one.plan[path] == seen.plan[path]:
            continue
        rungs = space.grid_values(path)
        ordered = all(number(value) is not None for value in rungs)
        apart = [rungs.index(plan[path]) for plan in (one.plan, seen.plan) if path in plan and plan[path] in rungs]
        share *= OTHER_VALUE ** (0.5 if ordered and len(apart) == 2 and abs(apart[0] - apart[1]) == 1 else 1.0)
    return share
