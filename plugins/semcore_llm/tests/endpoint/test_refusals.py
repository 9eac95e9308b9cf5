"""What endpoints refuse, and faulty ones: the planner asks in a simpler way, or plans without."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import Any

import pytest

from semcore import ComponentError, Secret
from semcore_llm.planners.remote import LLMPlanner
from semcore_llm.testing.endpoints import (
    FAULTS,
    LocalEndpoint,
    Say,
    completion,
    endpoint,
    script,
    send,
)

from ..support.asked import ANSWER, BENCH, CANARY, FALLBACK, NOW, PLAN, STEPS, held, planner, record


def refusing(*keys: str) -> Say:
    """An endpoint that knows none of some settings of a request."""

    def say(handler: Any, body: dict[str, Any]) -> None:
        if any(key in body for key in keys):
            send(handler, b'{"error": "unknown setting"}', 400)
        elif "tools" in body:
            send(handler, completion("", ("submit_plan", {**STEPS, "plan": PLAN})))
        else:
            send(handler, completion(f"Well.\n```json\n{ANSWER}\n```"))

    return say


@pytest.mark.parametrize(
    "missing", [(), ("response_format",), ("tools",), ("tools", "response_format")]
)
@pytest.mark.parametrize("rounds", [0, 2])
def test_an_endpoint_that_knows_less_is_asked_in_a_simpler_way(
    missing: tuple[str, ...], rounds: int
) -> None:
    with endpoint(refusing(*missing)) as heard:
        plan = planner(heard, rounds=rounds).plan(NOW, (), BENCH)
    assert plan.overrides == held(PLAN) and "failed" not in plan.report


@pytest.mark.parametrize("status", [400, 404, 405, 409, 413, 415, 418, 422, 500, 501])
@pytest.mark.parametrize("late", [False, True])
def test_whatever_refuses_tools_is_asked_without_them(status: int, late: bool) -> None:
    """At once, or after the first round, when the messages hold what tools brought."""

    def say(handler: Any, body: dict[str, Any]) -> None:
        used = any(one["role"] == "tool" or "tool_calls" in one for one in body["messages"])
        if late and "tools" in body and not used:
            send(handler, completion("", ("recall", {"snr_db": 3})))
        elif "tools" in body or used:
            send(
                handler, b'{"error": {"message": "start the server with what tools need"}}', status
            )
        else:
            send(handler, completion(ANSWER))

    with endpoint(say) as heard:
        plan = planner(heard, verify="never").plan(NOW, (), BENCH)
    assert plan.overrides == held(PLAN) and len(heard.requests) == 2 + late
    assert sum("tools" in one for one in heard.requests) == 1 + late


def test_a_refusal_may_come_as_a_reply() -> None:
    def say(handler: Any, body: dict[str, Any]) -> None:
        send(handler, b'{"error": "no tools here"}' if "tools" in body else completion(ANSWER))

    with endpoint(say) as heard:
        plan = planner(heard, verify="never").plan(NOW, (), BENCH)
    assert plan.overrides == held(PLAN) and len(heard.requests) == 2


@pytest.mark.parametrize(
    "words", ["Unsupported value: 'temperature' does not support 0 with this model.", "bad request"]
)
@pytest.mark.parametrize("rounds", [0, 2])
def test_a_temperature_that_is_refused_is_left_out_and_that_is_said(
    words: str, rounds: int
) -> None:
    def say(handler: Any, body: dict[str, Any]) -> None:
        refused = "temperature" in body
        send(
            handler,
            json.dumps({"error": {"message": words}}).encode() if refused else completion(ANSWER),
            400 * refused or 200,
        )

    with endpoint(say) as heard:
        plan = planner(heard, verify="never", rounds=rounds, temperature=0.5).plan(NOW, (), BENCH)
    assert plan.overrides == held(PLAN) and "refused the temperature 0.5" in plan.reasons[-1]
    assert [one.get("temperature") for one in heard.requests[-2:]] == [0.5, None]
    if "temperature" in words:
        assert ("tools" in heard.requests[-1]) == bool(rounds), (
            "it is the temperature alone that is left out"
        )


@pytest.mark.parametrize("temperature", [None, 0.0, 1.2])
def test_the_temperature_is_a_setting(temperature: float | None) -> None:
    with endpoint(script(completion(ANSWER))) as heard:
        plan = planner(heard, verify="never", temperature=temperature).plan(NOW, (), BENCH)
    assert heard.requests[0].get("temperature") == temperature and "temperature" not in " ".join(
        plan.reasons
    )


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, {"error": {"message": "the model zebra is not yours\x1b[2J"}}),
        (400, {"error": ("the model zebra is not yours")}),
        (503, {"detail": [{"msg": "the model zebra is not yours"}]}),
        (404, {"message": ("the model zebra is not yours")}),
        (200, {"object": "error", "message": "the model zebra is not yours"}),
        (500, {"error": "the model zebra is not yours"}),
    ],
)
def test_the_words_of_the_server_are_in_the_reason(status: int, body: dict[str, Any]) -> None:
    with endpoint(lambda handler, _: send(handler, json.dumps(body).encode(), status)) as heard:
        plan = planner(heard, verify="never", retries=0).plan(NOW, (), BENCH)
    assert "the model zebra is not yours" in plan.reasons[0] and "\x1b" not in plan.reasons[0]
    assert status == 200 or f"answered {status}" in plan.reasons[0]
    assert len(heard.requests) == 1 or status not in (401, 503)


def test_long_words_of_a_server_are_cut_but_no_secret_is_cut_in_two(key: Secret) -> None:
    for before in range(240, 300, 7):
        words = json.dumps({"error": "x" * before + " " + CANARY + " " + "y" * 10**6}).encode()
        with endpoint(lambda handler, _, words=words: send(handler, words, 401)) as heard:
            plan = planner(heard, verify="never", key=key).plan(NOW, (), BENCH)
        assert len(plan.reasons[0]) < 500 and CANARY[:12] not in plan.reasons[0]


def test_trials_come_on_top_of_the_time_for_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock of our own: a trial takes a thousand times what all requests may."""
    now = [0.0]
    monkeypatch.setattr("semcore_llm.endpoint.client.time.monotonic", lambda: now[0])

    def judged(*arguments: Any) -> Any:
        now[0] += 4000.0
        return BENCH.trial(*arguments)

    simulator = replace(BENCH)
    object.__setattr__(simulator, "trial", judged)  # of a frozen class
    calls = [("simulate", {"plan": held(PLAN)})]
    with endpoint(script(completion("", *calls), completion(ANSWER))) as heard:
        plan = planner(heard, verify="never").plan(NOW, (), simulator)
    assert now[0] == 4000.0 and plan.overrides == held(PLAN) and plan.report["trials"] == 1


def test_a_name_that_is_looked_up_for_ever_takes_no_longer_than_the_budget(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The look-up ends when the test has: that the plan comes before shows that nobody waits for
    it."""
    ended, asked = threading.Event(), []

    def look_up(host: str, *arguments: Any, **settings: Any) -> Any:
        asked.append(host)
        ended.wait(300)
        raise OSError("no such name")

    monkeypatch.setattr("socket.getaddrinfo", look_up)
    quick = {"time_budget_s": 1.0, "attempt_timeout_s": 0.4, "memory": "", "fallback": FALLBACK}
    made = LLMPlanner(base_url="http://nowhere.invalid/v1", model="toy", **quick)
    plan = made.plan(NOW, (), BENCH)
    assert asked and not ended.is_set() and plan.overrides == {"workflow": "a2v"}
    assert "did not answer in time" in plan.reasons[0]
    ended.set()


@pytest.mark.parametrize("fault", [*FAULTS, "redirect-to-another-address", "nobody-listens"])
@pytest.mark.default_cases(5)
def test_whatever_an_endpoint_does_the_fallback_plans(fault: str, elsewhere: LocalEndpoint) -> None:
    """The faults last for ever: that this test ends shows that the planner gave up in its time."""

    def led(handler: Any, body: object) -> None:
        send(handler, b"", 302, Location=f"{elsewhere.base_url}/chat/completions")

    with endpoint(FAULTS.get(fault, led)) as heard:
        asked = planner(heard)
        if fault == "nobody-listens":
            asked = replace(asked, base_url="http://127.0.0.1:9/v1")
        plan = asked.plan(NOW, (), BENCH)
    assert (
        plan.overrides == {"workflow": "a2v"}
        and plan.report["fallback"] == plan.report["failed"] == 1.0
    )
    assert plan.reasons[0].startswith("the fallback fixed plans: ") and plan.report["latency_s"] > 0
    assert len(heard.requests) <= 8 and not elsewhere.requests
    assert plan.report["requests"] <= 8


def test_a_model_that_failed_often_is_left_alone_for_a_while() -> None:
    memory: list[dict[str, Any]] = []
    with endpoint(FAULTS["500"]) as heard:
        asked = planner(heard, retries=0, rounds=0, breaker=2, pause=3)
        told = []
        for segment in range(12):
            scenario = replace(NOW, segment=segment)
            plan = asked.plan(scenario, memory, BENCH)
            told.append("skipped" if plan.report.get("skipped") else "failed")
            memory.append(
                {
                    **scenario.plain(),
                    "planned": {},
                    "in_force": {},
                    "plan_report": dict(plan.report),
                }
            )
    pause = ["skipped"] * 3
    assert told == ["failed", "failed", *pause, "failed", *pause, "failed", "skipped", "skipped"]
    assert len(heard.requests) == told.count("failed")


def test_it_is_asked_again_only_when_much_has_changed() -> None:
    memory: list[dict[str, Any]] = []
    with endpoint(script(completion(ANSWER))) as heard:
        asked = planner(heard, rounds=0, hysteresis_db=3.0)
        for segment, (snr_db, task) in enumerate(
            [(4.0, "a"), (6.9, "a"), (1.1, "a"), (7.1, "a"), (7.2, "b"), (8.0, "b")]
        ):
            scenario = replace(NOW, segment=segment, link={"snr_db": snr_db}, task=task)
            plan = asked.plan(scenario, memory, BENCH)
            assert plan.overrides == held(PLAN)
            memory.append(record(scenario, plan))
    assert [record["plan_report"].get("asked", 0.0) for record in memory] == [1, 0, 0, 1, 1, 0]
    assert len(heard.requests) == 3


NO_ADDRESSES = (
    "ftp://host/v1",
    "localhost:8000",
    "http://user:word@host/v1",
    "http://host/v1?key=1",
    "",
)


@pytest.mark.parametrize("base_url", NO_ADDRESSES)
def test_an_address_that_is_none_is_refused(base_url: str) -> None:
    with pytest.raises(ComponentError, match="base_url"):
        LLMPlanner(base_url=base_url, model="toy")
