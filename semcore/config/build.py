"""From plain values to components, with every problem told at its place."""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from semcore import discovery, registry
from semcore.component import Component, check_value, field_types, plain, unit_of
from semcore.config.yaml import Path_
from semcore.errors import ComponentError, PluginError, Problem

Tell = Callable[..., Problem]
"""(path, message, hint="", at_key=False) -> the problem, with its place."""

_interned: dict[tuple[type[Component], str], Component] = {}
"""Equal settings give the same object, so that weights are loaded once a process."""


def nearest(word: object, known: Iterable[str]) -> str:
    """A hint that names the known word nearest to a misspelt one, or lists what is known."""
    words = sorted(known)
    close = difflib.get_close_matches(str(word), words, 1, 0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known here: {', '.join(words)}" if words and len(words) <= 24 else ""


class Builder:
    """Builds components and collects problems instead of stopping at the first."""

    def __init__(self, tell: Tell) -> None:
        self.tell = tell
        self.problems: list[Problem] = []

    def complain(self, path: Path_, message: str, hint: str = "", *, at_key: bool = False) -> None:
        """Note a problem."""
        self.problems.append(self.tell(path, message, hint, at_key=at_key))

    def component(self, kind: str, value: Any, path: Path_) -> Any:
        """The component that `{use: name, ...}` (or the name alone) describes, or None if there are problems."""
        if isinstance(value, str):
            value = {"use": value}
        if not isinstance(value, Mapping):
            self.complain(
                path,
                f"a {kind} is written as a mapping with 'use', not {_shown(value)}",
                f"for example {{use: {next(iter(registry.names(kind)), 'name')}}}",
            )
            return None
        if not isinstance(value.get("use"), str):
            self.complain(
                path,
                f"this {kind} does not say which one to use",
                "add 'use: NAME'; " + nearest(value.get("use", ""), registry.names(kind)),
            )
            return None
        cls = self._class(kind, value["use"], path)
        if cls is None:
            return None
        before = len(self.problems)
        fields = self._fields(cls, kind, value, path)
        if len(self.problems) > before:
            return None
        try:
            made = cls(**fields)
        except ComponentError as error:
            text = str(error).removeprefix(cls.__name__ + ".")
            named = [(text.find(name), name) for name in fields if re.search(rf"\b{re.escape(name)}\b", text)]
            self.complain((*path, *(name for _, name in sorted(named)[:1])), f"{kind} {value['use']!r}: {text}")
            return None
        except Exception as error:  # whatever somebody else's check raises
            self.complain(path, f"{kind} {value['use']!r} cannot be made: {type(error).__name__}: {error}")
            return None
        identity = (cls, json.dumps(plain(made), sort_keys=True, default=str))
        if _interned.get(identity) != made:  # new, or a nested name stands for another class by now
            _interned[identity] = made
        return _interned[identity]

    def _class(self, kind: str, name: str, path: Path_) -> type[Component] | None:
        try:
            if registry.find(kind, name) is None:
                place = (*path, "use")
                elsewhere = [other for other in registry.KINDS if other != kind and name in registry.names(other)]
                hint = nearest(name, registry.names(kind))
                if elsewhere and "did you mean" not in hint:
                    hint = f"{name!r} is a {elsewhere[0]}; {hint}" if hint else f"{name!r} is a {elsewhere[0]}"
                if not registry.names(kind):
                    hint = f"no installed plugin brings any {kind}; semcore plugins shows what is installed"
                self.complain(place, f"there is no {kind} {name!r}", discovery.left_out(kind, name) or hint)
                return None
            return registry.load(kind, name)
        except PluginError as error:
            self.complain((*path, "use"), str(error))
            return None

    def _fields(self, cls: type[Component], kind: str, value: Mapping[str, Any], path: Path_) -> dict[str, Any]:
        annotations = field_types(cls)
        defaults = {field.name: field.default for field in dataclasses.fields(cls)}
        fields: dict[str, Any] = {}
        for key, item in value.items():
            if key == "use":
                continue
            if key not in annotations:
                hint = nearest(key, annotations) or f"{value['use']!r} has no settings"
                self.complain((*path, key), f"{kind} {value['use']!r} has no setting {key!r}", hint, at_key=True)
                continue
            default = defaults[key]
            if isinstance(item, Mapping) and "use" not in item and isinstance(default, Component):
                item = {**plain(default), **item}  # `codec: {quality: 30}` changes the codec that is there
            fields[key] = self._field(annotations[key], item, (*path, key), f"{kind} {value['use']!r}: ")
        for field in dataclasses.fields(cls):
            required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
            if required and field.name not in value:
                unit = f" ({unit_of(field.name)})" if unit_of(field.name) else ""
                self.complain(
                    (*path, "use"),
                    f"{kind} {value['use']!r} needs the setting {field.name!r}{unit}",
                    f"add '{field.name}: ...'; semcore show {value['use']} describes it",
                )
        return fields

    def _field(self, annotation: Any, value: Any, path: Path_, whose: str) -> Any:
        """A checked value of a field; nested components are built on the way."""
        value = self._nested(annotation, value, path)
        checked, wrong = check_value(annotation, value)
        for inner, message in wrong:
            place = (*path, *(int(part) if part.isdigit() else part for part in inner.split(".") if inner))
            if not _failed_below(value, inner):
                name = f"{path[-1]}.{inner}" if inner else str(path[-1])
                hint = f"in quotes it is text: '{value}'" if message.startswith("must be text") and not inner else ""
                self.complain(place, f"{whose}{name} {message}", hint)
        return checked

    def _nested(self, annotation: Any, value: Any, path: Path_) -> Any:
        """Replace the `{use: ...}` parts of a value by components, wherever the annotation asks for one."""
        origin = typing.get_origin(annotation)
        arguments = typing.get_args(annotation)
        if origin is typing.Annotated:
            return self._nested(arguments[0], value, path)
        if isinstance(annotation, type) and issubclass(annotation, Component):
            built = self.component(annotation.kind, value, path)
            return _FAILED if built is None else built
        if origin in (typing.Union, types.UnionType):
            wanted = [one for one in arguments if _holds_component(one)]
            is_component = isinstance(value, str) or isinstance(value, Mapping) and "use" in value
            if wanted and (is_component or isinstance(value, (list, Mapping)) and not _component_class(wanted[0])):
                return self._nested(wanted[0], value, path)
            return value
        if origin is tuple and isinstance(value, list) and _holds_component(annotation):
            return [self._nested(arguments[0], item, (*path, i)) for i, item in enumerate(value)]
        if origin in (dict, Mapping) and isinstance(value, Mapping) and _holds_component(annotation):
            return {key: self._nested(arguments[1], item, (*path, key)) for key, item in value.items()}
        return value


class _Failed:
    """Stands for a nested component whose problems are already told."""


_FAILED = _Failed()


def _failed_below(value: Any, inner: str) -> bool:
    for part in inner.split(".") if inner else ():
        if isinstance(value, list):
            value = value[int(part)] if part.isdigit() and int(part) < len(value) else None
        elif isinstance(value, Mapping):
            value = value.get(part)
    return isinstance(value, _Failed)


def _component_class(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Component)


def _holds_component(annotation: Any) -> bool:
    return _component_class(annotation) or any(_holds_component(one) for one in typing.get_args(annotation))


def _shown(value: Any) -> str:
    return {dict: "a mapping", list: "a list", type(None): "nothing"}.get(type(value), repr(value)[:40])
