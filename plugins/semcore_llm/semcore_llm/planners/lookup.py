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
class Row(TypedDict):
    """One row of a lookup table: overrides below a value of the quantity."""

    below: float
    set: dict[str, Any]


@dataclass(frozen=True)
class LookupPlanner(Remembers, Planner):
    """Looks up the plan in a table by the value of one quantity: the rule-based baseline of the
    satellite paper.

    The first row whose `below` exceeds the quantity gives the overrides; beyond the last row
    `otherwise` does. A quantity that the scenario lacks is taken from the newest segment of the
    session that has it; if none has it, `otherwise` applies.

    Without a table, one is learned from past runs: for each step of the quantity, the plan with the
    highest utility to the user. The learned table is static: neither the segment nor its
    predecessors change it.

    Fields:
        table: rows `{below: value, set: overrides}`, `below` ascending and in the unit of the
            quantity; empty: learned
        otherwise: overrides beyond the last row, for an unknown quantity, or if nothing was learned
        quantity: name of a number in the environment or link state of the scenario, or in the
            record of a past segment (such as `delivered`, the share of samples that arrived)
        step: step of a learned table, in the unit of the quantity
        given: settings by dotted path that every plan of a learned table must have
    """

    reference: ClassVar[str] = f"{PAPER}, sections III-E and IV-D (Lookup-Table)"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic",)
    test_settings = ({"table": [{"below": 0.0, "set": {"workflow": "a2v"}}]}, {"memory": ""})

    table: tuple[Row, ...] = ()
    otherwise: dict[str, Any] = field(default_factory=dict)
    quantity: Annotated[str, MinLen(1)] = "channel.snr_db"
    step: Annotated[float, Gt(0)] = 3.0
    given: dict[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        super().check()
        limits = [row["below"] for row in self.table]
        if any(math.isnan(limit) for limit in limits) or any(
            low >= high for low, high in pairwise(limits)
        ):
            raise ComponentError(
                f"LookupPlanner.table: `below` must ascend from row to row, not be {limits}"
            )

    def plan(
        self, scenario: Scenario, memory: Sequence[Mapping[str, Any]], simulator: PlanSimulator
    ) -> Plan:
        value, origin = self._look_up(scenario, memory)
        if value is None:
            return Plan(
                dict(self.otherwise), (f"{self.quantity} is unknown, so the plan is `otherwise`",)
            )
        seen = f"{self.quantity} is {value:g}{origin}"
        if not self.table:
            return self._learned(value, seen, scenario, simulator)
        for row in self.table:
            if value < row["below"]:
                return Plan(dict(row["set"]), (f"{seen}, below {row['below']:g}",))
        return Plan(dict(self.otherwise), (f"{seen}, not below {self.table[-1]['below']:g}",))

    def plans(self) -> Sequence[Mapping[str, Any]] | None:
        if not self.table:
            return None
        distinct: list[Mapping[str, Any]] = []
        for overrides in (*(row["set"] for row in self.table), self.otherwise):
            if overrides not in distinct:
                distinct.append(dict(overrides))
        return distinct

    def _learned(
        self, value: float, seen: str, scenario: Scenario, simulator: PlanSimulator
    ) -> Plan:
        """The plan learned for the centre of the step of `value`, regardless of the receiver's
        knowledge."""
        below = math.floor(value / self.step) * self.step
        middle = replace(scenario, link={"snr_db": below + self.step / 2})
        evidence = evidence_of(self.lines.of(simulator.space), middle, knowledge=False)
        plans = [
            plan
            for plan in simulator.space.points()
            if all(plan.get(path) == one for path, one in self.given.items())
        ]
        estimates = [
            estimate(evidence, simulator.space, Candidate(plan, tuple(simulator.space.axes)))
            for plan in plans
        ]
        worth = {index: one.utility for index, one in enumerate(estimates) if one is not None}
        if not worth:
            return Plan(
                simulator.space.clamped(self.otherwise),
                (f"{seen}; no past run taught a plan of this space",),
            )
        best = max(worth, key=lambda index: (worth[index], -index))
        return Plan(
            plans[best],
            (
                f"{seen}: of past runs from {below:g} to {below + self.step:g} these were worth "
                "most",
            ),
        )

    def _look_up(
        self, scenario: Scenario, memory: Sequence[Mapping[str, Any]]
    ) -> tuple[float | None, str]:
        """The value of the quantity and its origin."""
        value = number({**scenario.link, **scenario.environment}.get(self.quantity))
        if value is not None:
            return value, ""
        for record in reversed(memory):
            known = {**record, **record.get("link", {}), **record.get("environment", {})}
            value = number(known.get(self.quantity))
            if value is not None:
                return value, f" as of segment {record.get('segment', '?')}"
        return None, ""
