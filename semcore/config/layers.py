"""Overrides of a pipeline file, and the position of each value, for messages."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semcore.config.document import Document, Path_
from semcore.config.paths import set_path, split_path
from semcore.config.setup import COMPONENTS, REQUIRED, is_component
from semcore.errors import Problem
from semcore.wording.suggest import guess, nearest

SECTIONS = (
    "source", "encoder", "transport", "channel", "generator", "selector", "kb", "planner", "space",
    "scenario", "metrics",
)  # fmt: skip
"""The parts of a pipeline; a workflow may replace any of them."""
CHANGEABLE = ("seed", "threads", "batch_size", "device", "workflow", "workflows", *SECTIONS)
"""Where the dotted path of a sweep, a plan or a segment may begin."""
TOP = ("semcore", "name", "description", *CHANGEABLE, "sweep", "hooks", "plugins")


@dataclass(frozen=True, eq=False)
class Override:
    """A value that is laid over the file: a cell's, an override's, an environment's or a plan's.

    Fields:
        path: dotted path of the setting
        value: the value
        origin: where it was written: a place in the file, or the override
        planned: whether a planner sets it, so that the message must say so
    """

    path: str
    value: Any
    origin: Path_ | str
    planned: bool = False

    @functools.cached_property
    def parts(self) -> Path_:
        """The path, part by part."""
        return split_path(self.path)

    @property
    def section(self) -> str:
        """The section that it changes."""
        return str(self.parts[0])

    def problem(
        self, document: Document, rest: Path_, message: str, hint: str, at_key: bool
    ) -> Problem:
        """A problem with the value, or with the part of it at `rest`; `at_key`: with the path that
        leads to it."""
        if self.planned:
            message = f"a plan sets {self.path}: {message}"
        if isinstance(self.origin, str):
            return Problem(message, self.origin, hint=hint)
        if at_key and not rest:
            # a swept value is one of a list
            origin = self.origin[:2] if self.origin[0] == "sweep" else self.origin
            return document.problem(origin, message, hint, at_key=True)
        return document.problem((*self.origin, *rest), message, hint, at_key=at_key)


@dataclass(frozen=True, eq=False)
class Places:
    """Where the values of one section of a resolved configuration were written.

    Fields:
        document: the file
        base: where the section stands in it: at the top, or in a workflow
        changes: what is laid over it
    """

    document: Document
    base: Path_
    changes: Sequence[Override] = ()

    def tell(self, path: Path_, message: str, hint: str = "", *, at_key: bool = False) -> Problem:
        """A problem with the value at a path of the resolved configuration."""
        for change in sorted(self.changes, key=lambda change: -len(change.parts)):
            if path[: len(change.parts)] == change.parts:
                return change.problem(
                    self.document, path[len(change.parts) :], message, hint, at_key
                )
        written = (*self.base, *path[1:])
        if written not in self.document.marks:
            for change in self.changes:
                # what is wrong is a mapping that a longer path has made
                if change.parts[: len(path)] == path:
                    return change.problem(self.document, (), message, hint, True)
        return self.document.problem(written, message, hint, at_key=at_key)

    def of(self, path: Path_) -> Path_ | str:
        """Where the value at a path of the resolved configuration was written."""
        for change in self.changes:
            if path[: len(change.parts)] == change.parts:
                return (
                    change.origin
                    if isinstance(change.origin, str)
                    else (*change.origin, *path[len(change.parts) :])
                )
        return (*self.base, *path[1:])


def applied(
    value: Any, changes: Sequence[Override], document: Document
) -> tuple[Any, list[Problem]]:
    """A section with the changes made, and a problem for each change that leads nowhere."""
    if not changes:
        return value, []
    section = changes[0].section
    root: dict[str, Any] = {} if value is None else {section: value}
    problems = []
    for change in changes:
        try:
            root = set_path(root, change.path, change.value)
        except KeyError as error:
            reason = f"{change.path} leads nowhere: there is no {error.args[0]}"
            problems.append(change.problem(document, (), reason, "", True))
    return _without_dead_ends(section, value, root.get(section), changes, problems, document)


def _without_dead_ends(
    section: str,
    before: Any,
    after: Any,
    changes: Sequence[Override],
    problems: list[Problem],
    document: Document,
) -> tuple[Any, list[Problem]]:
    """Without what paths into a component that is not there have made: settings of nothing."""
    if (
        section in COMPONENTS
        and before is None
        and isinstance(after, Mapping)
        and "use" not in after
    ):
        reason, hint = f"the pipeline has no section {section!r}", f"add '{section}: {{use: ...}}'"
        if section not in REQUIRED:  # otherwise it is reported as missing
            texts = [(change, f"{change.path} leads nowhere: {reason}") for change in changes]
            problems += [change.problem(document, (), text, hint, True) for change, text in texts]
        return None, problems
    if (
        section == "transport"
        and isinstance(before, Mapping)
        and "use" not in before
        and isinstance(after, Mapping)
    ):
        for name in [
            name for name, item in after.items() if name not in before and not is_component(item)
        ]:
            after = {key: item for key, item in after.items() if key != name}
            for change in (one for one in changes if [*map(str, one.parts[1:2])] == [name]):
                rest = change.parts[2:] or change.parts[1:]
                meant = ".".join(
                    map(
                        str,
                        ("transport", guess(name, before) or next(iter(before), "STREAM"), *rest),
                    )
                )
                text = f"{change.path} leads nowhere: no transport is named for a stream {name!r}"
                problems.append(
                    change.problem(document, (), text, f"did you mean {meant!r}?", True)
                )
    return after, problems


def unchangeable(section: str) -> tuple[str, str]:
    """Message and hint for a path that begins with what cannot be changed."""
    if section in TOP:
        return f"{section!r} holds for the whole file and cannot be changed here", ""
    return f"there is no section {section!r}", nearest(section, CHANGEABLE)
