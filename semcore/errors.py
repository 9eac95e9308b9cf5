"""Every error that semcore raises on purpose.

    SemcoreError
    ├── ConfigError      a pipeline file or an override is wrong; carries every problem found
    ├── ComponentError   a component was given a bad value, or broke the contract of its interface
    ├── PluginError      a plugin package cannot be found, imported or used
    └── RunError         a run cannot start, go on or be read
        └── SourceError  a source cannot give its samples; carries every reason

A message says where, what, and what to do; the command line prints it without a traceback and exits with 2.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semcore.wording.redaction import redact, starred

SHOWN = 100
"""So many characters of a source line are shown, around the place that is meant."""
LONGEST = 400
"""So many characters of a message are shown."""
MOST = 50
"""So many problems are told at once."""


class SemcoreError(Exception):
    """Base of all errors that are the user's to mend; anything else is a bug of ours."""


class ComponentError(SemcoreError):
    """A component was given a bad value, or broke the contract of its interface."""


class PluginError(SemcoreError):
    """A plugin package cannot be found, imported or used."""


class RunError(SemcoreError):
    """A run cannot start, go on or be read."""


class SourceError(RunError):
    """A source cannot give its samples, because of what its settings name: files that are missing or damaged, say.

    Args:
        reasons: everything that is wrong, each in one line
        setting: the field of the source that is to blame
        hint: what to do
    """

    def __init__(self, reasons: Sequence[str], setting: str = "path", hint: str = "") -> None:
        self.reasons, self.setting, self.hint = tuple(reasons), setting, hint
        more = len(self.reasons) - MOST
        lines = [*self.reasons[:MOST], *[f"... and {more:,} more"] * (more > 0)]
        super().__init__("\n".join(lines) + (f"; {hint}" if hint else ""))

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
        # A terminal must not obey what stands in a file, and a tab must not push the caret away.
        shown = "".join(c if c.isprintable() else " " for c in source[start : start + SHOWN]).rstrip()
        indent = 0 if start else min(len(shown) - len(shown.lstrip()), caret)
        before = shown[indent : max(caret - start, indent)].ljust(caret - start - indent)
        width = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in before)
        return [f"      {shown[indent:]}", f"      {' ' * width}^"]


class ConfigError(SemcoreError):
    """A pipeline file or an override is wrong. `problems` holds everything found, in reading order."""

    def __init__(self, problems: list[Problem]) -> None:
        distinct: dict[tuple[str, str], Problem] = {}
        for problem in problems:  # the same words at the same place are one problem, whatever the hints
            distinct.setdefault((problem.where, problem.message), problem)
        self.problems = tuple(distinct.values())
        more = len(self.problems) - MOST
        told = [str(problem) for problem in self.problems[:MOST]] + [f"... and {more:,} more"] * (more > 0)
        super().__init__("\n".join(told))


def shown(value: Any) -> str:
    """A value as a pipeline file has it, shortened."""
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}"
    if isinstance(value, Mapping):
        return "a mapping"
    text = str(value).lower() if isinstance(value, bool) else "nothing" if value is None else repr(value)
    return text if len(text) < 60 else text[:57] + "..."


def listed(words: list[str], last: str = "and") -> str:
    """Words as a sentence lists them: `a, b and c`."""
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _one_line(text: str) -> str:
    """A message that a terminal can show: what cannot be printed is escaped, what is too long loses its middle."""
    if len(text) > LONGEST:
        text = f"{text[: LONGEST * 3 // 4]} ... {text[-LONGEST // 4 :]}"
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
