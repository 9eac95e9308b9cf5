"""The names by which YAML calls classes: those of installed packages, and those registered in this process.

Nothing is imported here; `semcore.plugins.registry` loads the class behind a name.
"""

from __future__ import annotations

from collections.abc import Callable

from semcore.entrypoints import discovery
from semcore.entrypoints.discovery import PluginEntry
from semcore.errors import PluginError

KINDS = (
    "encoder", "transport", "channel", "generator", "selector", "kb", "planner", "source", "codec", "metric", "recipe",
    "executor",
)  # fmt: skip


_local: dict[tuple[str, str], type] = {}
_by_module: dict[str, dict[tuple[str, str], type]] = {}
_of_class: dict[type, str] = {}
_file_of: dict[str, Callable[[], tuple[str, str]]] = {}
_generation: list[str] = []


def _unknown() -> tuple[str, str]:
    return "", ""


def generation() -> int:
    """How many classes were registered in this process so far: a name may stand for another class after each."""
    return len(_generation)


def add(kind: str, name: str, cls: type, file: Callable[[], tuple[str, str]]) -> None:
    """Make a class known by a name in this process; it replaces what was known by it before.

    Args:
        file: gives the name of the file that it is written in, and the digest of what that does
    """
    _file_of[cls.__module__] = file
    _local[kind, name] = cls
    _generation.append(name)
    _by_module.setdefault(cls.__module__, {})[kind, name] = cls


def renew(module: str) -> None:
    """Make what a module has registered known again, over what others have registered by the same names since."""
    _local.update(_by_module.get(module, {}))


def installed(kind: str) -> list[PluginEntry]:
    """What installed packages bring of a kind, by name; a name that two packages give stands here twice."""
    known_kind(kind)
    return [entry for _, entries in sorted(discovery.entries(kind).items()) for entry in entries]


def registered() -> list[PluginEntry]:
    """What was registered in this process."""
    return [_entry_of(*key) for key in sorted(_local)]


def names(kind: str) -> list[str]:
    """All names of a kind, sorted."""
    known_kind(kind)
    return sorted({*discovery.entries(kind), *(name for have, name in _local if have == kind)})


def find(kind: str, name: str) -> PluginEntry | None:
    """What `name` stands for, or None. A name given by two packages is refused."""
    known_kind(kind)
    return _entry_of(kind, name) if (kind, name) in _local else discovery.find(kind, name)


def _entry_of(kind: str, name: str) -> PluginEntry:
    cls = _local[kind, name]
    return PluginEntry(kind, name, f"{cls.__module__}:{cls.__qualname__}", *_file_of.get(cls.__module__, _unknown)())


def local(kind: str, name: str) -> type | None:
    """The class that was registered in this process by a name, or None."""
    return _local.get((kind, name))


def remember(cls: type, name: str) -> None:
    """Note the name of the entry point by which a class was loaded."""
    _of_class[cls] = name


def name_of(cls: type) -> str:
    """The name by which YAML calls a class."""
    for (_, name), registered in _local.items():
        if registered is cls:
            return name
    if cls not in _of_class:
        target = f"{cls.__module__}:{cls.__qualname__}"
        for entry in (entry for kind in KINDS for entry in installed(kind)):
            if entry.target == target:
                _of_class[cls] = entry.name
    return _of_class.get(cls, f"{cls.__module__}:{cls.__qualname__}")


def provider(kind: str, name: str) -> tuple[str, str]:
    """(package, version) that a name comes from, as in `PluginEntry`; ("", "") if that cannot be said."""
    entry = find(kind, name)
    return (entry.package, entry.version) if entry else ("", "")


def known_kind(kind: str) -> None:
    """Refuse a kind that there is not.

    Raises:
        PluginError: with the kinds that there are
    """
    if kind not in KINDS:
        raise PluginError(f"there is no kind {kind!r}; kinds are {', '.join(KINDS)}")
