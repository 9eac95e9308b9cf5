"""A pipeline file as an experiment: the grid of cells that it describes, each a checked set of components."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

from semcore.config import yaml
from semcore.config.assemble import REQUIRED, Setup, assemble
from semcore.config.beside import register_files
from semcore.config.build import Builder, nearest
from semcore.config.paths import points, read_override, set_path, split_path
from semcore.config.yaml import Document, Path_
from semcore.errors import ConfigError, Problem
from semcore.plugins import hook_names

SECTIONS = (
    "source",
    "encoder",
    "transport",
    "channel",
    "generator",
    "selector",
    "kb",
    "planner",
    "scenario",
    "metrics",
)
"""The parts of a pipeline; a workflow may replace any of them."""
CHANGEABLE = ("seed", "threads", "workflow", "workflows", *SECTIONS)
"""Where the dotted path of a sweep, a plan or a segment may begin."""
TOP = ("semcore", "name", "description", *CHANGEABLE, "sweep", "hooks", "plugins")
PLAN: Path_ = ("planner",)
"""The origin of what a planner sets: no place in the file."""
VERSION = 1
MAX_CELLS = 100_000


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
        origins: path of a setting -> where it was written, if not there
    """

    document: Document
    values: Mapping[str, Any]
    axes: Mapping[str, Sequence[Any]]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    origins: Mapping[Path_, Path_ | str] = field(default_factory=dict)

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
        setup, problems = self._resolve(cell, overrides or {})
        if setup is None or problems:
            raise ConfigError(problems)
        return setup

    def problems(self) -> list[Problem]:
        """Everything that is wrong with any cell, or with any plan that its planner may choose."""
        found: list[Problem] = []
        for cell in self.cells:
            setup, wrong = self._resolve(cell, {})
            found += wrong
            if setup and not wrong:
                found += self._overrun(cell, setup)
                for overrides in alternatives(setup):
                    found += self._resolve(cell, overrides)[1]
        return list(dict.fromkeys(found))

    def _overrun(self, cell: Cell, setup: Setup) -> list[Problem]:
        """A sweep over what the segments of the scenario set has no effect."""
        both = {path for scenario in setup.scenarios for path in scenario.environment if path in cell.settings}
        message = "{} is swept, but the segments of the scenario set it"
        return [self.document.problem(("sweep", path), message.format(path), "remove one of them") for path in sorted(both)]

    def _resolve(self, cell: Cell, overrides: Mapping[str, Any]) -> tuple[Setup | None, list[Problem]]:
        changes = {**self.fixed, **cell.settings, **overrides}
        origins = dict(self.origins)
        for path, value in cell.settings.items():
            if ("sweep", path) in self.document.marks and split_path(path) not in origins:
                index = list(self.axes[path]).index(value)
                place = ("sweep", path, index)
                origins[split_path(path)] = place if place in self.document.marks else ("sweep", path)
        for path, value in overrides.items():
            origins[split_path(path)] = PLAN
            for index, world in enumerate(_worlds(self.values)):
                if path in world and world[path] == value:
                    origins[split_path(path)] = ("scenario", "segments", index, path)
                    break
        builder = Builder(_teller(self.document, origins))
        root = self._overlaid(changes, origins, builder)
        if root is None:
            return None, builder.problems
        return assemble(root, builder, shared=bool(self.values.get("workflows")))

    def _overlaid(
        self, changes: Mapping[str, Any], origins: dict[Path_, Path_ | str], builder: Builder
    ) -> dict[str, Any] | None:
        """The root mapping with the chosen workflow laid over it and the changes applied."""
        root = dict(self.values)
        before = {path: value for path, value in changes.items() if split_path(path)[0] in ("workflow", "workflows")}
        after = {path: value for path, value in changes.items() if path not in before}
        root = _changed(root, before, builder)
        workflows, chosen = root.pop("workflows", None), root.pop("workflow", None)
        if chosen is not None:
            known = workflows if isinstance(workflows, dict) else {}
            if not isinstance(chosen, str) or chosen not in known:
                builder.complain(("workflow",), f"there is no workflow {chosen!r}", nearest(chosen, known))
                return None
            for section, value in (known[chosen] or {}).items():
                root[section] = value
                origins.setdefault((section,), ("workflows", chosen, section))
        changed = _changed(root, after, builder)
        if chosen is None and workflows and any(section not in changed for section in REQUIRED):
            names = [str(name) for name in workflows]
            hint = f"add 'workflow: {names[0]}', or sweep them all with workflow={','.join(names)}"
            message = "no workflow is chosen, and without one the pipeline is incomplete"
            builder.complain(("workflows",), message, hint, at_key=True)
            return None
        return changed


def alternatives(setup: Setup) -> list[dict[str, Any]]:
    """Every set of overrides that the environment and the planner of a cell may bring, as far as it is known."""
    worlds = [scenario.environment for scenario in setup.scenarios]
    known = (setup.planner.plans() if setup.planner else None) or ()
    plans: list[Mapping[str, Any]] = [{}, *known]  # none is in force before the first has been told
    return [{**plan, **world} for world, plan in itertools.product(worlds, plans) if world or plan]


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
        ConfigError: the frame itself is wrong
    """
    values = document.values
    if not isinstance(values, dict):
        raise ConfigError([document.problem((), "a pipeline file is a mapping of sections", "start with 'semcore: 1'")])
    builder = Builder(document.problem)
    for key in values:
        if key not in TOP:
            builder.complain((key,), f"there is no section {key!r}", nearest(key, TOP), at_key=True)
    if "semcore" not in values:
        builder.complain(("semcore",), "the file does not say which format it is in", f"add 'semcore: {VERSION}'")
    elif values["semcore"] != VERSION:
        builder.complain(("semcore",), f"format {values['semcore']!r} is not known", f"this version reads {VERSION}")
    _check_names(values, builder)
    _check_workflows(values, builder)
    builder.problems += register_files(values, document)
    axes = _axes(values, builder)
    values = {key: value for key, value in values.items() if key != "sweep" and key in TOP}
    experiment = Experiment(document, values, axes)
    for text in overrides:
        try:
            experiment = _overridden(experiment, text)
        except ConfigError as error:
            builder.problems += error.problems
    count = 1
    for axis in experiment.axes.values():
        count *= len(axis)
    if count > MAX_CELLS:
        builder.complain(("sweep",), f"the sweep has {count:,} cells (limit {MAX_CELLS:,})", at_key=True)
    if builder.problems:
        # The frame is broken; tell what is wrong inside it too, as far as it can be seen.
        inside = experiment.problems() if count <= MAX_CELLS else []
        raise ConfigError(_in_order([*builder.problems, *inside], document, overrides))
    return experiment


def _overridden(experiment: Experiment, text: str) -> Experiment:
    """The experiment with one `key=value` of the command line applied: a value, or an axis of the sweep."""
    path, value, swept = read_override(text)
    origins = {**experiment.origins, split_path(path): text}
    axes = {key: axis for key, axis in experiment.axes.items() if key != path}
    section = str(split_path(path)[0])
    if section == "sweep":
        _fail(Problem("a sweep is written as values of the setting itself", text, hint="channel.snr_db=0:20:5 or =0,3,6"))
    if section not in (*CHANGEABLE, "name"):
        _fail(_unchangeable(section, text))
    if isinstance(value, list) and not swept:
        swept = not _accepts_list(experiment, path, value, origins)
    if swept:
        fixed = {key: one for key, one in experiment.fixed.items() if key != path}
        return replace(experiment, axes={**axes, path: value}, fixed=fixed, origins=origins)
    return replace(experiment, axes=axes, fixed={**experiment.fixed, path: value}, origins=origins)


def _accepts_list(experiment: Experiment, path: str, value: list[Any], origins: Mapping[Path_, Path_ | str]) -> bool:
    """Whether the setting at `path` itself holds a list, as `speed_kmh: [60, 120]` does; else the list is a sweep."""
    whole = replace(experiment, axes={path: [value]}, origins=origins)
    each = replace(experiment, axes={path: value[:1] or [value]}, origins=origins)
    return not whole.problems() or bool(each.problems())


def _fail(problem: Problem) -> NoReturn:
    raise ConfigError([problem])


def _in_order(problems: Iterable[Problem], document: Document, overrides: Sequence[str]) -> list[Problem]:
    """Problems in reading order: the file from top to bottom, then the overrides from left to right."""

    def place(problem: Problem) -> tuple[int, int, int]:
        if problem.where in overrides:
            return 1, list(overrides).index(problem.where), 0
        line, _, column = problem.where.removeprefix(f"{document.name}:").partition(":")
        return (0, int(line), int(column)) if line.isdigit() and column.isdigit() else (0, 0, 0)

    return sorted(dict.fromkeys(problems), key=place)


def _teller(document: Document, origins: Mapping[Path_, Path_ | str]) -> Any:
    """`Document.problem` for paths of the resolved configuration, led back to where the value was written."""

    def tell(path: Path_, message: str, hint: str = "", *, at_key: bool = False) -> Problem:
        for length in range(len(path), 0, -1):
            origin = origins.get(path[:length])
            if origin == PLAN:
                whole = f"a plan sets {'.'.join(map(str, path[:length]))}: {message}"
                return document.problem(("planner", "use"), whole, hint)
            if isinstance(origin, str):
                return Problem(message, origin, hint=hint)
            if origin is not None:
                if at_key and origin[0] in ("sweep", "scenario"):
                    return document.problem(_key_of(origin), message, hint, at_key=True)
                return document.problem((*origin, *path[length:]), message, hint, at_key=at_key)
        for place, origin in origins.items():  # what is wrong is a mapping that a longer path has made
            if place[: len(path)] == path and path not in document.marks:
                if isinstance(origin, str):
                    return Problem(message, origin, hint=hint)
                return document.problem(_key_of(origin), message, hint, at_key=True)
        return document.problem(path, message, hint, at_key=at_key)

    return tell


def _key_of(origin: Path_) -> Path_:
    """The key that an origin belongs to: a swept value is one of a list."""
    return origin[:2] if origin[0] == "sweep" else origin


def _changed(root: dict[str, Any], changes: Mapping[str, Any], builder: Builder) -> dict[str, Any]:
    for path, value in changes.items():
        section = str(split_path(path)[0])
        if section not in CHANGEABLE:
            problem = _unchangeable(section)
            builder.complain(split_path(path), problem.message, problem.hint, at_key=True)
            continue
        try:
            root = set_path(root, path, value)
        except KeyError as error:
            builder.complain(split_path(path), f"{path} leads nowhere: there is no {error.args[0]}", at_key=True)
    return root


def _unchangeable(section: str, where: str = "") -> Problem:
    if section in TOP:
        return Problem(f"{section!r} holds for the whole file and cannot be changed here", where)
    return Problem(f"there is no section {section!r}", where, hint=nearest(section, CHANGEABLE))


def _check_names(values: Mapping[str, Any], builder: Builder) -> None:
    name = values.get("name", "run")
    if not isinstance(name, str):
        builder.complain(("name",), f"the name must be text, not {name!r}", "in quotes a number is text")
    elif not re.fullmatch(r"\w[\w .+-]*", name):
        builder.complain(("name",), f"{name!r} cannot name the run's folder", "letters, digits, '-', '_', '+' and '.' can")
    if not isinstance(values.get("description", ""), str):
        builder.complain(("description",), "the description must be text")
    hooks = values.get("hooks") or []
    if not isinstance(hooks, list):
        builder.complain(("hooks",), "hooks is a list of names, for example [mlflow]")
        return
    known = hook_names()
    for index, hook in enumerate(hooks):
        if hook not in known:
            hint = nearest(hook, known) or "none is installed"
            builder.complain(("hooks", index), f"there is no hook plugin {hook!r}", hint)


def _check_workflows(values: Mapping[str, Any], builder: Builder) -> None:
    workflows = values.get("workflows", {})
    if not isinstance(workflows, dict):
        builder.complain(("workflows",), "workflows are a mapping: name -> the sections that it replaces")
        return
    for name, sections in workflows.items():
        if not isinstance(sections, dict):
            builder.complain(("workflows", name), f"workflow {name!r} must be a mapping of sections")
            continue
        for section in sections:
            if section not in SECTIONS:
                builder.complain(
                    ("workflows", name, section),
                    f"a workflow cannot replace {section!r}",
                    nearest(section, SECTIONS),
                    at_key=True,
                )


def _axes(values: Mapping[str, Any], builder: Builder) -> dict[str, list[Any]]:
    sweep = values.get("sweep") or {}
    if not isinstance(sweep, dict):
        builder.complain(("sweep",), "a sweep is a mapping: dotted path -> list of values, or start:stop:step")
        return {}
    axes: dict[str, list[Any]] = {}
    for path, axis in sweep.items():
        if isinstance(axis, str):
            try:
                axis = points(axis) or axis
            except ValueError as error:
                builder.complain(("sweep", path), str(error))
                continue
        if not isinstance(axis, list) or not axis:
            builder.complain(("sweep", path), f"{path} needs a list of values, or start:stop:step")
            continue
        axes[path] = list({repr(value): value for value in axis}.values())
    return axes


def _worlds(values: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    scenario = values.get("scenario")
    segments = scenario.get("segments") if isinstance(scenario, Mapping) else None
    return [one for one in segments if isinstance(one, Mapping)] if isinstance(segments, list) else []
