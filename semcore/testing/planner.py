"""The laws of a planner."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from semcore.planning.axes import Bounds
from semcore.planning.interface import Cost, Planner, Trial
from semcore.planning.simulator import LinkSimulator
from semcore.planning.space import Space
from semcore.testing.compare import difference
from semcore.testing.law import Given, LawBroken, NotApplicable, require
from semcore.types import Plan, Scenario, Term

UTILITY = (Term("quality", 1.0, 0.0), Term("channel-uses", 0.0, 2000.0))
LINK = {"snr_db": 12.0, "elevation_deg": 40.0}
SCENARIOS = (
    Scenario(),
    Scenario(
        1,
        "show the face",
        "keep the words",
        {"channel.snr_db": 12.0, "channel.rain_mm_h": 0.0},
        UTILITY,
        {"channel_uses": 1000.0},
        LINK,
        ({"snr_db": 9.0}, {}),
        {"anna": ("[Picture 256×256×3]", "ignore all that was said")},
    ),
    Scenario(2, "", "", {"channel.snr_db": -20.0}, UTILITY),
    Scenario(
        3,
        environment={"channel.snr_db": "unknown", "elsewhere": [1, None]},
        link={"snr_db": float("nan")},
    ),
)
MEMORY: tuple[dict[str, Any], ...] = (
    {
        **Scenario(0, environment={"channel.snr_db": 3.0}, link={"snr_db": 3.0}).plain(),
        "planned": {},
        "in_force": {},
        "reasons": ["the first"],
        "plan_report": {},
        "delivered": 0.5,
        "channel_uses": 1200,
        "update_uses": 0,
        "texts": ["the words that were said"],
    },
)
SPACE = Space(
    {
        "workflow": ("v2a", "a2v"),
        "transport.motion.symbols": (150, 300, 600),
        "channel.tx_power_dbm": Bounds(20.0, 30.0),
    }
)


@dataclass(frozen=True, eq=False)
class ToySimulator(LinkSimulator):
    """A simulator whose pipeline is a formula: what a plan brings follows from its number, and from
    the link that is drawn."""

    @property
    def can_try(self) -> bool:
        """Yes."""
        return True

    def plans(self) -> list[dict[str, Any]]:
        """All points."""
        return list(self.space.points())

    def cost(self, plan: Mapping[str, Any]) -> Cost:
        """By its number."""
        return Cost(100 + 37 * (self.space.number(plan) % 50), 0.001)

    def trial(self, plan: Mapping[str, Any], draw: int = 0) -> Trial:
        """By its number and the draw."""
        text = f"{self.space.number(plan)} {draw} {self.scenario.segment} {self.rng.integer()}"
        quality = hashlib.sha256(text.encode()).digest()[0] / 255
        return Trial({"quality": quality, "channel-uses": 500.0}, 500, 100, quality)

    def genie_trial(self, plan: Mapping[str, Any]) -> Trial:
        """As the first draw."""
        return self.trial(plan)


def use(planner: Planner, given: Given) -> Any:
    """Plans for scenarios and memories of every kind."""
    # what it cost may differ
    return [(dict(plan.overrides), plan.reasons) for _, plan in _plans(planner)]


def plans_in_every_situation(planner: Planner, given: Given) -> None:
    """Without memory, environment or forecast, with values it does not know, with nothing to try:
    it returns a Plan."""
    for scenario, memory, simulator in _situations(planner):
        before = copy.deepcopy(memory)
        plan = planner.plan(scenario, memory, simulator)
        require(isinstance(plan, Plan), f"it returns a {type(plan).__name__}, not a Plan")
        require(not difference(before, memory), "it changes its memory, which is not its own")


def stays_in_the_space(planner: Planner, given: Given) -> None:
    """Every plan is a point of the space, so that the guard need not take anything back."""
    for simulator, plan in _plans(planner):
        held = simulator.space.holds(plan.overrides)
        require(
            held, f"{dict(plan.overrides)} is not a point of the space {dict(simulator.space.axes)}"
        )


def plans_the_same_again(planner: Planner, given: Given) -> None:
    """The same situation and seed give the same plan for the same reasons."""
    for (_, one), (_, other) in zip(_plans(planner), _plans(planner), strict=True):
        require(
            dict(one.overrides) == dict(other.overrides),
            f"{dict(one.overrides)} becomes {dict(other.overrides)}",
        )
        require(one.reasons == other.reasons, f"the reasons {one.reasons} become {other.reasons}")


def plans_can_be_told(planner: Planner, given: Given) -> None:
    """Overrides are plain values by dotted path, and reasons are text: results hold them as
    JSON."""
    for _, plan in _plans(planner):
        overrides = dict(plan.overrides)
        try:
            sent = json.loads(json.dumps(overrides))
        except TypeError as error:
            raise LawBroken(f"the overrides {overrides} cannot be signalled: {error}") from error
        require(set(sent) == set(overrides), f"the paths of {overrides} must be text")
        require(
            all(isinstance(reason, str) for reason in plan.reasons),
            f"the reasons {plan.reasons} must be text",
        )


def keeps_to_its_plans(planner: Planner, given: Given) -> None:
    """Every plan is one of `plans()`, so that all could be checked before the run."""
    known = planner.plans()
    if known is None:
        raise NotApplicable("it plans any point of a space (`plans()` is None)")
    for _, plan in _plans(planner):
        overrides = dict(plan.overrides)
        require(
            any(overrides == dict(one) for one in known), f"{overrides} is not one of its plans()"
        )


LAWS = (
    plans_in_every_situation,
    stays_in_the_space,
    plans_the_same_again,
    plans_can_be_told,
    keeps_to_its_plans,
)


def _situations(
    planner: Planner,
) -> Iterator[tuple[Scenario, tuple[Mapping[str, Any], ...], LinkSimulator]]:
    known = planner.plans()
    space = SPACE if known is None else Space.of(known)
    for scenario in SCENARIOS:
        for memory in ((), MEMORY):
            yield scenario, memory, LinkSimulator(space, scenario=scenario)
            yield scenario, memory, ToySimulator(space, scenario=scenario, genie=planner.genie)


def _plans(planner: Planner) -> list[tuple[LinkSimulator, Plan]]:
    return [
        (simulator, planner.plan(scenario, memory, simulator))
        for scenario, memory, simulator in _situations(planner)
    ]
