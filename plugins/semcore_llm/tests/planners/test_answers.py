"""How models answer: thoughts, parts, values and numbers in words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from semcore import Space
from semcore_llm.planners.answer import AnswerError, read_answer
from semcore_llm.planners.numbers import number_of
from semcore_llm.testing.endpoints import completion, endpoint, script

from ..support.asked import ANSWER, BENCH, FALLBACK, NOW, PLAN, STEPS, held, planner

DRAFT = json.dumps({**STEPS, "plan": {**PLAN, "workflow": "a2v"}})
THOUGHTS = {
    "think": f"<think>Maybe {DRAFT}? No.</think>\n{ANSWER}",
    "with attributes": f'<thinking depth="2">Maybe {DRAFT}? No.</thinking>{ANSWER}',
    "upper case": f"<THINK>{DRAFT}</THINK>{ANSWER}",
    "of a name space": f"<seed:think>{DRAFT}</seed:think>{ANSWER}",
    "without a beginning": f"Maybe {DRAFT}? No.</think>{ANSWER}",
    "twice": f"<think>{DRAFT}</think>Well. <think>{DRAFT}</think>```json\n{ANSWER}\n```",
    "brackets": f"[THINK]{DRAFT}[/THINK]{ANSWER}",
    "special tokens": f"<|START_THINKING|>{DRAFT}<|END_THINKING|>{ANSWER}",
    "channels": f"<|channel|>analysis<|message|>{DRAFT}<|end|>"
    f"<|start|>assistant<|channel|>final<|message|>{ANSWER}",
    "other marks": f"◁think▷{DRAFT}◁/think▷{ANSWER}",
    "no marks at all": f"Maybe {DRAFT}? No: the face counts.\n{ANSWER}\nThat is {{final}}.",
    "a tag in the words": json.dumps({**STEPS, "resources": "not <think> aloud", "plan": PLAN}),
}


@pytest.mark.parametrize("said", THOUGHTS.values(), ids=THOUGHTS)
@pytest.mark.parametrize("rounds", [0, 1])
def test_what_a_model_thinks_aloud_is_not_planned(said: str, rounds: int) -> None:
    assert FALLBACK.overrides != PLAN
    with endpoint(script(completion(said))) as heard:
        plan = planner(heard, verify="never", rounds=rounds).plan(NOW, (), BENCH)
    assert plan.overrides == held(PLAN) and len(heard.requests) == 1


def test_thoughts_that_do_not_end_are_no_answer() -> None:
    with endpoint(script(completion(f"<think>Maybe {DRAFT}? Or"), completion(ANSWER))) as heard:
        plan = planner(heard, verify="never", rounds=0).plan(NOW, (), BENCH)
    assert plan.overrides == held(PLAN) and len(heard.requests) == 2


def said_in_parts(*parts: Any) -> bytes:
    value = json.loads(completion(""))
    value["choices"][0]["message"]["content"] = list(parts)
    return json.dumps(value).encode()


PARTS: dict[str, tuple[Any, ...]] = {
    "one": ({"type": "text", "text": ANSWER},),
    "two": ({"type": "text", "text": ANSWER[:50]}, {"type": "output_text", "text": ANSWER[50:]}),
    "thoughts apart": (
        {"type": "thinking", "thinking": [{"type": "text", "text": DRAFT}]},
        {"type": "text", "text": ANSWER},
    ),
    "thoughts as text": ({"type": "reasoning", "text": DRAFT}, {"type": "text", "text": ANSWER}),
    "strings": (ANSWER,),
    "annotated": ({"type": "text", "text": {"value": ANSWER, "annotations": []}},),
}


@pytest.mark.parametrize("parts", PARTS.values(), ids=PARTS)
def test_an_answer_may_come_in_parts(parts: tuple[Any, ...]) -> None:
    with endpoint(script(said_in_parts(*parts))) as heard:
        plan = planner(heard, verify="never", rounds=0).plan(NOW, (), BENCH)
    assert plan.overrides == held(PLAN) and len(heard.requests) == 1


WRITTEN: list[tuple[str, Any]] = [
    ("transport.motion.symbols", "600"),
    ("transport.motion.symbols", "six hundred"),
    ("transport.motion.symbols", "600.0"),
    ("transport.motion.symbols", 600.0),
    ("channel.tx_power_dbm", "25 dBm"),
    ("channel.tx_power_dbm", "twenty-five"),
    ("channel.tx_power_dbm", "+2.5e1"),
    ("channel.tx_power_dbm", "Twenty-five point zero"),
    ("workflow", " V2A "),
]


@pytest.mark.parametrize(("path", "value"), WRITTEN)
def test_a_value_may_be_written_as_a_text(path: str, value: Any) -> None:
    with endpoint(
        script(completion(json.dumps({**STEPS, "plan": {**PLAN, path: value}})))
    ) as heard:
        plan = planner(heard, verify="never", rounds=0).plan(NOW, (), BENCH)
    assert plan.overrides == held(PLAN) and len(heard.requests) == 1


@pytest.mark.parametrize(
    "value",
    ["25 W", "25 dBm or 26", "twenty five frogs", "", "nan", "1e999", "-inf", None, [25], "99"],
)
def test_a_value_that_is_none_of_the_space_is_not_guessed(value: Any) -> None:
    said = completion(json.dumps({**STEPS, "plan": {**PLAN, "channel.tx_power_dbm": value}}))
    with endpoint(script(said)) as heard:
        plan = planner(heard, verify="never", rounds=0).plan(NOW, (), BENCH)
    assert (
        plan.report["failed"] and "channel.tx_power_dbm is not one of the space" in plan.reasons[0]
    )


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("minus three", -3),
        ("one thousand two hundred and five", 1205),
        ("12,500", 12500),
        (("two million"), 2_000_000),
        ("seventeen", 17),
        ("negative zero point two five", -0.25),
        ("7 dB", 7),
        (".5", 0.5),
        ("hundred", 100),
    ],
)
def test_numbers_in_words(text: str, number: float) -> None:
    assert number_of(text, "channel.snr_db") == number


def test_nothing_and_truth_may_be_written_as_texts() -> None:
    space = Space({"a": (True, False, None), "b": ("no", "yes")})
    for said, meant in (
        ("true", True),
        ("No", False),
        ("null", None),
        (None, None),
        (False, False),
    ):
        answer = read_answer(json.dumps({"plan": {"a": said, "b": "yes"}}), space)
        assert answer.overrides == {"a": meant, "b": "yes"} and answer.overrides["a"] is meant
    with pytest.raises(AnswerError, match="value of b"):
        read_answer(json.dumps({"plan": {"a": True, "b": None}}), space)
