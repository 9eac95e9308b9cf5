"""Every error that semcore raises on purpose.

    SemcoreError
    ├── ConfigError      a pipeline file or an override is wrong; carries every problem found
    ├── ComponentError   a component was given a bad value, or broke the contract of its interface
    ├── PluginError      a plugin package cannot be found, imported or used
    └── RunError         a run cannot start, go on or be read

A message says where, what, and what to do; the command line prints it without a traceback and exits with 2.
"""

from __future__ import annotations

from dataclasses import dataclass


class SemcoreError(Exception):
    """Base of all errors that are the user's to mend; anything else is a bug of ours."""


class ComponentError(SemcoreError):
    """A component was given a bad value, or broke the contract of its interface."""


class PluginError(SemcoreError):
    """A plugin package cannot be found, imported or used."""


class RunError(SemcoreError):
    """A run cannot start, go on or be read."""


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
        place = f"{self.where}: " if self.where else ""
        lines = [f"{place}error: {self.message}"]
        if self.source:
            indent = len(self.source) - len(self.source.lstrip())
            shown = self.source.strip()[:120]
            caret = min(max(self.column - 1 - indent, 0), len(shown))
            lines += [f"      {shown}", f"      {' ' * caret}^"]
        if self.hint:
            lines.append(f"    hint: {self.hint}")
        return "\n".join(lines)


class ConfigError(SemcoreError):
    """A pipeline file or an override is wrong. `problems` holds everything found, in reading order."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(dict.fromkeys(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))
