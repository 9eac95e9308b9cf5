"""A table from the value of one quantity to plans."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Annotated, Any, ClassVar

from annotated_types import Gt, MinLen
from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from semcore import ComponentError, Plan, Planner, PlanSimulator, Scenario
from semcore_llm.memory.store import Remembers, number
from semcore_llm.planners.estimate import Candidate, estimate, evidence_of
from semcore_llm.planners.paper import PAPER


@with_config(ConfigDict(strict=True, extra="forbid"))
class Rung(TypedDict):
    """One row of a lookup table: below this value of the quantity, these overrides."""

    below: float
    set: dict[str, Any]


@dataclass(frozen=True)
class LookupPlanner(Remembers, Planner):
    """Looks the plan up in a table by the value of one quantity: the rule-based baseline of the satellite paper.

    The first rung whose `below` exceeds the quantity gives the overrides, `otherwise` those beyond the last rung. A
    quantity that the scenario does not know is taken from the newest segment of the session that knew it; if there is none,
    `otherwise` holds.

    Without a table it is learned from past runs: by steps of the quantity, the plan that was worth most to a user who cares
    for the same. It is static then: neither the segment nor what became of the last one changes it.

    Fields:
        table: rungs `{below: value, set: overrides}`, `below` in the quantity's unit and ascending; empty: learned
        otherwise: overrides beyond the last rung, if the quantity is unknown, or if nothing was learned
        quantity: a number by its name in the environment or the link state of a scenario, or in what is known of a past
            segment (`delivered`: the share of its samples that arrived)
        step: width of the steps of a learned table, in the quantity's unit
        given: settings by dotted path that every plan of a learned table has
    """

    reference: ClassVar[str] = f"{PAPER}, sections III-E and IV-D (Lookup-Table)"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic",)
    test_settings = ({"table": [{"below": 0.0, "set": {"workflow": "a2v"}}]}, {"memory": ""})

    table: tuple[Rung, ...] = ()
    otherwise: dict[str, Any] = field(default_factory=dict)
    quantity: Annotated[str, MinLen(1)] = "channel.snr_db"
    step: Annotated[float, Gt(0)] = 3.0
    given: dict[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        super().check()
        limits = [rung["below"] for rung in self.table]
        if any(math.isnan(limit) for limit in limits) or any(low >= high for low, high in pairwise(limits)):
            raise ComponentError(f"LookupPlanner.table: `below` must rise from rung to rung, not be {limits}")

    def plan(self, scenario: Scenario, memory: Sequence[Mapping[str, Any]], simulator: PlanSimulator) -> Plan:
        value, origin = self._look_up(scenario, memory)
        if value is None:
            return Plan(dict(self.otherwise), (f"{self.quantity} is unknown, so the plan is `otherwise`",))
        seen = f"{self.quantity} is {value:g}{origin}"
        if not self.table:
            return self._learned(value, seen, scenario, simulator)
        for rung in self.table:
            if value < rung["below"]:
                return Plan(dict(rung["set"]), (f"{seen}, below {rung['below']:g}",))
        return Plan(dict(self.otherwise), (f"{seen}, not below {self.table[-1]['below']:g}",))

    def plans(self) -> Sequence[Mapping[str, Any]] | None:
        if not self.table:
            return None
        distinct: list[Mapping[str, Any]] = []
        for overrides in (*(rung["set"] for rung in self.table), self.otherwise):
            if overrides not in distinct:
                distinct.append(dict(overrides))
        return distinct

    def _learned(self, value: float, seen: str, scenario: Scenario, simulator: PlanSimulator) -> Plan:
        """By the middle of the step that `value` lies in, whatever the receiver knows already."""
        below = math.floor(value / self.step) * self.step
        middle = replace(scenario, link={"snr_db": below + self.step / 2})
        evidence = evidence_of(self.lines.of(simulator.space), middle, knowledge=False)
        plans = [plan for plan in simulator.space.points() if all(plan.get(path) == one for path, one in self.given.items())]
        told = [estimate(evidence, simulator.space, Candidate(plan, tuple(simulator.space.axes))) for plan in plans]
        worth = {index: one.utility for index, one in enumerate(told) if one is not None}
        if not worth:
            return Plan(simulator.space.clamped(self.otherwise), (f"{seen}; no past run taught a plan of this space",))
        best = max(worth, key=lambda index: (worth[index], -index))
        return Plan(plans[best], (f"{seen}: of past runs from {below:g} to {below + self.step:g} these were worth most",))

    def _look_up(self, scenario: Scenario, memory: Sequence[Mapping[str, Any]]) -> tuple[float | None, str]:
        """The value of the quantity and where it comes from."""
        value = number({**scenario.link, **scenario.environment}.get(self.quantity))
        if value is not None:
            return value, ""
        for record in reversed(memory):
            known = {**record, **record.get("link", {}), **record.get("environment", {})}
            value = number(known.get(self.quantity))
            if value is not None:
                return value, f" as of segment {record.get('segment', '?')}"
        return None, ""
