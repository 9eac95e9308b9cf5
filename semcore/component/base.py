"""A component: a frozen dataclass whose fields are its settings.

The fields are its YAML keys, its validation schema, its identity in the cache, its repr, its pickle and its columns in
the results. Their documentation is the `Fields:` part of the class docstring, their unit the end of their name.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from semcore.component.secret import WANTED, Secret, holds_secret
from semcore.errors import ComponentError, shown
from semcore.wording import redaction
from semcore.wording.units import split_unit, written


def unit_of(name: str) -> str:
    """The unit that the name of a field ends in, or ""."""
    unit = split_unit(name)[1]
    return unit.symbol if unit else ""


@dataclasses.dataclass(frozen=True)
class Needs:
    """What a component wants of the process that it works in.

    Fields:
        cpus: processor cores
        gpus: graphics processors
    """

    cpus: float = 1.0
    gpus: float = 0.0


@dataclasses.dataclass(frozen=True)
class Component:
    """Base of everything that YAML can name. Values are checked, and numbers converted, when it is made.

    A value that does not fit its annotation, or that `check` refuses, raises `ComponentError` naming the field.

    Subclasses are frozen dataclasses. What is expensive (weights, tables) belongs in a `functools.cached_property`: it
    is made on first use and never pickled.
    """

    kind: ClassVar[str] = ""
    """Name of the registry: encoder, channel, ..."""
    genie: ClassVar[bool] = False
    """Whether it knows what an honest receiver could not; results say so."""
    reference: ClassVar[str] = ""
    """Where it is described: paper, section and equation, or standard and clause."""
    cites: ClassVar[tuple[str, ...]] = ()
    """What a paper that uses it cites: keys in the `references.bib` of its package, or in semcore's own."""
    licences: ClassVar[tuple[str, ...]] = ()
    """Of third parties' parts that it runs and a user should know of: `name: licence`."""
    test_settings: ClassVar[tuple[Mapping[str, Any], ...]] = ()
    """Settings that `semcore conform` tries it with, as YAML has them, where its defaults are not enough."""

    def __post_init__(self) -> None:
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        checked, problems = check_fields(type(self), values)
        if problems:
            name = type(self).__name__
            raise ComponentError("; ".join(f"{name}.{path} {text}" for path, text in problems))
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        self.check()

    def check(self) -> None:
        """Refuse combinations of values that make no sense. A subclass that overrides it need not call it.

        Raises:
            ComponentError: naming the fields, and what they should be
        """

    def identity(self) -> Any:
        """What its results depend on besides its settings, its source, and the files and folders that settings name.

        For example a folder that an environment variable names: `semcore.fingerprint.content.path_digest` gives its digest.
        """
        return None

    def missing(self) -> str:
        """What it works with and is not on this machine, and how to get it; "" if nothing is. Found without loading it."""
        return ""

    def needs(self) -> Needs:
        """What an executor must give the process that it works in; a GPU if it has a field `device` that names one."""
        return Needs(gpus=float(str(getattr(self, "device", "")).startswith("cuda")))

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def settings(self) -> dict[str, Any]:
        """Its fields as plain values, nested components included, with the defaults filled in."""
        return {field.name: plain(getattr(self, field.name)) for field in dataclasses.fields(self)}


def most(needs: Iterable[Needs]) -> Needs:
    """What serves all of several needs, one after the other."""
    every = list(needs)
    return Needs(max((one.cpus for one in every), default=1.0), max((one.gpus for one in every), default=0.0))


def plain(value: Any) -> Any:
    """Components, secrets, tuples and mappings as what YAML and JSON can hold."""
    if isinstance(value, Component):
        from semcore.entrypoints.naming import name_of

        return {"use": name_of(type(value)), **value.settings()}
    if isinstance(value, Secret):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return value


def required(field: dataclasses.Field[Any]) -> bool:
    """Whether a field has no default."""
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def field_types(cls: type[Component]) -> dict[str, Any]:
    """Resolved annotation of each field of a component."""
    key: Any = cls  # mypy holds a class that defines __eq__ for unhashable
    return _field_types(key)


@functools.cache
def _field_types(cls: type) -> dict[str, Any]:
    hints = typing.get_type_hints(cls, include_extras=True)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


@functools.cache
def _adapter(annotation: Any) -> Any:
    from pydantic import ConfigDict, InstanceOf, TypeAdapter

    if isinstance(annotation, type) and issubclass(annotation, Component):
        return TypeAdapter(InstanceOf[annotation])
    return TypeAdapter(annotation, config=ConfigDict(strict=True, arbitrary_types_allowed=True, allow_inf_nan=False))


def check_value(annotation: Any, value: Any) -> tuple[Any, list[tuple[tuple[str | int, ...], str]]]:
    """Check one value against an annotation.

    Returns:
        the converted value, and what is wrong with it as (path inside the value, message)
    """
    from pydantic import ValidationError

    try:
        return _adapter(annotation).validate_python(_tuples(value)), []
    except ValidationError as error:
        if holds_secret(annotation):
            redaction.refuse(value)
            return value, [((), WANTED)]
        told: dict[tuple[str | int, ...], dict[str, Any]] = {}
        items = error.errors(include_url=False)
        for item in items:
            item = _of_fixed_length(annotation, item)
            if item["type"] == "too_short" and any(_is_within(one["loc"], item["loc"]) for one in items):
                continue  # some of its values were refused, and so not counted
            path = tuple(part for part in item["loc"] if not _is_branch(part))
            told.setdefault(path, {})[wanted(item)] = item["input"]
        return value, [(path, _message(list(asked), next(iter(asked.values())))) for path, asked in told.items()]


def _of_fixed_length(annotation: Any, item: Any) -> Any:
    """An error of a list that is too short or too long, as one of the list itself if it must have a certain length."""
    place = item["loc"][:-1] if item["type"] == "missing" else item["loc"]
    if item["type"] not in ("missing", "too_long") or item["type"] == "missing" and not isinstance(item["loc"][-1], int):
        return item
    lengths = _lengths(annotation, [part for part in place if not _is_branch(part)])
    if len(lengths) != 1:
        return item
    found = item["input"]
    return {**item, "type": "fixed_length", "loc": place, "input": found, "ctx": {"length": lengths.pop()}}


def _lengths(annotation: Any, place: list[int | str]) -> set[int]:
    """How long the list at a place of a value may be, where the annotation has tuples of a fixed length."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _lengths(arguments[0], place)
    if origin in (typing.Union, types.UnionType):
        return set().union(*(_lengths(one, place) for one in arguments))
    if origin is tuple and Ellipsis not in arguments:
        if not place:
            return {len(arguments)}
        index = place[0]
        return _lengths(arguments[index], place[1:]) if isinstance(index, int) and index < len(arguments) else set()
    if not place or not arguments:
        return set()
    return _lengths(arguments[-1] if origin is not tuple else arguments[0], place[1:])


def check_fields(cls: type[Component], values: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Check the values of a component's fields; returns the converted values and (dotted path, message) problems."""
    checked, problems = {}, []
    for name, annotation in field_types(cls).items():
        if name in values:
            checked[name], wrong = check_value(annotation, values[name])
            problems += [(".".join(map(str, (name, *path))), text) for path, text in wrong]
    return checked, problems


def _tuples(value: Any) -> Any:
    """YAML has lists, frozen components hold tuples."""
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return value


def _is_within(path: tuple[int | str, ...], other: tuple[int | str, ...]) -> bool:
    return len(path) > len(other) and path[: len(other)] == other


def _is_branch(part: int | str) -> bool:
    """Whether a pydantic location part names the branch of a union and not a place in the value."""
    return isinstance(part, str) and not part.isidentifier() or part in {"float", "int", "str", "bool", "none"}


MISSING = "is missing"
UNKNOWN = "is not known here"
_WANTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "text",
    "none_required": "nothing",
    "literal_error": "{expected}",
    "greater_than_equal": "at least {ge}",
    "greater_than": "more than {gt}",
    "less_than_equal": "at most {le}",
    "less_than": "less than {lt}",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "too_long": "a list of {max_length} or fewer",
    "too_short": "a list of {min_length} or more",
    "fixed_length": "a list of {length}",
    "string_too_short": "a text of {min_length} characters or more",
}
"""What pydantic's types of error ask for, in the words of a pipeline file."""


def wanted(item: Mapping[str, Any]) -> str:
    """What an error of pydantic's asks for, in the words of a pipeline file: `must be a whole number`."""
    if item["type"] == "missing":
        return MISSING if isinstance(item["loc"][-1], str) else "is missing: the list is too short"
    if item["type"] == "extra_forbidden":
        return UNKNOWN
    if item["type"] == "value_error":
        return str(item["ctx"]["error"])  # said by a validator of ours
    bounds = {key: written(one) if isinstance(one, (int, float)) else one for key, one in item.get("ctx", {}).items()}
    known = _WANTED.get(item["type"])
    return f"must be {known.format(**bounds)}" if known else re.sub("^Input should be", "must be", item["msg"])


def _message(wanted: list[str], found: Any) -> str:
    """What is wrong with a value none of whose alternatives fits."""
    if wanted[0].startswith("is "):
        return wanted[0]
    if not all(one.startswith("must be ") for one in wanted):
        return f"{wanted[0]}: {shown(found)}"
    choices = [one for one in wanted if one != "must be nothing"] or wanted
    return f"{' or '.join([choices[0], *(one.removeprefix('must be ') for one in choices[1:])])}, not {shown(found)}"
