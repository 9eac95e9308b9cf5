"""The laws of a planner."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

from semcore.interfaces import Planner
from semcore.testing.compare import difference
from semcore.testing.law import Given, LawBroken, NotApplicable, require
from semcore.types import Plan, Scenario

SCENARIOS = (
    Scenario(),
    Scenario(1, "show the face", "keep the words", {"channel.snr_db": 12.0, "channel.rain_mm_h": 0.0}),
    Scenario(2, "", "", {"channel.snr_db": -20.0}),
    Scenario(3, environment={"channel.snr_db": "unknown", "elsewhere": [1, None]}),
)
MEMORY: tuple[dict[str, Any], ...] = (
    {
        "segment": 0,
        "environment": {"channel.snr_db": 3.0},
        "planned": {},
        "in_force": {},
        "reasons": ["the first"],
        "delivered": 0.5,
        "channel_uses": 1200,
    },
)


def use(planner: Planner, given: Given) -> Any:
    """Plans for scenarios and memories of every kind."""
    return _plans(planner)


def plans_in_every_situation(planner: Planner, given: Given) -> None:
    """Without memory, without an environment, with values it does not know: it returns a Plan, and leaves memory alone."""
    for scenario in SCENARIOS:
        for memory in ((), MEMORY):
            before = copy.deepcopy(memory)
            plan = planner.plan(scenario, memory)
            require(isinstance(plan, Plan), f"it returns a {type(plan).__name__}, not a Plan")
            require(not difference(before, memory), "it changes its memory, which is not its own")


def plans_can_be_sent(planner: Planner, given: Given) -> None:
    """Overrides are plain values by dotted path: the receiver is told them as JSON."""
    for overrides in _overrides(planner):
        try:
            sent = json.loads(json.dumps(dict(overrides)))
        except TypeError as error:
            raise LawBroken(f"the overrides {overrides} cannot be sent: {error}") from error
        require(set(sent) == set(overrides), f"the paths of {overrides} must be text")


def keeps_to_its_plans(planner: Planner, given: Given) -> None:
    """Every plan is one of `plans()`, so that all could be checked before the run."""
    known = planner.plans()
    if known is None:
        raise NotApplicable("its plans are not known beforehand (`plans()` is None)")
    for overrides in _overrides(planner):
        require(any(dict(overrides) == dict(one) for one in known), f"{dict(overrides)} is none of its plans()")


LAWS = (plans_in_every_situation, plans_can_be_sent, keeps_to_its_plans)


def _plans(planner: Planner) -> list[Plan]:
    return [planner.plan(scenario, memory) for scenario in SCENARIOS for memory in ((), MEMORY)]


def _overrides(planner: Planner) -> list[Mapping[str, Any]]:
    return [plan.overrides for plan in _plans(planner)]
