"""The one check of dtypes and shapes."""

from __future__ import annotations

from typing import Any

from semcore.errors import ComponentError


def check_array(owner: object, name: str, value: Any, dtype: str, shape: tuple[object, ...]) -> None:
    """Refuse an array whose dtype or shape is not what the field promises; letters in `shape` match any size."""
    if str(getattr(value, "dtype", type(value).__name__)) != dtype:
        found = getattr(value, "dtype", type(value).__name__)
        raise ComponentError(f"{type(owner).__name__}.{name} must be {dtype}, not {found}")
    fits = len(value.shape) == len(shape) or shape[:1] == ("...",)
    sizes = zip(reversed(value.shape), reversed([size for size in shape if size != "..."]), strict=False)
    if not fits or any(isinstance(want, int) and have != want for have, want in sizes):
        wanted = ", ".join(map(str, shape))
        raise ComponentError(f"{type(owner).__name__}.{name} must have shape ({wanted}), not {tuple(value.shape)}")
