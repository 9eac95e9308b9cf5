"""The planner `llm`: any OpenAI-compatible endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any
from urllib.parse import urlsplit

from annotated_types import Ge, Gt, Le, MinLen

from semcore import ComponentError, PlanSimulator, Scenario, Secret, Space
from semcore_llm.endpoint.client import Budget, Call, Endpoint, EndpointError, Reply
from semcore_llm.planners.advised import Advised, NoAdviceError
from semcore_llm.planners.answer import Answer, AnswerError, read_answer
from semcore_llm.planners.prompt import document, instructions, plan_schema
from semcore_llm.planners.tools import ANSWER, Tools


@dataclass(frozen=True)
class LLMPlanner(Advised):
    """Asks a language model behind an OpenAI-compatible endpoint, in the three steps of the
    satellite paper.

    First the model may query the memory and try plans by tool calls; then it answers: by JSON
    Schema, by a tool call where the endpoint refuses that, else as text. An endpoint that refuses
    tools is asked without them. Reasoning (`<think>`) is not part of the answer. An unusable answer
    is returned to the model once, with the reason. Waits, retries and replies are bounded, and
    redirects are not followed. Spoken, captioned or received texts are quoted as data in the
    request; the plan is always a point of the space.

    Fields:
        base_url: address of the endpoint, without `/chat/completions`
        model: name of the model at the endpoint
        key: secret of the endpoint, `env:NAME`; null: none
        rounds: requests with tools before the answer; 0: no tools
        trials: trials per segment that the model may request
        temperature: sampling temperature; null: not sent, as where the model refuses it
        time_budget_s: maximum time of all requests of a segment including waits, without trials, s
        attempt_timeout_s: maximum time of one request, s
        retries: repetitions of a failed request
    """

    test_settings = (
        {"base_url": "http://127.0.0.1:9/v1", "model": "none", "memory": "", "retries": 0},
    )

    base_url: str = field(kw_only=True)
    model: Annotated[str, MinLen(1)] = field(kw_only=True)
    key: Secret | None = field(default=None, kw_only=True)
    rounds: Annotated[int, Ge(0), Le(20)] = 4
    trials: Annotated[int, Ge(0), Le(100)] = 4
    temperature: Annotated[float, Ge(0), Le(5)] | None = 0.0
    time_budget_s: Annotated[float, Gt(0)] = 60.0
    attempt_timeout_s: Annotated[float, Gt(0)] = 20.0
    retries: Annotated[int, Ge(0), Le(10)] = 2

    def check(self) -> None:
        super().check()
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ComponentError(
                "LLMPlanner.base_url must be an address like http://localhost:8000/v1, not "
                f"{self.base_url!r}"
            )
        if parts.username or parts.password or parts.query:
            raise ComponentError(
                "LLMPlanner.base_url must hold neither a name, a password nor a query: use `key: "
                "env:NAME`"
            )

    def advice(
        self,
        scenario: Scenario,
        memory: Sequence[Mapping[str, Any]],
        simulator: PlanSimulator,
        report: dict[str, float],
    ) -> Answer:
        lines = self.lines.of(simulator.space)
        rng = simulator.rng.at("llm", scenario.segment)
        limits = (self.attempt_timeout_s, self.retries)
        endpoint = Endpoint(self.base_url, self.model, self.key, *limits, rng, self.temperature)
        talk = _Talk(
            endpoint,
            Budget(self.time_budget_s),
            Tools(scenario, simulator, lines, self.trials),
            simulator.space,
        )
        talk.say("system", instructions())
        talk.say("user", document(scenario, memory, simulator, lines, self.nearest))
        try:
            answer = talk.with_tools(self.rounds) or talk.answer()
        except EndpointError as error:
            raise NoAdviceError(str(error)) from None
        except AnswerError as error:
            raise NoAdviceError(
                f"the answer cannot be used, not even the second one: {error}"
            ) from None
        finally:
            report |= {**talk.budget.report, "trials": float(talk.tools.used)}
        if endpoint.temperature == self.temperature:
            return answer
        note = f"the endpoint refused the temperature {self.temperature:g}, and sampled at its own"
        return replace(answer, reasons=(*answer.reasons, note))


@dataclass
class _Talk:
    """The chat about one segment."""

    endpoint: Endpoint
    budget: Budget
    tools: Tools
    space: Space
    messages: list[dict[str, Any]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    """Fields of a request that the endpoint refused."""

    def say(self, role: str, content: str, **more: Any) -> None:
        """Add a message."""
        self.messages.append({"role": role, "content": content, **more})

    def with_tools(self, rounds: int) -> Answer | None:
        """Let the model use tools; its answer, if it gave one already."""
        for _ in range(rounds):
            try:
                reply = self._ask(tools=self.tools.described())
            except EndpointError as error:
                if not error.refused:
                    raise
                self.refused |= {"tools", "tool_choice"}
                self.messages = [
                    one
                    for one in self.messages
                    if one["role"] != "tool" and "tool_calls" not in one
                ]
                return None
            if not reply.calls:
                self.say("assistant", reply.content)
                return _usable(reply.content, self.space)
            for call in reply.calls:
                if call.name == ANSWER and (answer := _usable(call.arguments, self.space)):
                    return answer
            self.say(
                "assistant", reply.content, tool_calls=[_as_sent(call) for call in reply.calls]
            )
            for call in reply.calls:
                self.say("tool", self.tools.result(call), tool_call_id=call.id)
        return None

    def answer(self) -> Answer:
        """The answer: by schema, else by a tool call, else as text; an unusable one is returned to
        the model once.

        Raises:
            AnswerError: the second answer is not usable either
            EndpointError: the endpoint gave no answer
        """
        self.say("user", "Decide now: the three steps in words, and the plan, as one JSON object.")
        text = self._decided()
        try:
            return read_answer(text, self.space)
        except AnswerError as error:
            self.say("assistant", text)
            self.say(
                "user",
                f"This cannot be used: {error}. Answer with the JSON object alone, by the schema.",
            )
        return read_answer(self._decided(), self.space)

    def _decided(self) -> str:
        schema = {"name": "plan", "strict": True, "schema": plan_schema(self.space)}
        forced = {"type": "function", "function": {"name": ANSWER}}
        ways: list[dict[str, Any]] = [
            {"response_format": {"type": "json_schema", "json_schema": schema}},
            {"tools": [self.tools.answering()], "tool_choice": forced},
            {},
        ]
        for settings in ways:
            if settings.keys() & self.refused:
                continue
            try:
                reply = self._ask(**settings)
            except EndpointError as error:
                if error.refused and settings:
                    self.refused |= settings.keys() - {"tools"}
                    continue
                raise
            called = next((call.arguments for call in reply.calls if call.name == ANSWER), "")
            return called or reply.content
        raise AssertionError("the last way either answers or raises")

    def _ask(self, **settings: Any) -> Reply:
        return self.endpoint.ask(self.messages, self.budget, **settings)


def _usable(text: str, space: Space) -> Answer | None:
    try:
        return read_answer(text, space)
    except AnswerError:
        return None


def _as_sent(call: Call) -> dict[str, Any]:
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }
