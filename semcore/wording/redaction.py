"""What must not be written or printed is taken out here, the one place: by `storage.write`, by
error messages, and by the streams of the command line. What a digest is made of passes it before
that, too: the digest must fit what is written.

It knows values, not meanings: the usual ways of writing a text down are covered (JSON, HTML,
Python, addresses, base64), but not one that was changed, cut, compressed or painted.
"""

from __future__ import annotations

import base64
import contextlib
import html
import json
import re
import sys
import unicodedata
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any, AnyStr, TextIO, cast

SHORTEST = 6
"""Shorter values are not redacted: they occur in ordinary text (`none`, `EMPTY`)."""
SHORTEST_NUMBER = 16
"""The same for one of digits alone, which would be found in the numbers of a result."""
_LIKELY = re.compile(
    r"""((?<![a-z0-9])(?:key|token|password|secret)["']?\s*[:=]\s*)(?!["']?env:)("[^"]*"|'[^']*'|[^\s,}\]]+)""",
    re.I,
)
"""A setting that looks as if a secret had been written there, of a component that nobody knows."""

_forms_of: dict[str, str] = {}
"""How a secret may stand in a text -> what is written in its place; the longest first."""
_refused: set[str] = set()
"""What was written in a pipeline or on the command line where only the name of a secret belongs."""


def learn(value: str, mask: str) -> None:
    """Write `mask` for `value` from now on."""
    if len(value) >= (SHORTEST_NUMBER if value.isdigit() else SHORTEST) and value not in _forms_of:
        _forms_of.update(dict.fromkeys(_forms(value), mask))
        ordered = sorted(_forms_of.items(), key=lambda item: -len(item[0]))
        _forms_of.clear()
        _forms_of.update(ordered)


def refuse(value: Any) -> None:
    """Star `value`, or what is in it, in the lines that are shown: it was written where the name of
    a secret belongs."""
    for text in _leaves(value):
        _refused.update(part for part in (text, text.removeprefix("env:")) if part)


def redact(text: AnyStr) -> AnyStr:
    """`text` without what was learnt."""
    if not _forms_of:
        return text
    for form, mask in _forms_of.items():
        if isinstance(text, str):
            text = text.replace(form, mask)
        else:
            text = text.replace(form.encode("utf-8", "surrogateescape"), mask.encode())
    if isinstance(text, str):
        return (
            _without_encoded(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")
            if "%" in text
            else text
        )
    return _without_encoded(text)


_ENCODED = re.compile(rb"%(?:25)*([0-9A-Fa-f]{2})")
"""A byte as an address has it: `%2F`, `%2f`, or encoded again, `%252F`."""


def _without_encoded(data: bytes) -> bytes:
    """`data` without what was learnt in percent-encoding: which characters are encoded differs from
    writer to writer."""
    forms = [
        (form.encode("utf-8", "surrogateescape"), mask.encode()) for form, mask in _forms_of.items()
    ]
    reach = 5 * max(len(form) for form, _ in forms)
    windows: list[list[int]] = []
    for hit in _ENCODED.finditer(data):
        if windows and hit.start() - reach <= windows[-1][1]:
            windows[-1][1] = hit.end() + reach
        else:
            windows.append([max(hit.start() - reach, 0), hit.end() + reach])
    parts, at = [], 0
    for begin, end in windows:
        parts += [data[at:begin], _decoded_without(data[begin:end], forms)]
        at = end
    return b"".join([*parts, data[at:]]) if parts else data


def _decoded_without(data: bytes, forms: list[tuple[bytes, bytes]]) -> bytes:
    """The same of a short piece: what is found in the decoded bytes is replaced where it stands
    encoded."""
    decoded, places, at = bytearray(), list[int](), 0
    for hit in [*_ENCODED.finditer(data), None]:
        plain = data[at : hit.start() if hit else len(data)]
        decoded += plain
        places += range(at, at + len(plain))
        if hit:
            decoded.append(int(hit[1], 16))
            places.append(hit.start())
            at = hit.end()
    places.append(len(data))
    for form, mask in forms:
        while (found := decoded.find(form)) >= 0:
            first, last = places[found], places[found + len(form)]
            shift = len(mask) - (last - first)
            data = data[:first] + mask + data[last:]
            decoded[found : found + len(form)] = b"\0"  # one byte that is in no form
            places[found : found + len(form)] = [first]
            places[found + 1 :] = [place + shift for place in places[found + 1 :]]
    return data


def printable(text: str) -> str:
    """`text` without control characters: it may quote received data or a third-party run."""
    return "".join(
        c if c.isprintable() or c == "\n" or unicodedata.category(c) == "Zs" else "\ufffd"
        for c in text
    )


def starred(line: str) -> str:
    """A line that the user wrote, with stars for every secret in it and for what looks like one; as
    long as it was."""
    for form in _forms_of:
        line = line.replace(form, "*" * len(form))
    for value in sorted(_refused, key=len, reverse=True):
        line = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "*" * len(value), line)
    return _LIKELY.sub(lambda found: found[1] + "*" * len(found[2]), line)


def guard_streams() -> None:
    """Redact whatever this process prints from now on."""
    sys.stdout, sys.stderr = (
        stream if stream is None or isinstance(stream, _Guarded) else cast(TextIO, _Guarded(stream))
        for stream in (sys.stdout, sys.stderr)
    )


@contextlib.contextmanager
def _named() -> Iterator[None]:
    """An error of the system says that it is the output that cannot be written."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or "the output"
        raise


class _Guarded:
    """A text stream behind `redact`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with _named():
            self._stream.write(redact(text))
        return len(text)

    def flush(self) -> None:
        with _named():
            self._stream.flush()

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


_WAYS = (
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    lambda text: repr(text)[1:-1],
    lambda text: html.escape(text),
    # as Jinja does
    lambda text: html.escape(text).replace("&quot;", "&#34;").replace("&#x27;", "&#39;"),
    lambda text: urllib.parse.quote(text, safe="", errors="surrogateescape"),
    lambda text: urllib.parse.quote_plus(text, errors="surrogateescape"),
)
"""The usual ways to write a text in a file of some format."""


def _forms(value: str) -> set[str]:
    """`value` as it may stand in a text: written in one of the usual ways, or in one inside
    another."""
    forms = {value}
    for _ in range(2):
        forms |= {way(form) for form in forms for way in _WAYS}
    return forms | {form for form in _in_base64(value) if len(form) > SHORTEST}


def _in_base64(value: str) -> Iterator[str]:
    """What every base64 of a text that holds the value has in it, wherever in the text the value
    begins."""
    data = value.encode("utf-8", "surrogateescape")
    for shift in range(3):
        coded = base64.b64encode(bytes(shift) + data).decode()
        inner = coded[-(-8 * shift // 6) : 8 * (shift + len(data)) // 6]
        yield from (inner, inner.replace("+", "-").replace("/", "_"))


def _leaves(value: Any) -> Iterator[str]:
    """The texts and numbers inside `value`, as text."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, (str, int, float)) and not isinstance(value, bool) and value != "":
        yield str(value)
