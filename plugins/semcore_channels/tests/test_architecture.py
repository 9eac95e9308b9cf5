"""The order of the package: a folder imports from its own and from those before it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "semcore_channels"
ORDER = (
    ("constants", "simd", "snr", "sionna_rng", "modulation"),
    ("budget", "coding"),
    ("flat", "ofdm"),
    ("tr38901", "ntn"),
    ("transports",),
    ("link_budget",),
)
"""Lowest first; what stands on one line does not import each other."""
LEVEL = {name: level for level, names in enumerate(ORDER) for name in names}
MODULES = sorted(
    path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py" or path.parent != PACKAGE
)


def imported(path: Path) -> set[str]:
    """Names below `semcore_channels` that a module imports, at its top or inside of functions."""
    tree, names = ast.parse(path.read_text()), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "semcore_channels":
            names |= {f"semcore_channels.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(str(node.module))
    return {
        name.removeprefix("semcore_channels.")
        for name in names
        if name.startswith("semcore_channels.")
    }


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_import_goes_up_or_sideways(path: Path) -> None:
    own = path.relative_to(PACKAGE).with_suffix("").parts[0]
    others = {name.partition(".")[0] for name in imported(path)} - {own}
    assert not {name for name in others if LEVEL[name] >= LEVEL[own]}


def test_no_modules_import_each_other_in_a_circle() -> None:
    imports = {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(
            ".__init__"
        ): imported(path)
        for path in MODULES
    }
    while imports:
        free = [name for name, names in imports.items() if not names & set(imports)]
        assert free, f"these import each other: {sorted(imports)}"
        for name in free:
            del imports[name]
