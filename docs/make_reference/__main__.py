"""Write docs/reference/ from the source: `python docs/make_reference`; `--check` only compares.

So is the table of names that semcore's packages bring, which names the one to install.

The pages depend on the source alone: not on the day, the machine, the terminal or other packages.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from itertools import zip_longest
from pathlib import Path

import api
import cli
import components

from semcore.entrypoints.official import TABLE

TARGET = Path(__file__).parents[1] / "reference"
ROOT = Path(__file__).parents[2]


def pages() -> dict[str, str]:
    """File -> text of every page."""
    return {"api.md": api.text(), "cli.md": cli.text(), **components.pages()}


def official() -> str:
    """The text of the table of official names: package -> kind -> names, of the manifests."""
    table: dict[str, dict[str, list[str]]] = {}
    for path in sorted(ROOT.glob("plugins/*/pyproject.toml")):
        project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
        table[project["name"]] = {
            group.removeprefix("semcore."): sorted(names)
            for group, names in sorted(project["entry-points"].items())
        }
    return json.dumps(table, indent=1, ensure_ascii=False) + "\n"


def stale(made: dict[str, str], folder: Path) -> list[str]:
    """Differences of the pages in a folder, one line each."""
    there = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*")}
    wrong = []
    for name in sorted({*made, *there}):
        if name not in there:
            wrong.append(f"{folder.name}/{name} is missing")
        elif name not in made:
            wrong.append(f"{folder.name}/{name} is no longer made: remove it")
        elif made[name] != there[name]:
            lines = zip_longest(
                *(text.splitlines(keepends=True) for text in (there[name], made[name])),
                fillvalue="",
            )
            number, (have, want) = next(
                (index, pair) for index, pair in enumerate(lines, 1) if pair[0] != pair[1]
            )
            wrong.append(
                f"{folder.name}/{name} is stale from line {number}: {have!r} should be {want!r}"
            )
    return wrong


def main(arguments: list[str] | None = None) -> int:
    """Write the pages, or check them: 1 if any is stale."""
    parser = argparse.ArgumentParser(prog="python docs/make_reference", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 if a page is stale"
    )
    parser.add_argument(
        "--out", type=Path, default=TARGET, help="folder of the pages  [default: docs/reference]"
    )
    chosen = parser.parse_args(arguments)
    made = pages()
    ours = chosen.out.resolve() == TARGET
    if chosen.check:
        wrong = stale(made, chosen.out)
        if ours and TABLE.read_text(encoding="utf-8") != official():
            wrong.append(f"{TABLE.name} is stale")
        print(*wrong, *["fix: make docs"] * bool(wrong), sep="\n", end="\n" if wrong else "")
        return int(bool(wrong))
    chosen.out.mkdir(parents=True, exist_ok=True)
    for path in chosen.out.glob("*.md"):
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (chosen.out / name).write_text(text, encoding="utf-8", newline="\n")
    if ours:
        TABLE.write_text(official(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
