"""The command line watches itself: its work is done in a child, so that a crash of a plugin or
library is reported.

No `except` catches a segmentation fault, an `abort()` or an `os._exit()`. The command line
therefore forks before it has loaded anything, and the child does all the work. When the child dies
inside a task (a cell of a run), another child takes its place: what is done stays done, the task is
tried once more, and then given up. Linux alone; elsewhere, and for who calls semcore from Python,
work is done in the process itself, and `--jobs 2` or more protects a run all the same.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import mmap
import os
import signal
import sys
import time
from collections.abc import Iterator
from typing import NoReturn

from semcore import sandbox

TRIES = 2
"""So often a task is begun whose process dies."""
WANTED = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT}
"""Signals that end a command on request, which is not a crash."""
SAME_S = 1.0
"""Two signals of Ctrl-C within this time are one: the terminal's, and the same passed on."""
_BOARD_BYTES = 4096


class _Board:
    """What the child lets the watching process know, in memory that both have."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _BOARD_BYTES)
        self.task, self.code = "", -1

    def write(self, task: str, code: int = -1) -> None:
        """Note the task that is under way, "" for none; or that the child is done, with its exit
        code."""
        data = json.dumps([task, code]).encode()[: _BOARD_BYTES - 1] + b"\n"
        self._memory.seek(0)
        self._memory.write(data)

    def read(self) -> tuple[str, int]:
        """The task that was under way last, and the exit code; -1: the child did not come to its
        end."""
        self._memory.seek(0)
        line = self._memory.readline()
        task, code = json.loads(line) if line.endswith(b"\n") else ("", -1)
        return task, code


_board: _Board | None = None
_deaths: dict[str, list[str]] = {}
"""Task -> how each process that was at it died; known to the watching process, and so to each child
that it forks."""


def take_over() -> None:
    """Let a child do the rest of this command: returns in the child, and in each that replaces one
    that died in a task.

    The process that called it watches, ends as the child does, and says of a child that crashed how
    and where.
    """
    global _board
    if sys.platform != "linux":
        return
    for stream in filter(None, (sys.stdout, sys.stderr)):  # None: closed by who started this
        stream.flush()
    watching = {signal.SIGINT, signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, watching)
    while True:
        parent = os.getpid()
        try:
            _board, faults = _Board(), os.memfd_create("faults")
            child = os.fork()
        except OSError:  # no more processes, or an old system: then without
            _board = None
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            return
        if not child:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            sandbox.die_with(parent)
            if not faulthandler.is_enabled():
                faulthandler.enable(faults)
            if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
                signal.signal(signal.SIGINT, _Interrupt())
            return
        status = _wait(child, watching)
        task, code = _board.read()
        if code >= 0:  # it came to its end, whatever became of it while it took itself apart
            os._exit(code)
        died = os.waitstatus_to_exitcode(status)
        if -died in WANTED:
            _end_by(-died)
        where = sandbox.place(os.pread(faults, 2**20, 0).decode("utf-8", "replace"))
        os.close(faults)
        how = _how(died) + (f" ({where})" if where else "")
        if not task:
            _give_up(died, how)
        _deaths.setdefault(task, []).append(how)
        print(
            f"\nThe process {how}; another one goes on in its place.", file=sys.stderr, flush=True
        )


def ended(code: int) -> None:
    """Note that the command has ended, so that what follows does not count as a crash."""
    if _board is not None:
        _board.write("", code)


@contextlib.contextmanager
def under_way(task: str) -> Iterator[None]:
    """Within it, the death of this process costs the task, and the command goes on without it."""
    if _board is None:
        yield
        return
    _board.write(task)
    try:
        yield
    finally:
        _board.write("")


def given_up(task: str) -> str:
    """Why a task is not begun again: how the processes died that were at it; "" if it may be
    begun."""
    deaths = _deaths.get(task, [])
    if len(deaths) < TRIES:
        return ""
    memory = "" if signal.SIGKILL.name not in deaths[-1] else ", perhaps for want of memory"
    return f"its process {deaths[-1]} again{memory}"


def resumed() -> bool:
    """Whether this process continues for one that died."""
    return bool(_deaths)


def _how(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with code {code}"


def _wait(child: int, watching: set[signal.Signals]) -> int:
    """The status of a child when it has ended; Ctrl-C that was meant for it is passed on."""
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        if signal.sigwait(watching) == signal.SIGINT:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGINT)


class _Interrupt:
    """Raises KeyboardInterrupt, as Python does, once for both signals of one Ctrl-C."""

    def __init__(self) -> None:
        self._last = -SAME_S

    def __call__(self, number: int, frame: object) -> None:
        now, before = time.monotonic(), self._last
        if now - before >= SAME_S:
            self._last = now
            raise KeyboardInterrupt


def _end_by(number: int) -> NoReturn:
    """End as a process that did not handle a signal."""
    signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    os.kill(os.getpid(), number)
    os._exit(128 + number)


def _give_up(code: int, how: str) -> NoReturn:
    print(
        f"error: the process that did the work {how}: a plugin, or a library that it uses, crashed",
        file=sys.stderr,
    )
    print("What was finished is intact, and the same command goes on from there.", file=sys.stderr)
    sys.stderr.flush()
    os._exit(128 - code if code < 0 else 2)
