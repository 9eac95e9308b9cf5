"""What is wrong with a value, from the errors that pydantic reports."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from semcore.wording.units import written

Path = tuple[str | int, ...]


def problems(
    annotation: Any, errors: Sequence[Any], shown: Callable[[Any], str]
) -> list[tuple[Path, str]]:
    """Each place of a value where something is wrong, once, with a message.

    Args:
        annotation: the type that the value should have
        errors: `ValidationError.errors()` of pydantic
        shown: how a message shows a value
    """
    asked: dict[Path, dict[str, Any]] = {}
    for error in errors:
        item = _of_fixed_length(annotation, error)
        if item["type"] == "too_short" and any(
            _is_within(one["loc"], item["loc"]) for one in errors
        ):
            continue  # some of its values were refused and therefore not counted
        path = tuple(part for part in item["loc"] if not _is_branch(part))
        asked.setdefault(path, {})[wanted(item)] = item["input"]
    return [
        (path, _message(list(inputs), shown(next(iter(inputs.values())))))
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


def _lengths(annotation: Any, place: list[int | str]) -> set[int]:
    """Lengths that the annotation allows for the list at a place, from tuples of fixed length."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _lengths(arguments[0], place)
    if origin in (typing.Union, types.UnionType):
        return set().union(*(_lengths(one, place) for one in arguments))
    if origin is tuple and Ellipsis not in arguments:
        if not place:
            return {len(arguments)}
        index = place[0]
        if not isinstance(index, int) or index >= len(arguments):
            return set()
        return _lengths(arguments[index], place[1:])
    if not place or not arguments:
        return set()
    return _lengths(arguments[-1] if origin is not tuple else arguments[0], place[1:])


def _is_within(path: tuple[int | str, ...], other: tuple[int | str, ...]) -> bool:
    return len(path) > len(other) and path[: len(other)] == other


def _is_branch(part: int | str) -> bool:
    """Whether a part of a pydantic location names a branch of a union, not a place in the value."""
    if isinstance(part, str) and not part.isidentifier():
        return True
    return part in {"float", "int", "str", "bool", "none"}


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
"""What each type of pydantic error asks for, as a user of YAML would say it."""


def wanted(item: Mapping[str, Any]) -> str:
    """What a pydantic error asks for, as a user of YAML would say it: `must be a whole number`."""
    if item["type"] == "missing":
        return MISSING if isinstance(item["loc"][-1], str) else "is missing: the list is too short"
    if item["type"] == "extra_forbidden":
        return UNKNOWN
    if item["type"] == "value_error":
        return str(item["ctx"]["error"])  # raised by a validator of semcore
    if item["type"] not in _WANTED:
        return re.sub("^Input should be", "must be", item["msg"])
    bounds = {key: _number(bound) for key, bound in item.get("ctx", {}).items()}
    return f"must be {_WANTED[item['type']].format(**bounds)}"


def _number(bound: Any) -> Any:
    return written(bound) if isinstance(bound, (int, float)) else bound


def _message(wanted: list[str], found: str) -> str:
    """What is wrong with a value that fits none of its alternatives."""
    if wanted[0].startswith("is "):
        return wanted[0]
    if not all(one.startswith("must be ") for one in wanted):
        return f"{wanted[0]}: {found}"
    choices = [one for one in wanted if one != "must be nothing"] or wanted
    others = [one.removeprefix("must be ") for one in choices[1:]]
    return f"{' or '.join([choices[0], *others])}, not {found}"
