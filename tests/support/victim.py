"""A run in its own process that stops at a barrier inside a commit and waits to be killed."""

from __future__ import annotations

import builtins
import os
import stat
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from semcore import storage
from semcore.config.configuration import load
from semcore.plugins.hookspecs import hook
from semcore.plugins.packages import hook_manager
from semcore.runs import runner as runs

PLACES = (
    ("temp", "before"), ("temp", "half"), ("temp", "after"), ("fsync", "before"),
    ("fsync", "after"), ("rename", "before"), ("rename", "after"), ("folder", "before"),
    ("folder", "after"),
)  # fmt: skip
"""Steps of writing a file, and where the barrier stands."""


class Barrier:
    """Stops the process the `nth` time it reaches (kind of file, step, before or after)."""

    def __init__(self, gate: Connection, at: tuple[str, str, str], nth: int) -> None:
        self.gate, self.at, self.left = gate, at, nth
        self.kind = ""

    def begin(self, name: str) -> None:
        """A file of a cell is about to be written."""
        self.kind = "result" if name.endswith("result.json") else "artifact"

    def __call__(self, step: str, when: str) -> None:
        if (self.kind, step, when) != self.at:
            return
        if self.left == 0:
            self.gate.send("here")
            self.gate.recv()  # for ever
        self.left -= 1


class Slow:
    """A file that is written in two halves, with the barrier in between."""

    def __init__(self, file: Any, barrier: Barrier) -> None:
        self.file, self.barrier = file, barrier

    def __enter__(self) -> Slow:
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def write(self, data: bytes) -> None:
        self.file.write(data[: len(data) // 2])
        self.file.flush()
        self.barrier("temp", "half")
        self.file.write(data[len(data) // 2 :])
        self.file.flush()
        self.barrier("temp", "after")


def put_barriers(barrier: Barrier, named: bool = False) -> None:
    """Between the steps of `storage.write`, whatever they are called from.

    Args:
        named: whether files have names while they are written, as where the system has none without
    """
    fsync, replace, link, unnamed = os.fsync, os.replace, os.link, storage._unnamed

    def begin(path: Path) -> None:
        barrier.kind = ""
        if "cells" in path.parts:
            barrier.begin(path.name)
        barrier("temp", "before")

    def opened(path: Any, mode: str) -> Any:
        if "x" not in mode:
            return builtins.open(path, mode)
        begin(path)
        return Slow(builtins.open(path, mode), barrier)

    def unnamed_(path: Path) -> Any:
        if named:
            return None
        begin(path)
        file = unnamed(path)
        assert file is not None, "this system has no files without a name"
        return Slow(file, barrier)

    def synced(descriptor: int) -> None:
        step = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "fsync"
        barrier(step, "before")
        fsync(descriptor)
        barrier(step, "after")

    def moving(move: Any) -> Any:
        def moved(*arguments: Any, **settings: Any) -> None:
            barrier("rename", "before")
            move(*arguments, **settings)
            barrier("rename", "after")

        return moved

    storage.open, storage._unnamed = opened, unnamed_  # type: ignore[attr-defined]
    os.fsync, os.replace, os.link = synced, moving(replace), moving(link)


def write_naively(barrier: Barrier) -> None:
    """What most programs do: open the file and write into it."""

    def write(path: Path, data: bytes, durable: bool = True) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        barrier.kind = ""
        if "cells" in path.parts:
            barrier.begin(path.name)
        with Slow(builtins.open(path, "wb"), barrier) as file:
            file.write(data)

    runs.write = write  # type: ignore[attr-defined]


class Log:
    """Appends the settings of every cell that is begun to a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @hook
    def semcore_cell_started(self, settings: Mapping[str, Any]) -> None:
        with builtins.open(self.path, "a") as file:
            file.write(f"{settings['channel.snr_db']}\n")


def run(
    pipeline: Path,
    sweep: str,
    out: Path,
    log: Path,
    barrier: tuple[Connection, tuple[str, str, str], int] | None,
    how: str,
) -> None:
    """Run a pipeline to the barrier, or to its end; files are written unnamed, named or naive."""
    hooks = hook_manager([])
    hooks.register(Log(log))
    experiment = load(pipeline, [sweep])
    if barrier is not None:
        one = Barrier(*barrier)
        write_naively(one) if how == "naive" else put_barriers(one, how == "named")
    runs.run(experiment, out, hooks)
