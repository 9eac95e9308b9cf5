"""A run on a disk that is full or may only be read: one line, and what was done stays."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from semcore.errors import RunError
from semcore.runs.results import read_run

from ...support.processes import files


def test_a_full_disk_is_one_clear_line_and_costs_nothing_that_was_done(
    bench: Any, disk: Path
) -> None:
    bench.run("channel.snr_db=0", out="disk/out")
    before = files(disk / "out")
    (disk / "ballast").write_bytes(
        bytes(os.statvfs(disk).f_bavail * os.statvfs(disk).f_bsize - 8192)
    )
    with pytest.raises(
        RunError, match=r"disk/out/.* cannot be written: No space left on device; "
    ) as caught:
        bench.run("channel.snr_db=0:9:3", out="disk/out")
    assert "\n" not in str(caught.value)
    seen = files(disk / "out")
    assert all(seen[name] == data for name, data in before.items() if name.startswith("cells"))
    (disk / "ballast").unlink()
    assert (
        bench.run("channel.snr_db=0:9:3", out="disk/out").computed
        + len(read_run(disk / "out").results)
        >= 4
    )
    bench.run("channel.snr_db=0:9:3", out="whole")
    assert bench.results("disk/out") == bench.results("whole")


def test_a_read_only_folder_is_one_clear_line(bench: Any, disk: Path) -> None:
    bench.run("channel.snr_db=0", out="disk/out")
    before = files(disk / "out")
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(RunError, match=r"cannot be written: Read-only file system; ") as caught:
        bench.run("channel.snr_db=0:9:3", out="disk/out")
    assert "\n" not in str(caught.value) and files(disk / "out") == before
