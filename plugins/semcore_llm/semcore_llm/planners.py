"""Planners that need no model: always the same plan, and a table from a quantity to plans."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Annotated, Any, ClassVar

from annotated_types import MinLen
from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from semcore.bench import Bench
from semcore.errors import ComponentError
from semcore.interfaces import Planner
from semcore.types import Plan, Scenario

PAPER = "Semantic Satellite Communications for Synchronized Audiovisual Reconstruction"


@dataclass(frozen=True)
class FixedPlanner(Planner):
    """Plans the same overrides for every segment: the static scheme that other planners are compared with.

    Fields:
        overrides: settings by dotted path, for example `{workflow: a2v}`
    """

    tried_with = ({"overrides": {"workflow": "a2v"}},)

    overrides: dict[str, Any]

    def plan(self, scenario: Scenario, memory: Sequence[Mapping[str, Any]], bench: Bench) -> Plan:
        return Plan(dict(self.overrides), ("the plan is fixed",))

    def plans(self) -> Sequence[Mapping[str, Any]]:
        return [dict(self.overrides)]


@with_config(ConfigDict(strict=True, extra="forbid"))
class Rung(TypedDict):
    """One row of a lookup table: below this value of the quantity, these overrides."""

    below: float
    set: dict[str, Any]


@dataclass(frozen=True)
class LookupPlanner(Planner):
    """Looks the plan up in a table by the value of one quantity: the rule-based baseline of the satellite paper.

    The first rung whose `below` exceeds the quantity gives the overrides, `otherwise` those beyond the last rung. A
    quantity that the scenario does not know is taken from the newest segment in memory that knew it; if there is none,
    `otherwise` holds.

    Fields:
        table: rungs `{below: value, set: overrides}`, `below` in the quantity's unit and ascending, at least one
        otherwise: overrides beyond the last rung, or if the quantity is unknown
        quantity: a number by its name in the environment of a scenario, or in a record of memory (`delivered`: the
            share of the segment's samples that arrived)
    """

    reference: ClassVar[str] = f"{PAPER}, sections III-E and IV-D (Lookup-Table)"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic",)
    tried_with = ({"table": [{"below": 0.0, "set": {"workflow": "a2v"}}]},)

    table: Annotated[tuple[Rung, ...], MinLen(1)]
    otherwise: dict[str, Any] = field(default_factory=dict)
    quantity: Annotated[str, MinLen(1)] = "channel.snr_db"

    def check(self) -> None:
        limits = [rung["below"] for rung in self.table]
        if any(math.isnan(limit) for limit in limits) or any(low >= high for low, high in pairwise(limits)):
            raise ComponentError(f"LookupPlanner.table: `below` must rise from rung to rung, not be {limits}")

    def plan(self, scenario: Scenario, memory: Sequence[Mapping[str, Any]], bench: Bench) -> Plan:
        value, origin = self._look_up(scenario, memory)
        if value is None:
            return Plan(dict(self.otherwise), (f"{self.quantity} is unknown, so the plan is `otherwise`",))
        seen = f"{self.quantity} is {value:g}{origin}"
        for rung in self.table:
            if value < rung["below"]:
                return Plan(dict(rung["set"]), (f"{seen}, below {rung['below']:g}",))
        return Plan(dict(self.otherwise), (f"{seen}, not below {self.table[-1]['below']:g}",))

    def plans(self) -> Sequence[Mapping[str, Any]]:
        distinct: list[Mapping[str, Any]] = []
        for overrides in (*(rung["set"] for rung in self.table), self.otherwise):
            if overrides not in distinct:
                distinct.append(dict(overrides))
        return distinct

    def _look_up(self, scenario: Scenario, memory: Sequence[Mapping[str, Any]]) -> tuple[float | None, str]:
        """The value of the quantity and where it comes from."""
        value = _number(scenario.environment.get(self.quantity))
        if value is not None:
            return value, ""
        for record in reversed(memory):
            known = {**record, **record.get("environment", {})}
            value = _number(known.get(self.quantity))
            if value is not None:
                return value, f" as of segment {record.get('segment', '?')}"
        return None, ""


def _number(value: object) -> float | None:
    """`value` as a float, or None if it is not a number that can be compared."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value):
        return None
    return float(value)
