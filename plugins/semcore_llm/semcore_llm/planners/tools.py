"""The tools of a model: query the memory, simulate a plan, and answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from semcore import PlanSimulator, Scenario
from semcore_llm.endpoint.client import Call
from semcore_llm.memory.store import Memory, number
from semcore_llm.planners.prompt import lesson, plan_schema

ANSWER = "submit_plan"
MOST_LESSONS = 10


@dataclass
class Tools:
    """Tools for one segment.

    Fields:
        trials: maximum number of trials
        used: trials so far
    """

    scenario: Scenario
    simulator: PlanSimulator
    lines: Memory
    trials: int
    used: int = field(default=0, init=False)

    def described(self) -> list[dict[str, Any]]:
        """The tools as in the field `tools` of a request."""
        plan = plan_schema(self.simulator.space)["properties"]["plan"]
        snr = {"type": "number", "description": "mean SNR of the link, dB"}
        found = [
            _tool(
                "recall", "What past runs brought over links like one of this SNR.", {"snr_db": snr}
            )
        ]
        if self.simulator.can_try:
            about = (
                "Try a plan on this very segment, over a link drawn at the state that is "
                "forecast: metrics and utility."
            )
            found.append(_tool("simulate", about, {"plan": plan}))
        return [*found, self.answering()]

    def answering(self) -> dict[str, Any]:
        """The tool for the answer."""
        schema = plan_schema(self.simulator.space)
        return _tool(
            ANSWER, "Decide: the three steps in words, and the plan.", schema["properties"]
        )

    def result(self, call: Call) -> str:
        """The result of a call, or its error, as JSON."""
        known: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
            "recall": self._recall,
            "simulate": self._simulate,
        }
        if call.name not in known:
            return json.dumps(
                {"error": f"there is no such tool; there are {', '.join((*known, ANSWER))}"}
            )
        try:
            arguments = json.loads(call.arguments)
        except (ValueError, RecursionError):
            arguments = None
        if not isinstance(arguments, dict):
            return json.dumps({"error": "the arguments are not a JSON object"})
        return json.dumps(known[call.name](arguments))

    def _recall(self, arguments: Mapping[str, Any]) -> Any:
        snr_db = number(arguments.get("snr_db"))
        link = {**self.scenario.link, **({} if snr_db is None else {"snr_db": snr_db})}
        return [
            lesson(line)
            for line in self.lines.nearest(replace(self.scenario, link=link), MOST_LESSONS)
        ]

    def _simulate(self, arguments: Mapping[str, Any]) -> Any:
        plan = arguments.get("plan")
        if not isinstance(plan, dict) or not self.simulator.space.holds(plan):
            return {"error": "the plan is not a point of the space"}
        if not self.simulator.can_try or self.used >= self.trials:
            return {"error": "no trial is left"}
        self.used += 1
        trial = self.simulator.trial(plan)
        return {
            "metrics": dict(trial.metrics),
            "channel_uses": trial.channel_uses,
            "utility": trial.utility,
        }


def _tool(name: str, description: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    parameters = {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
    return {
        "type": "function",
        "function": {"name": name, "description": description, "parameters": parameters},
    }
