"""Search with memory and trials."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Gt, Le

from semcore import Plan, Planner, PlanSimulator, Scenario, Space, listed
from semcore_llm.memory.store import Remembers
from semcore_llm.planners.estimate import (
    Candidate,
    Evidence,
    estimate,
    evidence_of,
    share_of,
    trial_worth,
)
from semcore_llm.planners.paper import PAPER

TRUST = 12.0
"""Weight of one trial, in remembered segments."""
OPEN = 0.15
"""Exploration bonus of a plan without evidence, in utility."""


@dataclass(frozen=True)
class SearchPlanner(Remembers, Planner):
    """Searches the space: estimates from memory for all plans, then trials of the most promising
    ones.

    A trial sends the segment over a simulated link in the forecast state. Its result weighs as much
    as several remembered segments and also informs the estimates of similar plans; the next trial
    is of the plan with the highest upper bound. All trials of a segment see the same fading (common
    random numbers). The plan in force is kept unless another one is better by more than `margin`.

    Fields:
        trials: trials per segment; 0: memory only
        draws: simulated links per trial
        horizon: segments over which the cost of an update of the knowledge base is spread; an
            earlier update is also charged the rest of the previous one
        margin: utility, 0..1, by which a plan must be better to replace the one in force
        time_budget_s: time after the first trial after which no further one starts, s; if it ends
            the search early, the reasons say so
    """

    reference: ClassVar[str] = (
        f"{PAPER}, section III-E: strategies learnt from transmission logs and verified by "
        "simulation"
    )
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic",)
    test_settings = ({"memory": ""}, {"memory": "", "trials": 0})

    trials: Annotated[int, Ge(0), Le(10_000)] = 6
    draws: Annotated[int, Ge(1), Le(100)] = 1
    horizon: Annotated[int, Ge(1), Le(1000)] = 3
    margin: Annotated[float, Ge(0), Le(1)] = 0.005
    time_budget_s: Annotated[float, Gt(0)] = 600.0

    def plan(
        self, scenario: Scenario, memory: Sequence[Mapping[str, Any]], simulator: PlanSimulator
    ) -> Plan:
        if not scenario.utility:
            return Plan(
                {},
                (
                    "the scenario does not say what a segment is worth, so the pipeline stays as "
                    "written",
                ),
            )
        lines, plans = self.lines.of(simulator.space), simulator.plans()
        candidates = [Candidate.of(plan, simulator) for plan in plans]
        share = share_of(self.horizon, scenario, memory)
        evidence = evidence_of(lines, scenario, share)
        reasons = [_recalled(len(lines.lines), len(plans), scenario)]
        held = plans.index(dict(simulator.in_force)) if dict(simulator.in_force) in plans else None
        tried: list[int] = []
        if self.trials and simulator.can_try:
            started = time.monotonic()
            while len(tried) < min(self.trials, len(plans)):
                if tried and time.monotonic() - started > self.time_budget_s:
                    reasons.append(f"the time for trials ended after {len(tried)} of {self.trials}")
                    break
                if held is not None and not tried:  # the plan in force is tried first
                    index = held
                else:
                    index = self._next(candidates, tried, evidence, simulator.space)
                tried.append(index)
                evidence = [*evidence, self._tried(candidates[index], simulator, share)]
            links = "one drawn link" if self.draws == 1 else f"{self.draws} drawn links"
            reasons.append(f"{len(tried)} of them were tried on this segment over {links}")
        estimates = {
            index: estimate(evidence, simulator.space, candidates[index])
            for index in tried or range(len(plans))
        }
        scores = {index: one.utility for index, one in estimates.items() if one}
        if not scores:
            taken = "the plan in force stays" if held is not None else "the first of them is taken"
            return Plan(
                plans[held or 0],
                (*reasons, f"nothing was tried, and there is no estimate of any plan, so {taken}"),
            )
        best = max(scores, key=lambda index: (scores[index], -index))
        if held in scores and scores[best] - scores[held] <= self.margin:
            return Plan(
                plans[held],
                (
                    *reasons,
                    f"the plan in force is worth {scores[held]:.3f}, and none is much better",
                ),
            )
        others = [index for index in scores if index != best]
        second = max(others, key=lambda index: (scores[index], -index), default=None)
        next_best = (
            ""
            if second is None
            else f"; the next, with {_instead(plans[best], plans[second])}, {scores[second]:.3f}"
        )
        return Plan(
            plans[best],
            (*reasons, f"this one is worth {scores[best]:.3f}, the best of them{next_best}"),
        )

    def _next(
        self,
        candidates: Sequence[Candidate],
        tried: Sequence[int],
        evidence: Sequence[Evidence],
        space: Space,
    ) -> int:
        """The untried plan with the highest upper bound."""
        bounds = {}
        for index in (one for one in range(len(candidates)) if one not in tried):
            expected = estimate(evidence, space, candidates[index])
            bounds[index] = (
                expected.utility + OPEN / math.sqrt(1 + expected.known) if expected else 0.0
            )
        return max(bounds, key=lambda index: (bounds[index], -index))

    def _tried(self, one: Candidate, simulator: PlanSimulator, share: float) -> Evidence:
        worth = [
            trial_worth(simulator.trial(one.plan, draw), simulator, share)
            for draw in range(self.draws)
        ]
        return Evidence(
            one.plan,
            math.fsum(worth) / len(worth),
            TRUST * self.draws,
            bool(one.updates),
            tried=True,
        )


def _instead(plan: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """The settings of another plan that differ from this one."""
    return listed([f"{path} = {value}" for path, value in other.items() if plan.get(path) != value])


def _recalled(lines: int, plans: int, scenario: Scenario) -> str:
    snr = scenario.link.get("snr_db")
    link = f" at {snr:.1f} dB" if isinstance(snr, (int, float)) else ""
    known = (
        f"memory has {lines:,} segments of this space"
        if lines
        else "memory has no segment of this space"
    )
    return f"{known}; {plans} plans differ in this segment{link}"
