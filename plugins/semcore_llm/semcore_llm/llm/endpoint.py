"""An OpenAI-compatible endpoint, asked so that nothing it does can hurt: every wait and every reply is bounded."""

from __future__ import annotations

import asyncio
import functools
import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from semcore.rng import Rng
from semcore.secrets import Secret

if TYPE_CHECKING:
    import ssl

    import httpx

MOST_BYTES = 1_000_000
"""A longer reply is none."""
MOST_CALLS = 8
"""So many tool calls of one message are looked at."""
LONGEST_ARGUMENTS = 10_000
RETRIED = (408, 409, 425, 429, 500, 502, 503, 504)
"""Answers after which it is worth asking again."""


class EndpointError(Exception):
    """The endpoint gave no answer that can be used; `refused`: it says that the request itself is at fault."""

    def __init__(self, reason: str, refused: bool = False) -> None:
        super().__init__(reason)
        self.refused = refused


@dataclass
class Budget:
    """The time of one segment, and what of it was used.

    Fields:
        seconds: all of it
        report: what asking cost so far, by name with unit
    """

    seconds: float
    report: dict[str, float] = field(default_factory=lambda: {"requests": 0.0, "prompt_tokens": 0.0, "completion_tokens": 0.0})

    def __post_init__(self) -> None:
        self.started = time.monotonic()

    @property
    def left_s(self) -> float:
        """What is left of it."""
        return self.seconds - (time.monotonic() - self.started)


@dataclass(frozen=True)
class Call:
    """A tool that the model wants to use."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Reply:
    """What the model said."""

    content: str
    calls: tuple[Call, ...]


@dataclass(frozen=True)
class Endpoint:
    """Where a model answers, and how long to wait for it.

    Fields:
        base_url: address up to `/chat/completions`
        model: its name there
        key: the secret that it wants, sent in the header `Authorization`
        attempt_timeout_s: longest time of one attempt
        retries: attempts after the first one
        rng: draws the time between attempts
    """

    base_url: str
    model: str
    key: Secret | None
    attempt_timeout_s: float
    retries: int
    rng: Rng

    def ask(self, messages: Sequence[Mapping[str, Any]], budget: Budget, **settings: Any) -> Reply:
        """One answer.

        Raises:
            EndpointError: none came within the budget and the number of attempts, or none that can be used
        """
        body = json.dumps({"model": self.model, "temperature": 0, "messages": list(messages), **settings}).encode()
        for attempt in range(self.retries + 1):
            try:
                return self._attempt(body, budget)
            except _Again as again:
                wait = max(again.after_s, 0.5 * 2**attempt * (0.5 + self.rng.at("wait", attempt).numpy().random()))
                if attempt == self.retries or wait > budget.left_s:
                    raise EndpointError(again.reason) from None
                time.sleep(wait)
        raise AssertionError("the last attempt either answers or raises")

    def _attempt(self, body: bytes, budget: Budget) -> Reply:
        left = min(self.attempt_timeout_s, budget.left_s)
        if left <= 0:
            raise EndpointError("the time of the segment is over")
        budget.report["requests"] += 1
        # In a thread of its own, for the caller's may have an event loop already: a notebook's has.
        with ThreadPoolExecutor(1) as pool:
            return _reply(pool.submit(asyncio.run, self._posted(body, left)).result(), budget)

    async def _posted(self, body: bytes, left_s: float) -> bytes:
        """The body of the answer; whatever the endpoint does, it takes no longer than `left_s`."""
        import httpx

        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if self.key is not None:
            headers["Authorization"] = f"Bearer {self.key.reveal()}"
        address = self.base_url.rstrip("/") + "/chat/completions"
        try:
            # Nothing of the environment: neither a proxy nor a netrc may see the key. A redirect is an answer like any other.
            async with (
                asyncio.timeout(left_s),
                httpx.AsyncClient(verify=_trusted(), trust_env=False, follow_redirects=False, timeout=left_s) as client,
                client.stream("POST", address, content=body, headers=headers) as response,
            ):
                if response.status_code in RETRIED:
                    raise _Again(f"the endpoint answered {response.status_code}", _after(response))
                if response.status_code != 200:
                    refused = response.status_code in (400, 404, 415, 422, 501)
                    raise EndpointError(f"the endpoint answered {response.status_code}", refused)
                return await _bounded(response)
        except (TimeoutError, httpx.TimeoutException):
            raise _Again("the endpoint did not answer in time") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _Again(f"the endpoint cannot be reached ({type(error).__name__})") from None


@functools.cache
def _trusted() -> ssl.SSLContext:
    """The authorities that httpx trusts, read once."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)


class _Again(Exception):
    """An attempt that failed in a way that may pass."""

    def __init__(self, reason: str, after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.reason, self.after_s = reason, after_s


def _after(response: httpx.Response) -> float:
    """The seconds of `Retry-After`; a date counts as none."""
    value = response.headers.get("retry-after", "")
    return float(value) if value.isdigit() and len(value) < 7 else 0.0


async def _bounded(response: httpx.Response) -> bytes:
    """The body, if it is neither packed nor too long."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise EndpointError("the endpoint packed its reply, though it was asked not to")
    data = bytearray()
    async for part in response.aiter_raw():
        data += part
        if len(data) > MOST_BYTES:
            raise EndpointError(f"the reply is longer than {MOST_BYTES:,} bytes")
    return bytes(data)


def _reply(data: bytes, budget: Budget) -> Reply:
    try:
        answer = json.loads(data)
        message = answer["choices"][0]["message"]
        content = message.get("content") or ""
        calls = [_call(one) for one in (message.get("tool_calls") or [])[:MOST_CALLS]]
        reply = Reply(content if isinstance(content, str) else "", tuple(calls))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        raise _Again("the endpoint answered with something else than a chat completion") from None
    usage = answer.get("usage")
    for name in ("prompt_tokens", "completion_tokens"):
        count = usage.get(name) if isinstance(usage, dict) else None
        if isinstance(count, int) and not isinstance(count, bool) and 0 <= count < 10**9:
            budget.report[name] += count
    return reply


def _call(value: Mapping[str, Any]) -> Call:
    function = value["function"]
    arguments = function.get("arguments") or "{}"
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return Call(str(value.get("id") or "call")[:100], str(function["name"])[:100], text[:LONGEST_ARGUMENTS])
