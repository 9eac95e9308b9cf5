"""Imports of a package, read from its source: what each module needs, and whether in a circle."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Set
from pathlib import Path


def modules(package: Path) -> dict[str, Path]:
    """Every module of a package by its full name; templates are none."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        if not {"templates", "__pycache__"} & set(path.parts):
            parts = path.relative_to(package.parent).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """(module, name) of each import of a file, in functions and for type checkers too.

    `import a` gives ("a", ""), and `from .a import b` gives (".a", "b").
    """
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from ((module, alias.name) for alias in node.names)


def needs(path: Path, known: Collection[str]) -> set[str]:
    """Those of the modules `known` that a file imports.

    `from a import b` needs `a.b` if that is a module, else `a`.
    """
    names = {(module, f"{module}.{name}") for module, name in imports(path)}
    assert not [name for name in names if name[0].startswith(".")], f"{path}: imports are absolute"
    return {full if full in known else module for module, full in names} & set(known)


def circle(needs: Mapping[str, Set[str]]) -> set[str]:
    """Modules that import each other, directly or by way of others; empty if none do."""
    left = {name: others - {name} for name, others in needs.items()}
    while ready := {name for name, others in left.items() if not others & left.keys()}:
        left = {name: others for name, others in left.items() if name not in ready}
    return set(left)
