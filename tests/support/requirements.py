"""What a package declares in its pyproject.toml, and what its source imports."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from semcore.fingerprint.libraries import NAMED_OTHERWISE

from .imports import modules

ROOT = Path(__file__).parents[2]
FOLDERS = {
    "semcore": ROOT,
    **{path.name.replace("_", "-"): path for path in sorted((ROOT / "plugins").iterdir())},
}
"""Distribution -> folder of its pyproject.toml."""
BROUGHT_BY = {**NAMED_OTHERWISE, "pydantic_core": "pydantic", "yaml": "pyyaml"}
USED_ALREADY = "semcore/fingerprint/libraries.py"
"""Asks libraries that a process uses for their versions."""
HOSTS = {"IPython": "imported only by a process that is its kernel"}
"""Modules that need no declaration, and why."""


@dataclass(frozen=True)
class Import:
    """One import of a library.

    Fields:
        where: file and line
        distribution: what brings the library
        guard: extras that the code around it names (`semcore-video[av]`); None: nothing handles
            that it is missing; empty: the code does without it
    """

    where: str
    distribution: str
    guard: frozenset[str] | None


def project(name: str) -> Mapping[str, Any]:
    """The table `project` of a distribution of this repository."""
    text = (FOLDERS[name] / "pyproject.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["project"]


def extras(name: str) -> Mapping[str, list[str]]:
    """Extra -> its requirements."""
    return project(name).get("optional-dependencies", {})


def brought(name: str, extra: str = "") -> set[str]:
    """Distributions that a package requires itself, or that an extra of it adds, with the other
    extras of this package that it names; what their distributions require in turn is not added."""
    table = project(name)
    texts = table.get("optional-dependencies", {})[extra] if extra else table["dependencies"]
    found: set[str] = set()
    for one in map(Requirement, texts):
        if extra and canonicalize_name(one.name) == name:
            found.update(*(brought(name, other) for other in one.extras))
        else:
            found.add(canonicalize_name(one.name))
    return found


def imported(name: str) -> list[Import]:
    """Every import of a third party's library in the source of a distribution."""
    folder = FOLDERS[name] / name.replace("-", "_")
    found: list[Import] = []
    for path in modules(folder).values():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        where = str(path.relative_to(ROOT))
        found += [
            Import(f"{where}:{line}", canonicalize_name(BROUGHT_BY.get(root, root)), guard)
            for line, root, guard in _imports(tree, None)
            if root not in sys.stdlib_module_names and root not in HOSTS
            if canonicalize_name(root) != name and where != USED_ALREADY
        ]
    return found


def _imports(
    node: ast.AST, guard: frozenset[str] | None
) -> Iterator[tuple[int, str, frozenset[str] | None]]:
    """Line, top-level module and guard of each import below a node; not of those for type checkers
    alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ((child.lineno, one.name.split(".")[0], guard) for one in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield child.lineno, (child.module or "").split(".")[0], guard
        elif isinstance(child, ast.Call):
            called = ast.unparse(child.func).split(".")[-1]
            named = child.args[0] if child.args else None
            if isinstance(named, ast.Constant) and isinstance(named.value, str):
                if called in ("import_module", "find_spec"):
                    without = frozenset() if called == "find_spec" else guard
                    yield child.lineno, named.value.split(".")[0], without
            yield from _imports(child, guard)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            yield from (one for part in child.orelse for one in _imports(_block([part]), guard))
        elif isinstance(child, ast.With):
            yield from _imports(_block(child.body), _handled(child, guard))
        elif isinstance(child, ast.Try):
            yield from _imports(_block(child.body), _caught(child, guard))
            rest = [*child.handlers, *child.orelse, *child.finalbody]
            yield from _imports(_block(rest), guard)
        else:
            yield from _imports(child, guard)


def _block(body: list[Any]) -> ast.AST:
    return ast.Module(body=body, type_ignores=[])


def _handled(node: ast.With, guard: frozenset[str] | None) -> frozenset[str] | None:
    """The guard inside of a `with`."""
    for item in node.items:
        match item.context_expr:
            case ast.Call(func=called, args=[ast.Constant(value=str(named)), *_]) if (
                ast.unparse(called).split(".")[-1] == "extra"
            ):
                return frozenset([named])
            case ast.Call(func=called, args=kinds) if ast.unparse(called).split(".")[
                -1
            ] == "suppress" and _import_errors(" ".join(map(ast.unparse, kinds))):
                return frozenset()
    return guard


def _caught(node: ast.Try, guard: frozenset[str] | None) -> frozenset[str] | None:
    """The guard inside of a `try`: extras in the texts of its handler, none if that does not
    raise."""
    for handler in node.handlers:
        if handler.type is None or _import_errors(ast.unparse(handler.type)):
            raises = any(isinstance(part, ast.Raise) for part in ast.walk(handler))
            texts = [
                part.value
                for part in ast.walk(handler)
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
            ]
            named = [text.split("pip install '")[1].split("'")[0] for text in texts if "'" in text
                     and "pip install '" in text]  # fmt: skip
            if named or not raises:
                return frozenset(named)
    return guard


def _import_errors(text: str) -> bool:
    return any(one in text for one in ("ImportError", "ModuleNotFoundError", "Exception"))
