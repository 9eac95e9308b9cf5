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
import os
import signal
import sys
import time
from collections.abc import Iterator
from io import FileIO
from typing import NoReturn

from semcore.children import Death, die_with, place, shared_file

TRIES = 2
"""So often a task is begun whose process dies."""
WANTED = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT}
"""Signals that end a command on request, which is not a crash."""
SAME_S = 1.0
"""Two signals of Ctrl-C within this time are one: the terminal's, and the same passed on."""
_BOARD_BYTES = 4096
_board: FileIO | None = None
"""Where the child writes the task under way, "" for none, and its exit code, -1 until it has come
to its end."""
_deaths: dict[str, list[Death]] = {}
"""Task -> how each process that was at it died; known to the watching process, and so to each child
that it forks."""


def _write(task: str, code: int = -1) -> None:
    if _board is not None:
        os.pwrite(_board.fileno(), json.dumps([task, code]).encode().ljust(_BOARD_BYTES), 0)


def take_over() -> None:
    """Let a child do the rest of this command: returns in the child, and in each that replaces one
    that died in a task.

    The process that called it watches, ends as the child does, and says of a child that crashed how
    and where.
    """
    global _board
    while (fd := os.open(os.devnull, os.O_RDWR)) < 3:
        pass  # in place of a stream that is closed
    os.close(fd)
    if sys.platform != "linux":
        return
    for stream in filter(None, (sys.stdout, sys.stderr)):  # None: it was closed
        stream.flush()
    watching = {signal.SIGINT, signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, watching)
    while True:
        parent = os.getpid()
        try:
            _board, faults = shared_file(), shared_file()
            _write("")
            child = os.fork()
        except OSError:  # no more processes, or an old system: then without
            _board = None
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            return
        if not child:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            die_with(parent)
            if not faulthandler.is_enabled():
                faulthandler.enable(faults)
            if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
                signal.signal(signal.SIGINT, _Interrupt())
            return
        status = _wait(child, watching)
        task, code = json.loads(os.pread(_board.fileno(), _BOARD_BYTES, 0))
        if code >= 0:  # it came to its end, whatever became of it while it took itself apart
            os._exit(code)
        death = Death(os.waitstatus_to_exitcode(status), where=place(faults))
        faults.close()
        if -death.code in WANTED:
            _end_by(-death.code)
        if not task:
            _give_up(death)
        _deaths.setdefault(task, []).append(death)
        print(f"\nThe process {death.how}; another one goes on in its place.", file=sys.stderr)


def ended(code: int) -> None:
    """Note that the command has ended, so that what follows does not count as a crash."""
    _write("", code)


@contextlib.contextmanager
def under_way(task: str) -> Iterator[None]:
    """Within it, the death of this process costs the task, and the command goes on without it."""
    _write(task)
    try:
        yield
    finally:
        _write("")


def given_up(task: str) -> str:
    """Why a task is not begun again: how the processes died that were at it; "" if it may be
    begun."""
    deaths = _deaths.get(task, [])
    if len(deaths) < TRIES:
        return ""
    memory = ", perhaps for want of memory" if deaths[-1].code == -signal.SIGKILL else ""
    return f"its process {deaths[-1].how} again{memory}"


def resumed() -> bool:
    """Whether this process continues for one that died."""
    return bool(_deaths)


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


def _give_up(death: Death) -> NoReturn:
    print(
        f"error: the process that did the work {death.how}: a plugin, or a library that it uses, "
        "crashed\n"
        "What was finished is intact, and the same command goes on from there.",
        file=sys.stderr,
        flush=True,
    )
    os._exit(128 - death.code if death.code < 0 else 2)
