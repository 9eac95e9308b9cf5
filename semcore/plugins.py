"""Installed plugin packages, looked at from outside: what they bring and what they say of it, without importing them."""

from __future__ import annotations

import ast
import functools
import importlib.metadata
import sys
from dataclasses import dataclass
from pathlib import Path

import pluggy

from semcore import registry
from semcore.component import summary
from semcore.errors import PluginError
from semcore.registry import Registered

HOOK_GROUP = "semcore.hooks"
COMMAND_GROUP = "semcore.command"


@dataclass(frozen=True)
class Package:
    """An installed distribution that brings components."""

    name: str
    version: str
    components: tuple[Registered, ...]


def packages() -> list[Package]:
    """Every installed package that registers something, by name."""
    found: dict[tuple[str, str], list[Registered]] = {}
    for kind in registry.KINDS:
        for entry in registry.installed(kind):
            found.setdefault((entry.package, entry.version), []).append(entry)
    return [Package(name, version, tuple(entries)) for (name, version), entries in sorted(found.items())]


def describe(entry: Registered) -> str:
    """The first sentence of a class's docstring, read from its source; "" if the source is not there."""
    module, _, name = entry.target.partition(":")
    return summary(_docstrings(module).get(name))


def _docstrings(module: str) -> dict[str, str | None]:
    return {node.name: ast.get_docstring(node) for node in _classes(module)}


@functools.cache
def _classes(module: str) -> list[ast.ClassDef]:
    path = source_of(module)
    if path is None:
        return []
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return []
    return [node for node in tree.body if isinstance(node, ast.ClassDef)]


def cites(entry: Registered) -> tuple[str, ...]:
    """The keys that a class cites, read from its source; only if it writes none itself (it may inherit) it is imported."""
    module, _, name = entry.target.partition(":")
    written = _cited(module).get(name)
    return written if written is not None else registry.load(entry.kind, entry.name).cites


@functools.cache
def _cited(module: str) -> dict[str, tuple[str, ...] | None]:
    found: dict[str, tuple[str, ...] | None] = {}
    for node in _classes(module):
        for item in node.body:
            if isinstance(item, ast.AnnAssign) and ast.unparse(item.target) == "cites" and isinstance(item.value, ast.Tuple):
                keys = [one.value for one in item.value.elts if isinstance(one, ast.Constant) and isinstance(one.value, str)]
                found[node.name] = tuple(keys) if len(keys) == len(item.value.elts) else None
    return found


def source_of(module: str) -> Path | None:
    """The file of a module, found without importing its package."""
    loaded = sys.modules.get(module)
    if loaded is not None and getattr(loaded, "__file__", None):
        return Path(str(loaded.__file__))
    relative = Path(*module.split("."))
    for folder in sys.path:
        for candidate in (Path(folder, relative).with_suffix(".py"), Path(folder, relative, "__init__.py")):
            if candidate.is_file():
                return candidate
    return None


def hook_names() -> list[str]:
    """Hook plugins that are installed."""
    return sorted({entry.name for entry in importlib.metadata.entry_points(group=HOOK_GROUP)})


def hook_manager(names: list[str]) -> pluggy.PluginManager:
    """A plugin manager with the hooks that a pipeline names; each is loaded by itself.

    Raises:
        PluginError: a name is unknown, or its module cannot be imported
    """
    from semcore.hookspecs import Hooks

    manager = pluggy.PluginManager("semcore")
    manager.add_hookspecs(Hooks)
    known = {entry.name: entry for entry in importlib.metadata.entry_points(group=HOOK_GROUP)}
    for name in names:
        if name not in known:
            raise PluginError(f"there is no hook plugin {name!r}; installed are {', '.join(known) or 'none'}")
        try:
            manager.register(known[name].load(), name)
            manager.check_pending()
        except Exception as error:
            raise PluginError(f"hook plugin {name!r} ({known[name].value}) cannot be used: {error}") from error
    return manager
