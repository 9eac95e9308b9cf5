"""Runs as a stranger changes them, and every command that reads one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from semcore.cli import main
from semcore.runs.results import read_run
from semcore.storage import content_digest, sealed, unsealed

SECRET = b"secret-of-somebody"


def cell_of(run: Path) -> Path:
    """The folder of the first cell."""
    return run / "cells" / read_run(run).results[0]["id"]


def rewrite(path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Override a sealed file as a stranger can: with a digest that fits."""
    value = unsealed(path.read_bytes())
    change(value)
    path.write_bytes(sealed(value))


def rewrite_items(cell: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """The same for the first row of a cell."""
    rows = [json.loads(line) for line in (cell / "items.jsonl").read_text().splitlines()]
    change(rows[0])
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    (cell / "items.jsonl").write_bytes(data)
    rewrite(
        cell / "result.json",
        lambda result: result["files"].update({"items.jsonl": content_digest(data)}),
    )


def commands(run: Path) -> Iterator[list[str]]:
    """Every command that reads a run, with all that it may read."""
    metric = "grey-error"
    yield from (
        ["report", str(run)],
        ["play", str(run)],
        ["play", str(run), "0", "--write"],
        ["table", str(run)],
        ["cite", str(run)],
        ["plot", str(run), "--x", "channel.snr_db", "--y", metric],
        ["timeline", str(run), "--y", metric],
        ["frames", str(run)],
        ["export", str(run), "--to", "csv", "--items", "--all-settings"],
        ["export", str(run), "--to", "parquet", "--out", f"{run}.parquet"],
        ["diff", str(run), str(run)],
        ["merge", str(run), "-o", f"{run}-merged"],
        ["verify", str(run)],
    )


def among(run: Path, *verbs: str) -> list[list[str]]:
    """Some of the commands; drawing takes long."""
    return [command for command in commands(run) if command[0] in verbs]


def call(command: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code and what is said on stderr, which is an error of one line or nothing."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        main(command)
    told = capsys.readouterr()
    assert "Traceback" not in told.err + told.out
    code = int(end.value.code or 0)
    if code == 2:
        assert told.err.startswith("error: ") and told.err.count("\n") == 1, told.err
    return code, told.err + told.out
