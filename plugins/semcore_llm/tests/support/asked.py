"""A planner that asks an endpoint of this machine, and a scenario to plan."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from semcore import Plan, Scenario
from semcore.testing.internals import SCENARIOS, SPACE, ToySimulator
from semcore_llm.planners.fixed import FixedPlanner
from semcore_llm.planners.remote import LLMPlanner
from semcore_llm.testing.endpoints import LocalEndpoint

NOW = SCENARIOS[1]
BENCH = ToySimulator(SPACE, scenario=NOW)
PLAN = {"workflow": "v2a", "transport.motion.symbols": 600, "channel.tx_power_dbm": 25.0}
STEPS = {
    "requirement_analysis": "The face counts.",
    "workflow_selection": "Video drives.",
    "resources": "More for motion.",
}
ANSWER = json.dumps({**STEPS, "plan": PLAN})
FALLBACK = FixedPlanner({"workflow": "a2v"})


def planner(heard: LocalEndpoint, **settings: Any) -> LLMPlanner:
    quick = {
        "time_budget_s": 4.0,
        "attempt_timeout_s": 1.0,
        "retries": 1,
        "rounds": 3,
        "memory": "",
        "fallback": FALLBACK,
    }
    return LLMPlanner(base_url=heard.base_url, model="toy", **{**quick, **settings})


def record(scenario: Scenario, plan: Plan, **more: Any) -> dict[str, Any]:
    """What a session remembers of a segment."""
    told = {
        "planned": dict(plan.overrides),
        "in_force": dict(plan.overrides),
        "plan_report": dict(plan.report),
    }
    return {**scenario.plain(), **told, **more}


def held(plan: Mapping[str, Any]) -> dict[str, Any]:
    """A plan as the space holds it: real numbers are rounded to the levels of their range."""
    return SPACE.clamped(plan)


CANARY = "sk-canary-4711-do-not-tell"
