"""Names of classes in YAML: of installed packages, and of this process.

Nothing is imported here; `semcore.plugins.registry` loads the class behind a name.
"""

from __future__ import annotations

from collections.abc import Callable

from semcore.entrypoints import discovery
from semcore.entrypoints.discovery import PluginEntry
from semcore.errors import PluginError

KINDS = (
    "encoder", "transport", "channel", "generator", "selector", "kb", "planner", "source", "codec",
    "metric", "recipe", "executor", "hooks",
)  # fmt: skip


_local: dict[tuple[str, str], type] = {}
_by_module: dict[str, dict[tuple[str, str], type]] = {}
_of_class: dict[type, str] = {}
_file_of: dict[str, Callable[[], tuple[str, str]]] = {}
_generation: list[str] = []


def _unknown() -> tuple[str, str]:
    return "", ""


def generation() -> int:
    """Number of registrations in this process; each may change the class of a name."""
    return len(_generation)


def add(kind: str, name: str, cls: type, file: Callable[[], tuple[str, str]]) -> None:
    """Register a class by a name in this process, replacing any previous one.

    Args:
        file: returns the name of its file, and the digest of what that does
    """
    _file_of[cls.__module__] = file
    _local[kind, name] = cls
    _generation.append(name)
    _by_module.setdefault(cls.__module__, {})[kind, name] = cls


def renew(module: str) -> None:
    """Register the classes of a module again, over later ones with the same names."""
    _local.update(_by_module.get(module, {}))


def of_module(module: str) -> set[tuple[str, str]]:
    """(kind, name) of what a module has registered."""
    return set(_by_module.get(module, {}))


def installed(kind: str) -> list[PluginEntry]:
    """Entry points of a kind, by name; a name that two packages provide occurs twice."""
    known_kind(kind)
    return [entry for _, entries in sorted(discovery.entries(kind).items()) for entry in entries]


def registered() -> list[PluginEntry]:
    """The entries registered in this process."""
    return [_entry_of(*key) for key in sorted(_local)]


def names(kind: str) -> list[str]:
    """All names of a kind, sorted."""
    known_kind(kind)
    return sorted({*discovery.entries(kind), *(name for have, name in _local if have == kind)})


def find(kind: str, name: str) -> PluginEntry | None:
    """The entry of a name, or None. A name provided by two packages is refused."""
    known_kind(kind)
    return _entry_of(kind, name) if (kind, name) in _local else discovery.find(kind, name)


def _entry_of(kind: str, name: str) -> PluginEntry:
    cls = _local[kind, name]
    return PluginEntry(
        kind,
        name,
        f"{cls.__module__}:{cls.__qualname__}",
        *_file_of.get(cls.__module__, _unknown)(),
    )


def local(kind: str, name: str) -> type | None:
    """The class registered in this process by a name, or None."""
    return _local.get((kind, name))


def remember(cls: type, name: str) -> None:
    """Note the name of the entry point by which a class was loaded."""
    _of_class[cls] = name


def name_of(cls: type) -> str:
    """The name of a class in YAML."""
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
    """(package, version) that provides a name, as in `PluginEntry`; ("", "") if unknown."""
    entry = find(kind, name)
    return (entry.package, entry.version) if entry else ("", "")


def known_kind(kind: str) -> None:
    """Refuse an unknown kind.

    Raises:
        PluginError: naming the known kinds
    """
    if kind not in KINDS:
        raise PluginError(f"there is no kind {kind!r}; kinds are {', '.join(KINDS)}")
