"""The planners that reckon: what they make of memory and of trials, on a simulator whose pipeline
is a formula."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from semcore import PlanSimulator, Rng, Scenario, Space, Term, Trial, utility
from semcore.testing.internals import LinkSimulator, ToySimulator
from semcore_llm.memory.store import append
from semcore_llm.planners import search
from semcore_llm.planners.explore import ExplorePlanner
from semcore_llm.planners.lookup import LookupPlanner
from semcore_llm.planners.oracle import OraclePlanner
from semcore_llm.planners.search import SearchPlanner

SPACE = Space(
    {"workflow": ("v2a", "a2v"), "kb.level": ("l0", "l2", "forced"), "symbols": (150, 300, 600)}
)
TERMS = (Term("akd", 0.0, 1.0, 3.0), Term("channel-uses", 0, 1000))
LINKS = ({"snr_db": 9.0}, {"snr_db": 6.0})
NOW = Scenario(1, utility=TERMS, link={"snr_db": 10.0}, forecast=LINKS, knowledge={"a": ("face",)})


@dataclass(frozen=True, eq=False)
class World(ToySimulator):
    """What a plan brings is known exactly, but for fading that is the same for all plans of a draw.

    Fields:
        held: whether the receiver has a picture
        good: workflow that suits the link
    """

    held: bool = True
    good: str = "v2a"

    def trial(self, plan: Mapping[str, Any], draw: int = 0) -> Trial:
        fading = 0.1 * (self.rng.at(self.scenario.segment, draw).numpy().random() - 0.5)
        update = 600 * (plan["kb.level"] == "forced" or not self.held)
        akd = (
            0.5
            - 0.2 * (plan["workflow"] == self.good)
            - 0.0001 * plan["symbols"]
            - 0.1 * (update > 0)
            + fading
        )
        metrics = {"akd": akd, "channel-uses": float(plan["symbols"] + update)}
        return Trial(metrics, plan["symbols"] + update, update, utility(TERMS, metrics))


WORLD = World(SPACE, scenario=NOW)


def worth(plan: Mapping[str, Any], simulator: PlanSimulator = WORLD) -> float:
    return simulator.trial(plan).utility or 0.0


def test_with_enough_trials_the_best_plan_is_found() -> None:
    best = max(map(worth, WORLD.plans()))
    for planner in (
        SearchPlanner(memory="", trials=18, horizon=1, margin=0),
        OraclePlanner(horizon=1),
    ):
        plan = planner.plan(NOW, (), replace(WORLD, genie=planner.genie))
        assert worth(plan.overrides) == pytest.approx(best)
        assert len(plan.overrides) == 3


@pytest.mark.parametrize("in_force", [{}, WORLD.plans()[4], {"workflow": "a2v"}])
def test_of_plans_that_nobody_knows_none_is_called_the_best(in_force: dict[str, Any]) -> None:
    plan = SearchPlanner(memory="", trials=0).plan(NOW, (), replace(WORLD, in_force=in_force))
    assert plan.overrides == (in_force if in_force in WORLD.plans() else WORLD.plans()[0])
    assert (
        "memory has no segment of this space" in plan.reasons[0]
        and "no estimate of any plan" in plan.reasons[-1]
    )
    assert "best" not in " ".join(plan.reasons) and "0.000" not in " ".join(plan.reasons)


def test_what_serves_later_segments_is_worth_its_price() -> None:
    """An update costs more than it brings in one segment, and less than in three; before the last
    one it is not made."""
    for planner in (SearchPlanner(memory="", trials=18, horizon=3), OraclePlanner(horizon=3)):
        simulator = replace(WORLD, genie=planner.genie)
        dear = Scenario(
            1,
            utility=(Term("akd", 0.0, 1.0, 3.0), Term("channel-uses", 0, 1500)),
            link=NOW.link,
            forecast=LINKS,
        )
        assert (
            planner.plan(dear, (), replace(simulator, scenario=dear)).overrides["kb.level"]
            == "forced"
        )
        last = replace(dear, forecast=())
        assert (
            planner.plan(last, (), replace(simulator, scenario=last)).overrides["kb.level"]
            != "forced"
        )


def test_a_few_trials_that_learn_from_each_other_beat_as_many_at_random() -> None:
    found, chance = [], []
    plans = WORLD.plans()
    for seed in range(30):
        simulator = replace(WORLD, rng=Rng(seed), good=("v2a", "a2v")[seed % 2])
        plan = SearchPlanner(memory="", trials=5, horizon=1).plan(NOW, (), simulator)
        found.append(worth(plan.overrides, simulator))
        drawn = Rng(seed).at("chance").numpy().choice(len(plans), 5, replace=False)
        chance.append(max(worth(plans[index], simulator) for index in drawn))
    assert sum(found) > sum(chance)


def test_memory_alone_knows_which_workflow_suits_the_link(tmp_path: Path) -> None:
    lines = []
    for snr_db, plan in itertools.product((0.0, 10.0), WORLD.plans()):
        simulator = replace(WORLD, good="v2a" if snr_db else "a2v")
        trial = simulator.trial(plan)
        scenario = replace(NOW, link={"snr_db": snr_db}).plain()
        outcome = {
            "metrics": dict(trial.metrics),
            "update_uses": trial.update_uses,
            "delivered": 1.0,
            "channel_uses": 1,
        }
        lines.append(
            {"scenario": scenario, "plan": {"in_force": plan}, "outcome": outcome, "versions": {}}
        )
    append(tmp_path / "m.jsonl", lines)
    name = str(tmp_path / "m.jsonl")
    for planner in (
        SearchPlanner(memory=name, trials=0),
        LookupPlanner(memory=name, quantity="snr_db"),
    ):
        for snr_db, workflow in ((0.5, "a2v"), (9.0, "v2a")):
            scenario = replace(NOW, link={"snr_db": snr_db})
            assert (
                planner.plan(scenario, (), LinkSimulator(SPACE, scenario=scenario)).overrides[
                    "workflow"
                ]
                == workflow
            )
    given = LookupPlanner(
        memory=name, quantity="snr_db", given={"kb.level": "forced", "symbols": 150}
    )
    plan = given.plan(NOW, (), LinkSimulator(SPACE, scenario=NOW))
    assert plan.overrides == {"workflow": "v2a", "kb.level": "forced", "symbols": 150}


def test_the_plan_in_force_stays_unless_another_is_much_better() -> None:
    best = SearchPlanner(memory="", trials=18, horizon=1, margin=0).plan(NOW, (), WORLD).overrides
    near = {**best, "symbols": 300 if best["symbols"] == 150 else 150}
    gap = worth(best) - worth(near)
    for margin, kept in ((gap * 1.2, True), (gap * 0.5, False)):
        planner = SearchPlanner(memory="", trials=18, horizon=1, margin=margin)
        plan = planner.plan(NOW, (), replace(WORLD, in_force=near))
        assert (plan.overrides == near) == kept, plan.reasons


def test_the_time_for_trials_may_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count(step=10)
    monkeypatch.setattr(search.time, "monotonic", lambda: float(next(clock)))
    plan = SearchPlanner(memory="", trials=18, time_budget_s=25).plan(NOW, (), WORLD)
    assert "the time for trials ended after 3 of 18" in plan.reasons and SPACE.holds(plan.overrides)


def test_without_a_utility_the_pipeline_stays_as_written() -> None:
    for planner in (SearchPlanner(memory=""), OraclePlanner()):
        assert planner.plan(Scenario(), (), WORLD).overrides == {}


def test_exploring_sees_every_value_and_is_the_same_for_a_seed() -> None:
    seen: dict[str, set[Any]] = {path: set() for path in SPACE.axes}
    for segment in range(60):
        scenario = replace(NOW, segment=segment)
        plan = ExplorePlanner().plan(scenario, (), replace(WORLD, scenario=scenario))
        assert plan == ExplorePlanner().plan(scenario, (), replace(WORLD, scenario=scenario))
        for path, value in plan.overrides.items():
            seen[path].add(value)
    assert {path: len(values) for path, values in seen.items()} == {
        "workflow": 2,
        "kb.level": 3,
        "symbols": 3,
    }
    assert math.prod(map(len, seen.values())) == len(WORLD.plans())
