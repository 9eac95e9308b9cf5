"""YAML with positions: the text of a pipeline file as plain values, and their positions.

YAML 1.2 scalars (stock PyYAML reads `1e3` as a string, `no` as False, `12:30` as 750, and keeps the
last of two equal keys in silence). Duplicate keys are refused; size, depth and the expansion of
aliases are bounded, so that no file, however it was made, takes long or much memory.

Recoverable problems (a duplicate key, a tag) are collected in the document, and reported together
with what else is wrong; what cannot (broken syntax, a bomb) ends the reading.
"""

from __future__ import annotations

import codecs
import difflib
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml

from semcore.errors import ConfigError, Problem
from semcore.storage import DIGITS
from semcore.wording import suggest

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
MAX_VALUES = 50_000
TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels (aliases included)"

Path_ = tuple[str | int, ...]
"""Where a value is: keys and indices from the root."""

_MEND = {
    "cannot start any token": "a text that begins with this character stands in quotes",
    ("mapping values are not allowed"): (
        "a text with a colon in it stands in quotes; else see how far the lines are indented"
    ),
    "quoted scalar": "the quote is not closed",
    "block mapping": "see how far this line is indented, and the one before it",
    "block collection": "see how far this line is indented, and the one before it",
    "flow mapping": "a bracket or a comma is missing before",
    "flow sequence": "a bracket or a comma is missing before",
}
"""Message of the parser -> hint."""

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
        keys: path -> position of its key
        marks: path -> position of its value
        folder: directory against which relative paths of the file are resolved
        problems: what is wrong with it as YAML, though it could be read
    """

    name: str
    values: Any
    lines: list[str]
    keys: dict[Path_, Mark] = field(default_factory=dict)
    marks: dict[Path_, Mark] = field(default_factory=dict)
    folder: Path = Path()
    problems: list[Problem] = field(default_factory=list)

    def problem(
        self, path: Path_, message: str, hint: str = "", *, at_key: bool = False
    ) -> Problem:
        """A problem at `path`, or at its nearest parent in the file."""
        table = self.keys if at_key and path in self.keys else self.marks
        place = path
        while place and place not in table:
            place = place[:-1]
        return self.problem_at(table.get(place) or Mark(1, 1), message, hint)

    def problem_at(self, mark: Mark, message: str, hint: str = "") -> Problem:
        """A problem at a place of the text."""
        line = self.lines[mark.line - 1] if mark.line <= len(self.lines) else ""
        return Problem(message, f"{self.name}:{mark.line}:{mark.column}", line, mark.column, hint)

    def rename(self, path: Path_, name: str) -> None:
        """Make the value at `path` available under the key that was meant."""
        for table in (self.keys, self.marks):
            found = {place: mark for place, mark in table.items() if place[: len(path)] == path}
            table.update(
                {(*path[:-1], name, *place[len(path) :]): mark for place, mark in found.items()}
            )


def read(path: Path, offered: Callable[[str], str] = lambda name: "") -> Document:
    """Parse a file.

    Raises:
        ConfigError: it cannot be read, is too large, or is not YAML
    """
    name = str(path)
    try:
        if kind := _kind(path):
            hint = _files_near(path) if kind == "a directory" else ""
            raise ConfigError([Problem(f"is {kind}, not a pipeline file", name, hint=hint)])
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # a ValueError: no file can have that name
        reason = error.strerror if isinstance(error, OSError) else "no file can be called that"
        near = (
            [_files_near(path), offered(path.name)] if isinstance(error, FileNotFoundError) else []
        )
        hint = "; ".join(filter(None, near))
        raise ConfigError([Problem(f"cannot be read: {reason}", name, hint=hint)]) from error
    if len(data) > MAX_BYTES:
        hint = "data belongs in files of its own, which the pipeline names"
        raise ConfigError(
            [
                Problem(
                    f"is too large for a pipeline file (limit {MAX_BYTES:,} bytes)", name, hint=hint
                )
            ]
        )
    return parse(_decoded(data, name), name, path.resolve().parent)


def _kind(path: Path) -> str:
    """What a path refers to if not a regular file. Only those are opened: a pipe could block."""
    kinds = {
        stat.S_IFREG: "",
        stat.S_IFDIR: "a directory",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
    }
    return kinds.get(stat.S_IFMT(os.stat(path).st_mode), "a device")


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise ConfigError([Problem("is UTF-16 text", name, hint="save it as UTF-8")]) from error
        text, before = error.object.decode(errors="replace"), error.object[: error.start].decode()
        document = Document(name, None, text.splitlines())
        place = _place_of(before, len(before))
        message = (
            f"not UTF-8 text: the byte 0x{error.object[error.start]:02x} stands for no character"
        )
        raise ConfigError([document.problem_at(place, message, "save it as UTF-8")]) from error


def parse(text: str, name: str = "<text>", folder: Path = Path()) -> Document:
    """Parse a text; what is wrong with it but can be read past is in the `problems` of the
    document.

    Raises:
        ConfigError: it cannot be read on; with all that was found before
    """
    document = Document(name, None, text.splitlines() or [""], folder=folder)
    if bad := _FORBIDDEN.search(text):
        message = f"not valid YAML: the character U+{ord(bad.group()):04X} is not allowed"
        raise ConfigError([document.problem_at(_place_of(text, bad.start()), message)])
    try:
        events = yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        _Reader(document, events).read()
    except yaml.MarkedYAMLError as error:
        where, began = error.problem_mark, error.context_mark
        if where is None or began is not None and where.line >= len(document.lines):
            where = began
        mark = Mark(where.line + 1, where.column + 1) if where else Mark(1, 1)
        since = (
            f" {error.context} that starts in line {began.line + 1}"
            if error.context and began
            else ""
        )
        message = f"not valid YAML: {error.problem or 'cannot be parsed'}{since}"
        hint = next((hint for symptom, hint in _MEND.items() if symptom in message), "")
        # the scanner looks ahead of the events, and has a limit of its own
        if "nesting" in message:
            message = TOO_DEEP
        if document.lines[min(mark.line, len(document.lines)) - 1][mark.column - 1 :][:1] == "\t":
            message, hint = (
                "not valid YAML: a tab stands where a line is indented",
                "indent with spaces",
            )
        raise ConfigError([*document.problems, document.problem_at(mark, message, hint)]) from error
    return document


def scalar(text: str) -> Any:
    """A plain scalar as YAML 1.2 reads it."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.match(text) and len(text) <= DIGITS:
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _FLOAT.match(text):
        return float(text)
    return text


def number_meant(text: str) -> str:
    """The number, or the range of numbers, that a text looks like with the characters of ASCII; ""
    if it is another text."""
    if text.isascii() or len(text) > 60 or (meant := suggest.to_ascii(text).strip()) == text:
        return ""
    values = [scalar(part) for part in meant.split(":")]
    numbers = all(
        isinstance(value, (int, float)) and not isinstance(value, bool) for value in values
    )
    return meant if numbers and len(values) in (1, 3) else ""


class _Reader:
    """Turns parser events into values; recursion goes no deeper than MAX_DEPTH."""

    def __init__(self, document: Document, events: Iterator[Any]) -> None:
        self.document = document
        self.events = events
        # name -> value, its size, its height; None: still open
        self.anchors: dict[str, tuple[Any, int, int] | None] = {}
        self.count = 0
        self.deepest = 0

    def read(self) -> None:
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if () in self.document.marks:
                    self._refuse(event, "only one YAML document is read")
                self.document.values = self._value(next(self.events), (), 0)

    def _value(self, event: Any, path: Path_, depth: int) -> Any:
        self.document.marks[path] = _mark(event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        self._enter(event, 1, depth)
        if event.tag not in (None, "!", "tag:yaml.org,2002:str"):
            self._note(event, f"the tag {event.tag!r} is not allowed: values are plain")
        if event.anchor:
            self.anchors[event.anchor] = None
        before, deepest, self.deepest = self.count - 1, self.deepest, depth
        if isinstance(event, yaml.ScalarEvent):
            is_text = (
                event.tag in ("!", "tag:yaml.org,2002:str")
                or not event.tag
                and not event.implicit[0]
            )
            value = event.value if is_text else scalar(event.value)
            if isinstance(value, str) and not is_text and (meant := number_meant(value)):
                self._note(
                    event, f"{value!r} is not a number: {suggest.foreign(value)}", f"write {meant}"
                )
                value = scalar(meant)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self._sequence(path, depth)
        else:
            value = self._mapping(path, depth)
        if event.anchor:
            self.anchors[event.anchor] = (value, self.count - before, self.deepest - depth)
        self.deepest = max(deepest, self.deepest)
        return value

    def _alias(self, event: Any, depth: int) -> Any:
        if event.anchor not in self.anchors:
            self._refuse(
                event,
                f"the alias *{event.anchor} stands for nothing: there is no "
                f"&{event.anchor} above it",
            )
        anchored = self.anchors[event.anchor]
        if anchored is None:
            self._refuse(event, f"the alias *{event.anchor} stands inside what it stands for")
        value, size, height = anchored
        self._enter(event, size, depth + height)
        return value

    def _sequence(self, path: Path_, depth: int) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            values.append(self._value(event, (*path, len(values)), depth + 1))
        return values

    def _mapping(self, path: Path_, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent) or event.tag:
                self._refuse(event, "a key must be a plain word")
            key, place = event.value, (*path, event.value)
            if key == "<<":
                self._note(
                    event,
                    "merge keys are not read",
                    "write the settings out, or let *NAME be the whole value",
                )
            elif key in values:
                first = self.document.keys[place].line
                self._note(
                    event,
                    f"the key {key!r} stands here again (first in line {first})",
                    "remove one of them",
                )
            else:
                self.document.keys[place] = _mark(event)
                values[key] = self._value(next(self.events), place, depth + 1)
                continue
            # read, for its own mistakes
            other = self._value(next(self.events), (*place, -1), depth + 1)
            if key == "<<" and isinstance(other, dict):
                merged.update(other)  # so that nothing else is reported missing
        return {**merged, **values}

    def _enter(self, event: Any, values: int, depth: int) -> None:
        """Count what is read, and stop where it is too much."""
        self.count += values
        self.deepest = max(self.deepest, depth)
        if self.count > MAX_VALUES:
            self._refuse(event, f"more than {MAX_VALUES:,} values (aliases included)")
        if depth > MAX_DEPTH:
            self._refuse(event, TOO_DEEP)

    def _note(self, event: Any, message: str, hint: str = "") -> None:
        """Report a recoverable problem."""
        self.document.problems.append(self.document.problem_at(_mark(event), message, hint))

    def _refuse(self, event: Any, message: str) -> NoReturn:
        """A problem that ends the reading."""
        raise ConfigError(
            [*self.document.problems, self.document.problem_at(_mark(event), message)]
        )


def _files_near(path: Path) -> str:
    """A hint that names the pipeline files that may have been meant."""
    is_folder = os.path.isdir(path)
    try:
        near = (path if is_folder else path.parent).glob("*.y*ml")
        files = sorted(str(found) for found in near if found != path and os.path.isfile(found))
    except (OSError, ValueError):
        return ""
    if not is_folder:
        files = difflib.get_close_matches(str(path), files, 1)
    return f"did you mean {' or '.join(files)}?" if 0 < len(files) <= 8 else ""


def _mark(event: Any) -> Mark:
    return Mark(event.start_mark.line + 1, event.start_mark.column + 1)


def _place_of(text: str, position: int) -> Mark:
    before = (text[:position] + "|").splitlines()
    return Mark(len(before), len(before[-1]))
