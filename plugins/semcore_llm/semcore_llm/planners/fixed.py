"""The same plan for every segment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semcore import Plan, Planner, PlanSimulator, Scenario


@dataclass(frozen=True)
class FixedPlanner(Planner):
    """Plans the same overrides for every segment: the static baseline.

    Fields:
        overrides: settings by dotted path, for example `{workflow: a2v}`
    """

    test_settings = ({"overrides": {"workflow": "a2v"}},)

    overrides: dict[str, Any]

    def plan(
        self, scenario: Scenario, memory: Sequence[Mapping[str, Any]], simulator: PlanSimulator
    ) -> Plan:
        return Plan(dict(self.overrides), ("the plan is fixed",))

    def plans(self) -> Sequence[Mapping[str, Any]]:
        return [dict(self.overrides)]
