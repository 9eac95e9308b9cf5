"""The space of plans, the value of a segment, and the guard: no plan leaves them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcore.errors import ComponentError
from semcore.planning.axes import Bounds
from semcore.planning.guard import enforce
from semcore.planning.interface import Cost
from semcore.planning.simulator import LinkSimulator
from semcore.planning.space import Space
from semcore.testing.planner import SPACE, ToySimulator
from semcore.types import Plan, Scenario, Term, utility

numbers = st.integers(-50, 50) | st.floats(-50, 50, width=32)
bounds = (
    st.tuples(numbers, numbers)
    .filter(lambda pair: pair[0] < pair[1])
    .map(lambda pair: Bounds(*pair))
)
leaves = st.none() | st.booleans() | numbers | st.text(max_size=4) | st.just({"use": "analog"})


lists = st.lists(leaves, min_size=1, max_size=4).map(tuple)
paths = st.sampled_from(
    ["workflow", "kb.level", "transport.motion.symbols", "channel.tx_power_dbm", "a.0.b"]
)
spaces = st.dictionaries(paths, lists | bounds, max_size=4).map(Space)
anything = leaves | st.floats() | st.lists(numbers, max_size=2) | st.integers(-(10**400), 10**400)
plans = st.dictionaries(paths | st.text(max_size=5), anything, max_size=6)


@given(spaces, plans)
def test_whatever_is_planned_the_clamped_plan_is_a_point(
    space: Space, plan: Mapping[str, Any]
) -> None:
    point = space.clamped(plan)
    assert (
        space.holds(point)
        and space.clamped(point) == point
        and set(point) <= set(plan) & set(space.axes)
    )
    for path, value in point.items():
        values = space.axes[path]
        assert value in values if isinstance(values, tuple) else values.low <= value <= values.high


@given(spaces, st.data())
def test_a_point_is_a_number_and_back(space: Space, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, space.size - 1))
    point = space.point(number)
    assert space.holds(point) and space.number(point) == number
    assert number < 256**space.signal_bytes and (
        space.signal_bytes == 1 or space.size > 256 ** (space.signal_bytes - 1)
    )
    assert space.number({}) == 0 and space.point(0) == {}


@given(bounds, numbers)
def test_a_number_between_bounds_is_rounded_to_the_nearest_level(
    axis: Bounds, value: float
) -> None:
    got = Space({"x": axis}).clamped({"x": value})["x"]
    inside = min(max(value, axis.low), axis.high)
    step = 1.0 if axis.whole else (axis.high - axis.low) / (len(axis) - 1)
    assert abs(got - inside) <= step / 2 + 1e-9 * max(1, abs(inside))
    assert [axis[0], axis[len(axis) - 1]] == pytest.approx([axis.low, axis.high])


def test_true_is_not_one_and_a_word_is_no_number() -> None:
    space = Space({"flag": (True, False), "count": (1, 2, 4), "rate": ("1/2", "1/3")})
    assert space.clamped({"flag": 1, "count": True, "rate": 0.5}) == {}
    assert space.clamped({"count": 3.4, "flag": True}) == {"count": 4, "flag": True}
    assert space.clamped({"count": math.nan}) == space.clamped({"count": "4"}) == {}


def test_a_space_made_of_plans_holds_them_all() -> None:
    table = [{"workflow": "a"}, {"workflow": "b", "kb.level": 2}, {}]
    space = Space.of(table)
    assert (
        space.axes == {"workflow": ("a", "b"), "kb.level": (2,)}
        and all(map(space.holds, table))
        and space.size == 6
    )


def test_a_large_space_is_covered_value_by_value_in_each_workflow() -> None:
    space = Space(
        {
            "workflow": ("a", "b"),
            **{f"x{number}": tuple(range(8)) for number in range(4)},
            "p": Bounds(0.0, 1.0),
        }
    )
    covering = list(space.covering(1000))
    assert len(covering) == 2 * (1 + 4 * 8 + 5) and len(list(space.points())) == 2 * 8**4 * 5
    assert {one["x3"] for one in covering if one["workflow"] == "b" and "x3" in one} == set(
        range(8)
    )


@pytest.mark.parametrize(
    ("value", "worth"), [(0.8, 1), (2.0, 0), (1.4, 0.5), (0.1, 1), (9, 0), (None, 0), (math.nan, 0)]
)
def test_what_a_metric_is_worth_is_linear_between_bad_and_good(
    value: float | None, worth: float
) -> None:
    assert Term("akd", good=0.8, bad=2.0).worth(value) == pytest.approx(worth)
    assert Term("akd", good=2.0, bad=0.8).worth(value) == pytest.approx(
        1 - worth if value and math.isfinite(value) else 0
    )


def test_utility_is_the_weighted_mean_of_its_terms() -> None:
    terms = (Term("akd", 0, 1, 3), Term("uses", 0, 100))
    assert utility(terms, {"akd": 0.5, "uses": 100}) == pytest.approx(3 / 4 * 0.5)
    assert utility(terms, {"uses": 0}) == pytest.approx(1 / 4) and utility((), {"akd": 1}) is None


# ---------------------------------------------------------------------------------------- the guard

LIMITED = Scenario(limits={"channel_uses": 600.0})
BENCH = ToySimulator(SPACE, scenario=LIMITED)


@given(plans, st.floats(0, 2500))
def test_no_plan_leaves_the_space_or_breaks_a_limit(plan: Mapping[str, Any], most: float) -> None:
    scenario = replace(LIMITED, limits={"channel_uses": most})
    bench = replace(BENCH, scenario=scenario)
    kept = enforce(Plan(plan, ("because",)), bench, scenario)
    assert SPACE.holds(kept.plan.overrides) and kept.plan.reasons[0] == "because"
    assert kept.muted or bench.cost(kept.plan.overrides).channel_uses <= most
    assert kept.muted == (
        min(bench.cost(one).channel_uses for one in [SPACE.clamped(plan), *bench.plans()]) > most
    )
    again = enforce(kept.plan, bench, scenario)
    assert again.plan.overrides == kept.plan.overrides, "what was enforce needs no guarding"


def test_the_guard_says_what_it_changed() -> None:
    plan = Plan(
        {
            "workflow": "teleport",
            "transport.motion.symbols": 290,
            "channel.tx_power_dbm": 99.0,
            "seed": 1,
        }
    )
    kept = enforce(plan, BENCH, Scenario()).plan
    assert kept.overrides == {"transport.motion.symbols": 300, "channel.tx_power_dbm": 30.0}
    assert kept.reasons == (
        "the guard leaves 'workflow' as written, for 'teleport' is not in the space",
        "the guard takes transport.motion.symbols = 300, for 290 is not in the space",
        "the guard takes channel.tx_power_dbm = 30.0, for 99.0 is not in the space",
        "the guard leaves 'seed' as written, for 1 is not in the space",
    )


@dataclass(frozen=True, eq=False)
class Priced(LinkSimulator):
    """A bench where a plan costs what its symbols say."""

    def plans(self) -> list[dict[str, Any]]:
        return list(self.space.points())

    def cost(self, plan: Mapping[str, Any]) -> Cost:
        return Cost(
            plan.get("symbols", 300) + 100 * (plan.get("level") == "forced"),
            2.0,
            plan.get("power_dbm"),
        )


PRICED = Priced(
    Space({"level": ("l2", "forced"), "symbols": (150, 300, 600), "power_dbm": (20.0, 25.0, 30.0)})
)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"channel_uses": 700}, {"level": "forced", "symbols": 600, "power_dbm": 30.0}),
        ({"channel_uses": 650}, {"level": "l2", "symbols": 600, "power_dbm": 30.0}),
        ({"channel_uses": 420}, {"level": "forced", "symbols": 300, "power_dbm": 30.0}),
        ({"channel_uses": 200}, {"level": "l2", "symbols": 150, "power_dbm": 30.0}),
        ({"tx_power_dbm": 26}, {"level": "forced", "symbols": 600, "power_dbm": 25.0}),
        (
            {"tx_power_dbm": 20, "channel_uses": 150},
            {"level": "l2", "symbols": 150, "power_dbm": 20.0},
        ),
    ],
)
def test_a_plan_over_a_limit_gives_way_to_its_dearest_neighbour(
    limits: dict[str, float], expected: dict[str, Any]
) -> None:
    kept = enforce(
        Plan({"level": "forced", "symbols": 600, "power_dbm": 30.0}),
        PRICED,
        Scenario(limits=limits),
    )
    assert kept.plan.overrides == expected and not kept.muted
    assert len(kept.plan.reasons) == (
        expected != {"level": "forced", "symbols": 600, "power_dbm": 30.0}
    )


def test_where_nothing_keeps_to_the_limits_nothing_is_sent() -> None:
    kept = enforce(
        Plan({"symbols": 600}), PRICED, Scenario(limits={"channel_uses": 100, "air_time_s": 1})
    )
    assert (
        kept.muted
        and "sends nothing" in kept.plan.reasons[-1]
        and "150 channel uses" in kept.plan.reasons[-1]
    )


def test_only_a_genie_may_look_at_the_real_link() -> None:
    with pytest.raises(ComponentError, match="genie"):
        LinkSimulator(SPACE).genie_trial({})
    for ask in (LinkSimulator(SPACE).trial, LinkSimulator(SPACE).cost):
        with pytest.raises(ComponentError, match="plans cannot be simulated"):
            ask({})


def test_a_scenario_is_told_as_plain_values() -> None:
    terms, limits = (Term("psnr", 40, 20),), {"channel_uses": 5.0}
    plain = json.loads(
        json.dumps(
            Scenario(
                2, "see", "much", {"channel.snr_db": 3}, terms, limits, {"snr_db": 3.0}
            ).plain()
        )
    )
    assert (
        plain["utility"] == [{"metric": "psnr", "good": 40, "bad": 20, "weight": 1.0}]
        and plain["limits"] == limits
    )
