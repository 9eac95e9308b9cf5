"""From plain values to components, with every problem at its place."""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from semcore.component.base import Component, check_value, field_types, plain, required, unit_of
from semcore.component.secret import holds_secret, unset
from semcore.config.document import Path_, number_meant, scalar
from semcore.entrypoints import discovery, naming
from semcore.errors import MOST, ComponentError, ConfigError, PluginError, Problem, listed, shown
from semcore.plugins import registry
from semcore.wording import redaction, units
from semcore.wording.suggest import choice, foreign, guess, nearest, part_of, to_ascii
from semcore.wording.validation import Kind, ValueProblem

Tell = Callable[..., Problem]
"""(path, message, hint="", at_key=False) -> the problem, with its place."""

Built = dict[tuple[type[Component], str], Component]
"""(class, settings as JSON) -> the component. Equal settings give the same object, so that weights
are loaded once."""


class Builder:
    """Builds components and collects problems instead of stopping at the first."""

    def __init__(self, tell: Tell, built: Built | None = None) -> None:
        """
        Args:
            tell: makes a problem
            built: what was built before, and is not built again
        """
        self.tell = tell
        self.built: Built = {} if built is None else built
        self.problems: list[Problem] = []

    def report(
        self, path: Path_, message: str, hint: str | Callable[[], str] = "", *, at_key: bool = False
    ) -> None:
        """Report a problem; an expensive hint may be a function, called only if it is shown."""
        found = hint if isinstance(hint, str) else hint() if len(self.problems) < MOST else ""
        self.problems.append(self.tell(path, message, found, at_key=at_key))

    def component(self, kind: str, value: Any, path: Path_) -> Any:
        """The component that `{use: name, ...}` (or the name alone) describes, or None if there are
        problems."""
        if isinstance(value, str):
            value = {"use": value}
        if not isinstance(value, Mapping):
            word = discovery.word(kind)
            self.report(
                path,
                f"{_a(word)} is written as a mapping with 'use', not {shown(value)}",
                f"for example {{use: {next(iter(naming.names(kind)), 'NAME')}}}",
            )
            return None
        if not isinstance(value.get("use"), str):
            self._complain_of_use(kind, value, path)
            return None
        cls = self._class(kind, value["use"], path)
        if cls is None:
            return None
        identity = cls, json.dumps(value, sort_keys=True, default=str)
        if identity in self.built:
            return self.built[identity]
        before = len(self.problems)
        fields = self._fields(cls, kind, value, path)
        if len(self.problems) > before:
            return None
        try:
            made = cls(**fields)
        except ComponentError as error:
            text = str(error).removeprefix(cls.__name__ + ".")
            whose = f"{discovery.word(kind)} {value['use']!r}"
            self.report((*path, *_first_named(fields, text)), f"{whose}: {text}")
            return None
        except (Exception, SystemExit) as error:  # a third-party check can raise anything
            self.report(
                path, f"{kind} {value['use']!r} cannot be made: {type(error).__name__}: {error}"
            )
            return None
        missing = unset(made)
        for name, variable in missing.items():
            message = (
                f"{kind} {value['use']!r}: {name} is in the environment variable {variable}, "
                "which is not set"
            )
            self.report((*path, name), message, f"set it before the command: export {variable}=...")
        if missing:
            return None
        self.built[identity] = made
        return made

    def _complain_of_use(self, kind: str, value: Mapping[str, Any], path: Path_) -> None:
        message = f"this {discovery.word(kind)} does not say which one to use"
        misspelt = next((key for key in value if guess(key, ["use"])), "use")
        if "use" in value or misspelt == "use":
            self.report(
                (*path, "use"),
                message,
                f"add 'use: NAME'; {nearest(value.get('use', ''), naming.names(kind))}",
            )
        else:
            self.report((*path, misspelt), message, nearest(misspelt, ["use"]), at_key=True)

    def _class(self, kind: str, name: str, path: Path_) -> type[Component] | None:
        try:
            if naming.find(kind, name) is not None:
                return registry.load(kind, name)
        except PluginError as error:
            self.report((*path, "use"), str(error))
            return None
        names = naming.names(kind)
        elsewhere = next(
            (other for other in naming.KINDS if other != kind and name in naming.names(other)), ""
        )
        if not names:
            hint = (
                f"no installed package brings any {kind}: install one; semcore plugins shows "
                "what is installed"
            )
        elif guess(name, names) or part_of(name, names):
            hint = nearest(name, names)
        elif elsewhere:
            hint = f"{name!r} is {_a(elsewhere)}; {nearest('', names)}".rstrip("; ")
        else:
            others = listed(names, "or") if len(names) <= 12 else f"what semcore list {kind} shows"
            hint = f"no installed package brings it: install the one that does, or use {others}"
        self.report(
            (*path, "use"), f"there is no {kind} {name!r}", discovery.left_out(kind, name) or hint
        )
        return None

    def _fields(
        self, cls: type[Component], kind: str, value: Mapping[str, Any], path: Path_
    ) -> dict[str, Any]:
        annotations = field_types(cls)
        whose = f"{discovery.word(kind)} {value['use']!r}"
        unknown = [key for key in value if key not in annotations and key != "use"]
        fields: dict[str, Any] = {}
        for key, item in value.items():
            if key in annotations:
                fields[key] = self._field(
                    annotations[key], self._whole(cls, key, item), (*path, key), whose
                )
            elif key != "use":
                if any(
                    holds_secret(annotations[meant])
                    for meant in difflib.get_close_matches(key, annotations)
                ):
                    redaction.refuse(item)  # a secret under a misspelt name
                self._misspelt(annotations, value, (*path, key), whose)
        for field in dataclasses.fields(cls):
            if required(field) and field.name not in value and not guess(field.name, unknown):
                unit = f" ({unit_of(field.name)})" if unit_of(field.name) else ""
                self.report(
                    (*path, "use"),
                    f"{whose} needs the setting {field.name!r}{unit}",
                    f"add '{field.name}: ...'; semcore show {value['use']} describes it",
                )
        return fields

    def _misspelt(
        self, annotations: Mapping[str, Any], value: Mapping[str, Any], path: Path_, whose: str
    ) -> None:
        """Tell of a setting that is not known, and of what is wrong with its value if it is clear
        which one is meant."""
        key, free = str(path[-1]), [name for name in annotations if name not in value]
        other_unit = units.with_other_unit(key, value[key], free)

        def hint() -> str:
            near = guess(key, annotations)
            if near and units.split_unit(near)[0] == key:
                return f"did you mean {near!r}, in {unit_of(near)}?"
            return nearest(key, annotations) or f"{whose} has no settings"

        self.report(path, f"{whose} has no setting {key!r}", other_unit or hint, at_key=True)
        if not other_unit and len(self.problems) < MOST and (meant := guess(key, free, 0.75)):
            self._field(annotations[meant], value[key], path, whose, meant)

    def _whole(self, cls: type[Component], key: str, item: Any) -> Any:
        """`codec: {quality: 30}` changes the codec that is there by default."""
        default = next(field.default for field in dataclasses.fields(cls) if field.name == key)
        if isinstance(item, Mapping) and "use" not in item and isinstance(default, Component):
            return {**plain(default), **item}
        return item

    def _field(self, annotation: Any, value: Any, path: Path_, whose: str, name: str = "") -> Any:
        """A checked value of a field; nested components are built on the way."""
        value = self._nested(annotation, value, path)
        checked, wrong = check_value(annotation, value)
        for problem in _misspelt_once(wrong):
            if isinstance(problem.found, _Failed):
                continue
            place = (*path, *problem.path)
            label = ".".join(map(str, (name or path[-1], *problem.path)))
            hint = _hint(annotation, str(name or path[-1]), problem) or _swept(problem, place)
            at_key = problem.kind is Kind.UNKNOWN
            self.report(place, f"{whose}: {label} {problem.message}", hint, at_key=at_key)
        return checked

    def _nested(self, annotation: Any, value: Any, path: Path_) -> Any:
        """Replace the `{use: ...}` parts of a value by components, wherever the annotation asks for
        one."""
        origin = typing.get_origin(annotation)
        arguments = typing.get_args(annotation)
        if origin is typing.Annotated:
            return self._nested(arguments[0], value, path)
        if isinstance(annotation, type) and issubclass(annotation, Component):
            built = self.component(annotation.kind, value, path)
            return _FAILED if built is None else built
        if origin in (typing.Union, types.UnionType):
            wanted = [one for one in arguments if _holds_component(one)]
            if len(wanted) == 1 and set(arguments) == {*wanted, type(None)}:
                return None if value is None else self._nested(wanted[0], value, path)
            if isinstance(value, str) and str in arguments:
                return value  # a text of its own, such as a path
            is_component = isinstance(value, str) or isinstance(value, Mapping) and "use" in value
            if wanted and (
                is_component
                or isinstance(value, (list, Mapping))
                and not _component_class(wanted[0])
            ):
                return self._nested(wanted[0], value, path)
            return value
        if origin is tuple and isinstance(value, list) and _holds_component(annotation):
            return [self._nested(arguments[0], item, (*path, i)) for i, item in enumerate(value)]
        if (
            origin in (dict, Mapping)
            and isinstance(value, Mapping)
            and _holds_component(annotation)
        ):
            return {
                key: self._nested(arguments[1], item, (*path, key)) for key, item in value.items()
            }
        return value


def _hint(annotation: Any, name: str, problem: ValueProblem) -> str:
    """What to write instead of a refused value of the setting `name`; "" if that is not known."""
    found, whole = problem.found, not problem.path
    match problem.kind:
        case Kind.TEXT if isinstance(found, (int, float)):
            return f"in quotes it is text: '{shown(found)}'"
        case Kind.WHOLE if isinstance(found, float) and found.is_integer():
            return f"as a whole number it is {found:.0f}"
        case Kind.CHOICE if isinstance(found, str):
            values = [value for one in problem.choices for value in one.values]
            meant = choice(found, values, annotation)
            return f"did you mean {meant!r}?" if meant else foreign(found)
        case Kind.NUMBER | Kind.WHOLE if isinstance(found, str):
            return _number_hint(name, found, part=not whole, fraction=problem.choices[0].own)
        case Kind.BOUND:
            return units.meant(
                name, found, lambda number: whole and not check_value(annotation, number)[1]
            )
    return ""


def _number_hint(name: str, found: str, *, part: bool, fraction: bool) -> str:
    """A hint for a text in place of a number.

    Args:
        part: whether it is one value of a list
        fraction: whether 1/2 is a number here
    """
    if number := number_meant(found):
        return f"{foreign(found)}; write {number}"
    if isinstance(scalar(found), (int, float)) and not isinstance(scalar(found), bool):
        return "without quotes it is a number"
    if in_unit := units.in_unit_of(name, found, part=part):
        return in_unit
    odd, typed = foreign(found), to_ascii(found)
    return f"{odd}; write {typed}" if odd and (fraction or "/" not in typed) else odd


_SPREAD = re.compile(
    r"[-+]?[\d.]+(e[-+]?\d+)?\s*(:|\.{2,3}|,|;|-|–|to)\s*[-+]?[\d.]+|(range|linspace|arange)\(.*\)",
    re.I,
)


def _swept(problem: ValueProblem, path: Path_) -> str:
    """A hint to sweep several values where one number is expected; "" if there are not several."""
    found, where = problem.found, ".".join(map(str, path))
    if problem.kind not in (Kind.NUMBER, Kind.WHOLE):
        return ""
    if isinstance(found, tuple) and found and all(isinstance(one, (int, float)) for one in found):
        values = ", ".join(map(str, found[:3])) + ", ..." * (len(found) > 3)
        written = f"{where}={values.replace(', ', ',')}"
        return f"several values are swept: {written}, or 'sweep: {{{where}: [{values}]}}'"
    if not isinstance(found, str) or not (len(found) < 60 and _SPREAD.match(found.strip())):
        return ""
    shape = found if re.fullmatch(r"[^:\s]+(:[^:\s]+){2}", found) else "start:stop:step"
    return f"several values are swept: {where}={shape}, or 'sweep: {{{where}: {shape}}}'"


def _misspelt_once(wrong: Sequence[ValueProblem]) -> list[ValueProblem]:
    """The problems, with an unknown key and a missing one that looks like it as one."""
    missing = {one.path for one in wrong if one.kind is Kind.MISSING}
    found = []
    for one in wrong:
        parent = one.path[:-1]
        siblings = [str(path[-1]) for path in missing if path[:-1] == parent]
        if one.kind is Kind.UNKNOWN and (meant := guess(one.path[-1], siblings)):
            missing.remove((*parent, meant))
            one = dataclasses.replace(one, meant=meant)
        found.append(one)
    return [one for one in found if one.kind is not Kind.MISSING or one.path in missing]


def component(kind: str, value: Any, where: str = "") -> Any:
    """The component that a value describes, outside of a pipeline file: of a command line, a test,
    a notebook.

    Args:
        where: where the value was written, for the messages

    Raises:
        ConfigError: with every problem found
    """
    builder = Builder(
        lambda path, message, hint="", *, at_key=False: Problem(message, where, hint=hint)
    )
    made = builder.component(kind, value, ())
    if builder.problems:
        raise ConfigError(builder.problems)
    return made


def blamed(component: Component, text: str) -> Path_:
    """The path to the field of a component that a text names first; empty if it names none."""
    return _first_named([field.name for field in dataclasses.fields(component)], text)


def _first_named(names: Iterable[str], text: str) -> Path_:
    found = [
        (at.start(), name) for name in names if (at := re.search(rf"\b{re.escape(name)}\b", text))
    ]
    return tuple(name for _, name in sorted(found)[:1])


class _Failed:
    """Placeholder of a nested component whose problems are already reported."""


_FAILED = _Failed()


def _component_class(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Component)


def _holds_component(annotation: Any) -> bool:
    return _component_class(annotation) or any(
        _holds_component(one) for one in typing.get_args(annotation)
    )


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
