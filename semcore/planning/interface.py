"""The interfaces of planners and of the simulator that they may use."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from semcore.component.base import Component
from semcore.planning.space import Space
from semcore.rng import Rng
from semcore.types import Plan, Sample, Scenario


@dataclass(frozen=True)
class Cost:
    """Cost of a plan, by the names of `LIMITS`; None if the channel does not report it."""

    channel_uses: int
    air_time_s: float | None = None
    tx_power_dbm: float | None = None

    def over(self, limits: Mapping[str, float]) -> list[str]:
        """The names of the limits that it exceeds."""
        values = vars(self)
        return [
            name
            for name, most in limits.items()
            if values[name] is not None and values[name] > most + 1e-9
        ]


@dataclass(frozen=True)
class Trial:
    """Result of a plan.

    Fields:
        metrics: those of the utility, means over the samples of the segment
        channel_uses: all channel uses, without the signalling of the plan
        update_uses: those of them for updates of the knowledge base, which may serve later
            segments, too
        utility: utility of the segment, 0..1; None if the scenario has no utility
    """

    metrics: Mapping[str, float | None]
    channel_uses: int
    update_uses: int
    utility: float | None


class PlanSimulator(Protocol):
    """What a transmitter can find out about a plan before it sends a segment.

    It has the segment, its own knowledge base, and both ends of the pipeline as software, so it can
    count what a plan costs, and simulate it over links that it draws itself. Only a genie knows
    what the real link will do.
    """

    @property
    def space(self) -> Space:
        """The settings that a plan may change, with their values."""

    @property
    def scenario(self) -> Scenario:
        """The segment's scenario."""

    @property
    def samples(self) -> Sequence[Sample]:
        """The samples of the segment."""

    @property
    def in_force(self) -> Mapping[str, Any]:
        """The plan of the previous segment."""

    @property
    def rng(self) -> Rng:
        """Random numbers for the planner itself."""

    @property
    def can_try(self) -> bool:
        """Whether plans can be simulated: there is a pipeline, and a utility to judge them by."""

    def plans(self) -> list[dict[str, Any]]:
        """The plans that name every path, without those that send the same in this segment."""

    def updates(self, plan: Mapping[str, Any]) -> bool:
        """Whether the plan would update the receiver's knowledge base in this segment."""

    def matters(self, plan: Mapping[str, Any]) -> list[str]:
        """The paths of the space that make a difference under the plan in this segment."""

    def cost(self, plan: Mapping[str, Any]) -> Cost:
        """The cost of the plan if its updates arrive, its own signalling included.

        Raises:
            ComponentError: there is no pipeline to count with
        """

    def trial(self, plan: Mapping[str, Any], draw: int = 0) -> Trial:
        """Simulate the segment under the plan over a link drawn from the forecast.

        Args:
            draw: trials with the same draw have the same fading and noise
        """

    def genie_trial(self, plan: Mapping[str, Any]) -> Trial:
        """The result of the plan over the real link.

        Raises:
            ComponentError: the planner is not labelled `genie = True`
        """


@dataclass(frozen=True)
class Planner(Component, abc.ABC):
    """Adapts the pipeline before each segment."""

    kind: ClassVar[str] = "planner"

    @abc.abstractmethod
    def plan(
        self, scenario: Scenario, memory: Sequence[Mapping[str, Any]], simulator: PlanSimulator
    ) -> Plan:
        """Overrides for the segment: a point of `simulator.space`; a guard enforces it.

        Args:
            scenario: the next segment
            memory: one record per past segment of the session, oldest first: scenario, plan, what
                was delivered, and its cost
            simulator: the space, and the cost and the result of a plan
        """

    def plans(self) -> Sequence[Mapping[str, Any]] | None:
        """Every set of overrides it may choose, all checked before a run; None: all of `space`."""
        return None
