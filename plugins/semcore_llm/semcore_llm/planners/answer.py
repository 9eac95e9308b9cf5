"""Parsing of a model's answer into a plan and its reasons."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from semcore import Plan, Space
from semcore_llm.excerpt import LONGEST_REASON, short
from semcore_llm.planners.numbers import number_of
from semcore_llm.planners.prompt import STEPS


class AnswerError(Exception):
    """An answer that is not a plan; the message tells the model what to correct."""


@dataclass(frozen=True)
class Answer:
    """The plan that a model chose, and its reasons."""

    overrides: Mapping[str, Any]
    reasons: tuple[str, ...]

    def plan(self, report: Mapping[str, float]) -> Plan:
        """The answer as a plan."""
        return Plan(dict(self.overrides), self.reasons, dict(report))


LONGEST_ANSWER = 100_000
"""Longest text that is parsed, characters; of a longer one the end."""
MOST_OPENED = 1000
"""Maximum number of positions at which an object is searched."""
_TAGS = "(?:[a-z]+:)?(?:think|thinking|thoughts?|reasoning|reflection|scratchpad)"
_BEGINS = re.compile(
    rf"<{_TAGS}\b[^<>/]*>|\[think\]|◁think▷|<\|(?:start_thinking|begin_of_thought)\|>|<\|channel\|>\s*analysis",
    re.I,
)
_ENDS = re.compile(
    rf"</{_TAGS}\s*>|\[/think\]|◁/think▷|<\|(?:end_thinking|end_of_thought)\|>|<\|channel\|>\s*final\s*<\|message\|>",
    re.I,
)
"""Marks of reasoning that some servers leave in the answer."""
_WORDS = {
    "true": True,
    "yes": True,
    "on": True,
    "false": False,
    "no": False,
    "off": False,
    "null": None,
    "none": None,
}


def read_answer(text: str, space: Space) -> Answer:
    """The answer in a text: the last JSON object with a plan, after any reasoning.

    Numbers may be strings, with the unit of their setting, or English words.

    Raises:
        AnswerError: there is no such object, or the plan is not a point of the space
    """
    value = _object(text[-LONGEST_ANSWER:])
    if value is None:
        raise AnswerError("there is no JSON object in the answer")
    plan = value.get("plan")
    if not isinstance(plan, dict):
        raise AnswerError("the object has no 'plan' that is an object")
    if missing := [path for path in space.axes if path not in plan]:
        raise AnswerError(f"the plan does not name {', '.join(missing)}")
    if unknown := [path for path in plan if path not in space.axes]:
        raise AnswerError(f"the space has no {', '.join(map(repr, unknown[:5]))}"[:LONGEST_REASON])
    plan = {path: _meant(space, path, value) for path, value in plan.items()}
    wrong = [path for path, value in plan.items() if not _inside(space, path, value)]
    if wrong:
        raise AnswerError(f"the value of {', '.join(wrong)} is not one of the space")
    steps = {step: value.get(step) for step in STEPS}
    reasons = tuple(
        f"{step.replace('_', ' ')}: {short(text)}"
        for step, text in steps.items()
        if isinstance(text, str) and text
    )
    return Answer(space.clamped(plan), reasons)


def _inside(space: Space, path: str, value: Any) -> bool:
    held = space.clamped({path: value})
    if path not in held:
        return False
    allowed = space.axes[path].schema()
    if "enum" in allowed:
        return bool(held[path] == value)
    return bool(allowed["minimum"] <= value <= allowed["maximum"])


def _meant(space: Space, path: str, value: Any) -> Any:
    """The value of an axis that a string denotes; other values unchanged."""
    if not isinstance(value, str) or _inside(space, path, value):
        return value
    text = " ".join(value.split()).casefold()
    values = space.axes[path]
    listed = values.schema().get("enum", ())
    named = [one for one in listed if isinstance(one, str) and one.casefold() == text]
    number = number_of(text, path)
    for one in (
        *named,
        *([] if number is None else [number]),
        *([_WORDS[text]] if text in _WORDS else []),
    ):
        if _inside(space, path, one):
            return one
    return value


def answered(text: str) -> str:
    """The text after the reasoning of a model; up to it if the reasoning does not end."""
    ends = [found.end() for found in _ENDS.finditer(text)]
    text = text[ends[-1] :] if ends else text
    begun = _BEGINS.search(text)
    return text[: begun.start()] if begun else text


def _object(text: str) -> dict[str, Any] | None:
    """The last JSON object in a text with a plan, else the last one."""
    with contextlib.suppress(ValueError, RecursionError):
        if isinstance(whole := json.loads(text), dict):
            return whole  # the whole text is the answer; do not search its strings
    text = answered(text)
    decoder, at, found = json.JSONDecoder(), 0, None
    for _ in range(MOST_OPENED):
        at = text.find("{", at)
        if at < 0:
            break
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at += 1
            continue
        if found is None or "plan" in value or "plan" not in found:
            found = dict(value)
        at = end
    return found
