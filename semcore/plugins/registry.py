"""From a name to a class: imported and checked when a pipeline names it."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path

from semcore.component.base import Component
from semcore.entrypoints import discovery, naming
from semcore.entrypoints.discovery import PluginEntry, UnusableError
from semcore.errors import PluginError
from semcore.fingerprint import origin
from semcore.plugins import contract


def register(kind: str, name: str) -> Callable[[type[Component]], type[Component]]:
    """Class decorator: register a component in this process (test, notebook, file in `plugins:`).

    It takes precedence over installed packages, and replaces earlier registrations.

    Args:
        kind: which registry: `channel`, `metric`, ...
        name: its name in YAML, under `use`

    Raises:
        PluginError: the kind is unknown, or the class does not implement its interface
    """
    naming.known_kind(kind)

    def add(cls: type[Component]) -> type[Component]:
        if wrong := contract.interface_error(cls, kind):
            raise PluginError(f"{kind} {name!r} (registered here) {wrong}")
        naming.add(kind, name, cls, functools.partial(_file, cls.__module__))
        return cls

    return add


def load(kind: str, name: str) -> type[Component]:
    """The class behind a name; imports it.

    Raises:
        PluginError: no such name, it cannot be imported, or it is not a component of that kind
    """
    entry = naming.find(kind, name)
    if entry is None:
        hint = discovery.left_out(kind, name) or f"semcore list {kind} shows what there is"
        raise PluginError(f"there is no {kind} {name!r}; {hint}")
    return naming.local(kind, name) or resolve(entry)


def resolve(entry: PluginEntry) -> type[Component]:
    """The class behind an entry point of an installed package; imports it.

    Raises:
        UnusableError: it cannot be imported, or it is not a component of that kind
    """
    cls = discovery.load(entry)
    if wrong := contract.interface_error(cls, entry.kind):
        raise UnusableError(entry, wrong)
    naming.remember(cls, entry.name)
    return cls


def _file(module: str) -> tuple[str, str]:
    """The file of a module, and the digest of what it does."""
    path = getattr(sys.modules.get(module), "__file__", None)
    return ("", "") if path is None else (Path(path).name, origin.own(module)[:12])
