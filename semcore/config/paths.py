"""Dotted paths: one way to say where a setting is, for sweeps, overrides on the command line, plans
and columns."""

from __future__ import annotations

import copy
import json
import math
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from semcore.component.base import plain
from semcore.config.document import number_meant, parse, scalar
from semcore.errors import ConfigError, Problem
from semcore.wording.suggest import foreign

_RANGE = re.compile(r"([^:\s]+):([^:\s]+):([^:\s]+)\Z")
MAX_POINTS = 10_000
LARGEST = 1e100
"""Numbers of a range are smaller, so that no difference of two overflows."""


def split_path(path: str) -> tuple[str | int, ...]:
    """`channel.snr_db` -> ("channel", "snr_db"); numbers are indices of lists."""
    return tuple(int(part) if part.isdigit() else part for part in path.split("."))


def set_path(values: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of `values` with `value` at `path`.

    A section given as a name alone (`first`) becomes `{use: first}`; what is not there yet is made.

    Raises:
        KeyError: the path leads through something that has no parts; its argument is that place
    """
    parts = split_path(path)
    result = copy.copy(values)
    here: Any = result
    for depth, part in enumerate(parts[:-1]):
        inner = (
            here[part]
            if isinstance(here, list) and isinstance(part, int) and part < len(here)
            else None
        )
        if isinstance(here, dict):
            inner = here.get(str(part))
            inner = {} if inner is None and not isinstance(parts[depth + 1], int) else inner
        if isinstance(inner, str):
            inner = {"use": inner}
        if not isinstance(inner, (dict, list)):
            raise KeyError(".".join(map(str, parts[: depth + 1])))
        inner = copy.copy(inner)
        here[part if isinstance(here, list) else str(part)] = inner
        here = inner
    last = parts[-1]
    if isinstance(here, list):
        if not isinstance(last, int) or last >= len(here):
            raise KeyError(path)
        here[last] = copy.deepcopy(value)
    else:
        here[str(last)] = copy.deepcopy(value)
    return result


def points(text: str) -> list[float] | None:
    """`0:20:5` -> [0, 5, 10, 15, 20]; None if the text is not a range.

    Raises:
        ValueError: a range that never ends, or has too many points
    """
    match = _RANGE.match(text)
    if not match:
        return None
    numbers = [scalar(part) for part in match.groups()]
    if any(isinstance(number, bool) or not isinstance(number, (int, float)) for number in numbers):
        return None
    start, stop, step = numbers
    if not all(abs(number) < LARGEST for number in numbers):
        raise ValueError(f"the range {text} has no end: its numbers must be below {LARGEST:g}")
    if step == 0 or (stop - start) * step < 0:
        raise ValueError(
            f"the range {text} never gets from {start} to {stop}: write start:stop:step"
        )
    # Both ends are rounded to the nearest float: the quotient may fall short of a whole number by
    # that much.
    steps = (
        (stop - start) / step
        + 1e-9
        + (abs(start) + abs(stop)) * sys.float_info.epsilon / abs(step or 1)
    )
    if steps < 1 and start != stop:
        turned = f"{start}:{step}:{stop}" if abs(stop - start) <= abs(step - start) and stop else ""
        hint = f"; did you mean {turned}?" if turned else ""
        raise ValueError(
            f"the range {text} has one point alone, {start}: it is written start:stop:step{hint}"
        )
    if steps >= MAX_POINTS:
        count = f"{steps + 1:,.0f}" if steps < 1e12 else "too many"
        raise ValueError(f"the range {text} has {count} points (limit {MAX_POINTS:,})")
    indices = range(math.floor(steps) + 1)
    return [
        start + i * step if isinstance(start + step, int) else round(start + i * step, 12)
        for i in indices
    ]


@dataclass(frozen=True)
class Assignment:
    """A setting that is given another value than the file has, or several to sweep.

    Fields:
        path: dotted path of the setting
        value: the value, or the values
        swept: whether it is a set of values to sweep. If not, a list may still be either: the
            caller knows whether the setting holds one
        text: how it was written, for messages
    """

    path: str
    value: Any
    swept: bool
    text: str


def assigned(path: str, value: Any) -> Assignment:
    """An assignment in Python: `("channel.snr_db", [0, 5, 10])`.

    Args:
        value: as in YAML, or a component, a NumPy number or array, a range, a tuple; a text
            `start:stop:step` is a range of numbers

    Raises:
        ConfigError: a range that never ends, or has too many points
    """
    value = as_yaml(value)
    text = f"{path}={json.dumps(value, ensure_ascii=False, default=str)}"
    try:
        swept = points(value) if isinstance(value, str) else None
    except ValueError as error:
        raise ConfigError([Problem(str(error), text)]) from error
    return Assignment(path, value if swept is None else swept, swept is not None, text)


def as_yaml(value: Any) -> Any:
    """A value of Python in the types of YAML."""
    if isinstance(value, range):
        return list(value)
    if hasattr(value, "tolist"):  # NumPy's and PyTorch's numbers and arrays
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [as_yaml(one) for one in value]
    if isinstance(value, Mapping):
        return {str(key): as_yaml(one) for key, one in value.items()}
    return plain(value)


def read_override(text: str) -> Assignment:
    """`key=value` from the command line; `a:b:step`, and `a,b,c` without brackets, are a sweep.

    Raises:
        ConfigError: not `key=value`, or the value is not YAML
    """
    path, sign, raw = text.partition("=")
    if not sign or not path or not re.fullmatch(r"[\w.*-]+", path):
        raise ConfigError(
            [
                Problem(
                    "an override is written key=value, for example channel.snr_db=3",
                    text,
                    hint=foreign(text),
                )
            ]
        )
    for part in filter(None, (number_meant(part) and part for part in (raw, *raw.split(",")))):
        raise ConfigError(
            [
                Problem(
                    f"{part!r} is not a number: {foreign(part)}",
                    text,
                    hint=f"write {number_meant(part)}",
                )
            ]
        )
    try:
        swept = points(raw)
    except ValueError as error:
        raise ConfigError([Problem(str(error), text)]) from error
    if swept is not None:
        return Assignment(path, swept, True, text)
    if "," in raw and raw[:1] not in "[{\"'":
        values = [scalar(part.strip()) for part in raw.split(",")]
        return Assignment(path, values, True, text)
    try:
        document = parse(raw)
        if document.problems:
            raise ConfigError(document.problems)
    except ConfigError as error:
        raise ConfigError(
            [Problem(problem.message, text, hint=problem.hint) for problem in error.problems]
        ) from error
    return Assignment(path, document.values, False, text)


def flatten(values: Any, path: str = "") -> dict[str, Any]:
    """Nested settings as dotted path -> value; lists of plain values stay whole."""
    if isinstance(values, Mapping) and values:
        return {
            k: v
            for key, item in values.items()
            for k, v in flatten(item, f"{path}.{key}" if path else key).items()
        }
    if isinstance(values, list) and any(isinstance(item, (dict, list)) for item in values):
        return {
            k: v for i, item in enumerate(values) for k, v in flatten(item, f"{path}.{i}").items()
        }
    return {path: values}
