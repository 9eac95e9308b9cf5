"""Local test endpoints: scripted answers, and faults."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Say = Callable[[BaseHTTPRequestHandler, dict[str, Any]], None]
"""Handles a request, given the handler and the body."""


@dataclass
class LocalEndpoint:
    """An endpoint and the requests that it received."""

    base_url: str
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def endpoint(say: Say) -> Iterator[LocalEndpoint]:
    """A local endpoint that handles every request by `say`."""

    local = LocalEndpoint("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            local.requests.append(body)
            local.headers.append(dict(self.headers))
            self.endpoint = local
            with contextlib.suppress(OSError):
                say(self, body)

        do_GET = do_PUT = do_HEAD = lambda self: local.requests.append({"method": self.command})  # noqa: E731

        def log_message(self, *arguments: object) -> None:
            """No log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    local.base_url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield local
    finally:
        local.ended.set()
        server.shutdown()
        server.server_close()


def send(handler: BaseHTTPRequestHandler, data: bytes, status: int = 200, **headers: str) -> None:
    """Send an answer."""
    handler.send_response(status)
    for name, value in {
        "Content-Type": "application/json",
        "Content-Length": str(len(data)),
        **headers,
    }.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(data)


def completion(content: str = "", *calls: tuple[str, Any]) -> bytes:
    """A chat completion with `content` and tool calls (name, arguments)."""
    called = [
        {
            "id": f"call-{number}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments)},
        }
        for number, (name, arguments) in enumerate(calls)
    ]
    message = {
        "role": "assistant",
        "content": content,
        **({"tool_calls": called} if called else {}),
    }
    usage = {"prompt_tokens": 100, "completion_tokens": 10}
    return json.dumps({"choices": [{"index": 0, "message": message}], "usage": usage}).encode()


def script(*answers: bytes) -> Say:
    """Sends the answers one after the other, then repeats the last one."""
    left = list(answers)

    def say(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        send(handler, left.pop(0) if len(left) > 1 else left[0])

    return say


# ----------------------------------------------------------------------------------------------
# faults


def _hang(handler: Any, body: object) -> None:
    handler.endpoint.ended.wait(300)


def _drip(handler: Any, body: object) -> None:
    """Endless headers, one byte at a time."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not handler.endpoint.ended.wait(0.05):
        handler.wfile.write(b"x")
        handler.wfile.flush()


def _drip_body(handler: Any, body: object) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not handler.endpoint.ended.wait(0.05):
        handler.wfile.write(b" ")
        handler.wfile.flush()


def _reset(handler: Any, body: object) -> None:
    handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"choices": [')
    handler.wfile.flush()
    linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def _flood(handler: Any, body: object) -> None:
    """A body of up to 1 GB."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
    for _ in range(1000):
        handler.wfile.write(b" " * 1_000_000)


def _redirect(address: str) -> Say:
    return lambda handler, body: send(handler, b"", 307, Location=address)


WRONG_SCHEMA = completion(json.dumps({"plan": {"workflow": "teleport"}, "requirement_analysis": 5}))
ENDLESS = completion("", ("recall", {"snr_db": 3}))
UNKNOWN_TOOL = completion("", ("run_shell", {"command": "id"}))

FAULTS: dict[str, Say] = {
    "500": lambda handler, body: send(handler, b"{}", 500),
    "429-with-retry-after": lambda handler, body: send(handler, b"{}", 429, Retry_After="3600"),
    "hang": _hang,
    "slow-drip-of-headers": _drip,
    "slow-drip-of-the-body": _drip_body,
    "reset-mid-body": _reset,
    "html-with-200": lambda handler, body: send(
        handler, b"<html><body>Sign in</body></html>", Content_Type="text/html"
    ),
    "truncated-json": lambda handler, body: send(handler, completion("hello")[:-20]),
    "wrong-schema": lambda handler, body: send(handler, WRONG_SCHEMA),
    "a-body-of-1-gb": _flood,
    "redirect-to-link-local": _redirect("http://169.254.169.254/latest/meta-data/"),
    "unknown-tool": lambda handler, body: send(handler, UNKNOWN_TOOL),
    "endless-tool-loop": lambda handler, body: send(handler, ENDLESS),
    "json-of-great-depth": lambda handler, body: send(handler, b"[" * 200_000),
    "a-packed-reply": lambda handler, body: send(handler, b"\x1f\x8b", Content_Encoding="gzip"),
}
"""Faults of an endpoint; `redirect-to-another-address` needs an address and is made by the test."""
