"""The planner `llm`: what it asks an endpoint of this machine, and what becomes the plan."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from semcore import Plan
from semcore.testing.internals import SCENARIOS, SPACE
from semcore_llm.planners.fixed import FixedPlanner
from semcore_llm.planners.prompt import instructions
from semcore_llm.testing.endpoints import completion, endpoint, script

from ..support.asked import ANSWER, BENCH, NOW, PLAN, STEPS, held, planner, record


def test_the_answer_by_schema_becomes_the_plan_with_its_three_steps() -> None:
    with endpoint(script(completion("Let me decide."), completion(ANSWER))) as heard:
        plan = planner(heard).plan(NOW, (), replace(BENCH, judge=None))
    assert plan.overrides == held(PLAN)
    steps = (
        "requirement analysis: The face counts.",
        "workflow selection: Video drives.",
        "resources: More for motion.",
    )
    assert plan.reasons[:3] == steps
    first, last = heard.requests
    assert "tools" in first and "response_format" not in first, "tools have a round of their own"
    assert "tools" not in last and last["response_format"]["json_schema"]["schema"]["properties"][
        "plan"
    ]["required"] == list(PLAN)
    assert (
        plan.report["requests"] == 2
        and plan.report["prompt_tokens"] == 200
        and plan.report["completion_tokens"] == 20
    )


def test_the_document_says_all_that_the_scenario_says() -> None:
    with endpoint(script(completion(ANSWER))) as heard:
        planner(heard).plan(NOW, (), BENCH)
    system, user = heard.requests[0]["messages"][:2]
    told = json.loads(user["content"])
    assert system == {"role": "system", "content": instructions()}
    assert (told["task"], told["preferences"], told["limits"]) == (
        "show the face",
        "keep the words",
        {"channel_uses": 1000.0},
    )
    assert told["link"] == {"snr_db": 12.0, "elevation_deg": 40.0} and told["forecast"] == [
        {"snr_db": 9.0},
        {},
    ]
    assert told["space"]["channel.tx_power_dbm"] == {"from": 20.0, "to": 30.0}
    assert told["utility"][0] == {"metric": "quality", "good": 1.0, "bad": 0.0, "weight": 1.0}


def test_a_wrong_answer_is_told_once_and_mended() -> None:
    wrong = json.dumps({"plan": {**PLAN, "workflow": "teleport"}})
    with endpoint(script(completion(wrong), completion(ANSWER))) as heard:
        plan = planner(heard, rounds=0).plan(NOW, (), BENCH)
    assert plan.overrides == held(PLAN) and len(heard.requests) == 2
    assert (
        "the value of workflow is not one of the space"
        in heard.requests[1]["messages"][-1]["content"]
    )


def test_the_model_may_ask_the_memory_and_try_plans() -> None:
    calls = (
        ("recall", {"snr_db": 3}),
        ("simulate", {"plan": held(PLAN)}),
        ("simulate", {"plan": {"workflow": "teleport"}}),
    )
    with endpoint(script(completion("", *calls), completion(ANSWER))) as heard:
        plan = planner(heard).plan(NOW, (), BENCH)
    results = [
        json.loads(one["content"]) for one in heard.requests[1]["messages"] if one["role"] == "tool"
    ]
    assert results[0] == [] and results[1]["utility"] == BENCH.trial(held(PLAN)).utility
    assert (
        results[2] == {"error": "the plan is not a point of the space"}
        and plan.report["trials"] >= 1
    )


def test_a_plan_that_nobody_has_seen_gives_way_if_its_trial_goes_badly() -> None:
    values = {
        number: BENCH.trial(SPACE.point(number)).utility or 0.0
        for number in (1, 9, 17, 33, 300_000, 500_000)
    }
    worst, best = (
        SPACE.point(pick(values, key=lambda number: values[number])) for pick in (min, max)
    )
    for mine, other, kept in ((best, worst, True), (worst, best, False)):
        full = {**held(PLAN), **mine}
        with endpoint(script(completion(json.dumps({**STEPS, "plan": full})))) as heard:
            plan = planner(heard, rounds=0, fallback=FixedPlanner(other), margin=0.0).plan(
                NOW, (), BENCH
            )
        utility = [BENCH.trial(one).utility or 0.0 for one in (full, other)]
        expected = full if utility[0] >= utility[1] else other
        assert plan.overrides == held(expected) and ("trial" in " ".join(plan.reasons))
        assert plan.report.get("fallback", 0.0) == (expected == other), kept


@pytest.mark.parametrize(("verify", "tried"), [("new", False), ("always", True), ("never", False)])
def test_a_plan_that_runs_have_shown_is_tried_only_if_no_answer_is_trusted(
    verify: str, tried: bool
) -> None:
    plans = [
        held({**PLAN, "workflow": workflow, "transport.motion.symbols": n})
        for workflow in ("v2a", "a2v")
        for n in (150, 600)
    ]
    worst, best = (
        pick(plans, key=lambda plan: BENCH.trial(plan).utility or 0.0) for pick in (min, max)
    )
    shown = [record(SCENARIOS[0], Plan(worst), texts=[])]
    with endpoint(script(completion(json.dumps({**STEPS, "plan": worst})))) as heard:
        plan = planner(
            heard, rounds=0, fallback=FixedPlanner(best), margin=0.0, verify=verify
        ).plan(NOW, shown, BENCH)
    assert plan.overrides == (best if tried else worst)
    assert (
        "a plan that past runs have shown; it did not stand its trial" in " ".join(plan.reasons)
    ) == tried
