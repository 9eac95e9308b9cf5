"""Random plans, whose runs fill a memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semcore import Plan, Planner, PlanSimulator, Scenario, digest


@dataclass(frozen=True)
class ExplorePlanner(Planner):
    """Draws a random point of the space for every segment, to fill a memory."""

    def plan(
        self, scenario: Scenario, memory: Sequence[Mapping[str, Any]], simulator: PlanSimulator
    ) -> Plan:
        draw = simulator.rng.at("explore", scenario.segment, digest(scenario.link)).numpy()
        axes = {path: simulator.space.grid_values(path) for path in simulator.space.axes}
        return Plan(
            {path: values[int(draw.integers(len(values)))] for path, values in axes.items()},
            ("a random plan",),
        )
