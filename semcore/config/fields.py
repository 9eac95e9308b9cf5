"""The fields of a component, described for users of YAML."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import types
import typing
from dataclasses import dataclass
from typing import Any

from semcore.component.base import Component, field_types, plain, required, unit_of
from semcore.component.secret import Secret
from semcore.errors import ConfigError
from semcore.plugins.docstrings import documentation
from semcore.wording.units import written as number


@dataclass(frozen=True)
class Field:
    """A field as a user meets it.

    Fields:
        name: its key
        type: what it may hold
        unit: of its values; "" if they have none
        default: as YAML would write it; None: it must be given
        doc: what it is for
    """

    name: str
    type: str
    unit: str
    default: str | None
    doc: str


def fields_of(cls: type[Component]) -> list[Field]:
    """The fields of a component, in their order."""
    annotations, docs = field_types(cls), documentation(cls)
    return [
        Field(
            field.name,
            type_name(annotations[field.name]),
            unit_of(field.name),
            None if required(field) else written(default(field)),
            docs.get(field.name, ""),
        )
        for field in dataclasses.fields(cls)
    ]


def description(cls: type[Component]) -> str:
    """The docstring of a component without its `Fields:` part, and after it those of the classes it
    builds on."""
    own = [
        base
        for base in cls.__mro__
        if issubclass(base, Component) and base is not Component and "kind" not in vars(base)
    ]
    texts = [
        re.split(
            r"^Fields:$", inspect.cleandoc(base.__doc__ or ""), maxsplit=1, flags=re.MULTILINE
        )[0]
        for base in own
    ]
    return "\n\n".join(text.rstrip() for text in texts if text.strip())


def default(field: dataclasses.Field[Any]) -> Any:
    """The default of a field that is not required."""
    return (
        field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
    )


def written(value: Any) -> str:
    """A value as YAML would write it, on one line; numbers to six digits."""
    value = plain(value)
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{written(key)}: {written(item)}" for key, item in value.items()) + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, float):
        return number(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return _text(value) if isinstance(value, str) else str(value)


def _text(text: str) -> str:
    """A text, in quotes if YAML would take it for something else without."""
    from semcore.config.document import parse

    try:
        bare = parse(f"[{text}]", "").values == [text]
    except ConfigError:
        bare = False
    return text if bare else json.dumps(text, ensure_ascii=False)


_NAMES = {
    "str": "text",
    "float": "number",
    "int": "whole number",
    "bool": "true or false",
    "Any": "any value",
}
_BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


def type_name(annotation: Any) -> str:
    """An annotation as a user would say it."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        bounds = [_bound(item) for item in arguments[1:]]
        return " ".join([type_name(arguments[0]), *(bound for bound in bounds if bound)])
    if origin is typing.Literal:
        return " | ".join(map(repr, arguments))
    if origin in (typing.Union, types.UnionType):
        return " | ".join(type_name(item) for item in arguments)
    if origin is tuple:
        inner = ", ".join("..." if item is Ellipsis else type_name(item) for item in arguments)
        return f"[{inner}]"
    if origin is dict:
        return f"a mapping: {type_name(arguments[0])} → {type_name(arguments[1])}"
    if origin is not None:
        return (
            f"{getattr(origin, '__name__', origin)} of "
            f"{', '.join(type_name(item) for item in arguments)}"
        )
    if annotation is type(None):
        return "null"
    if annotation is Secret:
        return "a secret (env:NAME)"
    if isinstance(annotation, type) and issubclass(annotation, Component):
        return f"a {annotation.kind}"
    if hasattr(annotation, "__required_keys__"):  # a TypedDict
        hints = typing.get_type_hints(annotation, include_extras=True)
        return "{" + ", ".join(f"{key}: {type_name(hint)}" for key, hint in hints.items()) + "}"
    name = getattr(annotation, "__name__", str(annotation))
    return _NAMES.get(name, name)


def _bound(item: Any) -> str:
    """A bound of `annotated_types`: `≥ 1`."""
    for attribute, sign in _BOUNDS.items():
        if getattr(item, attribute, None) is not None:
            return f"{sign} {number(getattr(item, attribute))}"
    return ""
