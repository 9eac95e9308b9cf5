"""The one check of dtypes and shapes."""

from __future__ import annotations

from typing import Any

from semcore.errors import ComponentError


def check_array(
    owner: object, name: str, value: Any, dtype: str, shape: tuple[object, ...]
) -> None:
    """Refuse an array of another dtype or shape than declared; letters match any size."""
    found = str(getattr(value, "dtype", type(value).__name__))
    field = f"{type(owner).__name__}.{name}"
    if found != dtype:
        raise ComponentError(f"{field} must be {dtype}, not {found}")
    fits = len(value.shape) == len(shape) or shape[:1] == ("...",)
    named = [size for size in shape if size != "..."]
    sizes = zip(reversed(value.shape), reversed(named), strict=False)
    if not fits or any(isinstance(want, int) and have != want for have, want in sizes):
        wanted = ", ".join(map(str, shape))
        raise ComponentError(f"{field} must have shape ({wanted}), not {tuple(value.shape)}")
