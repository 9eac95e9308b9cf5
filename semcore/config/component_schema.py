"""The JSON Schema of one component: its fields, their types, defaults and docstrings."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any

from semcore.component.base import Component, field_types, plain, required, unit_of
from semcore.config.fields import default
from semcore.entrypoints import naming
from semcore.plugins.docstrings import documentation, summary

Schema = dict[str, Any]
"""A JSON Schema, or a part of one."""


@dataclasses.dataclass(frozen=True)
class Described:
    """What is known of a component without its class, which may have been imported elsewhere.

    Fields:
        about: the first sentence of its docstring
        bare: whether its name alone will do
        docs: field -> what it is for
        schema: its definition
    """

    about: str
    bare: bool
    docs: Mapping[str, str]
    schema: Schema


def described(name: str, cls: type[Component]) -> Described:
    """The description of a component under its registered name."""
    bare = not any(map(required, dataclasses.fields(cls)))
    return Described(summary(cls.__doc__), bare, documentation(cls), _component(name, cls))


def _component(name: str, cls: type[Component]) -> Schema:
    fields = dataclasses.fields(cls)
    annotations, docs = field_types(cls), documentation(cls)
    properties: Schema = {"use": {"const": name, "description": summary(cls.__doc__)}}
    for field in fields:
        unit = unit_of(field.name)
        text = " ".join(filter(None, (docs.get(field.name, ""), f"[{unit}]" if unit else "")))
        shape = _type(annotations[field.name])
        if isinstance(field.default, Component):  # `codec: {quality: 30}` changes the default
            shape = {"anyOf": [shape, {**_fields_of(field.default), "not": {"required": ["use"]}}]}
        properties[field.name] = {"description": text, **_default(field), **shape}
    return {
        "type": "object",
        "description": summary(cls.__doc__),
        "properties": properties,
        "required": ["use", *(field.name for field in fields if required(field))],
        "additionalProperties": False,
    }


def _fields_of(default: Component) -> Schema:
    where = f"{default.kind}.{naming.name_of(type(default))}"
    names = [field.name for field in dataclasses.fields(type(default))]
    inside = {name: {"$ref": f"#/$defs/{where}/properties/{name}"} for name in names}
    return {"type": "object", "properties": inside, "additionalProperties": False}


def _type(annotation: Any) -> Schema:
    """What a field may hold. The shape of nested components is ours, all else is pydantic's."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Component):
        return ref(annotation.kind)
    if origin is typing.Annotated and any(hasattr(one, "func") for one in arguments[1:]):
        # A validator of its own reads more: `rate: 1/2`.
        return {"anyOf": [_leaf(annotation), {"type": "string"}]}
    if not _holds_component(annotation):
        return _leaf(annotation)
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_type(one) for one in arguments]}
    if origin is tuple:
        return {"type": "array", "items": _type(arguments[0])}
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": _type(arguments[1])}
    return _type(arguments[0]) if origin is typing.Annotated else {}


def _leaf(annotation: Any) -> Schema:
    from pydantic import TypeAdapter
    from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError

    try:
        made = TypeAdapter(annotation).json_schema()
    except (PydanticSchemaGenerationError, PydanticUserError, TypeError):
        return {}  # a third-party type that JSON Schema cannot express
    return _inlined(made, made.pop("$defs", {}))


def _inlined(value: Any, definitions: Mapping[str, Any]) -> Any:
    """A schema without references of its own and without titles, which only repeat names."""
    if isinstance(value, list):
        return [_inlined(item, definitions) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return _inlined(definitions[value["$ref"].rsplit("/", 1)[-1]], definitions)
    return {
        key: _inlined(item, definitions)
        for key, item in value.items()
        if key != "title" or not isinstance(item, str)
    }


def _holds_component(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, Component):
        return True
    return any(_holds_component(one) for one in typing.get_args(annotation))


def ref(name: str) -> Schema:
    """A reference to a definition: `KIND`, or `KIND.NAME`."""
    return {"$ref": f"#/$defs/{name}"}


def _default(field: dataclasses.Field[Any]) -> Schema:
    return {} if required(field) else {"default": plain(default(field))}
