"""Planners that reckon: `search` with memory and trials, `explore` to fill a memory, `oracle` with what nobody can know."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Gt, Le

from semcore.bench import Bench
from semcore.identity import digest
from semcore.interfaces import Planner
from semcore.types import Plan, Scenario
from semcore_llm.memory import Remembers
from semcore_llm.paper import PAPER

TRUST = 3.0
"""So many remembered segments weighs a trial: it is of this very segment."""


@dataclass(frozen=True)
class SearchPlanner(Remembers, Planner):
    """Searches the space: what memory says of every plan, then trials of the most promising ones on the segment itself.

    A trial sends the segment over a link that the transmitter draws itself, at the state that is forecast; what it says counts
    as much as a few segments of memory. All trials of a segment see the same fading, so that they are compared like with
    like. The plan in force stays unless another one is better by more than `margin`.

    Fields:
        trials: plans that are tried a segment; 0: memory alone decides
        draws: links on which each of them is tried
        margin: utility, 0..1, by which a plan must be better to replace the one in force
        time_budget_s: no trial begins later than this after the first one, s; if it ends a search early, the reasons say so
    """

    reference: ClassVar[str] = f"{PAPER}, section III-E: strategies learnt from transmission logs and verified by simulation"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic",)
    tried_with = ({"memory": ""}, {"memory": "", "trials": 0})

    trials: Annotated[int, Ge(0), Le(10_000)] = 4
    draws: Annotated[int, Ge(1), Le(100)] = 1
    margin: Annotated[float, Ge(0), Le(1)] = 0.005
    time_budget_s: Annotated[float, Gt(0)] = 600.0

    def plan(self, scenario: Scenario, memory: Sequence[Mapping[str, Any]], bench: Bench) -> Plan:
        if not scenario.utility:
            return Plan({}, ("the scenario does not say what a segment is worth, so the pipeline stays as written",))
        plans = bench.plans()
        told = self.lines.of(bench.space).estimate(scenario, bench.space, plans)
        guesses = [(one.utility, one.known) if one else (0.5, 0.0) for one in told]
        order = sorted(range(len(plans)), key=lambda index: (-guesses[index][0] - _open(guesses[index][1]), index))
        scores = {index: guesses[index][0] for index in order}
        reasons = [_recalled(len(self.lines.of(bench.space).lines), len(plans), scenario)]
        if self.trials and bench.can_try:
            tried, started = order[: self.trials], time.monotonic()
            if dict(bench.in_force) in plans and plans.index(dict(bench.in_force)) not in tried:
                tried = [*tried[: max(self.trials - 1, 1)], plans.index(dict(bench.in_force))]
            scores = {}
            for index in tried:
                if scores and time.monotonic() - started > self.time_budget_s:
                    reasons.append(f"the time for trials ended after {len(scores)} of {len(tried)} plans")
                    break
                scores[index] = self._tried(bench, plans[index], guesses[index])
            links = "one drawn link" if self.draws == 1 else f"{self.draws} drawn links"
            reasons.append(f"{len(scores)} plans were tried on this segment over {links}")
        best = max(scores, key=lambda index: (scores[index], -index))
        held = plans.index(dict(bench.in_force)) if dict(bench.in_force) in plans else None
        if held in scores and scores[best] - scores[held] <= self.margin:
            return Plan(plans[held], (*reasons, f"the plan in force is worth {scores[held]:.3f}, and none is much better"))
        return Plan(plans[best], (*reasons, f"this one is worth {scores[best]:.3f}, the best of them"))

    def _tried(self, bench: Bench, plan: Mapping[str, Any], guess: tuple[float, float]) -> float:
        worth = [bench.trial(plan, draw).utility or 0.0 for draw in range(self.draws)]
        known, trust = guess[1], TRUST * self.draws
        return (guess[0] * known + math.fsum(worth) / len(worth) * trust) / (known + trust)


def _open(known: float) -> float:
    """What a plan may be worth beyond the estimate, because little is known of it."""
    return 0.1 / math.sqrt(1 + known)


def _recalled(lines: int, plans: int, scenario: Scenario) -> str:
    snr = scenario.link.get("snr_db")
    link = f" at {snr:.1f} dB" if isinstance(snr, (int, float)) else ""
    known = f"memory has {lines:,} segments of this space" if lines else "memory has no segment of this space"
    return f"{known}; {plans} plans differ in this segment{link}"


@dataclass(frozen=True)
class ExplorePlanner(Planner):
    """Takes a point of the space by the throw of a die, segment after segment: what such a run teaches fills a memory."""

    def plan(self, scenario: Scenario, memory: Sequence[Mapping[str, Any]], bench: Bench) -> Plan:
        draw = bench.rng.at("explore", scenario.segment, digest(scenario.link)).numpy()
        axes = {path: bench.space.rungs(path) for path in bench.space.axes}
        return Plan({path: values[int(draw.integers(len(values)))] for path, values in axes.items()}, ("a throw of the die",))


@dataclass(frozen=True)
class OraclePlanner(Planner):
    """Tries every plan on the segment over the real link, fading and noise included, and takes the best: a genie.

    It looks no further than the segment. What other planners are worth less than it, is their regret.
    """

    genie: ClassVar[bool] = True

    def plan(self, scenario: Scenario, memory: Sequence[Mapping[str, Any]], bench: Bench) -> Plan:
        if not scenario.utility or not bench.can_try:
            return Plan({}, ("nothing can be tried, or the scenario does not say what a segment is worth",))
        plans = bench.plans()
        worth = [bench.real(plan).utility or 0.0 for plan in plans]
        best = max(range(len(plans)), key=lambda index: (worth[index], -index))
        return Plan(plans[best], (f"of {len(plans)} plans this one is worth most over the real link, {worth[best]:.3f}",))
