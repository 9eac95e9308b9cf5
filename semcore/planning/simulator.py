"""The simulator of the planners: cost and result of a plan before a segment is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from semcore.component.digest import digest
from semcore.errors import ComponentError
from semcore.link.pipeline import Delivery, Pipeline, Transmission, feedback, link, transmit
from semcore.planning.interface import Cost, Trial
from semcore.planning.space import Space
from semcore.rng import Rng
from semcore.types import Bitstream, Entry, Knowledge, Ledger, Sample, Scenario, Semantics, utility

Plan_ = Mapping[str, Any]
TrialCache = Callable[[str, Callable[[], Any]], Any]
"""(key, compute) -> the result of `compute`, or of an earlier call with this key."""


def uncached(key: str, compute: Callable[[], Any]) -> Any:
    """Calls `compute`."""
    return compute()


Judge = Callable[[Sequence[Sample], Transmission], Mapping[str, float | None]]
"""Measures the metrics of a scenario's utility on a segment, means over its samples."""


@dataclass(frozen=True, eq=False)
class LinkSimulator:
    """The `PlanSimulator` of a session: simulates the segment with the pipeline itself.

    Fields:
        space: what may be planned
        build: overrides -> the pipeline under them
        scenario: scenario of the segment
        samples: samples of the segment
        knowledge: knowledge bases before the segment: the true ones for a genie; else that of the
            transmitter, and its estimate of the receiver's
        in_force: plan of the previous segment
        judge: measures an outcome; None: plans cannot be simulated
        rng: random numbers of the planner; for a genie those of the real link
        genie: whether the planner may use the real link
        cached: caches trials
    """

    space: Space = Space()
    build: Callable[[Plan_], Pipeline] | None = None
    scenario: Scenario = Scenario()
    samples: Sequence[Sample] = ()
    knowledge: Knowledge = field(default_factory=Knowledge)
    in_force: Plan_ = field(default_factory=dict)
    judge: Judge | None = None
    rng: Rng = Rng()
    genie: bool = False
    cached: TrialCache = field(default_factory=lambda: uncached)
    _found: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    @property
    def can_try(self) -> bool:
        """Whether plans can be simulated: there is a pipeline, and a utility to judge them by."""
        return self.build is not None and self.judge is not None

    def plans(self) -> list[dict[str, Any]]:
        """The plans that name every path, without those that send the same in this segment.

        A symbol count of a stream that a workflow does not send makes no difference, nor do two
        update levels that both ask for no update.
        """
        points = list(self.space.points())
        if dict(self.in_force) in points:  # of equal plans, the one that need not be signalled
            points.insert(0, points.pop(points.index(dict(self.in_force))))
        if self.build is None:
            return points
        return list({self._key(plan): plan for plan in reversed(points)}.values())[::-1]

    def updates(self, plan: Plan_) -> bool:
        """Whether the plan would update the receiver's knowledge base in this segment."""
        return self.build is not None and any(
            one.streams for one in self._prepared(self._pipeline(plan))[0]
        )

    def matters(self, plan: Plan_) -> list[str]:
        """The paths of the space that make a difference under the plan in this segment.

        A setting of a transport does if its stream is sent; settings of `kb.` only decide whether
        there are updates, see `updates`.
        """
        if self.build is None:
            return list(self.space.axes)
        p = self._pipeline(plan)
        updates, sent = self._prepared(p)
        streams = {name for one in (*updates, *sent) for name in one.streams}
        named = {path: path.split(".") for path in self.space.axes}
        unsent = p.transport.transports.keys() - streams

        def idle(section: str, stream: str = "", *_: str) -> bool:
            return section == "kb" or section == "transport" and stream in unsent

        return [path for path, parts in named.items() if not idle(*parts)]

    def cost(self, plan: Plan_) -> Cost:
        """The cost of a plan if its updates arrive, with its signalling if it is new.

        Raises:
            ComponentError: there is no pipeline to count with
        """
        p = self._pipeline(plan)
        delivery = self._rounds(p)
        if dict(plan) != dict(self.in_force):
            current = self._pipeline(self.in_force)
            signalled = signal_plan(current, self.space, plan, self.samples, self._draw(0))
            delivery = delivery.after(signalled)
        reports = delivery.report.values()
        times = [report["air_time_s"] for report in reports if "air_time_s" in report]
        power_dbm = p.channel.link_state().get("tx_power_dbm")
        return Cost(delivery.ledger.uses(), max(times, default=None), power_dbm)

    def trial(self, plan: Plan_, draw: int = 0) -> Trial:
        """Simulate the segment under a plan over the forecast link, with other fading and noise.

        Trials of the same `draw` have the same fading and noise: they are paired.

        Raises:
            ComponentError: plans cannot be simulated
        """
        return self._sent(plan, self._draw(draw))

    def genie_trial(self, plan: Plan_) -> Trial:
        """The result of the plan over the real link; only for planners that are genies.

        Raises:
            ComponentError: the planner is not a genie, or plans cannot be simulated
        """
        if not self.genie:
            raise ComponentError(
                "only a planner with `genie = True` may use the real link; its results are labelled"
            )
        return self._sent(plan, self.rng)

    def _sent(self, plan: Plan_, rng: Rng) -> Trial:
        if self.judge is None:
            raise ComponentError("plans cannot be simulated: the scenario has no `utility`")
        wanted = sorted(term.metric for term in self.scenario.utility)
        judge = self.judge
        key = digest(self._key(plan), self.samples, self.knowledge, rng.integer(), wanted)

        def made() -> dict[str, Any]:
            p = self._pipeline(plan)
            # Cache the metrics of a trial, not its clips: there are too many.
            p = replace(p, generator=_inside(p.generator), selector=_inside(p.selector))
            outcome = transmit(p, self.samples, self.knowledge, rng)
            uses = {
                "channel_uses": outcome.delivery.ledger.uses(),
                "update_uses": outcome.update_uses,
            }
            return {"metrics": dict(judge(self.samples, outcome)), **uses}

        found = self.cached(key, made)
        return Trial(**found, utility=utility(self.scenario.utility, found["metrics"]))

    def _draw(self, draw: int) -> Rng:
        return self.rng.at("trial", self.scenario.segment, draw)

    def _pipeline(self, plan: Plan_) -> Pipeline:
        if self.build is None:
            raise ComponentError("plans cannot be simulated: there is no pipeline")
        return self.build({**plan, **self.scenario.environment})

    def _key(self, plan: Plan_) -> str:
        """A digest of everything that determines the result of a plan in this segment."""
        p = self._pipeline(plan)
        updates, sent = self._prepared(p)
        used = {
            name: p.adapted_transport.of(name) for one in (*updates, *sent) for name in one.streams
        }
        return digest(updates, sent, used, p.channel, *map(_inside, (p.generator, p.selector)))

    def _prepared(self, p: Pipeline) -> tuple[list[Semantics], list[Semantics]]:
        """The updates of the segment, and what is sent once all of them arrived."""
        key = digest(p.kb, _inside(p.encoder))
        if key not in self._found:
            updates = p.kb.update(self.knowledge.tx, self.samples) if p.kb else []
            after = p.kb.apply(self.knowledge.tx, updates) if p.kb else self.knowledge.tx
            self._found[key] = updates, p.encoder.encode(self.samples, after)
        return self._found[key]

    def _rounds(self, p: Pipeline) -> Delivery:
        """Both rounds of the segment, as if every update arrived."""
        rng = self._draw(0)
        updates, sent = self._prepared(p)
        first = link(p, updates, rng.at("update"))
        first = replace(first, ledger=first.ledger + feedback(updates))
        return link(p, sent, rng.at("data")).after(first)


def signal_plan(
    p: Pipeline, space: Space, plan: Plan_, samples: Sequence[Sample], rng: Rng
) -> Delivery:
    """Send the number of a plan to the receiver over the pipeline in force.

    The samples of the segment share its cost.
    """
    signal = Bitstream(space.number(plan).to_bytes(space.signal_bytes, "big"))
    delivery = link(p, [Semantics("plan", {"plan": signal})], rng)
    ledger = delivery.ledger + Ledger((Entry("plan", "plan", "feedback", 0, 1),))
    report = {sample.id: delivery.report.get("plan", {}) for sample in samples}
    there = [one for one in delivery.arrived if one.arrived() and one.streams.get("plan") == signal]
    return Delivery(there, ledger.shared([sample.id for sample in samples]), report)


def _inside(component: Any) -> Any:
    """The component itself, without the cache around it."""
    return getattr(component, "inner", component)
