"""The best plan over the real link: a genie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Le

from semcore import Plan, Planner, PlanSimulator, Scenario
from semcore_llm.planners.estimate import share_of, trial_worth


@dataclass(frozen=True)
class OraclePlanner(Planner):
    """Tries every plan over the real link, fading and noise included, and takes the best: a genie.

    It does not know the following segments; the cost of an update is spread over `horizon` segments
    as in `search`. The difference in utility to another planner is that planner's regret.

    Fields:
        horizon: segments over which the cost of an update of the knowledge base is spread
    """

    genie: ClassVar[bool] = True

    horizon: Annotated[int, Ge(1), Le(1000)] = 3

    def plan(
        self, scenario: Scenario, memory: Sequence[Mapping[str, Any]], simulator: PlanSimulator
    ) -> Plan:
        if not scenario.utility or not simulator.can_try:
            return Plan({}, ("plans cannot be simulated, or the scenario has no utility",))
        plans = simulator.plans()
        share = share_of(self.horizon, scenario, memory)
        worth = [trial_worth(simulator.genie_trial(plan), simulator, share) for plan in plans]
        best = max(range(len(plans)), key=lambda index: (worth[index], -index))
        return Plan(
            plans[best],
            (
                f"of {len(plans)} plans this one is worth most over the real link, "
                f"{worth[best]:.3f}",
            ),
        )
