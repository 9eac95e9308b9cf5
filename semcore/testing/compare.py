"""Where two values differ: the types of semcore compared by content, with the place of the first
difference."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np


def difference(one: Any, other: Any, tolerance: float = 0.0, place: str = "") -> str:
    """Where and how `other` is not `one`, or "" if it is; arrays may differ by `tolerance`."""
    here = place or "it"
    if type(one) is not type(other):
        return f"{here} is a {type(one).__name__} and a {type(other).__name__}"
    if hasattr(one, "detach"):
        one, other = one.detach().cpu().numpy(), other.detach().cpu().numpy()
    if isinstance(one, np.ndarray):
        return _arrays(one, other, tolerance, here)
    if isinstance(one, (list, tuple)) and len(one) != len(other):
        return f"{here} has {len(one)} and {len(other)} items"
    if isinstance(one, Mapping) and list(one) != list(other):
        return f"{here} has the keys {list(one)} and {list(other)}"
    parts = _parts(one, other)
    if parts is None:
        same = one == other or one != one and other != other  # NaN is like NaN
        return "" if same else f"{here} is {one!r} and {other!r}"
    found = (difference(part, again, tolerance, place + name) for name, part, again in parts)
    return next(filter(None, found), "")


def _parts(one: Any, other: Any) -> list[tuple[str, Any, Any]] | None:
    """(name, part, the other's part) of values that are made of parts, None for those that are
    not."""
    if dataclasses.is_dataclass(one) and not isinstance(one, type):
        names = [field.name for field in dataclasses.fields(one)]
        return [(f".{name}", getattr(one, name), getattr(other, name)) for name in names]
    if isinstance(one, Mapping):
        return [(f"[{key!r}]", one[key], other[key]) for key in one]
    if isinstance(one, (list, tuple)):
        return [(f"[{index}]", *pair) for index, pair in enumerate(zip(one, other, strict=True))]
    return None


def _arrays(one: np.ndarray, other: np.ndarray, tolerance: float, here: str) -> str:
    if one.shape != other.shape or one.dtype != other.dtype:
        return f"{here} is {one.dtype} {one.shape} and {other.dtype} {other.shape}"
    apart = ~np.isclose(
        one.astype(_wide(one)), other.astype(_wide(one)), rtol=0, atol=tolerance, equal_nan=True
    )
    return f"{int(apart.sum())} of the {apart.size} values of {here} differ" if apart.any() else ""


def _wide(array: np.ndarray) -> type:
    """A type in which differences of the array's values do not wrap around."""
    return np.complex128 if np.iscomplexobj(array) else np.float64
