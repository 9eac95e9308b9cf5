"""Installed entry points, read from metadata: nothing is imported, and broken packages are
isolated.

This module finds components, hook plugins and commands, applies `SEMCORE_PLUGINS`, and imports an
entry point when it is used.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.metadata
import os
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcore.children import IMPORT, Death, attempt, entry_points_of
from semcore.entrypoints import official
from semcore.errors import PluginError
from semcore.version import __version__

PREFIX = "semcore."
"""Entry points of kind K are in the group `semcore.K`."""
FOREIGN = "semcore_"
"""Begins the name of a group that a package of components defines; that is the kind, too."""
HOOKS = "hooks"
COMMAND = "command"
CORE = "semcore"
"""The distribution that cannot be excluded."""
VARIABLE = "SEMCORE_PLUGINS"
"""Distributions to use besides the core, separated by commas; empty: none, not set: all."""
_WORDS = {HOOKS: "hook plugin"}
_MISSING = object()
SHIPPED = frozenset({CORE, "semcore-channels", "semcore-image", "semcore-llm", "semcore-video"})
"""Semcore's own distributions."""
_TARGET = re.compile(r"[\w.]+(:[\w.]+)?")


@dataclass(frozen=True)
class PluginEntry:
    """An entry point: a name, and the object it refers to.

    Fields:
        kind: its registry; `hooks` and `command` for hook plugins and commands
        name: its name in YAML
        target: `module:Class`
        package: distribution that provides it; the name of the file if registered in this process
        version: version of that distribution; the digest of that file
    """

    kind: str
    name: str
    target: str
    package: str = ""
    version: str = ""

    @property
    def label(self) -> str:
        """Its name in messages."""
        return f"{word(self.kind)} {self.name!r}"

    @property
    def module(self) -> str:
        """The module that it is defined in."""
        return self.target.partition(":")[0]

    @property
    def root(self) -> str:
        """The outermost package of that module."""
        return self.module.partition(".")[0]

    @property
    def attribute(self) -> str:
        """Its name in that module."""
        return self.target.partition(":")[2]


@dataclass(frozen=True)
class Distribution:
    """An installed distribution that has entry points of semcore.

    Fields:
        requires: its requirements, as it writes them
        entries: its entry points, in groups that begin with `semcore.` or `semcore_`
        folder: location of its metadata
        fault: why its metadata cannot be used; "" if it can
    """

    name: str
    version: str
    requires: tuple[str, ...] = ()
    entries: tuple[PluginEntry, ...] = ()
    folder: str = ""
    fault: str = ""


class UnusableError(PluginError):
    """An entry point of a package cannot be used.

    Attributes:
        reason: what is wrong with it
        fix: what to do
    """

    def __init__(self, entry: PluginEntry, reason: str, fix: str = "") -> None:
        self.reason, self.fix = reason, fix or f"fix or uninstall {entry.package}"
        super().__init__(
            f"{entry.label} of {entry.package} {entry.version} {self.reason}; {self.fix}"
        )


def word(kind: str) -> str:
    """A kind in words."""
    return _WORDS.get(kind, kind.rpartition(".")[2])


# ---------------------------------------------------------------------------------------- discovery


def shipped(entry: PluginEntry) -> bool:
    """Whether a package of semcore provides it."""
    return normalised(entry.package) in SHIPPED


@functools.cache
def everything() -> tuple[Distribution, ...]:
    """Every distribution with entry points of semcore, in path order, with broken ones and
    copies."""
    found = filter(None, map(_read, importlib.metadata.distributions()))
    return tuple(
        {os.path.realpath(one.folder) if one.folder else one: one for one in found}.values()
    )


def distributions() -> dict[str, Distribution]:
    """Normalised name -> usable distribution; of several copies the first, as Python imports it."""
    found: dict[str, Distribution] = {}
    for one in everything():
        if not one.fault:
            found.setdefault(normalised(one.name), one)
    return found


def _read(source: importlib.metadata.Distribution) -> Distribution | None:
    """A distribution from its metadata, or None if it has no entry points of semcore."""
    folder = str(getattr(source, "_path", ""))
    name, version = (*Path(folder).stem.split("-"), "", "")[:2]
    try:
        text = source.read_text("entry_points.txt") or ""
        if PREFIX not in text and f"[{FOREIGN}" not in text:
            return None
        groups = PREFIX, FOREIGN
        points = [point for point in entry_points_of(source) if point.group.startswith(groups)]
    except Exception as error:  # third-party metadata can raise anything
        return Distribution(
            name,
            version,
            folder=folder,
            fault=f"entry_points.txt cannot be read: {one_line(error)}",
        )
    try:
        metadata = source.metadata
        named, versioned = metadata["Name"], metadata["Version"]
        requires = tuple(source.requires or ())
    except Exception as error:
        return Distribution(
            name, version, folder=folder, fault=f"METADATA cannot be read: {one_line(error)}"
        )
    if not named or not versioned:
        return Distribution(
            name, version, folder=folder, fault=f"METADATA has no {'Version' if named else 'Name'}"
        )
    entries = [
        PluginEntry(point.group.removeprefix(PREFIX), point.name, point.value, named, versioned)
        for point in points
    ]
    return Distribution(named, versioned, requires, tuple(dict.fromkeys(entries)), folder)


def normalised(name: str) -> str:
    """The name of a distribution as the index has it: `Semcore_Image` and `semcore-image` are
    one."""
    return re.sub(r"[-_.]+", "-", name).lower()


def allowed() -> frozenset[str] | None:
    """Normalised names in `SEMCORE_PLUGINS`, with the core; None if not set: all are allowed."""
    text = os.environ.get(VARIABLE)
    if text is None:
        return None
    return frozenset(
        {CORE, *(normalised(name.strip()) for name in text.split(",") if name.strip())}
    )


def in_use() -> list[Distribution]:
    """The distributions that `SEMCORE_PLUGINS` allows, by name."""
    chosen = allowed()
    return [
        one for name, one in sorted(distributions().items()) if chosen is None or name in chosen
    ]


@functools.cache
def _by_name(kind: str, chosen: frozenset[str] | None) -> dict[str, list[PluginEntry]]:
    found: dict[str, list[PluginEntry]] = {}
    for one in in_use():
        for entry in one.entries:
            if entry.kind == kind:
                found.setdefault(entry.name, []).append(entry)
    return found


def entries(kind: str) -> dict[str, list[PluginEntry]]:
    """Name -> entry points of the packages in use; more than one is a clash."""
    return _by_name(kind, allowed())


def find(kind: str, name: str) -> PluginEntry | None:
    """The entry point of a name, or None.

    Raises:
        PluginError: two packages provide it
    """
    found = entries(kind).get(name, [])
    if len(found) > 1:
        guests = [one.package for one in found if not shipped(one)]
        packages = " and ".join(
            f"{one.package} {one.version}" for one in sorted(found, key=shipped)
        )
        cause = " and ".join(guests) if len(guests) < len(found) else "one of them"
        raise PluginError(
            f"{found[0].label} is given by {packages}; uninstall {cause}, or leave it out "
            f"by {VARIABLE}"
        )
    return found[0] if found else None


def left_out(kind: str, name: str) -> str:
    """A hint for a name that is not found: the variable that leaves its package out, or the package
    of semcore to install; "" for other names."""
    known = allowed()
    unused = [one for key, one in distributions().items() if known and key not in known]
    for one in unused:
        if any((entry.kind, entry.name) == (kind, name) for entry in one.entries):
            return f"{one.name} {one.version} brings it, but {VARIABLE} leaves that out"
    missing = [one for one in official.packages(kind, name) if one not in distributions()]
    return f"pip install {' or '.join(missing)}" if missing else ""


def unknown_distributions() -> list[str]:
    """Names in `SEMCORE_PLUGINS` that are not installed."""
    return sorted((allowed() or frozenset()) - {*distributions(), CORE})


# ------------------------------------------------------------------------------------------ loading


def load(entry: PluginEntry) -> Any:
    """The object behind an entry point; imports it.

    Raises:
        UnusableError: it cannot be imported, or requires another version of semcore
    """
    owner = distributions().get(normalised(entry.package))
    if owner and (refused := not_for_this(owner)):
        raise UnusableError(entry, *refused)
    if not _TARGET.fullmatch(entry.target):
        raise UnusableError(
            entry, f"has the entry point {entry.target!r}, which is not written as `module:Class`"
        )
    if _cautious and not shipped(entry) and entry.module not in sys.modules:
        _try_first(entry)
    try:
        found: Any = importlib.import_module(entry.module)
        for part in filter(None, entry.attribute.split(".")):
            found = getattr(found, part, _MISSING)
            if found is _MISSING:
                raise UnusableError(entry, f"is not there: {entry.module} has no {part!r}")
    except (KeyboardInterrupt, UnusableError):
        raise
    except BaseException as error:  # a module can raise anything, SystemExit included
        raise UnusableError(entry, *_why(entry, error, owner)) from error
    return found


_cautious: list[bool] = []
"""Not empty: third-party modules are imported in a child process first."""


def be_cautious() -> None:
    """From now on, import third-party modules in a child process first: they may crash or hang."""
    _cautious.append(True)


@functools.cache
def _try_first(entry: PluginEntry) -> None:
    for _, value in attempt("semcore.entrypoints.discovery:try_import", [entry.module], IMPORT):
        if isinstance(value, Death):
            raise UnusableError(entry, value.during("when it is imported"))


def try_import(module: str) -> Iterator[None]:
    """Import a module in a child process; exceptions are reported by the real import."""
    with contextlib.suppress(BaseException):
        importlib.import_module(module)
    yield None


def _why(entry: PluginEntry, error: BaseException, owner: Distribution | None) -> tuple[str, str]:
    """The reason for a failed import, and its fix."""
    if isinstance(error, SystemExit):
        return f"cannot be imported: it calls sys.exit({error.code!r})", ""
    if isinstance(error, ModuleNotFoundError) and error.name:
        if entry.module == error.name or entry.module.startswith(f"{error.name}."):
            fix = f"reinstall or uninstall {entry.package}"
            return f"cannot be imported: there is no module {error.name!r}, its files are gone", fix
        reason = f"cannot be imported: it needs the module {error.name!r}, which is not installed"
        if lacking := [one.text for one in unmet(owner) if not one.installed] if owner else []:
            return reason, shlex.join(["pip", "install", *lacking])
        return (
            reason,
            f"pip install {error.name.partition('.')[0]}, which {entry.package} should "
            "have among its dependencies",
        )
    return f"cannot be imported: {one_line(error)}", ""


@dataclass(frozen=True)
class Requirement:
    """A requirement: the distribution, the requirement as text, and the installed version or ""."""

    name: str
    text: str
    installed: str


def other_semcore(owner: Distribution) -> str:
    """The requirement on semcore that this version does not meet, or ""."""
    return next((one.text for one in unmet(owner) if normalised(one.name) == CORE), "")


def not_for_this(owner: Distribution) -> tuple[str, str] | None:
    """Why a distribution cannot be used with this semcore, and the fix, or None."""
    if not (wanted := other_semcore(owner)):
        return None
    fix = f"upgrade semcore, or install a version of {owner.name} that is made for it"
    return f"needs {wanted}, and this is semcore {version_of(CORE)}", fix


def unmet(owner: Distribution) -> list[Requirement]:
    """The unmet requirements of a distribution, without those of extras."""
    found = []
    for text in owner.requires:
        wanted = _wanted(text)
        if wanted is None:
            continue
        have = version_of(wanted.name)
        if not have or not wanted.specifier.contains(have, prereleases=True):
            found.append(Requirement(wanted.name, f"{wanted.name}{wanted.specifier}", have))
    return found


@functools.lru_cache(4096)
def _wanted(text: str) -> Any:
    """A parsed requirement; None if it does not apply here or cannot be parsed."""
    from packaging import requirements

    try:
        wanted = requirements.Requirement(text)
        return wanted if not wanted.marker or wanted.marker.evaluate({"extra": ""}) else None
    except (requirements.InvalidRequirement, ValueError, KeyError):
        return None


@functools.cache
def version_of(name: str) -> str:
    """The version of an installed distribution, or ""."""
    if normalised(name) == CORE:
        return __version__
    try:
        return importlib.metadata.version(name) or ""
    except Exception:
        return ""


def one_line(error: BaseException) -> str:
    """An error in one line: its type and message."""
    try:
        text = " ".join(str(error).split())
    except Exception:
        text = ""
    return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__
