"""Docs run: every pipeline, program and command on the pages is executed as a reader would."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from semcore.config.experiment import describe
from semcore.config.yaml import parse

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "plugins").glob("*/README.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXPENSIVE = ("make ",)
"""Commands that the build itself runs."""


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")) if kind == language]


def anchors(page: Path) -> list[str]:
    """What a forge calls the headings of a page in links."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    found: list[str] = []
    for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE):
        made = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.append(f"{made}-{found.count(made)}" if made in found else made)
    return found


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", text):
        linked = page.parent / target if target else page
        assert linked.exists(), f"{name(page)} links to {target}"
        assert not anchor or anchor in anchors(linked), f"{name(page)} links to {target}#{anchor}"


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.yaml")), ids=name)
def test_examples_pass_the_check(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from semcore.config.experiment import load

    monkeypatch.chdir(ROOT)
    assert load(path).cells


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_pipeline_of_a_page_passes_the_check(page: Path, tmp_path: Path) -> None:
    _write_programs(page, tmp_path)
    for text in blocks(page, "yaml"):
        if "semcore: 1" in text:
            assert describe(parse(text, name(page), tmp_path)).problems() == []


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "console")], ids=name)
def test_every_command_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    _write_programs(page, tmp_path)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for block in blocks(page, "console"):
        for line in block.splitlines():
            command = line.removeprefix("$ ")
            if line.startswith("$ ") and not command.startswith(EXPENSIVE):
                done = subprocess.run(
                    shlex.split(command), cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
                )
                assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def _write_programs(page: Path, folder: Path) -> None:
    """The files that a page tells its reader to save: named in their first line, or in the sentence before."""
    text = page.read_text(encoding="utf-8")
    for before, _, body in re.findall(
        r"(?:Save this as `([\w.]+)`[^\n]*\n\n)?^```(yaml|python)\n(.*?)^```$", text, re.M | re.S
    ):
        named = before or (match.group(1) if (match := re.match(r"# ([\w.]+\.(?:py|yaml))\n", body)) else "")
        if named:
            (folder / named).write_text(body, encoding="utf-8")
