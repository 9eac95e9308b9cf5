"""Order of the modules of the package."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "semcore_video"
ORDER = (
    ("licences", "paper", "memoize", "weights", "resampling", "mixer"),
    ("media",),
    ("face",),
    ("speech",),
    ("video_codec", "transports", "jscc", "kb", "sources", "metrics"),
    ("training",),
)
"""Folders and modules at the top of the package, from the ground up: each imports from earlier
groups alone."""
LEVELS = {name: level for level, names in enumerate(ORDER) for name in names}
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
    for path in sorted(PACKAGE.rglob("*.py"))
}


def imported(module: str) -> Iterator[str]:
    """The modules of the package imported anywhere in a module."""
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if (
            isinstance(node, ast.ImportFrom)
            and (node.module or "").partition(".")[0] == PACKAGE.name
        ):
            base = (node.module or "").split(".")[1:]
            for alias in node.names:
                full = ".".join([*base, alias.name])
                yield full if full in MODULES else ".".join(base)


def test_the_order_names_every_folder() -> None:
    assert {module.partition(".")[0] for module in MODULES} - {"__init__"} == LEVELS.keys()


def test_no_import_points_upward() -> None:
    upward = [
        f"{module} imports {name}"
        for module in MODULES
        for name in imported(module)
        if module.partition(".")[0] != name.partition(".")[0]
        and LEVELS[module.partition(".")[0]] <= LEVELS[name.partition(".")[0]]
    ]
    assert not upward


def test_no_module_imports_itself_by_way_of_others() -> None:
    left = {module: set(imported(module)) & MODULES.keys() for module in MODULES}
    while free := [module for module, names in left.items() if not names & left.keys()]:
        for module in free:
            del left[module]
    assert not left


def test_torch_is_loaded_by_training_alone() -> None:
    light = [
        module for module in MODULES if not module.startswith("training.") and module not in HEAVY
    ]
    names = [f"{PACKAGE.name}.{module}".removesuffix(".__init__") for module in light]
    code = (
        f"import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\nassert "
        "'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=900)


HEAVY = {"mixer", "transports.codebook", "jscc.networks", "speech.networks", "metrics.iresnet"}
"""Networks: components import them when they are used."""
