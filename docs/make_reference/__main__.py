"""Write docs/reference/ from the source: `python docs/make_reference`; `--check` only compares.

The pages depend on the source alone: not on the day, the machine, the terminal or other packages.
"""

from __future__ import annotations

import argparse
import sys
from itertools import zip_longest
from pathlib import Path

import api
import cli
import components

TARGET = Path(__file__).parents[1] / "reference"


def pages() -> dict[str, str]:
    """File -> text of every page."""
    return {"api.md": api.text(), "cli.md": cli.text(), **components.pages()}


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
    if chosen.check:
        wrong = stale(made, chosen.out)
        print(*wrong, *["fix: make docs"] * bool(wrong), sep="\n", end="\n" if wrong else "")
        return int(bool(wrong))
    chosen.out.mkdir(parents=True, exist_ok=True)
    for path in chosen.out.glob("*.md"):
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (chosen.out / name).write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
