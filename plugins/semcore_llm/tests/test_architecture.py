"""The order of the package's rooms, read from its imports: a module needs those below it alone."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import semcore_llm

ROOT = Path(semcore_llm.__file__).parent
ROOMS = ("excerpt", "memory", "endpoint", "planners", "metrics", "testing")
"""From the ground up: none imports one that stands behind it."""
MODULES = sorted(path for path in ROOT.rglob("*.py") if path.name != "__init__.py")


def needed(path: Path) -> set[str]:
    """The modules of the package that a module imports, wherever in it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return {name for name in names if name.startswith("semcore_llm.")}


def test_every_room_has_its_place() -> None:
    assert {path.relative_to(ROOT).parts[0].removesuffix(".py") for path in MODULES} == set(ROOMS)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_needs_one_above_it(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0].removesuffix(".py")
    assert not [
        name for name in needed(path) if ROOMS.index(name.split(".")[1]) > ROOMS.index(room)
    ]


def test_no_modules_need_each_other() -> None:
    left = {
        ".".join(("semcore_llm", *path.relative_to(ROOT).with_suffix("").parts)): needed(path)
        for path in MODULES
    }
    while ready := [name for name, names in left.items() if not names & left.keys()]:
        for name in ready:
            del left[name]
    assert not left
