"""An answer of a model as a plan: read, held against the space, and told in the three steps of its reasons."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from semcore.redaction import printable
from semcore.types import Plan, Space
from semcore_llm.llm.prompt import LONGEST_REASON, STEPS


class AnswerError(Exception):
    """An answer that is no plan; the message says how, for the model to mend it."""


@dataclass(frozen=True)
class Answer:
    """What a model chose, and why."""

    overrides: Mapping[str, Any]
    reasons: tuple[str, ...]

    def plan(self, report: Mapping[str, float]) -> Plan:
        """The plan that it is."""
        return Plan(dict(self.overrides), self.reasons, dict(report))


def read_answer(text: str, space: Space) -> Answer:
    """The answer that a text holds: the first JSON object in it that has a plan.

    Raises:
        AnswerError: there is none, or it is no point of the space
    """
    value = _first_object(text)
    if value is None:
        raise AnswerError("there is no JSON object in the answer")
    plan = value.get("plan")
    if not isinstance(plan, dict):
        raise AnswerError("the object has no 'plan' that is an object")
    if missing := [path for path in space.axes if path not in plan]:
        raise AnswerError(f"the plan does not name {', '.join(missing)}")
    if unknown := [path for path in plan if path not in space.axes]:
        raise AnswerError(f"the space has no {', '.join(map(repr, unknown[:5]))}"[:LONGEST_REASON])
    wrong = [path for path, value in plan.items() if not _inside(space, path, value)]
    if wrong:
        raise AnswerError(f"the value of {', '.join(wrong)} is not one of the space")
    told = {step: value.get(step) for step in STEPS}
    reasons = tuple(
        f"{step.replace('_', ' ')}: {_short(text)}" for step, text in told.items() if isinstance(text, str) and text
    )
    return Answer(space.clamped(plan), reasons)


def _inside(space: Space, path: str, value: Any) -> bool:
    values = space.axes[path]
    near = space.clamped({path: value}).get(path)
    if near is None:
        return False
    return bool(near == value) if isinstance(values, tuple) else values.low <= value <= values.high


def _first_object(text: str) -> dict[str, Any] | None:
    """The first JSON object in a text that has a plan, else the first one."""
    decoder, at, found = json.JSONDecoder(), 0, None
    for _ in range(100):
        at = text.find("{", at)
        if at < 0:
            break
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at += 1
            continue
        if "plan" in value:
            return dict(value)
        found, at = found or value, end
    return found


def _short(text: str) -> str:
    line = " ".join(printable(text).split())
    return line if len(line) <= LONGEST_REASON else line[: LONGEST_REASON - 3] + "..."
