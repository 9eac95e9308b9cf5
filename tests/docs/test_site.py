"""The website: every page, link and figure of the repository has a place in it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from ..support.tools import tool

ROOT = Path(__file__).parents[2]
REPOSITORY = "https://forge.example/semcore"
PAGE = re.compile(r"[\w/-]+\.md")


@pytest.fixture(scope="module")
def site() -> ModuleType:
    return tool("site")


def test_every_page_has_a_place_in_the_menu(site: ModuleType) -> None:
    text = re.sub(r"!!python/\S+ (\{.*\})", r"\1", (ROOT / "mkdocs.yml").read_text("utf-8"))
    nav = yaml.safe_load(text)["nav"]
    pages = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    wanted = pages | set(site.ADDED.values())
    assert set(PAGE.findall(json.dumps(nav))) <= wanted
    whole = PAGE.findall(json.dumps(site.on_config({"nav": nav})["nav"]))
    assert len(whole) == len(set(whole))
    assert wanted | {f"notebooks/{path.stem}.md" for path in site.notebooks()} == set(whole)


def test_links_lead_to_pages_or_to_the_forge(site: ModuleType) -> None:
    def relinked(text: str, place: str = "docs/a.md", page: str = "a.md") -> str:
        return site.relinked(text, place, page, REPOSITORY)

    assert relinked("[a](conventions.md#snr)") == "[a](conventions.md#snr)"
    assert relinked("[a](../README.md)") == "[a](start.md)"
    assert relinked("[a](../Makefile)") == f"[a]({REPOSITORY}/blob/main/Makefile)"
    readme = "plugins/semcore_image/README.md", "packages/semcore_image.md"
    assert relinked("[a](../../README.md)", *readme) == "[a](../start.md)"
    assert relinked("[a](../../docs/channels.md)", *readme) == "[a](../channels.md)"
    assert relinked("![a](docs/images/demo.png)", "README.md", "start.md") == (
        "![a](images/demo.png)"
    )
    for same in ("[a](https://a.b/c)", "[a](#b)", "```\n[a](../Makefile)\n```"):
        assert relinked(same) == same


def test_a_link_to_nothing_is_reported(site: ModuleType, caplog: pytest.LogCaptureFixture) -> None:
    site.relinked("[a](no-such.md)", "docs/a.md", "a.md", REPOSITORY)
    assert caplog.messages == ["docs/a.md links to no-such.md, which is not in the repository"]


def test_a_notebook_is_shown_with_its_outputs(site: ModuleType) -> None:
    assert site.shown({"cell_type": "markdown", "source": ["# A\n", "b"]}) == ["# A\nb"]
    outputs = [
        {"output_type": "stream", "text": ["1\n", "2\n"]},
        {"output_type": "display_data", "data": {"image/png": "AAAA\n", "text/plain": "x"}},
        {"output_type": "execute_result", "data": {"text/html": ["<b>", "</b>"]}},
    ]
    cell = {"cell_type": "code", "source": ["print(1)"], "outputs": outputs}
    assert site.shown(cell) == [
        "```python\nprint(1)\n```", "```text\n1\n2\n```", "![](data:image/png;base64,AAAA)",
        "<b></b>",
    ]  # fmt: skip


def test_the_gallery_has_every_figure_with_what_is_behind_it() -> None:
    text = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    images = {path.name for path in (ROOT / "docs" / "images").iterdir()}
    assert set(re.findall(r"\(images/([^)]+)\)", text)) == images
    for section in text.split("\n## ")[1:]:
        behind = re.findall(r"\]\((?:\.\./)?((?:examples/)?[\w-]+\.(?:yaml|py))\)", section)
        assert behind, section.partition("\n")[0]
        for one in behind:
            assert (ROOT / one).exists() or (ROOT / "docs" / one).exists()


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)],
        capture_output=True, text=True, timeout=600, cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pages = json.loads((tmp_path / "search" / "search_index.json").read_text("utf-8"))["docs"]
    assert len({page["location"].partition("#")[0] for page in pages}) > 25
