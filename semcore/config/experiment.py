"""A pipeline file as an experiment: the grid of cells that it describes, each a checked set of components."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from semcore.config import document as yaml
from semcore.config.document import Document, Path_
from semcore.config.layers import CHANGEABLE, SECTIONS, TOP, Override, unchangeable
from semcore.config.paths import read_override, split_path
from semcore.config.resolve import Resolved, Resolver
from semcore.config.segments import Segments, alternatives
from semcore.config.setup import Setup
from semcore.config.top_level import VERSION, read_frame, wrong_name
from semcore.errors import ConfigError, Problem

__all__ = ["CHANGEABLE", "SECTIONS", "TOP", "VERSION", "Cell", "Experiment", "alternatives", "describe", "load"]

MAX_CELLS = 100_000


Resolve = Callable[..., Setup]
"""(cell, overrides=None) -> its components; see `Experiment.resolve`."""


@dataclass(frozen=True)
class Cell:
    """One point of the sweep: its place in the grid and the swept values by dotted path."""

    index: int
    settings: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Experiment:
    """A checked pipeline file. `resolve` gives what a cell, under a plan, consists of.

    Fields:
        document: the file, for the places of problems
        values: the root mapping as written, without the sweep
        axes: dotted path -> swept values
        fixed: dotted path -> value set on the command line
        origins: dotted path -> the override that set or swept it
    """

    document: Document
    values: Mapping[str, Any]
    axes: Mapping[str, Sequence[Any]]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name the file gives itself, or the file's own name."""
        return str(self.fixed.get("name") or self.values.get("name") or Path(self.document.name).stem)

    @property
    def description(self) -> str:
        """What the file says of itself, for the reader of its report."""
        return str(self.values.get("description") or "").strip()

    @property
    def cells(self) -> list[Cell]:
        """The grid: the first axis changes slowest."""
        grid = itertools.product(*self.axes.values())
        return [Cell(index, dict(zip(self.axes, point, strict=True))) for index, point in enumerate(grid)]

    def resolve(self, cell: Cell, overrides: Mapping[str, Any] | None = None) -> Setup:
        """The components of a cell; `overrides` are the environment and the plan of a segment.

        Raises:
            ConfigError: with every problem found
        """
        return self.resolving()(cell, overrides)

    def resolving(self) -> Resolve:
        """`resolve` for many cells: what they have in common is built once, from what is registered now."""
        resolver, fixed = Resolver(self.document, self.values), self._fixed()

        known: dict[tuple[str, str, bool], Override] = {}

        def change(path: str, value: Any, planned: bool) -> Override:
            """Equal changes are one object, so that what they make is built once."""
            origin = ("planner", "use") if planned else self.origins.get(path, ("sweep", path))
            return known.setdefault((path, repr(value), planned), Override(path, value, origin, planned))

        def resolve(cell: Cell, overrides: Mapping[str, Any] | None = None) -> Setup:
            swept = [change(path, value, False) for path, value in cell.settings.items()]
            above = [change(path, value, True) for path, value in (overrides or {}).items()]
            resolved = resolver.resolve([*fixed, *swept, *above])
            if resolved.problems:
                raise ConfigError(resolved.problems)
            return resolved.setup

        return resolve

    def problems(self) -> list[Problem]:
        """Everything that is wrong with any cell, or with any plan that its planner may choose."""
        fixed, axes = self._fixed(), self._swept()
        resolver, segments = Resolver(self.document, self.values), Segments(self.document, self.values, axes)
        found: dict[Problem, None] = {}
        for point in itertools.product(*axes):
            resolved = resolver.resolve([*fixed, *point])
            found.update(dict.fromkeys(resolved.problems))
            problems, alternatives = segments.of(resolved)
            found.update(dict.fromkeys(problems))
            for above in alternatives:
                found.update(dict.fromkeys(resolver.resolve([*fixed, *point, *above]).problems))
        return list(found)

    def resolved(self) -> Iterator[Resolved]:
        """The parts of each cell, without what a plan may change."""
        resolver, fixed = Resolver(self.document, self.values), self._fixed()
        for point in itertools.product(*self._swept()):
            yield resolver.resolve([*fixed, *point])

    def ordered(self, problems: Iterable[Problem]) -> list[Problem]:
        """Problems as they are read: the file from top to bottom, then the overrides of the command line."""
        return _in_order(problems, self.document, [one for one in self.origins.values() if isinstance(one, str)])

    def _fixed(self) -> list[Override]:
        return [Override(path, value, self.origins.get(path, "")) for path, value in self.fixed.items() if path != "name"]

    def _swept(self) -> list[list[Override]]:
        """The values of each axis with their places."""
        axes = []
        for path, values in self.axes.items():
            sweep = self.document.values.get("sweep")
            written = sweep.get(path) if isinstance(sweep, dict) else None
            listed = list(enumerate(written)) if isinstance(written, list) else []
            places: dict[str, Path_] = {repr(value): ("sweep", path, index) for index, value in reversed(listed)}
            origin = self.origins.get(path)
            axes.append([Override(path, value, origin or places.get(repr(value), ("sweep", path))) for value in values])
        return axes


def load(path: Path, overrides: Sequence[str] = ()) -> Experiment:
    """Read and check a pipeline file under the overrides of the command line.

    Raises:
        ConfigError: with every problem found, before any work
    """
    document = yaml.read(path)
    experiment = describe(document, overrides)
    if problems := experiment.problems():
        raise ConfigError(_in_order(problems, document, overrides))
    return experiment


def describe(document: Document, overrides: Sequence[str] = ()) -> Experiment:
    """The experiment that a parsed file describes; checks its frame, not yet its components.

    Raises:
        ConfigError: the frame itself is wrong; what is wrong inside it is told, too
    """
    try:
        values, axes, problems = read_frame(document)
    except ConfigError as error:
        raise ConfigError(_in_order(error.problems, document, overrides)) from None
    experiment = Experiment(document, values, axes)
    for text in overrides:
        try:
            experiment = _overridden(experiment, text)
        except ConfigError as error:
            problems += error.problems
    count = math.prod(len(axis) for axis in experiment.axes.values())
    if count > MAX_CELLS:
        message = f"the sweep has {count:,} cells (limit {MAX_CELLS:,})"
        problems.append(document.problem(("sweep",), message, at_key=True))
        experiment = replace(experiment, axes={path: axis[:1] for path, axis in experiment.axes.items()})
    if problems:
        raise ConfigError(_in_order([*problems, *experiment.problems()], document, overrides))
    return experiment


def _overridden(experiment: Experiment, text: str) -> Experiment:
    """The experiment with one `key=value` of the command line applied: a value, or an axis of the sweep."""
    path, value, swept = read_override(text)
    section = str(split_path(path)[0])
    if section == "sweep":
        hint = "channel.snr_db=0:20:5 or =0,3,6"
        raise ConfigError([Problem("a sweep is written as values of the setting itself", text, hint=hint)])
    if path == "name":
        message, hint = wrong_name(value)
        if message:
            raise ConfigError([Problem(message, text, hint=hint)])
        return replace(experiment, fixed={**experiment.fixed, path: value})
    if section not in CHANGEABLE:
        message, hint = unchangeable(section)
        raise ConfigError([Problem(message, text, hint=hint)])
    origins = {**experiment.origins, path: text}
    axes = {key: axis for key, axis in experiment.axes.items() if key != path}
    if isinstance(value, list) and not swept:
        swept = not _accepts_list(replace(experiment, origins=origins), path, value)
    if swept:
        fixed = {key: one for key, one in experiment.fixed.items() if key != path}
        return replace(experiment, axes={**axes, path: value}, fixed=fixed, origins=origins)
    return replace(experiment, axes=axes, fixed={**experiment.fixed, path: value}, origins=origins)


def _accepts_list(experiment: Experiment, path: str, value: list[Any]) -> bool:
    """Whether the setting at `path` itself holds a list, as `speed_kmh: [60, 120]` does; else the list is a sweep."""

    def refused(values: list[Any]) -> bool:
        problems = replace(experiment, axes={path: values}).problems()
        return any(problem.where == experiment.origins[path] for problem in problems)

    return not refused([value]) or refused(value[:1] or [value])


def _in_order(problems: Iterable[Problem], document: Document, overrides: Sequence[str]) -> list[Problem]:
    """Problems in reading order: the file from top to bottom, then the overrides from left to right."""

    def place(problem: Problem) -> tuple[int, int, int]:
        if problem.where in overrides:
            return 1, list(overrides).index(problem.where), 0
        line, _, column = problem.where.removeprefix(f"{document.name}:").partition(":")
        return (0, int(line), int(column)) if line.isdigit() and column.isdigit() else (0, 0, 0)

    return sorted(dict.fromkeys(problems), key=place)
