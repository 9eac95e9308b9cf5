"""Every error that semcore raises on purpose.

    SemcoreError
    ├── ConfigError      a pipeline file or an override is wrong; carries every problem found
    ├── ComponentError   a component was given a bad value, or broke the contract of its interface
    ├── PluginError      a plugin package cannot be found, imported or used
    └── RunError         a run cannot start, go on or be read
        └── SourceError  a source cannot give its samples; carries every reason

A message says where, what, and what to do. The command line prints it without a traceback and
exits with status 2.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semcore.wording.redaction import redact, starred

SHOWN = 100
"""Characters of a source line that are shown, around the place of the problem."""
LONGEST = 400
"""Characters of a message that are shown."""
MOST = 50
"""Problems that one error reports."""


class SemcoreError(Exception):
    """Base of all errors that a user can fix; anything else is a bug in semcore."""


class ComponentError(SemcoreError):
    """A component was given a bad value, or broke the contract of its interface."""


class PluginError(SemcoreError):
    """A plugin package cannot be found, imported or used."""


class RunError(SemcoreError):
    """A run cannot start, go on or be read."""


class SourceError(RunError):
    """A source cannot give its samples, for example because files are missing or damaged.

    Args:
        reasons: everything that is wrong, one line each
        setting: the field of the source that is wrong
        hint: what to do
    """

    def __init__(self, reasons: Sequence[str], setting: str = "path", hint: str = "") -> None:
        self.reasons, self.setting, self.hint = tuple(reasons), setting, hint
        super().__init__("\n".join(_first(self.reasons)) + (f"; {hint}" if hint else ""))

    def __reduce__(self) -> tuple[Any, ...]:
        return SourceError, (self.reasons, self.setting, self.hint)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, and where.

    Fields:
        message: what is wrong, in one line
        where: `file:line:column`, or the override it came from; empty if it has no place
        source: the source line, for the caret
        column: 1-based column of the caret in `source`
        hint: what to do; empty if the message says it all
    """

    message: str
    where: str = ""
    source: str = ""
    column: int = 0
    hint: str = ""

    def __str__(self) -> str:
        place = f"{starred(_one_line(self.where))}: " if self.where else ""
        lines = [f"{place}error: {_one_line(self.message)}"]
        if self.source.strip():
            lines += self._excerpt()
        if self.hint:
            lines.append(f"    hint: {_one_line(self.hint)}")
        return redact("\n".join(lines))

    def _excerpt(self) -> list[str]:
        """The source line, or the part of a long one around the caret, and the caret below it."""
        caret, source = max(self.column - 1, 0), starred(self.source)
        start = max(0, caret - SHOWN // 2) if caret > SHOWN - 20 else 0
        # Control characters must not reach a terminal, and a tab must not shift the caret.
        part = source[start : start + SHOWN]
        shown = "".join(c if c.isprintable() else " " for c in part).rstrip()
        indent = 0 if start else min(len(shown) - len(shown.lstrip()), caret)
        before = shown[indent : max(caret - start, indent)].ljust(caret - start - indent)
        width = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in before)
        return [f"      {shown[indent:]}", f"      {' ' * width}^"]


class ConfigError(SemcoreError):
    """A pipeline file or an override is wrong; `problems` holds all problems in reading order."""

    def __init__(self, problems: list[Problem]) -> None:
        distinct: dict[tuple[str, str], Problem] = {}
        for problem in problems:  # the same message at the same place is one problem
            distinct.setdefault((problem.where, problem.message), problem)
        self.problems = tuple(distinct.values())
        super().__init__("\n".join(_first(self.problems)))


def _first(lines: Sequence[object]) -> list[str]:
    """At most `MOST` lines as text (others are not rendered), and how many more there are."""
    found, more = [str(line) for line in lines[:MOST]], len(lines) - MOST
    return [*found, f"... and {more:,} more"] if more > 0 else found


def shown(value: Any) -> str:
    """A value as a pipeline file has it, shortened."""
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}"
    if isinstance(value, Mapping):
        return "a mapping"
    if value is None:
        return "nothing"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) < 60 else text[:57] + "..."


def listed(words: list[str], last: str = "and") -> str:
    """Words as in a sentence: `a, b and c`."""
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _one_line(text: str) -> str:
    """A message as a terminal can show it: control characters escaped, a long one shortened."""
    if len(text) > LONGEST:
        text = f"{text[: LONGEST * 3 // 4]} ... {text[-LONGEST // 4 :]}"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
