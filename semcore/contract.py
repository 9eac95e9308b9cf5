"""What a component returned, held against its interface: the first mistake of a new plugin is told in its own words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from semcore.component import Component
from semcore.errors import ComponentError
from semcore.registry import name_of

T = TypeVar("T")


def one(owner: Component, made: Any, kind: type[T], hint: str = "") -> T:
    """`made`, if it is a `kind`.

    Raises:
        ComponentError: it is something else
    """
    if not isinstance(made, kind):
        mend = f": {hint}" if hint else ""
        raise ComponentError(f"{_named(owner)} must return {kind.__name__}, not {type(made).__name__}{mend}")
    return made


def one_each(owner: Component, made: Any, kind: type[T], asked: Sequence[Any]) -> list[T]:
    """`made`, if it holds one `kind` for each of what was `asked`.

    Raises:
        ComponentError: it does not
    """
    if not isinstance(made, (list, tuple)) or not all(isinstance(item, kind) for item in made):
        raise ComponentError(f"{_named(owner)} must return a list with one {kind.__name__} a sample")
    if len(made) != len(asked):
        raise ComponentError(f"{_named(owner)} returned {len(made)} {kind.__name__} for {len(asked)} samples")
    return list(made)


def _named(owner: Component) -> str:
    inner = getattr(owner, "inner", owner)  # a cached stage answers for the component inside
    return f"{inner.kind} {name_of(type(inner))!r}"
