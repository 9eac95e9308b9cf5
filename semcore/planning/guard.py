"""The guard: every plan in force is a point of the space, and keeps to the limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from semcore.errors import listed, shown
from semcore.planning.axes import same
from semcore.planning.interface import Cost, PlanSimulator
from semcore.types import LIMITS, Plan, Scenario


@dataclass(frozen=True)
class Guarded:
    """A plan that may come into force.

    Fields:
        plan: the plan, with what the guard changed among its reasons
        muted: whether nothing may be sent, because no plan keeps to the limits
    """

    plan: Plan
    muted: bool = False


def enforce(plan: Plan, simulator: PlanSimulator, scenario: Scenario) -> Guarded:
    """Enforce the space, and then the limits of the scenario.

    A plan over a limit is replaced by one that keeps to all limits: it differs in the fewest paths,
    and costs the most among those. If there is none, the segment is not sent. The result depends
    neither on random numbers nor on a clock.
    """
    within = simulator.space.clamped(plan.overrides)
    notes = [
        _moved(path, value, within)
        for path, value in plan.overrides.items()
        if not _kept(path, value, within)
    ]
    over = simulator.cost(within).over(scenario.limits) if scenario.limits else []
    if not over:
        return Guarded(_noted(plan, within, notes))
    costs = [(other, simulator.cost(other)) for other in simulator.plans()]
    fitting = [(other, cost) for other, cost in costs if not cost.over(scenario.limits)]
    if not fitting:
        least = min((cost.channel_uses for _, cost in costs), default=0)
        notes.append(
            f"the guard sends nothing: no plan keeps to {listed(over)}, "
            f"the cheapest takes {least:,} channel uses"
        )
        return Guarded(_noted(plan, within, notes), muted=True)

    def rank(candidate: tuple[dict[str, Any], Cost]) -> tuple[float, ...]:
        other, cost = candidate
        return _apart(other, within), -cost.channel_uses, -(cost.tx_power_dbm or 0.0)

    chosen, cost = min(fitting, key=rank)
    kept_to = _told(over, scenario.limits, cost)
    notes.append(f"the guard takes {_changes(within, chosen)} to keep to {kept_to}")
    return Guarded(_noted(plan, chosen, notes))


def _noted(plan: Plan, overrides: Mapping[str, Any], notes: list[str]) -> Plan:
    return Plan(dict(overrides), (*plan.reasons, *notes), plan.report)


def _kept(path: str, value: Any, within: Mapping[str, Any]) -> bool:
    return path in within and same(within[path], value)


def _moved(path: str, value: Any, within: Mapping[str, Any]) -> str:
    reason = f"for {shown(value)} is not in the space"
    if path in within:
        return f"the guard takes {path} = {shown(within[path])}, {reason}"
    return f"the guard leaves {shown(path)} as written, {reason}"


def _apart(plan: Mapping[str, Any], wanted: Mapping[str, Any]) -> int:
    return sum(path not in wanted or wanted[path] != value for path, value in plan.items())


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    changed = [
        f"{path} = {shown(value)}"
        for path, value in after.items()
        if path not in before or before[path] != value
    ]
    return listed(changed) if changed else "the plan"


def _told(over: list[str], limits: Mapping[str, float], cost: Cost) -> str:
    values = vars(cost)
    assert set(over) <= set(LIMITS)
    return listed([f"{name} of {limits[name]:,g} ({values[name]:,g})" for name in over])
