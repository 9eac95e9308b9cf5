"""What the segments of a session may lay over a cell: the environment and the plan of each."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from semcore.config.assemble import Setup
from semcore.config.changes import Change
from semcore.config.resolve import Part, Resolved
from semcore.config.yaml import Document, Path_
from semcore.errors import Problem
from semcore.registry import name_of


def alternatives(setup: Setup) -> list[dict[str, Any]]:
    """Every set of overrides that the environment and the planner of a cell may bring, as far as it is known."""
    worlds = [scenario.environment for scenario in setup.scenarios]
    known = (setup.planner.plans() if setup.planner else None) or ()
    plans: list[Mapping[str, Any]] = [{}, *known]  # none is in force before the first has been told
    return [{**plan, **world} for world, plan in itertools.product(worlds, plans) if world or plan]


class Segments:
    """The same for every cell of an experiment, as changes that know where they were written."""

    def __init__(self, document: Document, values: Mapping[str, Any], axes: Sequence[Sequence[Change]]) -> None:
        self.document = document
        self.workflows = values.get("workflows") or {}
        self.swept = {axis[0].path: axis[0] for axis in axes}
        self._known: dict[tuple[Part, Part], tuple[list[Problem], list[list[Change]]]] = {}

    def of(self, resolved: Resolved) -> tuple[list[Problem], list[list[Change]]]:
        """What is wrong with the segments themselves, and the changes that each of them and each plan may bring."""
        if not resolved.parts:
            return [], []
        key = (resolved.parts["scenario"], resolved.parts["planner"])
        if key not in self._known:
            self._known[key] = self._alternatives(*key)
        return self._known[key]

    def _alternatives(self, scenario: Part, planner: Part) -> tuple[list[Problem], list[list[Change]]]:
        worlds, problems = [], []
        for index, one in enumerate(scenario.made):
            place: Path_ = ("scenario", "segments", index)
            worlds.append([Change(path, value, scenario.places.of((*place, path))) for path, value in one.environment.items()])
        for path in dict.fromkeys(change.path for world in worlds for change in world if change.path in self.swept):
            message = f"{path} is swept, but the segments of the scenario set it"
            problems.append(self.swept[path].problem(self.document, (), message, "remove one of them", True))
        try:
            plans = self._plans(planner)
        except Exception as error:  # whatever somebody else's planner raises
            message = f"planner {name_of(type(planner.made))!r} cannot say what it may plan: {type(error).__name__}: {error}"
            problems.append(planner.places.tell(("planner", "use"), message))
            plans = []
        # What a segment's environment sets, no plan can change: it comes last.
        both = [[*plan, *world] for world, plan in itertools.product(worlds, [[], *plans]) if world or plan]
        distinct = {tuple((change.path, repr(change.value)) for change in changes): changes for changes in both}
        return problems, list(distinct.values())

    def _plans(self, planner: Part) -> list[list[Change]]:
        if planner.made is None:
            return []
        known = planner.made.plans()
        if known is None:  # it may choose any workflow
            known = [{"workflow": name} for name in self.workflows]
        return [
            [Change(path, value, self._place(planner, path, value), planned=True) for path, value in plan.items()]
            for plan in known
        ]

    def _place(self, planner: Part, path: str, value: Any) -> Path_ | str:
        """Where the planner's settings say `path: value`, or name the path; else the planner itself."""
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
