"""Checks a class against the interface of its kind."""

from __future__ import annotations

import functools
import inspect
from typing import Any, cast

from semcore import interfaces
from semcore.component.base import Component
from semcore.planning.interface import Planner
from semcore.plugins.hookspecs import Tracker

INTERFACES: dict[str, type[Component]] = {
    interface.kind: interface
    for interface in (
        interfaces.SemanticEncoder, interfaces.Transport, interfaces.ChannelModel,
        interfaces.Generator, interfaces.Selector, interfaces.KBPolicy, Planner, interfaces.Source,
        interfaces.Codec, interfaces.Metric, interfaces.Recipe, interfaces.Executor, Tracker,
    )
}  # fmt: skip


def interface_error(cls: object, kind: str) -> str:
    """Why a class does not implement the interface of a kind, or ""."""
    interface = INTERFACES[kind]
    if not (isinstance(cls, type) and issubclass(cls, interface)):
        return f"is not a {interface.__name__}"
    known, wanted = cast(Any, cls), cast(Any, interface)
    return _class_error(known, wanted)


@functools.lru_cache(4096)
def _class_error(cls: Any, interface: Any) -> str:
    parameters = vars(cls).get("__dataclass_params__")  # not inherited ones
    if parameters is None or not parameters.frozen:
        return "is not a frozen dataclass: put @dataclass(frozen=True) above it"
    for name in sorted(getattr(cls, "__abstractmethods__", ())):
        wanted = _parameters(interface, name)
        return f"does not define {name}" + (
            f"({', '.join(one.name for one in wanted)})" if wanted is not None else ""
        )
    for name in vars(interface):
        if not name.startswith("_") and (wrong := _other_parameters(cls, interface, name)):
            return wrong
    return ""


def _other_parameters(cls: type, interface: type, name: str) -> str:
    """Why a method cannot be called as the interface calls it, or ""."""
    wanted, found = _parameters(interface, name), _parameters(cls, name)
    if wanted is None or found is None:
        return (
            ""
            if wanted is None or callable(getattr(cls, name))
            else f"has {name} as a value: it must be a method"
        )
    more = found[len(wanted) :]
    same = [one.name for one in found[: len(wanted)]] == [one.name for one in wanted]
    if same and not any(
        one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD for one in more
    ):
        return ""
    takes, asked = (
        ", ".join(str(one.replace(annotation=one.empty)) for one in some)
        for some in (found, wanted)
    )
    return f"takes {name}({takes}), where the interface has {name}({asked})"


def _parameters(cls: type, name: str) -> list[inspect.Parameter] | None:
    """The parameters of a method, without `self`; None if it is not a method."""
    held = inspect.getattr_static(cls, name, None)
    function = held.__func__ if isinstance(held, (staticmethod, classmethod)) else held
    if not inspect.isfunction(function):
        return None
    parameters = list(inspect.signature(function).parameters.values())
    return parameters if isinstance(held, staticmethod) else parameters[1:]
