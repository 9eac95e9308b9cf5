"""Names and what they stand for: entry points of installed packages, and what was registered in this process.

Discovery reads metadata and imports nothing. A component is imported when a pipeline names it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from semcore.component.base import Component
from semcore.entrypoints import discovery
from semcore.entrypoints.discovery import Registered, UnusableError
from semcore.errors import PluginError
from semcore.fingerprint import origin

KINDS = (
    "encoder", "transport", "channel", "generator", "selector", "kb", "planner", "source", "codec", "metric", "recipe",
    "executor",
)  # fmt: skip


_local: dict[tuple[str, str], type[Component]] = {}
_by_module: dict[str, dict[tuple[str, str], type[Component]]] = {}


def register(kind: str, name: str) -> Callable[[type[Component]], type[Component]]:
    """Class decorator: make a component known by `name` in this process (a test, a notebook, a file beside a pipeline).

    It goes before what installed packages call by that name, and replaces what was registered before.

    Args:
        kind: which registry: `channel`, `metric`, ...
        name: what YAML calls it under `use`

    Raises:
        PluginError: there is no such kind, or the class is not a frozen dataclass that implements its interface
    """
    from semcore.plugins import contract

    _known_kind(kind)

    def add(cls: type[Component]) -> type[Component]:
        if wrong := contract.unlike(cls, kind):
            raise PluginError(f"{kind} {name!r} (registered here) {wrong}")
        _local[kind, name] = cls
        _by_module.setdefault(cls.__module__, {})[kind, name] = cls
        return cls

    return add


def renew(module: str) -> None:
    """Make what a module has registered known again, over what others have registered by the same names since."""
    _local.update(_by_module.get(module, {}))


def installed(kind: str) -> list[Registered]:
    """What installed packages bring of a kind, by name; a name that two packages give stands here twice."""
    _known_kind(kind)
    return [entry for _, entries in sorted(discovery.entries(kind).items()) for entry in entries]


def registered() -> list[Registered]:
    """What was registered in this process."""
    return [_entry_of(*key) for key in sorted(_local)]


def names(kind: str) -> list[str]:
    """All names of a kind, sorted."""
    _known_kind(kind)
    return sorted({*discovery.entries(kind), *(name for have, name in _local if have == kind)})


def find(kind: str, name: str) -> Registered | None:
    """What `name` stands for, or None. A name given by two packages is refused."""
    _known_kind(kind)
    return _entry_of(kind, name) if (kind, name) in _local else discovery.find(kind, name)


def _entry_of(kind: str, name: str) -> Registered:
    cls = _local[kind, name]
    return Registered(kind, name, f"{cls.__module__}:{cls.__qualname__}", *_origin(cls.__module__))


def load(kind: str, name: str) -> type[Component]:
    """The class behind a name; imports it.

    Raises:
        PluginError: no such name, it cannot be imported, or it is not a component of that kind
    """
    entry = find(kind, name)
    if entry is None:
        hint = discovery.left_out(kind, name) or f"semcore list {kind} shows what there is"
        raise PluginError(f"there is no {kind} {name!r}; {hint}")
    return _local[kind, name] if (kind, name) in _local else resolve(entry)


def resolve(entry: Registered) -> type[Component]:
    """The class behind an entry point of an installed package; imports it.

    Raises:
        UnusableError: it cannot be imported, or it is not a component of that kind
    """
    from semcore.plugins import contract

    cls = discovery.load(entry)
    if wrong := contract.unlike(cls, entry.kind):
        raise UnusableError(entry, wrong)
    _names[cls] = entry.name
    return cls


_names: dict[type[Component], str] = {}


def name_of(cls: type[Component]) -> str:
    """The name by which YAML calls a class."""
    for (_, name), registered in _local.items():
        if registered is cls:
            return name
    if cls not in _names:
        target = f"{cls.__module__}:{cls.__qualname__}"
        for entry in (entry for kind in KINDS for entry in installed(kind)):
            if entry.target == target:
                _names[cls] = entry.name
    return _names.get(cls, f"{cls.__module__}:{cls.__qualname__}")


def provider(kind: str, name: str) -> tuple[str, str]:
    """(package, version) that a name comes from, as in `Registered`; ("", "") if that cannot be said."""
    entry = find(kind, name)
    return (entry.package, entry.version) if entry else ("", "")


def _origin(module: str) -> tuple[str, str]:
    """The file that a module was written in, and the digest of what it does: an edited component is another one."""
    path = getattr(sys.modules.get(module), "__file__", None)
    return ("", "") if path is None else (Path(path).name, origin.own(module)[:12])


def _known_kind(kind: str) -> None:
    if kind not in KINDS:
        raise PluginError(f"there is no kind {kind!r}; kinds are {', '.join(KINDS)}")
