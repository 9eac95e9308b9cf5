"""What the website has besides the pages of docs/: a hook of MkDocs.

Pages from elsewhere in the repository are added (ADDED), so are notebooks (docs/notebooks/*.ipynb),
with the outputs that they hold. A link to another file of the repository leads to the forge; the
build fails if there is no such file.
"""

from __future__ import annotations

import json
import logging
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
ADDED = {
    "README.md": "start.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    **{
        f"plugins/{path.name}/README.md": f"packages/{path.name}.md"
        for path in sorted((ROOT / "plugins").iterdir())
    },
}
"""File of the repository -> page of the site."""
LINK = re.compile(r"(!?\[(?:[^\]\[]|\[[^\]]*\])*\]\()([^)\s]+)(\))")
log = logging.getLogger("mkdocs.hooks.site")


def on_config(config: Any) -> Any:
    """Give notebooks, and pages that the menu does not name, a place in it."""
    if found := notebooks():
        config["nav"].insert(2, {"Notebooks": [f"notebooks/{path.stem}.md" for path in found]})
    docs, named = ROOT / "docs", set(re.findall(r"[\w/-]+\.md", json.dumps(config["nav"])))
    pages = sorted(str(path.relative_to(docs)) for path in docs.rglob("*.md"))
    if rest := [page for page in pages if page not in named]:
        config["nav"].append({"More": rest})
    return config


def notebooks() -> list[Path]:
    """The notebooks of the documentation."""
    return sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are not in docs/."""
    for place, page in ADDED.items():
        text = (ROOT / place).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text))
    for path in notebooks():
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        text = "\n\n".join(part for cell in cells for part in shown(cell))
        files.append(File.generated(config, f"notebooks/{path.stem}.md", content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Let links lead to pages of the site, or to files on the forge."""
    source = page.file.src_uri
    place = next((one for one, made in ADDED.items() if made == source), f"docs/{source}")
    return relinked(markdown, place, source, config["repo_url"])


def relinked(text: str, place: str, page: str, repository: str) -> str:
    """Links of a file of the repository as those of a page of the site.

    Args:
        place: the file, relative to the root of the repository
        page: the page, relative to that of the site
        repository: URL of the forge
    """

    def link(found: re.Match[str]) -> str:
        before, target, after = found.groups()
        if re.match(r"[a-z]+:|#|data:", target):
            return found.group()
        path, hash_, anchor = target.partition("#")
        wanted = posixpath.normpath(posixpath.join(posixpath.dirname(place), path))
        if not (ROOT / wanted).exists():
            log.warning("%s links to %s, which is not in the repository", place, target)
            return found.group()
        if wanted in ADDED:
            there = ADDED[wanted]
        elif wanted.startswith("docs/notebooks/") and wanted.endswith(".ipynb"):
            there = wanted.removeprefix("docs/").removesuffix(".ipynb") + ".md"
        elif wanted.startswith("docs/") and wanted.endswith((".md", ".png", ".svg")):
            there = wanted.removeprefix("docs/")
        else:
            return f"{before}{repository}/blob/main/{wanted}{hash_}{anchor}{after}"
        relative = posixpath.relpath(there, posixpath.dirname(page) or ".")
        return f"{before}{relative}{hash_}{anchor}{after}"

    parts = re.split(r"(^```.*?^```$)", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if part.startswith("```") else LINK.sub(link, part) for part in parts)


def shown(cell: dict[str, Any]) -> list[str]:
    """A cell of a notebook as Markdown: its text or code, and the outputs that it holds."""
    source = "".join(cell["source"])
    if cell["cell_type"] != "code":
        return [source]
    found = [f"```python\n{source}\n```"] if source.strip() else []
    for output in cell.get("outputs", ()):
        data = {kind: "".join(value) if isinstance(value, list) else value
                for kind, value in output.get("data", {}).items()}  # fmt: skip
        if "image/png" in data:
            found.append(f"![](data:image/png;base64,{data['image/png'].strip()})")
        elif "text/html" in data:
            found.append(data["text/html"])
        elif text := data.get("text/plain") or "".join(output.get("text", "")):
            found.append(f"```text\n{text.rstrip()}\n```")
    return found
