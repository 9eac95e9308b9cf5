"""A component: a frozen dataclass whose fields are its settings.

The fields are its YAML keys, schema, cache identity, repr, pickle and columns in the results. They
are documented under `Fields:` in the class docstring; a unit is the suffix of the name.
"""

from __future__ import annotations

import dataclasses
import functools
import typing
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from semcore.component.secret import WANTED, Secret, holds_secret
from semcore.errors import ComponentError, shown
from semcore.wording import redaction, validation
from semcore.wording.units import split_unit


def unit_of(name: str) -> str:
    """The unit in the suffix of a field name, or ""."""
    unit = split_unit(name)[1]
    return unit.symbol if unit else ""


@dataclasses.dataclass(frozen=True)
class Needs:
    """What a component needs of its process.

    Fields:
        cpus: processor cores
        gpus: graphics processors
    """

    cpus: float = 1.0
    gpus: float = 0.0


@dataclasses.dataclass(frozen=True)
class Component:
    """Base of everything that YAML can name.

    Its constructor checks and converts values: one that does not fit its annotation, or that
    `check` refuses, raises `ComponentError` naming the field. Subclasses are frozen dataclasses;
    expensive parts (weights, tables) are a `functools.cached_property`, which is never pickled.
    """

    kind: ClassVar[str] = ""
    """Name of the registry: encoder, channel, ..."""
    genie: ClassVar[bool] = False
    """Whether it knows what no real receiver could; results are labelled."""
    reference: ClassVar[str] = ""
    """Where it is described: paper, section and equation, or standard and clause."""
    cites: ClassVar[tuple[str, ...]] = ()
    """Citations: keys in `references.bib` of its package or of semcore."""
    licences: ClassVar[tuple[str, ...]] = ()
    """Licences of third-party parts that it runs, as `name: licence`."""
    test_settings: ClassVar[tuple[Mapping[str, Any], ...]] = ()
    """Settings, as in YAML, for `semcore conform` where the defaults do not suffice."""

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
        """Raise ComponentError for an invalid combination of values, naming the fields and what
        they should be. An override need not call it."""

    def identity(self) -> Any:
        """What its results depend on besides its settings, its source and the files they name.

        An example is `semcore.path_digest` of a folder that an environment variable names.
        """
        return None

    def libraries(self) -> Mapping[str, str]:
        """What it imports of an extra: module -> extra, as {"pesq": "semcore-video[pesq]"}."""
        return {}

    def missing(self) -> str:
        """What it needs and this machine lacks, and how to get it, found without loading; or ""."""
        return ""

    def needs(self) -> Needs:
        """What its process needs: a GPU if it has a field `device` that names one."""
        return Needs(gpus=float(str(getattr(self, "device", "")).startswith("cuda")))

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def settings(self) -> dict[str, Any]:
        """Its fields as plain values, nested components and defaults included."""
        return {field.name: plain(getattr(self, field.name)) for field in dataclasses.fields(self)}


def most(needs: Iterable[Needs]) -> Needs:
    """The largest of several needs."""
    every = list(needs) or [Needs()]
    return Needs(max(one.cpus for one in every), max(one.gpus for one in every))


def plain(value: Any) -> Any:
    """A value in the types of YAML and JSON."""
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
    key: Any = cls  # to mypy, a class that defines __eq__ is not hashable
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
    strict = ConfigDict(strict=True, arbitrary_types_allowed=True, allow_inf_nan=False)
    return TypeAdapter(annotation, config=strict)


def check_value(annotation: Any, value: Any) -> tuple[Any, list[validation.ValueProblem]]:
    """The converted value, and its problems."""
    from pydantic import ValidationError

    try:
        return _adapter(annotation).validate_python(_tuples(value)), []
    except ValidationError as error:
        if holds_secret(annotation):
            redaction.refuse(value)
            return value, [validation.stated(WANTED)]
        return value, validation.problems(annotation, error.errors(include_url=False), shown)


def check_fields(
    cls: type[Component], values: Mapping[str, Any]
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The converted values of a component's fields, and problems as (dotted path, message)."""
    checked, problems = {}, []
    for name, annotation in field_types(cls).items():
        if name in values:
            checked[name], wrong = check_value(annotation, values[name])
            problems += [(".".join(map(str, (name, *one.path))), one.message) for one in wrong]
    return checked, problems


def _tuples(value: Any) -> Any:
    """A value with tuples for lists: components are frozen."""
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return value
