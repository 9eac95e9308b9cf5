"""Names and what they stand for: entry points of installed packages, and what was registered in this process.

Discovery reads metadata and imports nothing. A component is imported when a pipeline names it.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.metadata
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from semcore.component import Component
from semcore.errors import PluginError

GROUP = "semcore."
"""Entry points of kind K stand in the group `semcore.K`."""

KINDS = (
    "encoder", "transport", "channel", "generator", "selector", "kb", "planner", "source", "codec", "metric", "recipe",
    "executor",
)  # fmt: skip


@dataclass(frozen=True)
class Registered:
    """A name of the registry.

    Fields:
        kind: its registry
        name: what YAML calls it
        target: `module:Class`
        package: distribution that brings it; the file's name if it was registered in this process
        version: version of that distribution; the digest of that file
    """

    kind: str
    name: str
    target: str
    package: str = ""
    version: str = ""


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
    _known_kind(kind)

    def add(cls: type[Component]) -> type[Component]:
        _check_class(kind, name, cls, "registered here")
        _local[kind, name] = cls
        _by_module.setdefault(cls.__module__, {})[kind, name] = cls
        return cls

    return add


def renew(module: str) -> None:
    """Make what a module has registered known again, over what others have registered by the same names since."""
    _local.update(_by_module.get(module, {}))


@functools.cache
def _installed() -> dict[str, dict[str, list[Registered]]]:
    found: dict[str, dict[str, list[Registered]]] = {kind: {} for kind in KINDS}
    entry_points = importlib.metadata.entry_points()
    for kind in KINDS:
        for entry in entry_points.select(group=GROUP + kind):
            package, version = (entry.dist.name, entry.dist.version) if entry.dist else ("", "")
            one = Registered(kind, entry.name, entry.value, package, version)
            if one not in found[kind].setdefault(entry.name, []):
                found[kind][entry.name].append(one)
    return found


def installed(kind: str) -> list[Registered]:
    """What installed packages bring of a kind, by name; a name that two packages give stands here twice."""
    _known_kind(kind)
    return [entry for _, entries in sorted(_installed()[kind].items()) for entry in entries]


def names(kind: str) -> list[str]:
    """All names of a kind, sorted."""
    _known_kind(kind)
    return sorted({*_installed()[kind], *(name for have, name in _local if have == kind)})


def find(kind: str, name: str) -> Registered | None:
    """What `name` stands for, or None. A name given by two packages is refused."""
    _known_kind(kind)
    if (kind, name) in _local:
        cls = _local[kind, name]
        return Registered(kind, name, f"{cls.__module__}:{cls.__qualname__}", *_origin(cls.__module__))
    found = _installed()[kind].get(name, [])
    if len(found) > 1:
        packages = " and ".join(sorted(f"{one.package} {one.version}" for one in found))
        raise PluginError(f"{kind} {name!r} is given by {packages}; uninstall one of them")
    return found[0] if found else None


def load(kind: str, name: str) -> type[Component]:
    """The class behind a name; imports it.

    Raises:
        PluginError: no such name, it cannot be imported, or it is not a component of that kind
    """
    entry = find(kind, name)
    if entry is None:
        raise PluginError(f"there is no {kind} {name!r}; semcore list {kind} shows what there is")
    if (kind, name) in _local:
        return _local[kind, name]
    module, _, attribute = entry.target.partition(":")
    try:
        cls = getattr(importlib.import_module(module), attribute)
    except Exception as error:
        raise PluginError(
            f"{kind} {name!r} of {entry.package} {entry.version} cannot be imported: {type(error).__name__}: {error}; "
            f"mend or uninstall {entry.package}"
        ) from error
    _check_class(kind, name, cls, f"of {entry.package} {entry.version}")
    _names[cls] = name
    return cls


_names: dict[type[Component], str] = {}


def name_of(cls: type[Component]) -> str:
    """The name by which YAML calls a class."""
    for (_, name), registered in _local.items():
        if registered is cls:
            return name
    if cls not in _names:
        target = f"{cls.__module__}:{cls.__qualname__}"
        for by_name in _installed().values():
            for name, entries in by_name.items():
                if any(entry.target == target for entry in entries):
                    _names[cls] = name
    return _names.get(cls, f"{cls.__module__}:{cls.__qualname__}")


def provider(kind: str, name: str) -> tuple[str, str]:
    """(package, version) that a name comes from, as in `Registered`; ("", "") if that cannot be said."""
    entry = find(kind, name)
    return (entry.package, entry.version) if entry else ("", "")


@functools.cache
def _origin(module: str) -> tuple[str, str]:
    """The file that a module was written in, and its digest: an edited component is another one."""
    path = getattr(sys.modules.get(module), "__file__", None)
    if path is None:
        return "", ""
    return Path(path).name, hashlib.blake2b(Path(path).read_bytes(), digest_size=6).hexdigest()


def _known_kind(kind: str) -> None:
    if kind not in KINDS:
        raise PluginError(f"there is no kind {kind!r}; kinds are {', '.join(KINDS)}")


def _check_class(kind: str, name: str, cls: object, origin: str) -> None:
    from semcore.interfaces import INTERFACES

    interface = INTERFACES[kind]
    if not (isinstance(cls, type) and issubclass(cls, interface)):
        raise PluginError(f"{kind} {name!r} ({origin}) is not a {interface.__name__}")
    parameters = vars(cls).get("__dataclass_params__")  # its own, not those that it inherits
    if parameters is None or not parameters.frozen:
        raise PluginError(f"{kind} {name!r} ({origin}) is not a frozen dataclass: put @dataclass(frozen=True) above it")
