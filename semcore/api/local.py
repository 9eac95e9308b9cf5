"""Classes of components that are defined in a notebook, a script or a module of the user's own."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable

from semcore.component.base import Component
from semcore.config.configuration import Configuration
from semcore.entrypoints import naming
from semcore.errors import ComponentError
from semcore.plugins.registry import register

_named = set[type]()
"""Classes that were registered here by their own names."""


def named(cls: type[Component]) -> str:
    """The name of a class in YAML. One without gets its own, as `my-codec` for `MyCodec`.

    Raises:
        ComponentError: an installed package has that name
    """
    known = naming.name_of(cls)
    if ":" not in known:
        return known
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", cls.__name__).lower()
    entry = naming.find(cls.kind, name)
    if entry is not None and naming.local(cls.kind, name) is None:
        raise ComponentError(
            f"{cls.__name__} would be called {name!r}, which {entry.package} has: give it a name "
            f"with @semcore.register({cls.kind!r}, NAME)"
        )
    register(cls.kind, name)(cls)
    _named.add(cls)
    return name


def files_of(classes: Iterable[type]) -> list[str]:
    """The files that register those of some classes that no installed package brings."""
    return list(dict.fromkeys(filter(None, (_file(cls) for cls in classes if _is_local(cls)))))


def refuse_local(configuration: Configuration) -> None:
    """Refuse components that no other process can make.

    Raises:
        ComponentError: naming their classes, and what to do
    """
    parts = {type(part) for resolved in configuration.resolved() for part in resolved.setup.parts}
    bare = [cls for cls in parts if _is_local(cls) and _file(cls) is None]
    if bare:
        names = ", ".join(sorted(cls.__name__ for cls in bare))
        raise ComponentError(
            f"other processes cannot make {names}, which this one defines: put the class into a "
            "file, with @semcore.register, and name the file under plugins; or use one process"
        )


def _is_local(cls: type) -> bool:
    """Whether a class was registered in this process, and not by an installed package."""
    return naming.local(getattr(cls, "kind", ""), naming.name_of(cls)) is cls


def _file(cls: type) -> str | None:
    """The file that registers a class, for other processes to run; None if there is none."""
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    return None if cls.__module__ == "__main__" or cls in _named else file
