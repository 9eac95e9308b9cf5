"""A recorded decision over three segments is taken again."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from semcore import Rng, plain
from semcore.testing.internals import SPACE, ToySimulator
from semcore_llm.testing.endpoints import completion, endpoint, script

from ..support.asked import FALLBACK, NOW, PLAN, STEPS, planner, record

TRACE = Path(__file__).with_name("trace.json")


def decision(answers: list[Any]) -> dict[str, Any]:
    """What is asked of an endpoint with these answers, and what is planned, over three segments."""
    memory: list[dict[str, Any]] = []
    plans = []
    with endpoint(script(*(json.dumps(one).encode() for one in answers))) as heard:
        asked = planner(heard, memory="shipped", fallback=FALLBACK)
        for segment, snr_db in enumerate((4.0, 5.0, 12.0)):
            scenario = replace(
                NOW, segment=segment, link={"snr_db": snr_db}, limits={}, knowledge={}
            )
            simulator = ToySimulator(SPACE, scenario=scenario, rng=Rng(1))
            plan = asked.plan(scenario, memory, simulator)
            plans.append({"overrides": plain(plan.overrides), "reasons": list(plan.reasons)})
            memory.append(
                record(
                    scenario, plan, delivered=1.0, channel_uses=500, texts=["lay red at a one now"]
                )
            )
    return {"answers": answers, "requests": heard.requests, "plans": plans}


def test_a_recorded_decision_is_taken_again() -> None:
    """`python -m plugins.semcore_llm.tests.planners.test_recorded --rewrite` records it again."""
    recorded = json.loads(TRACE.read_text(encoding="utf-8"))
    assert decision(recorded["answers"]) == recorded
    assert [plan["overrides"]["workflow"] for plan in recorded["plans"]] == ["a2v", "a2v", "v2a"]
    assert "the answer of segment 0 holds" in recorded["plans"][1]["reasons"][0]


if __name__ == "__main__" and "--rewrite" in sys.argv:
    a2v, v2a = ({**STEPS, "plan": {**PLAN, "workflow": name}} for name in ("a2v", "v2a"))
    look = [("recall", {"snr_db": 4.0}), ("simulate", {"plan": {"workflow": "a2v"}})]
    answers = [
        completion("I look first.", *look),
        completion("", ("submit_plan", a2v)),
        completion("Sure."),
        completion(json.dumps(v2a)),
    ]
    made = decision([json.loads(one) for one in answers])
    TRACE.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
