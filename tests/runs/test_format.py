"""A run of the first version stays readable: docs/stability.md promises it.

`format_1` was written by version 0.1.0 and is never written again.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import semcore
from semcore import storage
from semcore.cli import main

WRITTEN = Path(__file__).parent / "format_1"
BLER = {-2: 1.0, 5: 0.0}
"""Of its cells."""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return Path(shutil.copytree(WRITTEN, tmp_path / "run"))


@pytest.mark.parametrize(
    "command",
    [
        ["verify"], ["report"], ["table"], ["plot", "--x", "channel.snr_db", "--y", "bler"],
        ["export", "--to", "csv"], ["cite"],
    ],
    ids=lambda command: command[0],
)  # fmt: skip
def test_commands_read_it(
    command: list[str],
    run: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(run.parent)
    with pytest.raises(SystemExit) as end:
        main([command[0], str(run), *command[1:]])
    assert not end.value.code, capsys.readouterr().err


def test_python_reads_it(run: Path) -> None:
    results = semcore.read(run)
    frame = results.to_pandas()
    found = dict(zip(frame["channel.snr_db"], frame["bler"], strict=True))
    assert found == BLER


def test_readers_ignore_keys_that_they_do_not_know(run: Path) -> None:
    path = run / "run.json"
    info = storage.unsealed(path.read_bytes())
    path.write_bytes(storage.sealed({**info, "added_later": {"a": 1}}))
    assert len(semcore.read(run).to_pandas()) == len(BLER)
