"""Installed plugin packages: their entry points and documentation, without importing them."""

from __future__ import annotations

import ast
import difflib
import functools
import importlib.util
import inspect
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pluggy

from semcore.entrypoints import discovery, naming
from semcore.entrypoints.discovery import COMMAND, HOOKS, PluginEntry, UnusableError
from semcore.errors import PluginError
from semcore.plugins import registry
from semcore.plugins.docstrings import summary
from semcore.plugins.hookspecs import Hooks, Tracker

GROUPS = (*naming.KINDS, COMMAND)
"""Kinds of entry points: the last part of the name of their groups."""


@dataclass(frozen=True)
class Package:
    """An installed distribution with entry points.

    Fields:
        entries: components, hook plugins, commands and what extends other packages, by group and
            name
    """

    name: str
    version: str
    entries: tuple[PluginEntry, ...]

    @property
    def components(self) -> tuple[PluginEntry, ...]:
        """Its components."""
        return tuple(entry for entry in self.entries if entry.kind in naming.KINDS)


def packages() -> list[Package]:
    """Every package in use with entry points, by name."""
    found = []
    for one in discovery.in_use():
        known = [entry for entry in one.entries if readable(entry.kind)]
        known.sort(key=lambda entry: (*map(entry.kind.__ne__, GROUPS), entry.kind, entry.name))
        if known:
            found.append(Package(one.name, one.version, tuple(known)))
    return found


def readable(kind: str) -> bool:
    """Whether semcore, or a package of components, reads a kind of entry points."""
    return kind in GROUPS or kind.startswith(discovery.FOREIGN)


def describe(entry: PluginEntry) -> str:
    """The first sentence of a class's docstring, read from its source; "" without source."""
    return summary(_docstrings(entry.module).get(entry.attribute))


def _docstrings(module: str) -> dict[str, str | None]:
    return {node.name: ast.get_docstring(node) for node in _classes(module)}


@functools.cache
def _classes(module: str) -> list[ast.ClassDef]:
    path = source_of(module)
    if path is None:
        return []
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [node for node in tree.body if isinstance(node, ast.ClassDef)]


def cites(entry: PluginEntry) -> tuple[str, ...]:
    """The keys that a class cites, read from its source, or by import if they are inherited."""
    written = _cited(entry.module).get(entry.attribute)
    return written if written is not None else registry.load(entry.kind, entry.name).cites


@functools.cache
def _cited(module: str) -> dict[str, tuple[str, ...] | None]:
    found: dict[str, tuple[str, ...] | None] = {}
    for node in _classes(module):
        for item in node.body:
            if (
                isinstance(item, ast.AnnAssign)
                and ast.unparse(item.target) == "cites"
                and isinstance(item.value, ast.Tuple)
            ):
                keys = [
                    one.value
                    for one in item.value.elts
                    if isinstance(one, ast.Constant) and isinstance(one.value, str)
                ]
                found[node.name] = tuple(keys) if len(keys) == len(item.value.elts) else None
    return found


def source_of(module: str) -> Path | None:
    """The file of a module, found without importing its package."""
    loaded = sys.modules.get(module)
    if loaded is not None and getattr(loaded, "__file__", None):
        return Path(str(loaded.__file__))
    top, *below = module.split(".")
    try:
        spec = importlib.util.find_spec(top) if top else None
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        return None
    candidates = [] if below else [Path(spec.origin or "")]
    for folder in (spec.submodule_search_locations or ()) if below else ():
        path = Path(folder, *below)
        candidates += [path.with_suffix(".py"), path / "__init__.py"]
    return next((one for one in candidates if one.suffix == ".py" and one.is_file()), None)


# ------------------------------------------------------------------------------- hooks and commands


def hook_names() -> list[str]:
    """Names of the installed hook plugins."""
    return sorted(discovery.entries(HOOKS))


def hook_manager(plugins: Sequence[object]) -> pluggy.PluginManager:
    """A plugin manager with hook plugins.

    Args:
        plugins: names of installed ones, trackers, and objects with hooks

    Raises:
        PluginError: a name is unknown, or a plugin unusable
    """
    manager = _manager()
    names = [one for one in plugins if isinstance(one, str)]
    for one in plugins:
        if not isinstance(one, str):
            named = getattr(one, "__name__", type(one).__name__)
            named = naming.name_of(type(one)) if isinstance(one, Tracker) else named
            if reason := hook_error(one, manager, named):
                raise PluginError(f"hook plugin {named!r} {reason}")
        elif one in names:
            names = [name for name in names if name != one]  # a name that occurs twice is one
            entry = discovery.find(HOOKS, one)
            if entry is None:
                hint = discovery.left_out(HOOKS, one)
                hint = hint or f"installed are {', '.join(hook_names()) or 'none'}"
                raise PluginError(f"there is no hook plugin {one!r}; {hint}")
            add_hooks(entry, manager)
    return manager


def _manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager("semcore")
    manager.add_hookspecs(Hooks)
    return manager


def add_hooks(entry: PluginEntry, manager: pluggy.PluginManager | None = None) -> object:
    """Load a hook plugin (a module, an object, or a class without arguments), and put it into a
    manager.

    Raises:
        UnusableError: it cannot be loaded, or has an unknown hook
    """
    plugin = discovery.load(entry)
    try:
        plugin = plugin() if isinstance(plugin, type) else plugin
        reason = hook_error(plugin, manager or _manager(), entry.name)
    except (Exception, SystemExit) as error:
        raise UnusableError(entry, f"cannot be used: {discovery.one_line(error)}") from error
    if reason:
        raise UnusableError(entry, reason)
    return plugin


class _Bound:
    """The hooks of a tracker. Trackers with equal settings are equal, and a manager would take them
    for one."""

    def __init__(self, tracker: Tracker) -> None:
        vars(self).update({name: getattr(tracker, name) for name in _named(tracker)})


def hook_error(plugin: object, manager: pluggy.PluginManager, name: str | None = None) -> str:
    """Put a hook plugin into a manager; why it cannot be used, or ""."""
    known = [name for name in vars(Hooks) if name.startswith("semcore_")]
    for one in sorted(set(named := _named(plugin)) - set(known)):
        near = difflib.get_close_matches(one, known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"hooks are {', '.join(known)}"
        return f"has {one!r}, which is not a hook; {hint}"
    held = _Bound(plugin) if isinstance(plugin, Tracker) else plugin
    taken = [n for n, _ in manager.list_name_plugin() if n == name or n.startswith(f"{name} ")]
    try:
        manager.register(held, f"{name} {len(taken) + 1}" if taken else name)
    except (Exception, SystemExit) as error:  # pluggy names arguments that do not exist
        return f"cannot be used: {discovery.one_line(error)}"
    called = {caller.name for caller in manager.get_hookcallers(held) or ()}
    if missing := sorted(set(named) - called):
        return f"has {missing[0]!r} without @semcore.hook above it"
    return "" if called else f"has no hook; hooks are {', '.join(known)}"


def _named(plugin: object) -> list[str]:
    """Names of functions that are hooks, or are named like one."""
    holder = type(plugin) if isinstance(plugin, Tracker) else plugin
    routines = {
        name: held for name in dir(holder) if inspect.isroutine(held := getattr(holder, name))
    }
    return [
        name
        for name, held in routines.items()
        if name.startswith("semcore_") or hasattr(held, "semcore_impl")
    ]


def command(entry: PluginEntry) -> click.Command:
    """A third-party command.

    Raises:
        UnusableError: it cannot be loaded, or is not a command
    """
    found: Any = discovery.load(entry)
    if not isinstance(found, click.Command):
        raise UnusableError(
            entry,
            f"is not a click command but a {type(found).__name__}: put @click.command() above it",
        )
    return found
