"""The lines that the comparison with other libraries states for semcore are those of its pages."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "comparison.md"
JOBS: dict[int, list[tuple[str, list[str], list[str]]]] = {
    1: [("comparison", ["link.py"], [])],
    2: [("comparison", ["link.py", "sweep.py"], [])],
    3: [("write-a-plugin", ["jammed.py", "jammed.yaml"], ["semcore run jammed.yaml"])],
    4: [("train-your-own", ["mycodec.py", "train.py"], [])],
    5: [
        (
            "train-your-own",
            ["compare.yaml"],
            ["semcore run compare.yaml", "semcore plot runs/compare", "semcore table runs/compare"],
        )
    ],
    6: [("comparison", [], ["python sweep.py"])],
    7: [("cluster", [], ["semcore merge"])],
    8: [("comparison", ["link.py", "brightness.py"], [])],
    9: [("comparison", ["gradient.py"], [])],
    10: [("comparison", ["pass.yaml"], ["semcore run pass.yaml"])],
    11: [("satellite-av", [], ["semcore run examples/av_v2a.yaml", "semcore play"])],
    12: [
        (
            "write-a-plugin",
            [
                "semcore-jammed/pyproject.toml",
                "semcore-jammed/semcore_jammed.py",
                "semcore-jammed/test_jammed.py",
            ],
            [
                "pip install ./semcore-jammed",
                "semcore conform semcore-jammed",
                "python -m pytest -q semcore-jammed",
                "pip wheel",
            ],
        )
    ],
}
"""Of each job the page, its files, and how its commands begin."""


def lines(name: str, text: str) -> int:
    """Lines that are neither blank, nor comments, nor part of a docstring."""
    left_out: set[int] = set()
    if name.endswith(".py"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and (
                ast.get_docstring(node) is not None
            ):
                left_out.update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return sum(
        bool(line.strip()) and not line.lstrip().startswith("#") and number not in left_out
        for number, line in enumerate(text.splitlines(), 1)
    )


def table(heading: str) -> list[list[str]]:
    """Rows of the first table below a heading, as their cells."""
    below = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1]
    rows = re.search(r"(?:^\|.*\|\n)+", below, re.MULTILINE)
    assert rows
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[0].splitlines()]


def test_lines_are_counted_by_the_rule_of_the_page() -> None:
    program = (
        '"""One.\n\nTwo.\n"""\nimport a  # counts\n\n# does not\n'
        'def f():\n    "no"\n    f("""\nx\n""")\n'
    )
    assert lines("a.py", program) == 5
    assert lines("a.yaml", "# no\na: 1\n\nb: #\n  - 2\n") == 3


@pytest.mark.parametrize("job", JOBS)
def test_the_lines_of_semcore_are_those_of_its_pages(job: int, blocks: Any) -> None:
    counted = 0
    for page, files, commands in JOBS[job]:
        found = blocks(DOCS / f"{page}.md")
        texts = {name: text for _, name, text in found if name}
        called = [line for kind, _, text in found if kind == "console" for line in text.split("\n")]
        for command in commands:
            assert any(line.startswith(f"$ {command}") for line in called), command
        for name in files:  # the reader runs it, or another file or command that names it
            uses = (f" {name}", f"from {name[:-3]} import", f"./{name}", name.split("/")[0])
            others = [*called, *(text for other, text in texts.items() if other != name)]
            assert any(use in other for use in uses for other in others), name
        counted += sum(lines(name, texts[name]) for name in files) + len(commands)
    stated = {row[0]: row[2] for row in table("How lines are counted")}
    assert stated[str(job)] == str(counted)


def test_every_number_of_another_library_has_its_source() -> None:
    head, _, *rows = table("How lines are counted")
    stated = {
        (library, row[0]): row[3 + place].split()[0]
        for row in rows
        for place, library in enumerate(head[3:])
        if row[3 + place] != "no"
    }
    sourced, library = {}, ""
    for named, job, count, counted, how in table("Where the other numbers come from")[2:]:
        library = named.split()[0] if named else library
        sourced[library, job] = count
        assert counted and how in ("run", "read")
    assert stated == sourced
