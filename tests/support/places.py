"""What holds for every message about a faulty pipeline."""

from __future__ import annotations

import re
from pathlib import Path

from semcore.errors import ConfigError


def check_places(error: ConfigError, path: Path, lines: list[str], overrides: list[str]) -> None:
    """Problems stand at real places under a caret, none is repeated, and no Python shows."""
    places = []
    for problem in error.problems:
        text = str(problem)
        assert all(line.isprintable() and len(line) < 1500 for line in text.split("\n")), text
        if problem.where == str(path) or problem.where in overrides:
            continue
        line, column = map(int, problem.where.removeprefix(f"{path}:").split(":"))
        assert problem.source == (lines[line - 1] if line <= len(lines) else "")
        assert 1 <= problem.column == column <= len(problem.source) + 1
        places.append((line, column))
        if problem.source.isascii() and problem.source.strip():
            _, shown, caret = text.split("\n")[:3]
            there = "".join(c if c.isprintable() else " " for c in problem.source[column - 1 :][:5])
            assert shown[caret.index("^") :][:5].rstrip() == there.rstrip()
    assert places == sorted(places)
    assert len({(problem.where, problem.message) for problem in error.problems}) == len(
        error.problems
    )
    assert not re.search(
        r"Traceback|<class|NoneType|\bNone\b|\bdict\b|\btuple\b|Input should|object at 0x",
        str(error),
    )
