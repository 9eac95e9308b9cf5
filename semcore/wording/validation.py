"""What is wrong with a value, from the errors that pydantic reports.

Hints and places are decided by the kind of a problem; its text is rendered last.
"""

from __future__ import annotations

import enum
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from semcore.wording.units import written

Path = tuple[str | int, ...]


class Kind(enum.Enum):
    """What is wrong with a value, or what it should be."""

    MISSING = "a required key is missing"
    UNKNOWN = "the mapping has no such key"
    TEXT = "text"
    WHOLE = "a whole number"
    NUMBER = "a number"
    CHOICE = "one of some values"
    BOUND = "a number within bounds"
    NOTHING = "null"
    OTHER = "anything else that a value can be"
    STATEMENT = "a sentence about the value that needs no value beside it"
    REASON = "a reason that needs the value beside it"


ALONE = {Kind.MISSING, Kind.UNKNOWN, Kind.STATEMENT}
"""Kinds whose text says it all."""


@dataclass(frozen=True)
class Expected:
    """What one alternative of an annotation asks for.

    Fields:
        kind: what it is
        text: in words: `a whole number`, `at least 1`; of a statement or a reason the whole of it
        values: the texts among the values of a choice
        own: whether a validator of the component asks for it: it may read more than plain numbers
    """

    kind: Kind
    text: str
    values: tuple[str, ...] = ()
    own: bool = False

    @property
    def clause(self) -> str:
        """What follows the name of a setting in a message: `must be a whole number`."""
        if self.kind in ALONE or self.kind is Kind.REASON:
            return self.text
        return f"must be {self.text}"


@dataclass(frozen=True)
class ValueProblem:
    """A place inside a value where something is wrong.

    Fields:
        path: keys and indices from the value to the place
        alternatives: what each alternative of the annotation asks for, at least one
        found: what is there
        shown: the same in a message
        meant: the key that an unknown one looks like; "" if none does
    """

    path: Path
    alternatives: tuple[Expected, ...]
    found: Any = None
    shown: str = ""
    meant: str = ""

    @property
    def choices(self) -> tuple[Expected, ...]:
        """The alternatives; null only if there is no other."""
        others = tuple(one for one in self.alternatives if one.kind is not Kind.NOTHING)
        return others or self.alternatives

    @property
    def kind(self) -> Kind:
        """The kind of the first choice."""
        return self.choices[0].kind

    @property
    def message(self) -> str:
        """What is wrong, as it follows the name of the setting."""
        first = self.alternatives[0]
        if first.kind in ALONE:
            return f"{first.text}: did you mean {self.meant!r}?" if self.meant else first.text
        if any(one.kind in ALONE or one.kind is Kind.REASON for one in self.alternatives):
            return f"{first.clause}: {self.shown}"
        return f"must be {' or '.join(one.text for one in self.choices)}, not {self.shown}"


def stated(text: str) -> ValueProblem:
    """The problem of a whole value that must not be shown."""
    return ValueProblem((), (Expected(Kind.STATEMENT, text),))


def problems(
    annotation: Any, errors: Sequence[Any], shown: Callable[[Any], str]
) -> list[ValueProblem]:
    """The problems of a value, one per place.

    Args:
        annotation: the type that the value should have
        errors: `ValidationError.errors()` of pydantic
        shown: how a message shows a value
    """
    asked: dict[Path, dict[Expected, Any]] = {}
    for error in errors:
        item = _of_fixed_length(annotation, error)
        if item["type"] == "too_short" and any(
            _is_within(one["loc"], item["loc"]) for one in errors
        ):
            continue  # some of its values were refused and therefore not counted
        path = tuple(part for part in item["loc"] if not _is_branch(part))
        one = expected(item)
        if one.own and one.kind is Kind.OTHER and _takes_numbers(annotation, path):
            one = replace(one, kind=Kind.NUMBER)
        asked.setdefault(path, {})[one] = item["input"]
    return [
        ValueProblem(path, tuple(inputs), found := next(iter(inputs.values())), shown(found))
        for path, inputs in asked.items()
    ]


def _of_fixed_length(annotation: Any, item: Any) -> Any:
    """An error about a list's length as one of the whole list, if that must have a fixed length."""
    missing = item["type"] == "missing" and isinstance(item["loc"][-1], int)
    if not missing and item["type"] != "too_long":
        return item
    place = item["loc"][:-1] if missing else item["loc"]
    lengths = _lengths(annotation, [part for part in place if not _is_branch(part)])
    if len(lengths) != 1:
        return item
    return {**item, "type": "fixed_length", "loc": place, "ctx": {"length": lengths.pop()}}


def _lengths(annotation: Any, place: Sequence[int | str]) -> set[int]:
    """Lengths that the annotation allows for the list at a place, from tuples of fixed length."""
    found = [one for one in _at(annotation, place) if typing.get_origin(one) is tuple]
    arguments = [typing.get_args(one) for one in found]
    return {len(one) for one in arguments if Ellipsis not in one}


def _takes_numbers(annotation: Any, place: Sequence[int | str]) -> bool:
    return any(one in (int, float) for one in _at(annotation, place))


def _at(annotation: Any, place: Sequence[int | str]) -> Iterator[Any]:
    """The annotations of what is at a place of a value, one per alternative."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        yield from _at(arguments[0], place)
    elif origin in (typing.Union, types.UnionType):
        for one in arguments:
            yield from _at(one, place)
    elif not place:
        yield annotation
    elif origin is tuple and Ellipsis not in arguments:
        if isinstance(place[0], int) and place[0] < len(arguments):
            yield from _at(arguments[place[0]], place[1:])
    elif arguments:
        yield from _at(arguments[0 if origin is tuple else -1], place[1:])


def _is_within(path: tuple[int | str, ...], other: tuple[int | str, ...]) -> bool:
    return len(path) > len(other) and path[: len(other)] == other


def _is_branch(part: int | str) -> bool:
    """Whether a part of a pydantic location names a branch of a union, not a place in the value."""
    if isinstance(part, str) and not part.isidentifier():
        return True
    return part in {"float", "int", "str", "bool", "none"}


_EXPECTED = {
    "int_type": (Kind.WHOLE, "a whole number"),
    "int_from_float": (Kind.WHOLE, "a whole number"),
    "float_type": (Kind.NUMBER, "a number"),
    "finite_number": (Kind.OTHER, "a finite number"),
    "bool_type": (Kind.OTHER, "true or false"),
    "string_type": (Kind.TEXT, "text"),
    "none_required": (Kind.NOTHING, "nothing"),
    "literal_error": (Kind.CHOICE, "{expected}"),
    "greater_than_equal": (Kind.BOUND, "at least {ge}"),
    "greater_than": (Kind.BOUND, "more than {gt}"),
    "less_than_equal": (Kind.BOUND, "at most {le}"),
    "less_than": (Kind.BOUND, "less than {lt}"),
    "tuple_type": (Kind.OTHER, "a list"),
    "dict_type": (Kind.OTHER, "a mapping"),
    "mapping_type": (Kind.OTHER, "a mapping"),
    "too_long": (Kind.OTHER, "a list of {max_length} or fewer"),
    "too_short": (Kind.OTHER, "a list of {min_length} or more"),
    "fixed_length": (Kind.OTHER, "a list of {length}"),
    "string_too_short": (Kind.OTHER, "a text of {min_length} characters or more"),
}
"""Type of a pydantic error -> what it asks for, as a user of YAML would say it."""


def expected(item: Mapping[str, Any]) -> Expected:
    """What a pydantic error asks for."""
    if item["type"] == "missing":
        if isinstance(item["loc"][-1], str):
            return Expected(Kind.MISSING, "is missing")
        return Expected(Kind.STATEMENT, "is missing: the list is too short")
    if item["type"] == "extra_forbidden":
        return Expected(Kind.UNKNOWN, "is not known here")
    if item["type"] == "value_error":
        return _of_validator(str(item["ctx"]["error"]))
    if item["type"] not in _EXPECTED:
        text = item["msg"].removeprefix("Input should be ")
        return Expected(Kind.REASON if text == item["msg"] else Kind.OTHER, text)
    kind, text = _EXPECTED[item["type"]]
    bounds = {key: _number(bound) for key, bound in item.get("ctx", {}).items()}
    values = re.findall("'([^']+)'", item["ctx"]["expected"]) if kind is Kind.CHOICE else ()
    return Expected(kind, text.format(**bounds), tuple(values))


def _of_validator(text: str) -> Expected:
    """What a validator of a component asks for: its text completes a sentence, or is a reason."""
    if text.startswith("must be "):
        return Expected(Kind.OTHER, text.removeprefix("must be "), own=True)
    return Expected(Kind.STATEMENT if text.startswith("is ") else Kind.REASON, text, own=True)


def _number(bound: Any) -> Any:
    return written(bound) if isinstance(bound, (int, float)) else bound
