"""What an index is given: metadata that agree, and archives without foreign files."""

from __future__ import annotations

import io
import re
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

import semcore

from ..support.requirements import FOLDERS, extras, project
from ..support.tools import tool

ROOT = Path(__file__).parents[2]
REPOSITORY = project("semcore")["urls"]["Homepage"]


@pytest.mark.parametrize("name", FOLDERS)
def test_packages_agree(name: str) -> None:
    table, core = project(name), project("semcore")
    for key in ("authors", "classifiers", "license", "license-files", "requires-python", "urls"):
        assert table[key] == core[key], key
    assert "version" in table["dynamic"] and "version" not in table
    settings = tomllib.loads((FOLDERS[name] / "pyproject.toml").read_text(encoding="utf-8"))
    version = FOLDERS[name] / settings["tool"]["hatch"]["version"]["path"]
    assert version.resolve() == ROOT / "semcore" / "version.py"
    assert (FOLDERS[name] / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


@pytest.mark.parametrize("name", FOLDERS)
def test_links_of_a_page_are_absolute_on_an_index(name: str) -> None:
    """As hatch-fancy-pypi-readme rewrites them, and to files that are there."""
    settings = tomllib.loads((FOLDERS[name] / "pyproject.toml").read_text(encoding="utf-8"))
    text = (FOLDERS[name] / "README.md").read_text(encoding="utf-8")
    for one in settings["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]:
        text = re.sub(one["pattern"], one["replacement"], text)
    targets = re.findall(r"\]\(([^)]+)\)", text)
    assert targets
    for target in targets:
        assert target.startswith(("https://", "#")), target
        if target.startswith(REPOSITORY):
            place = re.sub(r"^/(raw|blob|tree)/main/", "", target.removeprefix(REPOSITORY))
            assert (ROOT / place.partition("#")[0]).exists(), target


def test_the_core_has_an_extra_for_each_package_and_one_for_all() -> None:
    known = extras("semcore")
    for name in FOLDERS.keys() - {"semcore"}:
        short = name.removeprefix("semcore-")
        assert any(one.startswith(name) for one in known[short]) and short in known["all"][0]


def test_the_citation_agrees_with_the_packages() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["version"] == semcore.__version__
    assert cited["license"] == project("semcore")["license"]
    assert cited["repository-code"] == REPOSITORY


def test_what_pages_and_workflows_make_is_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][\w-]*):", makefile, re.MULTILINE))
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob(".github/**/*")]
    calls = re.compile(r"(?:`|run: |^\$ )make ([a-z][a-z -]*)", re.MULTILINE)
    found = {
        (path.name, target)
        for path in pages
        if path.is_file() and path.name != "CHANGELOG.md"
        for called in calls.findall(path.read_text(encoding="utf-8"))
        for target in called.split()
    }
    assert len(found) > 10
    assert not [(page, target) for page, target in found if target not in targets]


@pytest.mark.parametrize(
    "path",
    sorted({*ROOT.glob(".github/**/*.yml"), ROOT / ".pre-commit-config.yaml"}),
    ids=lambda path: path.name,
)
def test_files_of_the_forge_are_complete(path: Path) -> None:
    """Each step has a command or an action, and each field of a form an id."""
    read = yaml.safe_load(path.read_text(encoding="utf-8"))
    if path.parent.name == "workflows":
        assert read["permissions"] == {"contents": "read"}
        for job in read["jobs"].values():
            assert job["runs-on"] and all(
                len({"uses", "run"} & step.keys()) == 1 for step in job["steps"]
            )
    elif "body" in read:
        assert read["name"] and read["description"]
        assert len({field["id"] for field in read["body"]}) == len(read["body"])
    elif "repos" in read:
        assert [hook["id"] for hook in read["repos"][0]["hooks"]]


def wheel(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "semcore_toy-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as opened:
        for name, data in files.items():
            opened.writestr(name, data)
    return path


def sdist(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "semcore_toy-1.tar.gz"
    with tarfile.open(path, "w:gz") as opened:
        for name, data in files.items():
            info = tarfile.TarInfo(f"semcore_toy-1/{name}")
            info.size = len(data)
            opened.addfile(info, io.BytesIO(data))
    return path


def test_what_is_not_fit_for_an_index_is_found(tmp_path: Path) -> None:
    faults = tool("dist").faults
    fine = {"semcore_toy/__init__.py": b"", "semcore_toy/py.typed": b""}
    head = {"semcore_toy-1.dist-info/METADATA": b"", "semcore_toy-1.dist-info/LICENSE": b""}
    assert not faults(wheel(tmp_path, fine | head))
    assert faults(wheel(tmp_path, fine | {"semcore/__init__.py": b""})) == [
        "semcore_toy-1-py3-none-any.whl has semcore",
        "semcore_toy-1-py3-none-any.whl has no METADATA",
        "semcore_toy-1-py3-none-any.whl has no LICENSE",
    ]
    head = {"PKG-INFO": b"", "LICENSE": b"", "pyproject.toml": b"", "README.md": b""}
    assert not faults(sdist(tmp_path, fine | head))
    big = {"semcore_toy/a.png": bytes(5_000_000), "semcore_toy/a.safetensors": bytes(9_000_000)}
    assert faults(sdist(tmp_path, {"tests/a.py": b"", **head, **big})) == [
        "semcore_toy-1.tar.gz has 5.0 MB besides weights",
        "semcore_toy-1.tar.gz has tests",
        "semcore_toy-1.tar.gz has no py.typed",
    ]
