"""The floors of the core: modules import only what stands below them, without circles."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLOORS = (
    ("version", "limits", "memo", "children", "statistics"),
    ("wording", "supervisor"),
    ("errors", "storage"),
    ("types", "entrypoints"),
    ("fingerprint",),
    ("component", "rng", "steps", "media"),
    ("tensors",),
    ("interfaces",),
    ("link", "metrics", "models"),
    ("planning",),
    ("plugins",),
    ("config",),
    ("training",),
    ("runs",),
    ("analysis", "testing"),
    ("render",),
    ("api",),
    ("cli",),
    ("commands",),
    ("__main__",),
)
"""From the ground up: a room may import rooms on lower floors, and modules of its own."""
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
FACE = "semcore"
"""The package's own `__init__` gathers the public names; nothing inside imports it."""


def modules() -> dict[str, Path]:
    """Every module of the core by name."""
    found = {}
    for path in sorted((ROOT / "semcore").rglob("*.py")):
        if "templates" not in path.parts:
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imported(path: Path) -> set[str]:
    """The modules of the core that one imports, inside functions and for type checkers included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert not node.level, f"{path}: imports are absolute"
            below = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= below & MODULES.keys() or {node.module}
    return {name for name in found if name in MODULES}


IMPORTS = {name: imported(path) for name, path in MODULES.items()}


def room(name: str) -> str:
    """The room that a module stands in."""
    return name.split(".")[1] if "." in name else FACE


def test_every_room_stands_on_a_floor() -> None:
    assert {room(name) for name in MODULES} - {FACE} == FLOOR.keys()


@pytest.mark.parametrize("name", [name for name in MODULES if name != FACE])
def test_no_import_goes_up(name: str) -> None:
    above = [
        other
        for other in IMPORTS[name]
        if room(other) != room(name) and FLOOR.get(room(other), 99) >= FLOOR[room(name)]
    ]
    assert not above, f"{name} stands on floor {FLOOR[room(name)]} and imports {above}"


def test_no_import_goes_round_in_a_circle() -> None:
    left = {name: set(others) - {name} for name, others in IMPORTS.items()}
    while ready := {name for name, others in left.items() if not others & left.keys()}:
        left = {name: others for name, others in left.items() if name not in ready}
    assert not left, f"these import each other: {sorted(left)}"


def test_few_modules_stand_outside_of_rooms() -> None:
    loose = [
        name
        for name in MODULES
        if name.count(".") == 1 and MODULES[name].name not in ("__init__.py", "__main__.py")
    ]
    assert len(loose) <= 12
    for name in loose:
        users = {room(other) for other, imports in IMPORTS.items() if name in imports}
        assert len(users) > 1 or name in ("semcore.version", "semcore.commands"), (
            f"{name} is used by {users} alone: it belongs there"
        )
