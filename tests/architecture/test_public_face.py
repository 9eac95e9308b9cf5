"""What others import is public: in `semcore.__all__`, or in that of a public module."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import semcore

ROOT = Path(__file__).parents[2]
PUBLIC = (
    "semcore", "semcore.analysis", "semcore.commands", "semcore.media", "semcore.metrics",
    "semcore.models", "semcore.statistics", "semcore.testing", "semcore.testing.internals",
    "semcore.training",
)  # fmt: skip
"""The public modules; everything else may change."""
NAMES = {module: set(importlib.import_module(module).__all__) for module in PUBLIC}
FENCE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def sources() -> Iterator[tuple[str, str]]:
    """What others write, or would write: plugins with their tests, examples, templates, pages."""
    for path in sorted(ROOT.glob("plugins/*/**/*.py")):
        if "__pycache__" not in path.parts:
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
    for path in (
        *sorted(ROOT.glob("examples/**/*.py")),
        *sorted(ROOT.glob("semcore/cli/templates/*.py*")),
    ):
        yield (
            str(path.relative_to(ROOT)),
            re.sub(r"\{[%#].*?[%#]\}", "", path.read_text(encoding="utf-8")),
        )
    for path in (
        ROOT / "README.md",
        *sorted(ROOT.glob("docs/*.md")),
        *sorted(ROOT.glob("plugins/*/README.md")),
    ):
        for number, block in enumerate(FENCE.findall(path.read_text(encoding="utf-8"))):
            yield f"{path.relative_to(ROOT)} #{number}", block


def imports(text: str) -> Iterator[tuple[str, str]]:
    """(module, name) of all that a text imports of semcore, by line: a template is not Python."""
    joined = re.sub(r"\(\s*([^()]*?)\s*\)", lambda found: " ".join(found.group(1).split()), text)
    for module, names in re.findall(
        r"^\s*from (semcore(?:\.\w+)*) import ([\w, ]+)", joined, re.MULTILINE
    ):
        yield from (
            (module, name.split(" as ")[0].strip()) for name in names.split(",") if name.strip()
        )


SOURCES = dict(sources())


@pytest.mark.parametrize("where", SOURCES)
def test_what_others_import_is_public(where: str) -> None:
    private = [
        f"from {module} import {name}"
        for module, name in imports(SOURCES[where])
        if name not in NAMES.get(module, ()) and f"{module}.{name}" not in PUBLIC
    ]
    assert not private


@pytest.mark.parametrize("module", PUBLIC)
def test_public_names_are_there_and_sorted(module: str) -> None:
    found = importlib.import_module(module)
    assert all(hasattr(found, name) for name in found.__all__)
    assert len(set(found.__all__)) == len(found.__all__)
    assert sorted(found.__all__) == sorted(found.__all__, key=str)
    assert ast.get_docstring(ast.parse(Path(str(found.__file__)).read_text(encoding="utf-8")))


def test_an_attribute_of_semcore_that_is_used_is_public() -> None:
    for where, text in SOURCES.items():
        for name in re.findall(
            r"(?<![\w./])semcore\.(\w+)",
            re.sub(r"^\s*(from|import) .*$", "", text, flags=re.MULTILINE),
        ):
            known = name in semcore.__all__ or f"semcore.{name}" in PUBLIC or name.islower()
            assert known, f"{where}: semcore.{name}"


@pytest.mark.parametrize(
    "package", ["semcore", *(f"plugins/{path.name}/{path.name}" for path in ROOT.glob("plugins/*"))]
)
def test_packages_are_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()
