"""Each package declares what it imports, and names the extra where that may be missing."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ..support import requirements
from ..support.requirements import FOLDERS, brought, extras, imported, project

READ_BY_OTHERS = {
    "semcore-image": {"torchvision"},  # torchmetrics, for LPIPS; timm and open_clip
    "semcore-llm": {"accelerate", "gguf"},  # transformers, for a GGUF file
}
"""Requirements that no line of the package imports, and which library does."""
TOOLS = {"dev", "test", "site"}
"""Extras for work on a package; what they bring need not be imported by it."""


@pytest.mark.parametrize("name", FOLDERS)
def test_a_package_declares_what_it_imports(name: str) -> None:
    base, declared = brought(name), {extra: brought(name, extra) for extra in extras(name)}
    optional = set().union(*declared.values())
    faults = []
    for one in imported(name):
        if one.distribution in base or one.guard == frozenset():
            continue
        if one.distribution not in optional:
            faults.append(f"{one.where}: {one.distribution} is not in {name}'s pyproject.toml")
        elif one.guard is None:
            kept = sorted(extra for extra, what in declared.items() if one.distribution in what)
            faults.append(
                f"{one.where}: {one.distribution} comes with the extra {' or '.join(kept)}: import "
                f"it in `with semcore.extra('{name}[{kept[0]}]', ...)`"
            )
        else:
            for text in one.guard:
                wanted = Requirement(text)
                gives = [declared.get(extra, set()) for extra in wanted.extras]
                if canonicalize_name(wanted.name) != name or not any(
                    one.distribution in what for what in gives
                ):
                    faults.append(f"{one.where}: {text} does not bring {one.distribution}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_package_imports_what_it_declares(name: str) -> None:
    used = {one.distribution for one in imported(name)} | READ_BY_OTHERS.get(name, set())
    idle = {text for text in brought(name) - used if not text.startswith("types-")}
    for extra in extras(name).keys() - TOOLS:
        idle |= {one for one in brought(name, extra) - used if not one.startswith("semcore")}
    assert not idle


@pytest.mark.parametrize("name", FOLDERS)
def test_bounds_are_lower_bounds(name: str) -> None:
    """A version that is pinned cannot be installed beside another package that pins it, too."""
    texts = [*project(name)["dependencies"], *(one for all in extras(name).values() for one in all)]
    for one in map(Requirement, texts):
        assert not [spec for spec in one.specifier if spec.operator in ("==", "===", "~=")], one
        named = one.name.startswith("semcore") or one.name.startswith("types-")
        assert named or any(spec.operator == ">=" for spec in one.specifier), one


def test_an_undeclared_import_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "toy_package").mkdir()
    (tmp_path / "pyproject.toml").write_text(
        textwrap.dedent("""
        [project]
        name = "toy-package"
        dependencies = ["numpy>=1"]
        optional-dependencies = {av = ["av>=16"], all = ["toy-package[av]"]}
        """)
    )
    (tmp_path / "toy_package" / "__init__.py").write_text(
        textwrap.dedent("""
        import json, numpy
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            import unseen
        def a():
            with semcore.extra("toy-package[all]", "a"):
                import av
        def b():
            try:
                import cv2
            except ImportError as error:
                raise RunError("b: pip install 'toy-package[face]'") from error
        def c():
            try:
                import PIL
            except ImportError:
                return None
            import librosa
        """)
    )
    monkeypatch.setattr(requirements, "ROOT", tmp_path)
    monkeypatch.setitem(requirements.FOLDERS, "toy-package", tmp_path)
    found = imported("toy-package")
    assert [(one.where.split(":")[1], one.distribution, one.guard) for one in found] == [
        ("2", "numpy", None),
        ("8", "av", frozenset({"toy-package[all]"})),
        ("11", "opencv-contrib-python", frozenset({"toy-package[face]"})),
        ("16", "pillow", frozenset()),
        ("19", "librosa", None),
    ]  # fmt: skip
    assert brought("toy-package", "all") == {"av"} and brought("toy-package") == {"numpy"}
    with pytest.raises(AssertionError, match=r"__init__.py:11: .*\n.*:19: librosa is not in"):
        test_a_package_declares_what_it_imports("toy-package")
