"""Overrides of the segments of a session: the environment and the plans of each."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from semcore.config.document import Document, Path_
from semcore.config.layers import Override
from semcore.config.metric_names import metric_names
from semcore.config.resolve import Part, Resolved
from semcore.config.scenario import FORBIDDEN
from semcore.config.setup import Setup
from semcore.entrypoints.naming import name_of
from semcore.errors import Problem, listed, shown
from semcore.planning.space import Space

MOST = 1024
"""Maximum number of pairs of plan and environment that are all checked before a run.

Of more pairs, every plan in the first environment and every environment without a plan are checked;
of a larger space every value, but not every point.
"""


def alternatives(setup: Setup) -> list[dict[str, Any]]:
    """Sets of overrides with every value that the environment or the planner of a cell may set."""
    worlds = [dict(scenario.environment) for scenario in setup.scenarios]
    plans = [{**plan, **worlds[0]} for plan in _planned(setup)]
    distinct: dict[str, dict[str, Any]] = {}
    for one in (*worlds, *plans):
        if one:
            distinct[repr(sorted(one.items(), key=lambda item: item[0]))] = one
    return list(distinct.values())


def _planned(setup: Setup) -> Iterator[Mapping[str, Any]]:
    if setup.planner is not None:
        known = setup.planner.plans()
        yield from setup.space.covering(MOST) if known is None else known


class Segments:
    """Overrides by segments and plans, the same for every cell of a configuration."""

    def __init__(
        self, document: Document, values: Mapping[str, Any], axes: Sequence[Sequence[Override]]
    ) -> None:
        self.document = document
        self.workflows = values.get("workflows") or {}
        self.swept = {axis[0].path: axis[0] for axis in axes}
        self._known: dict[tuple[Part, ...], tuple[list[Problem], list[list[Override]]]] = {}

    def of(self, resolved: Resolved) -> tuple[list[Problem], list[list[Override]]]:
        """Problems of the segments, and the overrides of each segment and plan."""
        if not resolved.parts:
            return [], []
        parts = resolved.parts
        key = parts["scenario"], parts["planner"], parts["space"], parts["metrics"]
        if key not in self._known:
            self._known[key] = self._alternatives(*key)
        return self._known[key]

    def _alternatives(
        self, scenario: Part, planner: Part, space: Part, metrics: Part
    ) -> tuple[list[Problem], list[list[Override]]]:
        worlds, problems = [], self._unmeasured(scenario, metrics)
        for index, one in enumerate(scenario.made):
            place: Path_ = ("scenario", "segments", index)
            at = {path: scenario.places.of((*place, path)) for path in one.environment}
            worlds.append([Override(path, one.environment[path], at[path]) for path in at])
        for path in dict.fromkeys(change.path for world in worlds for change in world):
            if path in self.swept:
                message = f"{path} is swept, but the segments of the scenario set it"
                swept = self.swept[path]
                problems.append(
                    swept.problem(self.document, (), message, "remove one of them", True)
                )
        plans: list[list[Override]] = []
        try:
            plans, outside = self._plans(planner, space)
            problems += outside
        except (Exception, SystemExit) as error:  # a planner of a plugin may raise anything
            named = f"planner {name_of(type(planner.made))!r}"
            message = f"{named} cannot list its plans: {type(error).__name__}: {error}"
            problems.append(planner.places.tell(("planner", "use"), message))
        # The environment comes last: no plan can change what it sets. An empty plan: none is in
        # force before the first one.
        pairs = itertools.product(worlds, [[], *plans])
        both = [[*plan, *world] for world, plan in pairs if world or plan]
        if len(both) > MOST:
            both = [*worlds, *([*plan, *worlds[0]] for plan in plans)]
        distinct: dict[tuple[tuple[str, str], ...], list[Override]] = {}
        for changes in both:
            distinct[tuple((one.path, repr(one.value)) for one in changes)] = changes
        return problems, list(distinct.values())

    def _plans(self, planner: Part, space: Part) -> tuple[list[list[Override]], list[Problem]]:
        """The plans of a planner as overrides, and the problems of those outside the space."""
        declared = space.made
        if planner.made is None:  # there is none, or it could not be made
            return _points(space, declared) if declared and planner.given else [], []
        known = planner.made.plans()
        if known is not None:

            def change(path: str, value: Any) -> Override:
                return Override(path, value, self._place(planner, path, value), planned=True)

            changes = [[change(path, value) for path, value in plan.items()] for plan in known]
            return changes, self._outside(declared, [one for plan in changes for one in plan])
        if declared is None:
            use = name_of(type(planner.made))
            named = ", ".join(map(str, self.workflows))
            axis = f"workflow: [{named}]" if named else "transport.STREAM.SETTING: [...]"
            message = f"planner {use!r} needs a space, and the file declares none"
            hint = f"add 'space: {{{axis}}}'"
            return [], [planner.places.tell(("planner", "use"), message, hint)]
        return _points(space, declared), []

    def _outside(self, space: Space | None, changes: Sequence[Override]) -> list[Problem]:
        """Problems: overrides outside a declared space, then those that no plan can make."""
        problems = []
        for one in changes:
            if space and not space.holds({one.path: one.value}):
                message = f"{shown(one.value)} is not in the space"
                problems.append(one.problem(self.document, (), message, "", False))
        for one in changes:
            if one.section in FORBIDDEN:
                message = f"no plan can change {one.section!r}"
                problems.append(one.problem(self.document, (), message, "", True))
        return problems

    def _unmeasured(self, scenario: Part, metrics: Part) -> list[Problem]:
        """Problems: metrics of a utility that are not measured."""
        if metrics.problems:
            return []
        names, problems = metric_names(metrics.made), []
        hint = f"measured here: {listed(names)}"
        for term in dict.fromkeys(term for one in scenario.made for term in one.utility):
            if term.metric not in names:
                ends = "utility", term.metric
                marks = (mark for mark in self.document.marks if mark[-2:] == ends)
                message = f"the utility uses {term.metric!r}, which is not among the metrics"
                place = next(marks, ("scenario",))
                problems.append(self.document.problem(place, message, hint, at_key=True))
        return problems

    def _place(self, planner: Part, path: str, value: Any) -> Path_ | str:
        """Where the planner's settings hold `path: value`, or name the path; else the planner."""
        base = planner.places.base
        inside = [place for place in self.document.marks if place[: len(base)] == base]
        for place in inside:
            if place[-1] == path and self._value(place) == value:
                return place
        named = next((place for place in inside if self._value(place) == path), None)
        return named or planner.places.of(("planner", "use"))

    def _value(self, place: Path_) -> Any:
        value = self.document.values
        try:
            for part in place:
                value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
        return value


def _points(part: Part, space: Space) -> list[list[Override]]:
    """The points of a declared space. Equal values share one override: it is built once."""
    made: dict[tuple[str, str], Override] = {}

    def change(path: str, value: Any) -> Override:
        return made.setdefault((path, repr(value)), _planned_change(part, space, path, value))

    return [[change(path, value) for path, value in plan.items()] for plan in space.covering(MOST)]


def _planned_change(part: Part, space: Space, path: str, value: Any) -> Override:
    values, place = space.axes[path], part.places.of(("space", path))
    if not isinstance(place, str):
        written = values.plain()
        if isinstance(written, list):
            place = (*place, values.index(value) or 0)
        else:
            keys = [key for key, one in written.items() if one == value]
            place = (*place, keys[0] if keys else next(iter(written)))
    return Override(path, value, place, planned=True)
