"""Runs in processes of their own, and what they leave behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from semcore.storage import TEMPORARY

from .pipelines import PIPELINE

SNRS = [0, 3, 6]
SWEEP = f"channel.snr_db={','.join(map(str, SNRS))}"


def files(out: Path) -> dict[str, bytes]:
    """What can be seen of a run, except what can be made again."""
    found = (
        path
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.relative_to(out).parts[0] != "cache"
    )
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in found
        if not path.name.startswith(TEMPORARY)
    }


def processes_of(session: int) -> list[str]:
    """Command lines of the living processes that belong to a session."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] != "Z":
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except (OSError, ValueError):
            continue
    return found


def children_of(parent: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def workers_of(command: int) -> list[int]:
    """Processes that compute a run's cells: children of the worker, the supervisor's child."""
    found = [pid for child in children_of(command) for pid in children_of(child)]
    return [
        pid for pid in found if b"semcore.children" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


class Shell:
    """`semcore run` in a session of its own, as from another terminal."""

    def __init__(self, folder: Path, *options: str) -> None:
        (folder / "pipeline.yaml").write_text(PIPELINE)
        self.folder, self.log = folder, folder / "log"
        self.command = [
            sys.executable,
            "-m",
            "semcore",
            "run",
            "pipeline.yaml",
            SWEEP,
            "--no-report",
            *options,
        ]

    def start(self, out: str, *more: str) -> subprocess.Popen[str]:
        self.log.write_text("")
        environment = {**os.environ, "BENCH_LOG": str(self.log)}
        process = subprocess.Popen(
            [*self.command, *more, "--out", out], cwd=self.folder, env=environment, text=True,
            start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline().startswith(f"{out}: {len(SNRS)} cells")
        return process

    def until(self, there: Callable[[], Any]) -> None:
        """Wait for something that happens soon."""
        for _ in range(90_000):
            if there():
                return
            time.sleep(0.01)
        raise AssertionError("it never happened")


def living(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
