"""The prompt of a model: the instructions of `prompt.md`, and a JSON document on the segment."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from semcore import PlanSimulator, Scenario, Space
from semcore_llm.excerpt import LONGEST_REASON
from semcore_llm.memory.store import Memory, MemoryRecord

STEPS = ("requirement_analysis", "workflow_selection", "resources")
"""The three steps of the satellite paper, section III-E."""
LONGEST_QUOTE = 200
MOST_QUOTES = 8
MOST_PAST = 6
"""Past segments of the session in the document."""
FORECAST = 6
"""Forecast segments in the document."""


@functools.cache
def instructions() -> str:
    """The text of `prompt.md`."""
    return (Path(__file__).parent / "prompt.md").read_text(encoding="utf-8")


def document(
    scenario: Scenario,
    memory: Sequence[Mapping[str, Any]],
    simulator: PlanSimulator,
    lines: Memory,
    nearest: int,
) -> str:
    """The JSON document on a segment. Texts of others appear only under `quoted`, shortened."""
    content = {
        "task": scenario.task,
        "preferences": scenario.preferences,
        "utility": [vars(term) for term in scenario.utility],
        "limits": dict(scenario.limits),
        "segment": scenario.segment,
        "link": _rounded(scenario.link),
        "forecast": [_rounded(link) for link in scenario.forecast[:FORECAST]],
        "knowledge_base": {
            "users": len(scenario.knowledge),
            "entries": sum(map(len, scenario.knowledge.values())),
        },
        "space": simulator.space.plain(),
        "plan_in_force": dict(simulator.in_force),
        "nearest_segments": [lesson(line) for line in lines.nearest(scenario, nearest)],
        "session": [_past(record) for record in memory[-MOST_PAST:]],
        "quoted": quoted(scenario, memory),
    }
    return json.dumps(content, ensure_ascii=True, default=str)


def quoted(scenario: Scenario, memory: Sequence[Mapping[str, Any]]) -> list[str]:
    """The newest spoken, captioned or received texts, each on one line and cut."""
    held = [text for entries in scenario.knowledge.values() for text in entries]
    said = [text for record in reversed(memory) for text in record.get("texts", ())]
    return [_one_line(text) for text in (*said, *held)[:MOST_QUOTES]]


def lesson(line: MemoryRecord) -> dict[str, Any]:
    """Link, plan and outcome of a record of memory, without its texts."""
    outcome = line["outcome"]
    return {
        "link": _rounded(line["scenario"]["link"]),
        "plan": dict(line["plan"]["in_force"]),
        "metrics": _rounded(outcome["metrics"]),
        "channel_uses": outcome.get("channel_uses"),
    }


def plan_schema(space: Space) -> dict[str, Any]:
    """JSON Schema of an answer: the three steps as text, and a point of the space."""
    axes = {path: _axis(space, path) for path in space.axes}
    plan = {
        "type": "object",
        "properties": axes,
        "required": list(axes),
        "additionalProperties": False,
    }
    steps = {step: {"type": "string", "maxLength": LONGEST_REASON} for step in STEPS}
    return {
        "type": "object",
        "properties": {**steps, "plan": plan},
        "required": [*STEPS, "plan"],
        "additionalProperties": False,
    }


def _axis(space: Space, path: str) -> dict[str, Any]:
    return space.axes[path].schema()


def _past(record: Mapping[str, Any]) -> dict[str, Any]:
    summary = {
        name: record.get(name) for name in ("segment", "in_force", "delivered", "channel_uses")
    }
    return {**summary, "link": _rounded(record.get("link", {}))}


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: round(value, 3) if isinstance(value, float) else value
        for name, value in values.items()
    }


def _one_line(text: str) -> str:
    shown = "".join(character if character.isprintable() else " " for character in text)
    return shown[:LONGEST_QUOTE]
