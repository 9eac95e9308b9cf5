"""What keeps the core small, checked on the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from ..support.imports import imports

ROOT = Path(__file__).parents[2]
CORE = sorted(path for path in (ROOT / "semcore").rglob("*.py") if "__pycache__" not in path.parts)
TREE = [
    *CORE,
    *sorted(path for path in (ROOT / "plugins").rglob("*.py") if "__pycache__" not in path.parts),
]
SHOWN = {"ids": lambda path: str(path.relative_to(ROOT))}
HEAVY = (
    "torch",
    "sionna",
    "transformers",
    "diffusers",
    "open_clip",
    "torchmetrics",
    "scipy",
    "matplotlib",
    "pandas",
)


DOCUMENTED = {
    item.name
    for path in CORE
    for cls in ast.walk(ast.parse(path.read_text()))
    if isinstance(cls, ast.ClassDef)
    for item in cls.body
    if isinstance(item, ast.FunctionDef) and ast.get_docstring(item)
}
"""Methods that some class of the core documents: another that overrides one says no more."""


@pytest.mark.parametrize("path", CORE, **SHOWN)
def test_the_core_imports_no_plugin(path: Path) -> None:
    assert not [module for module, _ in imports(path) if module.startswith("semcore_")]


@pytest.mark.parametrize("path", CORE, **SHOWN)
def test_a_module_fits_a_head(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", CORE, **SHOWN)
def test_what_is_public_is_documented(path: Path) -> None:
    tree = ast.parse(path.read_text())
    missing = []

    def visit(node: ast.AST, name: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.ClassDef)) and not child.name.startswith(
                "_"
            ):
                if not ast.get_docstring(child):
                    missing.append(f"{name}{child.name}")
                if isinstance(child, ast.ClassDef):
                    visit(child, f"{child.name}.")

    visit(tree, "")
    assert not [name for name in missing if name.split(".")[-1] not in DOCUMENTED]
    if path.stat().st_size:
        assert ast.get_docstring(tree)


@pytest.mark.parametrize("path", TREE, **SHOWN)
def test_no_global_random_state_is_touched(path: Path) -> None:
    training = path not in CORE and {"recipes", "training"} & set(
        path.parts
    )  # which runs in a process of its own
    if training or {"tests", "testing"} & set(path.parts):
        return
    tree = ast.parse(path.read_text())
    restored = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.With) and "fork_rng" in ast.unparse(node.items[0])
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node not in restored:
            called = ast.unparse(node.func)
            assert called not in (
                "torch.manual_seed",
                "np.random.seed",
                "numpy.random.seed",
                "random.seed",
            ), called
            assert not called.startswith(
                ("np.random.rand", "np.random.normal", "random.rand", "random.choice")
            ), called


def loaded_by(statements: str) -> str:
    """Output of `statements` in a fresh process; `blame` may list modules they must not load."""
    code = f"""
import sys
def heavy():
    return [name for name in {HEAVY!r} if name in sys.modules]
def plugins():
    return [name for name in sys.modules if name.startswith("semcore_")]
def call(*arguments):
    from semcore.cli import main
    try:
        main(list(arguments))
    except SystemExit as end:
        assert not end.code, arguments
blame = []
{statements}
print(*blame, file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=900, cwd=ROOT
    )
    return done.stderr.strip()


@pytest.mark.parametrize(
    "statement",
    [
        "import semcore",
        "import semcore.config.configuration",
        "call('--help')",
        "call('list')",
        "call('plugins')",
    ],
)
def test_looking_around_loads_nothing_heavy(statement: str) -> None:
    assert not loaded_by(f"{statement}\nblame = [*heavy(), *plugins()]")


def test_no_component_is_heavy_to_import() -> None:
    """A pipeline is checked before anything heavy is loaded; recipes are not part of one."""
    assert not loaded_by("""
import importlib
from semcore.entrypoints import naming
for kind in [kind for kind in naming.KINDS if kind != "recipe"]:
    for entry in naming.installed(kind):
        before = heavy()
        importlib.import_module(entry.target.split(":")[0])
        blame += [f"{entry.target} loads {name}" for name in heavy() if name not in before]
""")


def test_checking_an_example_loads_nothing_heavy() -> None:
    # One is for models that are not here and two for data, which check reports.
    examples = sorted(
        str(path) for path in (ROOT / "examples").glob("*.yaml") if "llava" not in path.stem
    )
    assert examples
    drawn = {
        path: ["source=samples"] * ("image-folder" in text or "cifar10," in text)
        for path in examples
        for text in [Path(path).read_text()]
    }
    assert sum(map(len, drawn.values())) == 1
    assert not loaded_by(
        f"for path, data in {drawn!r}.items(): call('check', path, *data)\nblame = heavy()"
    )
