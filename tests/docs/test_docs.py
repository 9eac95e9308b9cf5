"""Docs run: every pipeline, program and command on the pages is executed as a reader would."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from semcore.config.configuration import describe
from semcore.config.document import parse

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "plugins").glob("*/README.md")]
)
EXPENSIVE = ("make ",)
"""Commands that the build itself runs."""
ELSEWHERE = {"data.md", "write-a-plugin.md", "train-your-own.md"}
"""Pages whose reader has an environment of their own, which tests of their own follow."""


def anchors(page: Path) -> list[str]:
    """What a forge calls the headings of a page in links."""
    text = re.sub(
        r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
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
    from semcore.config.configuration import load

    monkeypatch.chdir(ROOT)
    assert load(path).cells


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_pipeline_of_a_page_passes_the_check(page: Path, tmp_path: Path, blocks: Any) -> None:
    if page.name in ELSEWHERE:
        pytest.skip("its pipelines need what it installs")
    for kind, named, text in blocks(page):
        if named:
            (tmp_path / named).write_text(text, encoding="utf-8")
        if kind == "yaml" and "semcore: 1" in text:
            assert describe(parse(text, name(page), tmp_path)).problems() == []


READ = [
    page
    for page in PAGES
    if page.name not in ELSEWHERE and "\n```console\n" in page.read_text(encoding="utf-8")
]


@pytest.mark.docs
@pytest.mark.parametrize("page", READ, ids=name)
def test_every_command_of_a_page_runs(page: Path, tmp_path: Path, follow: Any) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    follow(page, tmp_path, environment, EXPENSIVE)


FROM_RUNS = {
    "demo.png",
    "mmsemcom-distance.png",
    "mmsemcom-growth.png",
    "satellite-frames.png",
    "satellite-pass.png",
    "satellite-pass-audio.png",
    "satellite-pass-rain.png",
    "satellite-pass-video.png",
}
"""Pictures of runs that take minutes."""


@pytest.mark.docs
def test_the_figures_are_drawn_by_the_repository(tmp_path: Path) -> None:
    """With few points: each figure on a page comes out of the script or of a make target."""
    script = [sys.executable, ROOT / "docs" / "make_figures.py", tmp_path, "--quick"]
    subprocess.run(script, check=True, timeout=900, capture_output=True)
    shown = {
        image for page in PAGES for image in re.findall(r"images/([\w-]+\.png)", page.read_text())
    }
    assert shown - FROM_RUNS == {path.name for path in tmp_path.iterdir()}
