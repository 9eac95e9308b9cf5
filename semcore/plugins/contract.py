"""A component held against its interface: its class, and what it returned.

The first mistake of a new plugin is told in its own words.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeVar

from semcore.component.base import Component
from semcore.errors import ComponentError
from semcore.plugins.registry import name_of

if TYPE_CHECKING:
    from semcore.interfaces import Metric, Record

T = TypeVar("T")
TOLERANCE = 1e-6
"""By which rounding may put a value beyond the ends of its range, relative to an end greater than 1."""


def unlike(cls: object, kind: str) -> str:
    """How a class is not a component of a kind: what it is or does not define; "" if it is one."""
    from semcore.interfaces import INTERFACES

    interface = INTERFACES[kind]
    if not (isinstance(cls, type) and issubclass(cls, interface)):
        return f"is not a {interface.__name__}"
    parameters = vars(cls).get("__dataclass_params__")  # its own, not those that it inherits
    if parameters is None or not parameters.frozen:
        return "is not a frozen dataclass: put @dataclass(frozen=True) above it"
    for name in sorted(getattr(cls, "__abstractmethods__", ())):
        wanted = _parameters(interface, name)
        return f"does not define {name}" + (f"({', '.join(one.name for one in wanted)})" if wanted is not None else "")
    for name in vars(interface):
        if not name.startswith("_") and (wrong := _other_parameters(cls, interface, name)):
            return wrong
    return ""


def _other_parameters(cls: type, interface: type, name: str) -> str:
    """How a method of a class cannot be called as the interface calls it, or ""."""
    wanted, found = _parameters(interface, name), _parameters(cls, name)
    if wanted is None or found is None:
        return "" if wanted is None or callable(getattr(cls, name)) else f"has {name} as a value: it must be a method"
    more = found[len(wanted) :]
    alike = [one.name for one in found[: len(wanted)]] == [one.name for one in wanted]
    if alike and not any(one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD for one in more):
        return ""
    takes, asked = (", ".join(str(one.replace(annotation=one.empty)) for one in some) for some in (found, wanted))
    return f"takes {name}({takes}), where the interface has {name}({asked})"


def _parameters(cls: type, name: str) -> list[inspect.Parameter] | None:
    """What a method is called with, `self` aside; None if it is no method."""
    held = inspect.getattr_static(cls, name, None)
    function = held.__func__ if isinstance(held, (staticmethod, classmethod)) else held
    if not inspect.isfunction(function):
        return None
    parameters = list(inspect.signature(function).parameters.values())
    return parameters if isinstance(held, staticmethod) else parameters[1:]


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


def values(metric: Metric, records: Sequence[Record]) -> list[float | None]:
    """What a metric says of each record: one number or None each, within the range that its `statistic` declares.

    Raises:
        ComponentError: it is something else
    """
    found = metric.measure(records)
    if not isinstance(found, (list, tuple)) or not all(one is None or isinstance(one, Real) for one in found):
        raise ComponentError(f"{_named(metric)} must return a list with one number or None a sample")
    if len(found) != len(records):
        raise ComponentError(f"{_named(metric)} returned {len(found)} values for {len(records)} samples")
    low, high = metric.statistic.range
    for value, record in zip(found, records, strict=True):
        if value is None:
            continue
        below = low is not None and value < low - TOLERANCE * max(1.0, abs(low))
        above = high is not None and value > high + TOLERANCE * max(1.0, abs(high))
        if below or above:
            least, most = ("no end" if end is None else f"{end:g}" for end in (low, high))
            said = f"{_named(metric)} says {float(value):g} of sample {record.source.id!r}"
            raise ComponentError(f"{said}, and its `statistic` declares values from {least} to {most}")
    return [value if value is None or isinstance(value, float) else float(value) for value in found]


def _named(owner: Component) -> str:
    inner = getattr(owner, "inner", owner)  # a cached stage answers for the component inside
    return f"{inner.kind} {name_of(type(inner))!r}"
