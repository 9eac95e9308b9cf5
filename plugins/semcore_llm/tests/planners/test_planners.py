"""A planner stays within its plans, is deterministic, and survives what it is not told."""

from __future__ import annotations

import math
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcore import ComponentError, Scenario, check_fields
from semcore.testing.internals import LinkSimulator
from semcore_llm.planners.fixed import FixedPlanner
from semcore_llm.planners.lookup import LookupPlanner

TABLE = (
    {"below": 3, "set": {"workflow": "a2v"}},
    {"below": 8.5, "set": {"workflow": "v2a", "kb.threshold_db": 18.0}},
)
BENCH = LinkSimulator()
BEST = {"workflow": "v2a", "kb.threshold_db": 25.0}
LOOKUP = LookupPlanner(table=TABLE, otherwise=BEST)


def at(snr_db: object, segment: int = 0) -> Scenario:
    return Scenario(segment, environment={"channel.snr_db": snr_db})


@pytest.mark.parametrize(
    ("snr_db", "expected"),
    [(-math.inf, 0), (2.999, 0), (3, 1), (8.4, 1), (8.5, 2), (40, 2), (math.inf, 2)],
)
def test_the_first_row_above_the_quantity_applies(snr_db, expected):
    plan = LOOKUP.plan(at(snr_db), [], BENCH)
    assert plan.overrides == [TABLE[0]["set"], TABLE[1]["set"], BEST][expected]
    assert len(plan.reasons) == 1 and "channel.snr_db" in plan.reasons[0]


anything = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3)
environments = st.dictionaries(st.sampled_from(["channel.snr_db", "rain"]), anything)
records = st.fixed_dictionaries(
    {}, optional={"environment": environments, "segment": st.integers(0, 9)}
)


@given(environment=environments, memory=st.lists(records, max_size=3))
def test_plans_are_announced_and_deterministic_whatever_is_known(environment, memory):
    for planner in (LOOKUP, FixedPlanner(overrides=BEST)):
        plan = planner.plan(Scenario(environment=environment), memory, BENCH)
        assert plan == planner.plan(Scenario(environment=environment), list(memory), BENCH)
        assert plan.overrides in planner.plans()
        assert plan.reasons


@pytest.mark.parametrize("missing", [{}, {"channel.snr_db": None}, {"channel.snr_db": math.nan}])
def test_a_missing_quantity_is_taken_from_memory_else_from_otherwise(missing):
    now = Scenario(3, environment=missing)
    memory = [
        {"segment": 0, "environment": {"channel.snr_db": 20.0}},
        {"segment": 1, "environment": {"channel.snr_db": 1.0}},
        {"segment": 2, "environment": {}},
    ]
    plan = LOOKUP.plan(now, memory, BENCH)
    assert plan.overrides == TABLE[0]["set"] and "segment 1" in plan.reasons[0]
    assert (
        LOOKUP.plan(now, [], BENCH).overrides == BEST
        and "unknown" in LOOKUP.plan(now, [], BENCH).reasons[0]
    )


def test_the_quantity_may_be_what_became_of_the_last_segment():
    planner = LookupPlanner(
        table=({"below": 0.9, "set": {"workflow": "a2v"}},), quantity="delivered"
    )
    assert planner.plan(Scenario(), [], BENCH).overrides == {}
    assert planner.plan(Scenario(1), [{"delivered": 0.5}], BENCH).overrides == {"workflow": "a2v"}
    assert (
        planner.plan(Scenario(1), [{"delivered": 0.5}, {"delivered": 1.0}], BENCH).overrides == {}
    )


def test_plans_lists_every_choice_once():
    assert LOOKUP.plans() == [TABLE[0]["set"], TABLE[1]["set"], BEST]
    same = LookupPlanner(
        table=({"below": 1, "set": {"a": 1}}, {"below": 2, "set": {"a": 1}}), otherwise={"a": 1}
    )
    assert same.plans() == [{"a": 1}]
    assert FixedPlanner(overrides=BEST).plans() == [BEST]


def test_a_plan_is_a_copy():
    LOOKUP.plan(at(0), [], BENCH).overrides["workflow"] = "spoilt"
    LOOKUP.plans()[0]["workflow"] = "spoilt"
    assert LOOKUP.plan(at(0), [], BENCH).overrides == {"workflow": "a2v"}


@pytest.mark.parametrize(
    "table",
    [
        ({"below": 3, "set": {}}, {"below": 3, "set": {}}),
        ({"below": 4, "set": {}}, {"below": 3, "set": {}}),
        ({"below": math.nan, "set": {}},),
        ({"below": "3", "set": {}},),
        ({"below": 3},),
        ({"below": 3, "set": {}, "sett": {}},),
        ({"below": 3, "set": {1: 2}},),
    ],
)
def test_a_bad_table_is_named(table):
    with pytest.raises(ComponentError, match="table"):
        LookupPlanner(table=table)


def test_yaml_lists_are_taken_and_settings_are_plain():
    checked, problems = check_fields(LookupPlanner, {"table": [dict(row) for row in TABLE]})
    assert not problems and checked["table"] == TABLE
    again = LOOKUP.settings()
    assert again["table"][0] == {"below": 3.0, "set": {"workflow": "a2v"}}
    assert LookupPlanner(**again) == LOOKUP == pickle.loads(pickle.dumps(LOOKUP))
