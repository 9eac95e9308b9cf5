"""A pipeline file as a configuration: the grid of cells that it describes, each a checked set of
components."""

from __future__ import annotations

import functools
import itertools
import math
import os
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin, overload

from semcore.component.base import Component, check_value, field_types
from semcore.config import document as yaml
from semcore.config.build import Built
from semcore.config.document import Document, Path_
from semcore.config.examples import offered
from semcore.config.layers import CHANGEABLE, SECTIONS, TOP, Override, unchangeable
from semcore.config.paths import Assignment, read_override, split_path
from semcore.config.resolve import Resolved, Resolver
from semcore.config.segments import Segments, alternatives
from semcore.config.setup import ANY, Setup
from semcore.config.top_level import VERSION, read_frame, wrong_name
from semcore.errors import ConfigError, Problem
from semcore.memo import LRU

__all__ = [
    "CHANGEABLE",
    "SECTIONS",
    "TOP",
    "VERSION",
    "Cell",
    "Configuration",
    "alternatives",
    "describe",
    "load",
]

MAX_CELLS = 100_000


@dataclass(frozen=True)
class Cell:
    """One point of the sweep: its place in the grid and the swept values by dotted path."""

    index: int
    settings: Mapping[str, Any]


class Grid(Sequence[Cell]):
    """The cells of a sweep, each created on access: a large grid takes no memory.

    Args:
        axes: dotted path -> swept values; the first axis changes slowest
    """

    def __init__(self, axes: Mapping[str, Sequence[Any]]) -> None:
        self._axes = {path: list(values) for path, values in axes.items()}

    def __len__(self) -> int:
        return math.prod(map(len, self._axes.values()))

    @overload
    def __getitem__(self, index: int) -> Cell: ...
    @overload
    def __getitem__(self, index: slice) -> list[Cell]: ...
    def __getitem__(self, index: int | slice) -> Cell | list[Cell]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        values = zip(self._axes.items(), self.places(index), strict=True)
        return Cell(index, {path: axis[place] for (path, axis), place in values})

    def places(self, index: int) -> list[int]:
        """The index of the value on each axis, for the index of a cell."""
        found = []
        for axis in reversed(self._axes.values()):
            index, place = divmod(index, len(axis))
            found.append(place)
        return found[::-1]


@dataclass(frozen=True, eq=False)
class Configuration:
    """A checked pipeline file. `resolve` gives what a cell, under a plan, consists of.

    Fields:
        document: the file, for the places of problems
        values: the root mapping as written, without the sweep
        axes: dotted path -> swept values
        fixed: dotted path -> value set on the command line
        origins: dotted path -> the override that set or swept it
        built: the components that were built for it so far
        token: unique to this configuration
    """

    document: Document
    values: Mapping[str, Any]
    axes: Mapping[str, Sequence[Any]]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)
    built: Built = field(default_factory=dict, repr=False)
    token: str = field(default_factory=lambda: os.urandom(8).hex(), init=False, repr=False)

    def __reduce__(self) -> Any:
        """Copies that reach a process share what is built there: the cells that it computes load
        weights once."""
        return _copy, (
            self.token,
            (self.document, self.values, self.axes, self.fixed, self.origins),
        )

    @property
    def name(self) -> str:
        """The name the file gives itself, or the file's own name."""
        return str(
            self.fixed.get("name") or self.values.get("name") or Path(self.document.name).stem
        )

    @property
    def description(self) -> str:
        """What the file says of itself, for the reader of its report."""
        return str(self.values.get("description") or "").strip()

    @functools.cached_property
    def cells(self) -> Grid:
        """The grid: the first axis changes slowest."""
        return Grid(self.axes)

    def resolve(self, cell: Cell, overrides: Mapping[str, Any] | None = None) -> Setup:
        """The components of a cell; `overrides` are the environment and the plan of a segment.

        Every component is built once, however many cells and plans use it.

        Raises:
            ConfigError: with every problem found
        """
        point = [self._override(path, value) for path, value in cell.settings.items()]
        above = [self._override(path, value, True) for path, value in (overrides or {}).items()]
        resolved = self._resolver.resolve([*self._fixed, *point, *above])
        if resolved.problems:
            raise ConfigError(resolved.problems)
        return resolved.setup

    def forget(self) -> None:
        """Build all components again from now on: files or registered names may have changed."""
        self.built.clear()
        for name in ("_resolver", "_overrides"):
            self.__dict__.pop(name, None)

    def problems(self) -> list[Problem]:
        """Everything that is wrong with any cell, or with any plan that its planner may choose."""
        segments = Segments(self.document, self.values, self._swept)
        found: dict[Problem, None] = {}
        for point in itertools.product(*self._swept):
            resolved = self._resolver.resolve([*self._fixed, *point])
            found.update(dict.fromkeys(resolved.problems))
            problems, alternatives = segments.of(resolved)
            found.update(dict.fromkeys(problems))
            for above in alternatives:
                found.update(
                    dict.fromkeys(self._resolver.resolve([*self._fixed, *point, *above]).problems)
                )
        return list(found)

    def resolved(self) -> Iterator[Resolved]:
        """The parts of each cell, without what a plan may change."""
        for point in itertools.product(*self._swept):
            yield self._resolver.resolve([*self._fixed, *point])

    def ordered(self, problems: Iterable[Problem]) -> list[Problem]:
        """Problems as they are read: the file from top to bottom, then the overrides of the command
        line."""
        return _in_order(
            problems, self.document, [one for one in self.origins.values() if isinstance(one, str)]
        )

    @functools.cached_property
    def _resolver(self) -> Resolver:
        return Resolver(self.document, self.values, self.built)

    @functools.cached_property
    def _overrides(self) -> dict[tuple[str, str, bool], Override]:
        """Path, value, and whether it is planned -> the override: equal ones are one object."""
        return {(one.path, repr(one.value), False): one for axis in self._swept for one in axis}

    def _override(self, path: str, value: Any, planned: bool = False) -> Override:
        """The override of a cell's setting, on the grid or not, or of a plan or an environment."""
        origin = ("planner", "use") if planned else self.origins.get(path, ("sweep", path))
        found = Override(path, value, origin, planned)
        return self._overrides.setdefault((path, repr(value), planned), found)

    @functools.cached_property
    def _fixed(self) -> list[Override]:
        return [
            Override(path, value, self.origins.get(path, ""))
            for path, value in self.fixed.items()
            if path != "name"
        ]

    @functools.cached_property
    def _swept(self) -> list[list[Override]]:
        """The values of each axis with their places."""
        axes = []
        for path, values in self.axes.items():
            sweep = self.document.values.get("sweep")
            written = sweep.get(path) if isinstance(sweep, dict) else None
            listed = list(enumerate(written)) if isinstance(written, list) else []
            places: dict[str, Path_] = {
                repr(value): ("sweep", path, index) for index, value in reversed(listed)
            }
            origin = self.origins.get(path)
            axes.append(
                [
                    Override(path, value, origin or places.get(repr(value), ("sweep", path)))
                    for value in values
                ]
            )
        return axes


_copies = LRU[Configuration](2)


def _copy(token: str, fields: tuple[Any, ...]) -> Configuration:
    return _copies.of(token, lambda: Configuration(*fields))


def load(path: Path, overrides: Sequence[str] = ()) -> Configuration:
    """Read and check a pipeline file under the overrides of the command line.

    Raises:
        ConfigError: with every problem found, before any work
    """
    return checked(yaml.read(path, offered), overrides)


def checked(document: Document, changes: Sequence[str | Assignment] = ()) -> Configuration:
    """The configuration that a parsed file describes, under changes of its settings.

    Args:
        changes: what is set or swept instead; a text is read as on the command line

    Raises:
        ConfigError: with every problem found, before any work
    """
    configuration = describe(document, changes)
    if problems := configuration.problems():
        raise ConfigError(_in_order(problems, document, [_text(one) for one in changes]))
    return configuration


def describe(document: Document, changes: Sequence[str | Assignment] = ()) -> Configuration:
    """The configuration that a parsed file describes; checks its frame, not yet its components.

    Raises:
        ConfigError: the top level is wrong; includes all other problems
    """
    texts = [_text(one) for one in changes]
    try:
        values, axes, problems = read_frame(document)
    except ConfigError as error:
        raise ConfigError(_in_order(error.problems, document, texts)) from None
    configuration = Configuration(document, values, axes)
    for change in changes:
        try:
            one = read_override(change) if isinstance(change, str) else change
            configuration = _overridden(configuration, one)
        except ConfigError as error:
            problems += error.problems
    for name, example in (("batch_size", "16"), ("device", "cuda")):
        if name not in configuration.axes:
            continue
        message, hint = (
            f"{name} cannot be swept: no result depends on it",
            f"set one value: {name}={example}",
        )
        if origin := configuration.origins.get(name):
            problems.append(Problem(message, origin, hint=hint))
        else:
            problems.append(document.problem(("sweep", name), message, hint, at_key=True))
    count = math.prod(len(axis) for axis in configuration.axes.values())
    if count > MAX_CELLS:
        message = f"the sweep has {count:,} cells (limit {MAX_CELLS:,})"
        problems.append(document.problem(("sweep",), message, at_key=True))
        configuration = replace(
            configuration, axes={path: axis[:1] for path, axis in configuration.axes.items()}
        )
    if problems:
        raise ConfigError(_in_order([*problems, *configuration.problems()], document, texts))
    return configuration


def _text(change: str | Assignment) -> str:
    return change if isinstance(change, str) else change.text


def _overridden(configuration: Configuration, change: Assignment) -> Configuration:
    """The configuration with one change applied: a value, or an axis of the sweep."""
    path, value, swept, text = change.path, change.value, change.swept, change.text
    section = str(split_path(path)[0])
    if section == "sweep":
        hint = "channel.snr_db=0:20:5 or =0,3,6"
        raise ConfigError(
            [Problem("a sweep is written as values of the setting itself", text, hint=hint)]
        )
    if path == "name":
        message, hint = wrong_name(value)
        if message:
            raise ConfigError([Problem(message, text, hint=hint)])
        return replace(configuration, fixed={**configuration.fixed, path: value})
    if section not in CHANGEABLE:
        message, hint = unchangeable(section)
        raise ConfigError([Problem(message, text, hint=hint)])
    origins = {**configuration.origins, path: text}
    axes = {key: axis for key, axis in configuration.axes.items() if key != path}
    if isinstance(value, list) and not swept:
        swept = not _accepts_list(replace(configuration, origins=origins), path, value)
    if swept and not value:
        raise ConfigError([Problem("a sweep needs at least one value", text)])
    if swept:
        fixed = {key: one for key, one in configuration.fixed.items() if key != path}
        return replace(configuration, axes={**axes, path: value}, fixed=fixed, origins=origins)
    fixed = {**configuration.fixed, path: value}
    return replace(configuration, axes=axes, fixed=fixed, origins=origins)


def _accepts_list(configuration: Configuration, path: str, value: list[Any]) -> bool:
    """Whether the setting at `path` itself holds a list, as `speed_kmh: [60, 120]` does; else the
    list is a sweep."""
    annotation = _annotation(configuration, path)
    if annotation is not None:
        several = bool(value) and all(isinstance(one, list) for one in value)
        return _is_of_lists(annotation) and not (several and check_value(annotation, value)[1])

    def refused(values: list[Any]) -> bool:
        problems = replace(configuration, axes={path: values}).problems()
        return any(problem.where == configuration.origins[path] for problem in problems)

    return not refused([value]) or refused(value[:1] or [value])


def _annotation(configuration: Configuration, path: str) -> Any:
    """The annotation of the field of a component at `path`; None if there is no such component."""
    section, *inner = split_path(path)
    part = next(configuration.resolved()).parts.get(str(section)) if inner else None
    owner = part.made if part is not None else None
    for name in inner[:-1]:
        if isinstance(owner, Component):
            owner = getattr(owner, str(name), None)
        elif isinstance(owner, Mapping):
            owner = owner.get(name, owner.get(ANY))
        else:
            return None
    if isinstance(owner, Mapping):  # a transport for all streams is written without its name
        owner = owner.get(ANY)
    return field_types(type(owner)).get(str(inner[-1])) if isinstance(owner, Component) else None


def _is_of_lists(annotation: Any) -> bool:
    """Whether an annotation is of lists, alone or among others."""
    origin = get_origin(annotation)
    if origin in (Annotated, Union, types.UnionType):
        return any(_is_of_lists(one) for one in get_args(annotation))
    return origin in (tuple, list) or annotation in (tuple, list)


def _in_order(
    problems: Iterable[Problem], document: Document, overrides: Sequence[str]
) -> list[Problem]:
    """Problems in reading order: the file from top to bottom, then the overrides from left to
    right."""

    def place(problem: Problem) -> tuple[int, int, int]:
        if problem.where in overrides:
            return 1, list(overrides).index(problem.where), 0
        line, _, column = problem.where.removeprefix(f"{document.name}:").partition(":")
        return (0, int(line), int(column)) if line.isdigit() and column.isdigit() else (0, 0, 0)

    return sorted(dict.fromkeys(problems), key=place)
