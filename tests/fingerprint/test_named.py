"""Files that settings name count with their content, wherever in a setting their names stand."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import semcore
from semcore.fingerprint.named import named_files


@dataclass(frozen=True)
class Reader(semcore.Selector):
    """Reads files."""

    table: dict[str, Any] = field(default_factory=dict)
    lists: tuple[Any, ...] = ()
    where: str = ""
    weights: str = ""

    def select(self, candidates, batch, kb): ...


@pytest.mark.parametrize(
    "settings",
    [
        {"table": {"a": "{folder}/taps.txt"}},
        {"table": {"a": {"b": ["{folder}/taps.txt"]}}},
        {"table": {"{folder}/taps.txt": 1}},
        {"lists": [["{folder}/taps.txt"]]},
        {"where": "{folder}/taps.txt"},
        {"where": "{folder}/*.txt"},
        {"where": "{folder}/taps"},
        {"weights": "{folder}"},
    ],
    ids=str,
)
def test_a_changed_file_changes_the_digest(settings: dict[str, Any], tmp_path: Path) -> None:
    def placed(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace("{folder}", str(tmp_path))
        if isinstance(value, dict):
            return {placed(key): placed(item) for key, item in value.items()}
        return [placed(item) for item in value] if isinstance(value, list) else value

    (tmp_path / "taps.txt").write_text("1.0")
    reader = Reader(**placed(settings))
    before = named_files(reader)
    (tmp_path / "taps.txt").write_text("-1.0")
    assert before and named_files(reader) != before


@pytest.mark.parametrize("text", ["", ".", "mini", "a/b", "*.nothing", "x" * 5000, "\0", "a\nb"])
def test_a_text_that_names_no_file_counts_as_none(text: str) -> None:
    assert not named_files(Reader(where=text))
