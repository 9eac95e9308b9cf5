"""YAML with positions: the text of a pipeline file as plain values, and where each of them stands.

YAML 1.2 scalars (stock PyYAML reads `1e3` as a string, `no` as False, `12:30` as 750, and keeps the last of two equal
keys in silence). Duplicate keys are refused; size, depth and the expansion of aliases are bounded, so that no file,
however it was made, takes long or much memory.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from semcore.errors import ConfigError, Problem

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
MAX_VALUES = 50_000

Path_ = tuple[str | int, ...]
"""Where a value is: keys and indices from the root."""

_INT = re.compile(r"[-+]?[0-9]+\Z|0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_FORBIDDEN = re.compile(r"[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}


@dataclass(frozen=True)
class Mark:
    """A place: 1-based line and column."""

    line: int
    column: int


@dataclass
class Document:
    """A parsed file.

    Fields:
        name: name for messages, usually the path as the user gave it
        values: the content: dict, list, str, int, float, bool, None
        lines: the text, line by line
        keys: path -> where its key stands
        marks: path -> where its value stands
        folder: directory against which relative paths of the file are resolved
    """

    name: str
    values: Any
    lines: list[str]
    keys: dict[Path_, Mark] = field(default_factory=dict)
    marks: dict[Path_, Mark] = field(default_factory=dict)
    folder: Path = Path()

    def problem(self, path: Path_, message: str, hint: str = "", *, at_key: bool = False) -> Problem:
        """A problem at `path`, or at the nearest place above it that stands in the file."""
        table = self.keys if at_key and path in self.keys else self.marks
        place = path
        while len(place) > 1 and place not in table:
            place = place[:-1]
        if path and place not in table:  # nothing of it is in the file
            return Problem(message, self.name, hint=hint)
        mark = table.get(place) or Mark(1, 1)
        line = self.lines[mark.line - 1] if mark.line <= len(self.lines) else ""
        return Problem(message, f"{self.name}:{mark.line}:{mark.column}", line, mark.column, hint)


def read(path: Path) -> Document:
    """Parse a file.

    Raises:
        ConfigError: it cannot be read, is too large, or is not YAML
    """
    name = str(path)
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ConfigError([Problem(f"is too large for a pipeline file (limit {MAX_BYTES:,} bytes)", name)])
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError([Problem(f"cannot be read: {error.strerror}", name, hint=_files_near(path))]) from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"is not UTF-8 text: byte 0x{data[error.start]:02x} in line {line}"
        raise ConfigError([Problem(message, name)]) from error
    return parse(text, name, path.resolve().parent)


def parse(text: str, name: str = "<text>", folder: Path = Path()) -> Document:
    """Parse a text; see `read`."""
    document = Document(name, None, text.splitlines() or [""], folder=folder)
    if bad := _FORBIDDEN.search(text):
        document.marks[()] = _place_of(text, bad.start())
        message = f"not valid YAML: character #x{ord(bad.group()):04x} is not allowed"
        raise ConfigError([document.problem((), message)])
    try:
        events = yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        _Reader(document, events).read()
    except yaml.MarkedYAMLError as error:
        where, began = error.problem_mark, error.context_mark
        if where is None or began is not None and where.line >= len(document.lines):
            where = began
        document.marks[()] = Mark(where.line + 1, where.column + 1) if where else Mark(1, 1)
        what = error.problem or "cannot be parsed"
        since = f" {error.context} that starts in line {began.line + 1}" if error.context and began else ""
        raise ConfigError([document.problem((), f"not valid YAML: {what}{since}")]) from error
    except _Refused as refused:
        raise ConfigError([*refused.problems]) from None
    return document


def scalar(text: str) -> Any:
    """A plain scalar as YAML 1.2 reads it."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.match(text) and len(text) < 400:
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _FLOAT.match(text):
        return float(text)
    return text


class _Refused(Exception):
    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems


class _Reader:
    """Turns parser events into values; recursion goes no deeper than MAX_DEPTH."""

    def __init__(self, document: Document, events: Iterator[Any]) -> None:
        self.document = document
        self.events = events
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.count = 0
        self.problems: list[Problem] = []

    def read(self) -> None:
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if () in self.document.marks:
                    self._refuse(event, (), "only one YAML document is read")
                self.document.values = self._value(next(self.events), (), 0)
        if self.problems:
            raise _Refused(self.problems)

    def _value(self, event: Any, path: Path_, depth: int) -> Any:
        self.document.marks[path] = _mark(event)
        self.count += 1
        if self.count > MAX_VALUES:
            self._refuse(event, path, f"more than {MAX_VALUES:,} values (aliases included)")
        if depth > MAX_DEPTH:
            self._refuse(event, path, f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, yaml.AliasEvent):
            anchor = str(event.anchor)
            if anchor not in self.anchors:
                self._refuse(event, path, f"alias *{anchor} has no anchor above it")
            value, size = self.anchors[anchor]
            self.count += size
            if self.count > MAX_VALUES:
                self._refuse(event, path, f"more than {MAX_VALUES:,} values (aliases included)")
            return value
        if event.tag not in (None, "!", "tag:yaml.org,2002:str"):
            message = f"the tag {event.tag!r} is not allowed: values are plain"
            self.problems.append(self.document.problem(path, message))
        before = self.count
        if isinstance(event, yaml.ScalarEvent):
            value = scalar(event.value) if event.implicit[0] and event.tag is None else event.value
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self._sequence(path, depth)
        else:
            value = self._mapping(path, depth)
        if event.anchor:
            self.anchors[event.anchor] = (value, self.count - before)
        return value

    def _sequence(self, path: Path_, depth: int) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            values.append(self._value(event, (*path, len(values)), depth + 1))
        return values

    def _mapping(self, path: Path_, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            mark = _mark(event)
            if not isinstance(event, yaml.ScalarEvent) or event.tag:
                self._refuse(event, path, "a key must be a plain word")
            key = event.value
            if key in values:
                self.document.marks[(*path, key)] = mark
                first = self.document.keys[(*path, key)].line
                self.problems.append(
                    self.document.problem(
                        (*path, key), f"the key {key!r} stands here again (first in line {first})", "remove one of them"
                    )
                )
            self.document.keys.setdefault((*path, key), mark)
            values[key] = self._value(next(self.events), (*path, key), depth + 1)
        return values

    def _refuse(self, event: Any, path: Path_, message: str) -> None:
        self.document.marks[path] = _mark(event)
        raise _Refused([*self.problems, self.document.problem(path, message)])


def _files_near(path: Path) -> str:
    """A hint that names the pipeline files that may have been meant."""
    folder = path if path.is_dir() else path.parent
    files = sorted(str(found) for found in folder.glob("*.y*ml"))
    if not path.is_dir():
        files = difflib.get_close_matches(str(path), files, 1)
    return f"did you mean {' or '.join(files)}?" if 0 < len(files) <= 8 else ""


def _mark(event: Any) -> Mark:
    return Mark(event.start_mark.line + 1, event.start_mark.column + 1)


def _place_of(text: str, position: int) -> Mark:
    before = text[:position]
    return Mark(before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1)
