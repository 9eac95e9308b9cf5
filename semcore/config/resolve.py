"""From a file with changes laid over it to what each section stands for; equal sections are built
once."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from semcore.config.build import Builder, Built
from semcore.config.document import Document, Path_
from semcore.config.layers import CHANGEABLE, SECTIONS, Override, Places, applied, unchangeable
from semcore.config.setup import BUILT, LINKED, REQUIRED, Setup, build, check_link
from semcore.errors import Problem, listed, shown
from semcore.memo import LRU
from semcore.wording.suggest import guess, nearest


@dataclass(frozen=True, eq=False)
class Part:
    """What a section stands for, and what is wrong with it.

    Fields:
        made: the component, or the components; None if the section is absent or wrong
        given: whether anything is written there
        problems: what is wrong
        places: where it was written
    """

    made: Any
    given: bool
    problems: list[Problem]
    places: Places


@dataclass(frozen=True, eq=False)
class Resolved:
    """The parts of a cell under a plan, and every problem with them."""

    parts: Mapping[str, Part]
    problems: list[Problem]

    @functools.cached_property
    def setup(self) -> Setup:
        """The parts as what a cell runs; there must be no problems."""
        return Setup({section: part.made for section, part in self.parts.items()})


@dataclass(frozen=True, eq=False)
class _Frame:
    """The sections of a workflow, where each stands, what was changed in it there, and what is
    wrong with the choice."""

    sections: Mapping[str, Any]
    bases: Mapping[str, Path_]
    changed: Sequence[Override]
    problems: list[Problem]
    workflows: Mapping[str, Any]
    chosen: bool = True
    unsure: bool = False

    @property
    def replaceable(self) -> set[str]:
        """The sections that some workflow replaces: unless it is known which one is chosen, nothing
        can be said of them."""
        return {section for sections in self.workflows.values() for section in sections or BUILT}


KEPT = 64
"""Resolved configurations that are kept: a cell is resolved once from check to evaluation, a grid
takes no memory."""


class Resolver:
    """Resolves the changes of one cell after another. Common parts are built, and their problems
    reported, once."""

    def __init__(
        self, document: Document, values: Mapping[str, Any], built: Built | None = None
    ) -> None:
        self.document = document
        self.values = values
        self.built: Built = {} if built is None else built
        self._frames: dict[tuple[Override, ...], _Frame] = {}
        self._parts: dict[tuple[Any, ...], Part] = {}
        self._bases: dict[tuple[_Frame, frozenset[str]], dict[str, Part]] = {}
        self._links: dict[tuple[Part, ...], list[Problem]] = {}
        self._resolved = LRU[Resolved](KEPT)

    def resolve(self, changes: Sequence[Override]) -> Resolved:
        """What the file stands for under the changes; of two with the same path the later holds.

        The results of the last `KEPT` calls are returned again for the same changes.
        """
        return self._resolved.of(tuple(changes), lambda: self._resolve(changes))

    def _resolve(self, changes: Sequence[Override]) -> Resolved:
        by_section: dict[str, list[Override]] = {}
        for change in {change.path: change for change in changes}.values():
            by_section.setdefault(change.section, []).append(change)
        choice = (*by_section.pop("workflow", ()), *by_section.pop("workflows", ()))
        problems = [
            problem
            for section in by_section
            if section not in CHANGEABLE
            for problem in self._astray(by_section[section])
        ]
        if choice not in self._frames:
            self._frames[choice] = self._frame(choice)
        frame = self._frames[choice]
        same = self._unchanged(frame, frozenset(by_section))
        changed = {
            one: self._known_part(one, frame, tuple(by_section[one]))
            for one in BUILT
            if one in by_section
        }
        parts = {section: changed.get(section) or same[section] for section in BUILT}
        absent = [section for section in REQUIRED if not parts[section].given]
        if absent and not frame.chosen:
            problems.append(self._choose(frame))
        unsure = frame.replaceable if frame.unsure or absent and not frame.chosen else set()
        problems += frame.problems
        problems += [
            problem
            for section in parts
            if section not in unsure
            for problem in parts[section].problems
        ]
        if unsure:
            return Resolved(parts, problems)
        if absent:
            problems += self._incomplete(absent, parts)
        linked = tuple(parts[section] for section in LINKED)
        if linked not in self._links:
            self._links[linked] = self._link(parts)
        return Resolved(parts, problems + self._links[linked])

    def _unchanged(self, frame: _Frame, changed: frozenset[str]) -> dict[str, Part]:
        """The parts of a frame by section, without those that are changed: what most cells of a
        grid have in common."""
        key = frame, changed
        if key not in self._bases:
            self._bases[key] = {
                one: self._known_part(one, frame, ()) for one in BUILT if one not in changed
            }
        return self._bases[key]

    def _known_part(self, section: str, frame: _Frame, changes: tuple[Override, ...]) -> Part:
        key = section, frame, changes
        if key not in self._parts:
            self._parts[key] = self._part(section, frame, changes)
        return self._parts[key]

    def _astray(self, changes: Sequence[Override]) -> list[Problem]:
        message, hint = unchangeable(changes[0].section)
        return [change.problem(self.document, (), message, hint, True) for change in changes]

    def _frame(self, changes: tuple[Override, ...]) -> _Frame:
        """The sections of the file with those of the chosen workflow laid over them."""
        builder = Builder(Places(self.document, ("workflow",), changes).tell)
        root: dict[str, Any] = {key: self.values.get(key) for key in ("workflow", "workflows")}
        for name in root:
            mine = [
                one
                for one in changes
                if one.section == name and not self._complain_of_workflow(one, builder)
            ]
            root[name], problems = applied(root[name], mine, self.document)
            builder.problems += problems
        workflows = root["workflows"] or {}
        sections = {section: self.values.get(section) for section in BUILT}
        bases: dict[str, Path_] = {section: (section,) for section in BUILT}
        chosen = root["workflow"]
        if chosen is None:
            return _Frame(sections, bases, (), builder.problems, workflows, chosen=not workflows)
        if not isinstance(chosen, str):
            builder.report(
                ("workflow",), f"workflow is the name of one of the workflows, not {shown(chosen)}"
            )
            chosen = ""
        elif chosen not in workflows:
            builder.report(
                ("workflow",), f"there is no workflow {chosen!r}", _workflow_near(chosen, workflows)
            )
            # problems inside it are reported as if it were spelt correctly
            chosen = guess(chosen, workflows) or ""
        for section, value in (workflows.get(chosen) or {}).items():
            sections[section], bases[section] = value, ("workflows", chosen, section)
        changed = [
            replace(one, path=".".join(map(str, one.parts[2:])))
            for one in changes
            if [*map(str, one.parts[1:2])] == [chosen]
        ]
        return _Frame(
            sections,
            bases,
            changed,
            builder.problems,
            workflows,
            unsure=workflows.get(chosen) is None,
        )

    def _complain_of_workflow(self, change: Override, builder: Builder) -> bool:
        """Whether a change of the workflows themselves leads nowhere."""
        known = self.values.get("workflows") or {}
        if change.section != "workflows":
            return False
        if len(change.parts) < 3:
            message, hint = (
                "it names no section of a workflow",
                "write workflows.NAME.SECTION.SETTING",
            )
        elif (name := str(change.parts[1])) not in known:
            message, hint = f"there is no workflow {name!r}", _workflow_near(name, known)
        elif (section := str(change.parts[2])) not in SECTIONS:
            message, hint = f"a workflow cannot replace {section!r}", nearest(section, SECTIONS)
        else:
            return False
        builder.problems.append(
            change.problem(self.document, (), f"{change.path} leads nowhere: {message}", hint, True)
        )
        return True

    def _part(self, section: str, frame: _Frame, changes: tuple[Override, ...]) -> Part:
        below = [change for change in frame.changed if change.section == section]
        places = Places(self.document, frame.bases[section], (*changes, *below))
        value, problems = applied(frame.sections[section], changes, self.document)
        builder = Builder(places.tell, self.built)
        made = build(section, value, builder)
        return Part(made, value is not None, problems + builder.problems, places)

    def _choose(self, frame: _Frame) -> Problem:
        names = [str(name) for name in frame.workflows]
        message = "no workflow is chosen, and without one the pipeline is incomplete"
        hint = f"add 'workflow: {names[0]}', or sweep them all with workflow={','.join(names)}"
        return self.document.problem(("workflows",), message, hint, at_key=True)

    def _incomplete(self, absent: Sequence[str], parts: Mapping[str, Part]) -> list[Problem]:
        """Required sections that are empty, each at its place, and those that are missing, all in
        one."""
        problems, missing = [], []
        for section in absent:
            places = parts[section].places
            if places.base in self.document.marks or any(
                len(change.parts) == 1 for change in places.changes
            ):
                hint = (
                    f"write '{section}: {{use: ...}}'; semcore list {section} shows what there is"
                )
                problems.append(places.tell((section,), f"the section {section!r} is empty", hint))
            else:
                missing.append(section)
        if missing:
            few = (
                f"the section {missing[0]!r} is"
                if len(missing) == 1
                else f"the sections {listed(missing)} are"
            )
            hint = (
                f"add '{missing[0]}: {{use: ...}}'; semcore list {missing[0]} shows what there is"
            )
            problems.append(self.document.problem((), f"{few} missing", hint))
        return problems

    def _link(self, parts: Mapping[str, Part]) -> list[Problem]:
        builder = Builder(
            lambda path, *message, **at: parts[str(path[0])].places.tell(path, *message, **at)
        )
        made = {section: parts[section].made for section in LINKED}
        failed = {section for section in LINKED if parts[section].problems}
        try:
            check_link(made, failed, bool(self.values.get("workflows")), builder)
        except (Exception, SystemExit) as error:  # a third-party component can raise anything
            message = (
                f"a component cannot say which streams it is for: {type(error).__name__}: {error}"
            )
            return [*builder.problems, self.document.problem((), message)]
        return builder.problems


def _workflow_near(name: str, workflows: Mapping[str, Any]) -> str:
    return nearest(name, workflows) if workflows else "the file has no workflows"
