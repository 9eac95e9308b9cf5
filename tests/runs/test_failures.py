"""Runs in which something fails or changes: what is done stays done, and the reason is told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from semcore.errors import ConfigError, RunError
from semcore.plugins.hookspecs import hook
from semcore.runs.results import read_run

MINE = """from __future__ import annotations
from dataclasses import dataclass, field
from pathlib import Path
import numpy as np
import semcore

@semcore.register("source", "one")
@dataclass(frozen=True)
class One(semcore.Source):
    levels: dict[str, int] = field(default_factory=dict)

    def samples(self):
        grey = int((Path(__file__).parent / "grey").read_text())
        return [semcore.Sample("a", image=np.full((8, 8, 3), grey, np.uint8))]
"""


def mine(bench: Any) -> None:
    """A source in a file of its own, whose picture is as grey as another file says."""
    (bench.folder / "mine.py").write_text(MINE)
    (bench.folder / "grey").write_text("40")
    bench.text = bench.text.replace("greys, limit: 3", "one").replace(
        "bench.py]", "bench.py, ./mine.py]"
    )


def test_another_run_of_a_process_reads_the_source_again(bench: Any) -> None:
    """As in a notebook; the source's settings, which need not be hashable, are what they were."""
    mine(bench)
    assert bench.run().computed == 1 and bench.run().computed == 0
    (bench.folder / "grey").write_text("200")
    assert bench.run().computed == 1
    bench.run("channel.snr_db=40")
    assert [
        result["metrics"]["grey-error"]["mean"] for result in bench.run("channel.snr_db=40").results
    ] == [0]


@pytest.mark.parametrize("edited", [MINE.replace("int(", "1 + int("), None])
def test_a_file_that_is_edited_while_the_run_goes_on_makes_no_result_of_the_old_name(
    bench: Any, edited: str | None
) -> None:
    mine(bench)

    class Edits:
        @hook
        def semcore_run_started(self, folder: Path, cells: int, pending: int) -> None:
            (bench.folder / "mine.py").write_text(edited) if edited else (
                bench.folder / "mine.py"
            ).unlink()

    finished = bench.run(hooks=[Edits()])
    assert (
        finished.computed == 0
        and ("run it again" if edited else "there is no file") in finished.failures[0]
    )
    (bench.folder / "mine.py").write_text(MINE)
    assert bench.run().computed == 1


def test_a_crashed_cell_is_recorded_and_the_others_go_on(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []

    class Hears:
        @hook
        def semcore_cell_failed(self, settings: Any, reason: str) -> None:
            told.append((dict(settings), reason))

    finished = bench.run("channel.crash_db=3", "channel.snr_db=0,3,6", hooks=[Hears()])
    assert finished.computed == 2
    assert finished.failures == ["snr_db=3: FloatingPointError: the amplifier burnt"]
    assert told == [({"channel.snr_db": 3}, "FloatingPointError: the amplifier burnt")]
    assert [result is None for result in finished.results] == [False, True, False]
    (failure,) = (bench.folder / "out" / "cells").glob("*/failure.json")
    record = json.loads(failure.read_text())
    assert (
        record["reason"] == "FloatingPointError: the amplifier burnt"
        and "bench.py" in record["traceback"]
    )
    run = read_run(finished.folder)
    assert [failed["settings"] for failed in run.failures] == [{"channel.snr_db": 3}] and len(
        run.results
    ) == 2

    assert bench.run("channel.crash_db=3", "channel.snr_db=0,3,6").failures  # it is tried again
    assert bench.totals() == {"transmit": 3}
    monkeypatch.setenv("BENCH_CALM", "1")
    finished = bench.run("channel.crash_db=3", "channel.snr_db=0,3,6")
    assert finished.computed == 1 and not finished.failures and not failure.exists()


def test_a_folder_that_cannot_be_written_is_one_clear_line(bench: Any) -> None:
    (bench.folder / "file").write_text("")
    with pytest.raises(
        RunError, match=r"file/out cannot be written: .*; choose another folder with --out"
    ) as caught:
        bench.run(out="file/out")
    assert "\n" not in str(caught.value)


def test_a_full_disk_stops_the_run_and_keeps_what_is_done(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.run("channel.snr_db=0")
    before = bench.results()

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(RunError, match="No space left on device"):
        patched.setattr(os, "fsync", full)
        bench.run("channel.snr_db=0,3")
    assert bench.results() == before
    assert bench.run("channel.snr_db=0,3").computed == 1
    assert not list(bench.folder.rglob(".tmp-*"))


def test_a_source_without_samples_is_told(bench: Any) -> None:
    with pytest.raises(
        ConfigError, match=r"source\.limit=0: error: source 'greys': it has no samples"
    ):
        bench.run("source.limit=0")


def semcore(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "semcore", *arguments],
        cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.parametrize("jobs", [pytest.param("1", marks=pytest.mark.slow), "2"])
@pytest.mark.slow
def test_ctrl_c_says_how_to_go_on(bench: Any, jobs: str) -> None:
    command = [
        "run",
        bench.path.name,
        "channel.slow_s=0.5",
        "channel.snr_db=0:40:1",
        "--jobs",
        jobs,
        "--no-report",
    ]
    process = semcore(*command, cwd=bench.folder)
    cells = bench.folder / "runs" / "bench" / "cells"
    deadline = time.monotonic() + 900
    while (
        not list(cells.glob("*/result.json"))
        and process.poll() is None
        and time.monotonic() < deadline
    ):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=900)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    resume = "semcore run pipeline.yaml channel.slow_s=0.5 channel.snr_db=0:40:1 --jobs " + jobs
    assert f"interrupted; this goes on where it stopped:\n  {resume}" in err
    done = list(cells.glob("*/result.json"))
    assert done and all(json.loads(path.read_text()) for path in done)
    assert not list(bench.folder.rglob(".tmp-*"))
