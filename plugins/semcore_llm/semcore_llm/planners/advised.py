"""Base class of planners that ask a language model: when to ask, verification, and fallback."""

from __future__ import annotations

import abc
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Le

from semcore import ComponentError, Plan, Planner, PlanSimulator, Scenario, Trial
from semcore_llm.memory.store import Remembers
from semcore_llm.planners.answer import Answer
from semcore_llm.planners.paper import PAPER
from semcore_llm.planners.search import SearchPlanner

Record = Mapping[str, Any]


class NoAdviceError(Exception):
    """The model gave no usable answer; the message gives the reason."""


@dataclass(frozen=True)
class Advised(Remembers, Planner, abc.ABC):
    """Asks a model at the start of a session, and again when the situation has changed.

    In between, the last plan holds. A plan that is not in memory is first verified by a trial
    against the plan of the fallback, which replaces it if better (`verify`). Without a usable
    answer the fallback plans, and the reasons say so; after `breaker` consecutive failures the
    model is not asked for `pause` segments.

    Fields:
        fallback: planner used without a usable answer
        hysteresis_db: change of the mean SNR, dB, up to which the last answer holds
        nearest: remembered segments in the prompt
        verify: answers to verify by a trial: `new`: plans that are not in memory; `always`; `never`
        margin: utility, 0..1, by which an answer may be worse in that trial
        breaker: consecutive failures after which the model is not asked
        pause: segments for which it is not asked then
    """

    reference: ClassVar[str] = f"{PAPER}, section III-E"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic",)

    fallback: Planner = SearchPlanner(trials=0)
    hysteresis_db: Annotated[float, Ge(0)] = 3.0
    nearest: Annotated[int, Ge(0), Le(100)] = 8
    verify: Literal["new", "always", "never"] = "new"
    margin: Annotated[float, Ge(0), Le(1)] = 0.02
    breaker: Annotated[int, Ge(1)] = 3
    pause: Annotated[int, Ge(1)] = 5

    def check(self) -> None:
        super().check()
        if self.fallback.genie:
            raise ComponentError(f"{type(self).__name__}.fallback must not be a genie")

    @abc.abstractmethod
    def advice(
        self,
        scenario: Scenario,
        memory: Sequence[Record],
        simulator: PlanSimulator,
        report: dict[str, float],
    ) -> Answer:
        """The answer of the model; the cost of asking is added to `report`, by name with unit.

        Raises:
            NoAdviceError: there was no usable answer
        """

    def plan(self, scenario: Scenario, memory: Sequence[Record], simulator: PlanSimulator) -> Plan:
        if held := self._holding(scenario, memory, simulator):
            return held
        if self._broken(memory):
            return self._fallen(
                "the model failed too often, and is left alone",
                scenario,
                memory,
                simulator,
                {"skipped": 1.0},
            )
        report: dict[str, float] = {"asked": 1.0}
        started = time.monotonic()
        try:
            answer = self.advice(scenario, memory, simulator, report)
        except NoAdviceError as error:
            report |= {"failed": 1.0, "latency_s": time.monotonic() - started}
            return self._fallen(str(error), scenario, memory, simulator, report)
        report["latency_s"] = time.monotonic() - started
        return self._verified(answer, scenario, memory, simulator, report)

    def _holding(
        self, scenario: Scenario, memory: Sequence[Record], simulator: PlanSimulator
    ) -> Plan | None:
        """The last answer, if the situation has not changed much."""
        last = next(
            (one for one in reversed(memory) if _count(one, "asked") and not _count(one, "failed")),
            None,
        )
        if last is None or not simulator.space.holds(last["planned"]):
            return None
        before, now = (link.get("snr_db") for link in (last["link"], scenario.link))
        if isinstance(before, float) and isinstance(now, float):
            if abs(now - before) > self.hysteresis_db:
                return None
        elif before != now:
            return None
        same = [
            last.get(name) == scenario.plain()[name]
            for name in ("task", "preferences", "limits", "utility")
        ]
        if not all(same) or any(last["knowledge"].values()) != any(scenario.knowledge.values()):
            return None
        return Plan(
            dict(last["planned"]),
            (f"the answer of segment {last['segment']} holds: little has changed since",),
        )

    def _broken(self, memory: Sequence[Record]) -> bool:
        """Whether the model is paused after consecutive failures."""
        failures = skipped = 0
        for record in reversed(memory):
            if _count(record, "skipped"):
                skipped += not failures
            elif _count(record, "failed"):
                failures += 1
            elif _count(record, "asked"):
                break
        return failures >= self.breaker and skipped < self.pause

    def _fallen(
        self,
        reason: str,
        scenario: Scenario,
        memory: Sequence[Record],
        simulator: PlanSimulator,
        report: Mapping[str, float],
    ) -> Plan:
        from semcore import name_of

        plan = self.fallback.plan(scenario, memory, simulator)
        note = f"the fallback {name_of(type(self.fallback))} plans: {reason}"
        return Plan(
            plan.overrides, (note, *plan.reasons), {**plan.report, **report, "fallback": 1.0}
        )

    def _verified(
        self,
        answer: Answer,
        scenario: Scenario,
        memory: Sequence[Record],
        simulator: PlanSimulator,
        report: dict[str, float],
    ) -> Plan:
        """The answer, if it needs no trial or passes it; else the plan of the fallback."""
        overrides = dict(answer.overrides)
        known = [line["plan"]["in_force"] for line in self.lines.lines] + [
            record["in_force"] for record in memory
        ]
        new = overrides not in known
        wanted = self.verify == "always" or (self.verify == "new" and new)
        if not wanted or not simulator.can_try or not scenario.utility:
            return answer.plan(report)
        other = self.fallback.plan(scenario, memory, simulator)
        mine, theirs = (
            simulator.trial(plan) for plan in (overrides, simulator.space.clamped(other.overrides))
        )
        report["trials"] = report.get("trials", 0.0) + 2
        results = f"{_worth(mine)} for the answer, {_worth(theirs)} for the fallback's plan"
        seen = "a plan that no run has shown" if new else "a plan that past runs have shown"
        if (mine.utility or 0.0) < (theirs.utility or 0.0) - self.margin:
            reasons = (
                *answer.reasons,
                f"{seen}; it did not stand its trial: {results}",
                *other.reasons,
            )
            return Plan(other.overrides, reasons, {**report, "fallback": 1.0})
        return Plan(overrides, (*answer.reasons, f"{seen}; its trial went well: {results}"), report)


def _count(record: Record, name: str) -> float:
    return float(record.get("plan_report", {}).get(name, 0.0))


def _worth(trial: Trial) -> str:
    return f"{trial.utility or 0.0:.3f}"
