"""Client of an OpenAI-compatible endpoint. The time and size of every reply are bounded."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import socket
import threading
import time
from collections.abc import Collection, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from semcore import Rng, Secret
from semcore_llm.excerpt import short

if TYPE_CHECKING:
    import ssl

    import httpx

MOST_BYTES = 1_000_000
"""Maximum size of a reply, bytes."""
MOST_CALLS = 8
"""Tool calls of a message that are read; further ones are ignored."""
LONGEST_ARGUMENTS = 10_000
OVERLOADED = (408, 425, 429, 502, 503, 504)
"""Status codes of a busy server or proxy: the request is sent again."""
NO_ENTRY = (401, 402, 403, 407)
"""Status codes of missing authorisation or payment: other settings do not help."""
MOST_BYTES_OF_WORDS = 20_000
"""Bytes of an error response that are read."""


class EndpointError(Exception):
    """The endpoint gave no usable answer. `refused`: it rejected the request, and other settings
    may help."""

    def __init__(self, reason: str, refused: bool = False) -> None:
        super().__init__(reason)
        self.refused = refused


@dataclass
class Budget:
    """The time budget for the requests of one segment, including waits between attempts.

    Work of the planner between requests, such as trials, does not count.

    Fields:
        seconds: the budget, s
        report: requests and tokens so far, by name
        used_s: time used so far, s
    """

    seconds: float
    report: dict[str, float] = field(
        default_factory=lambda: {"requests": 0.0, "prompt_tokens": 0.0, "completion_tokens": 0.0}
    )
    used_s: float = 0.0

    @property
    def left_s(self) -> float:
        """The remaining time, s."""
        return self.seconds - self.used_s

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Count the time spent in the context."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.used_s += time.monotonic() - started


@dataclass(frozen=True)
class Call:
    """A tool call of the model."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Reply:
    """A message of the model."""

    content: str
    calls: tuple[Call, ...]


@dataclass
class Endpoint:
    """A model behind an endpoint, and the limits of a request.

    Fields:
        base_url: address up to `/chat/completions`
        model: name of the model at the endpoint
        key: secret, sent in the header `Authorization`; None: none
        attempt_timeout_s: longest time of one attempt
        retries: attempts after the first one
        rng: random numbers for the time between attempts
        temperature: sampling temperature, sent with every request; None: not sent. Set to None if
            the model refuses it
    """

    base_url: str
    model: str
    key: Secret | None
    attempt_timeout_s: float
    retries: int
    rng: Rng
    temperature: float | None = 0.0

    def ask(self, messages: Sequence[Mapping[str, Any]], budget: Budget, **settings: Any) -> Reply:
        """One answer of the model.

        Args:
            messages: the chat so far
            budget: time budget, reduced by this request
            settings: further fields of the request, which an endpoint may refuse

        Raises:
            EndpointError: there was no usable answer within the budget and the number of attempts
        """
        try:
            return self._asked(messages, budget, settings)
        except EndpointError as error:
            if (
                not error.refused
                or self.temperature is None
                or settings
                and "temperature" not in str(error).casefold()
            ):
                raise
        self.temperature = None
        return self._asked(messages, budget, settings)

    def _asked(
        self, messages: Sequence[Mapping[str, Any]], budget: Budget, settings: Mapping[str, Any]
    ) -> Reply:
        sampling = {} if self.temperature is None else {"temperature": self.temperature}
        body = json.dumps(
            {"model": self.model, **sampling, "messages": list(messages), **settings}
        ).encode()
        for attempt in range(self.retries + 1):
            try:
                with budget.running():
                    return self._attempt(body, budget, settings.keys())
            except _Again as again:
                wait = max(
                    again.after_s,
                    0.5 * 2**attempt * (0.5 + self.rng.at("wait", attempt).numpy().random()),
                )
                if attempt == self.retries or wait > budget.left_s:
                    raise EndpointError(again.reason) from None
                with budget.running():
                    time.sleep(wait)
        raise AssertionError("the last attempt either answers or raises")

    def _attempt(self, body: bytes, budget: Budget, extras: Collection[str]) -> Reply:
        """One request. `extras`: names of its optional fields, which may be the cause of a
        refusal."""
        left = min(self.attempt_timeout_s, budget.left_s)
        if left <= 0:
            raise EndpointError("the time of the segment is over")
        budget.report["requests"] += 1
        # In a separate thread, since the caller's may run an event loop, as in notebooks.
        with ThreadPoolExecutor(1) as pool:
            return _reply(
                pool.submit(_run, self._posted(body, left, extras)).result(), budget, extras
            )

    async def _posted(self, body: bytes, left_s: float, extras: Collection[str]) -> bytes:
        """The body of the answer, within `left_s`."""
        import httpx

        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if self.key is not None:
            headers["Authorization"] = f"Bearer {self.key.reveal()}"
        address = self.base_url.rstrip("/") + "/chat/completions"
        try:
            # The environment is ignored: neither a proxy nor a netrc may see the key. Redirects are
            # not followed.
            async with (
                asyncio.timeout(left_s),
                httpx.AsyncClient(
                    verify=_trusted(), trust_env=False, follow_redirects=False, timeout=left_s
                ) as client,
                client.stream("POST", address, content=body, headers=headers) as response,
            ):
                if response.status_code == 200:
                    return await _bounded(response)
                words = await _words(response)
                reason = f"the endpoint answered {response.status_code}{words}"
                if response.status_code in OVERLOADED:
                    raise _Again(reason, _after(response))
                # Some servers answer 500 to tools or other fields that they do not support.
                if response.status_code >= 500 and not ("tools" in extras or extras and words):
                    raise _Again(reason)
                raise EndpointError(
                    reason, response.status_code >= 400 and response.status_code not in NO_ENTRY
                )
        except (TimeoutError, httpx.TimeoutException):
            raise _Again("the endpoint did not answer in time") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _Again(f"the endpoint cannot be reached ({type(error).__name__})") from None


class _Loop(asyncio.SelectorEventLoop):
    """An event loop that does not wait for a name look-up after a timeout, since look-ups cannot be
    interrupted."""

    async def getaddrinfo(self, host: Any, port: Any, **settings: Any) -> Any:
        found: asyncio.Future[Any] = self.create_future()

        def tell(addresses: Any, error: OSError | None) -> None:
            if found.done():
                return  # timed out
            if error is None:
                found.set_result(addresses)
            else:
                found.set_exception(error)

        def look_up() -> None:
            addresses, error = None, None
            try:
                addresses = socket.getaddrinfo(host, port, **settings)
            except (OSError, UnicodeError) as reason:
                error = OSError(str(reason))
            with contextlib.suppress(RuntimeError):  # the loop has been closed
                self.call_soon_threadsafe(functools.partial(tell, addresses, error))

        threading.Thread(target=look_up, daemon=True).start()
        return await found


def _run(work: Coroutine[Any, Any, bytes]) -> bytes:
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(work)


@functools.cache
def _trusted() -> ssl.SSLContext:
    """The certificate authorities of httpx, read once."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)


class _Again(Exception):
    """A failed attempt that may be repeated."""

    def __init__(self, reason: str, after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.reason, self.after_s = reason, after_s


def _after(response: httpx.Response) -> float:
    """Seconds in `Retry-After`; 0 for a date."""
    value = response.headers.get("retry-after", "")
    return float(value) if value.isdigit() and len(value) < 7 else 0.0


async def _bounded(response: httpx.Response) -> bytes:
    """The body of a response. Raises: EndpointError: it is compressed or too long"""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise EndpointError("the endpoint packed its reply, though it was asked not to")
    data = bytearray()
    async for part in response.aiter_raw():
        data += part
        if len(data) > MOST_BYTES:
            raise EndpointError(f"the reply is longer than {MOST_BYTES:,} bytes")
    return bytes(data)


async def _words(response: httpx.Response) -> str:
    """Excerpt of the error message of a response; "" if it has none."""
    data = bytearray()
    if response.headers.get("content-encoding", "identity") == "identity":
        async for part in response.aiter_raw():
            data += part
            if len(data) > MOST_BYTES_OF_WORDS:
                break
    text = data[:MOST_BYTES_OF_WORDS].decode("utf-8", "replace")
    with contextlib.suppress(ValueError, RecursionError):
        text = _message(json.loads(text)) or ""
    return f": {short(text)}" if text.strip() and "<html" not in text.casefold() else ""


def _message(value: Any) -> str:
    """The message of an error object: `{"error": {"message": ...}}`, `{"detail": [{"msg": ...}]}`,
    ..."""
    if isinstance(value, list):
        return "; ".join(filter(None, map(_message, value[:3])))
    if isinstance(value, Mapping):
        return next(
            filter(
                None,
                (
                    _message(value[key])
                    for key in ("error", "message", "detail", "msg")
                    if key in value
                ),
            ),
            "",
        )
    return value if isinstance(value, str) else ""


def _reply(data: bytes, budget: Budget, extras: Collection[str]) -> Reply:
    answer: Any = None
    try:
        answer = json.loads(data)
        message = answer["choices"][0]["message"]
        calls = [_call(one) for one in (message.get("tool_calls") or [])[:MOST_CALLS]]
        reply = Reply(_content(message.get("content")), tuple(calls))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        words = _message(answer)
        reason = "the endpoint answered with something else than a chat completion" + (
            f": {short(words)}" if words else ""
        )
        if words and extras:
            raise EndpointError(reason, refused=True) from None
        raise _Again(reason) from None
    usage = answer.get("usage")
    for name in ("prompt_tokens", "completion_tokens"):
        count = usage.get(name) if isinstance(usage, dict) else None
        if isinstance(count, int) and not isinstance(count, bool) and 0 <= count < 10**9:
            budget.report[name] += count
    return reply


def _content(value: Any) -> str:
    """The text of a message: a string, or the text parts of a list, without reasoning parts."""
    if isinstance(value, list):
        said = [
            one
            for one in value
            if isinstance(one, str) or one.get("type", "text") in ("text", "output_text")
        ]
        return "".join(one if isinstance(one, str) else _content(one.get("text")) for one in said)
    if isinstance(value, Mapping):  # a text with its annotations
        return _content(value.get("value", value.get("text")))
    return value if isinstance(value, str) else ""


def _call(value: Mapping[str, Any]) -> Call:
    function = value["function"]
    arguments = function.get("arguments") or "{}"
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return Call(
        str(value.get("id") or "call")[:100], str(function["name"])[:100], text[:LONGEST_ARGUMENTS]
    )
