"""Child processes: what may crash, hang or eat all memory is done in one, and cells in several.

A child calls a function with one task after another; the function yields values, which arrive here
one by one. When a child dies, or is killed at a limit, the task that it was at ends with a `Death`,
and another child goes on with the next one. Children die with the process that started them.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import importlib.metadata
import json
import os
import re
import resource
import selectors
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any

_CHILD = """
import json, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
call = json.loads(sys.argv[1])
sys.path[:] = call.pop("path")
from semcore.children import main
main(**call)
"""
"""What a child does. Ctrl-C reaches every process of a terminal: the one that the user started says
how to go on, and ends the others."""
TICK_S = 0.02
"""How often children are looked at that send nothing."""
GRACE_S = 2.0
"""Time that a child has to write down its position before it is killed, s."""
READ_BYTES = 2**20
"""Read at once: all that a pipe holds, or faulthandler writes; and kept of what a child prints."""
READY, VALUE, NOTE = "ready", "value", "note"
"""What a child sends: that it waits for the next task; what its function yields, and notes."""


@dataclass(frozen=True)
class Limits:
    """What a child may use.

    Fields:
        seconds: time between two values
        megabytes: resident memory
        first_s: time until the first value of a task, and to start; 0: `seconds`
    """

    seconds: float = 60.0
    megabytes: float = 4096
    first_s: float = 0.0


IMPORT = Limits(seconds=20.0)
"""Limits of importing a module outside of `semcore plugins`."""


@dataclass(frozen=True)
class Death:
    """How a process ended in the middle of a task.

    Fields:
        code: its exit code, or minus the number of the signal that killed it
        limit: the limit at which it was killed, as a predicate, or ""
        where: ` (file, line)` that it was at, or ""
        said: the last line that it printed
    """

    code: int
    limit: str = ""
    where: str = ""
    said: str = ""

    @property
    def how(self) -> str:
        """What became of the process: `was killed by SIGSEGV (plugin.py, line 3)`."""
        return self._ended("was killed by", "exited with code") + self.where

    def during(self, what: str = "") -> str:
        """What its task did, and when: `kills the process by SIGSEGV when it is imported`."""
        reason = self.limit or self._ended("kills the process by", "ends the process with code")
        said = f"; it says {self.said!r}" if self.said else ""
        return f"{reason} {what}".rstrip() + self.where + said

    __str__ = during

    def _ended(self, killed: str, exited: str) -> str:
        if self.code < 0:
            return f"{killed} {signal.Signals(-self.code).name}"
        return f"{exited} {self.code}"


def attempt(
    work: str,
    tasks: Iterable[Any],
    limits: Limits,
    *,
    children: int = 1,
    tries: int = 1,
    apart: bool = True,
) -> Iterator[tuple[int, Any]]:
    """Call `work` (`module:function`) with each task, in children; yields (index of the task, value
    or `Death`).

    Args:
        tasks: values that JSON can hold, each taken when there is a child for it
        children: number of processes
        tries: number of times that a task is begun whose process dies by itself
        apart: whether a child may do harm: it has a session and a folder of its own, and what it
            prints is not shown
    """
    left, again = enumerate(tasks), deque[tuple[int, Any]]()
    deaths, crew = Counter[int](), list[_Child]()

    def following() -> Any:
        return again.popleft() if again else next(left, None)

    try:
        while True:
            while len(crew) < children and (task := following()):
                crew.append(_Child(work, limits, apart, task))
            if not crew:
                return
            with selectors.DefaultSelector() as selector:
                for pipe in (pipe for child in crew for pipe in child.pipes):
                    selector.register(pipe, selectors.EVENT_READ)
                selector.select(TICK_S)
            for child in list(crew):
                ended, gone = child.process.poll() is not None, False
                for kind, value in child.messages():
                    if kind != READY:
                        yield child.task[0], value
                        if kind == VALUE:
                            child.allow(limits.seconds)
                    elif not child.begun:
                        child.begin(child.task)
                    elif not ended and (task := following()):
                        child.begin(task)
                    else:
                        gone = True
                if ended and not gone:
                    death, gone = child.death(), True
                    deaths[child.task[0]] += 1
                    if death.limit or deaths[child.task[0]] >= tries:
                        yield child.task[0], death
                    else:
                        again.append(child.task)
                if gone:
                    crew.remove(child)
                    child.close()
                else:
                    child.check()
    finally:
        for child in crew:
            child.close()


class _Child:
    """A process, and the pipes to it.

    Attributes:
        task: index and value of the task that it is at, or is meant for
        begun: whether it was given one yet
        pipes: those to read from: its messages, and what it prints unless that is shown
    """

    def __init__(self, work: str, limits: Limits, apart: bool, task: Any) -> None:
        self.task, self.begun, self._limits, self._apart = task, False, limits, apart
        self._limit, self._silent, self._unread, self._printed = "", True, bytearray(), b""
        ends = [*os.pipe(), *os.pipe(), *os.pipe()]
        pipes = (FileIO(end, mode) for end, mode in zip(ends, "rwrwrw", strict=True))
        given, self._tasks, self._messages, sent, output, printed = pipes
        self.pipes, self._faults = [self._messages, output], shared_file()
        self._open = contextlib.ExitStack()
        for one in (self._tasks, self._messages, output, self._faults):
            self._open.callback(one.close)
        fds = [one.fileno() for one in (given, sent, self._faults)]
        # the child is to find what is found here
        path = [entry or os.getcwd() for entry in sys.path]
        call = {"path": path, "work": work, "parent": os.getpid(), "fds": fds}
        options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "pass_fds": fds}
        if apart:  # what it leaves behind goes with the folder
            folder = tempfile.TemporaryDirectory("", "semcore-", ignore_cleanup_errors=True)
            options["env"] = {**os.environ, "TMPDIR": self._open.enter_context(folder)}
            options |= {"stdout": printed, "stderr": printed, "start_new_session": True}
        command = [sys.executable, "-P", "-c", _CHILD, json.dumps(call)]
        try:
            self.process = subprocess.Popen(command, **options)
        finally:
            for one in (given, sent, printed):
                one.close()
        for one in self.pipes:
            os.set_blocking(one.fileno(), False)
        self.allow(limits.first_s or limits.seconds)

    def allow(self, seconds: float) -> None:
        """Let it take that long from now until its next value."""
        self._since, self._allowed = time.monotonic(), seconds

    def begin(self, task: Any) -> None:
        """Give it a task."""
        self.task, self.begun = task, True
        rest = json.dumps(task[1]).encode() + b"\n"
        with contextlib.suppress(BrokenPipeError):  # that it has died is noticed later
            while rest:
                rest = rest[self._tasks.write(rest) :]
        self.allow(self._limits.first_s or self._limits.seconds)

    def messages(self) -> list[tuple[str, Any]]:
        """(kind, value) of each that has arrived as a whole."""
        self._silent, lines = True, list[bytearray]()
        for pipe in list(self.pipes):
            data = pipe.read(READ_BYTES)
            if data == b"":  # nobody has the other end any more
                self.pipes.remove(pipe)
            elif data and pipe is self._messages:
                self._silent = False
                self._unread += data
                if b"\n" in data:  # a large message comes in many pieces
                    *lines, self._unread = self._unread.split(b"\n")
            elif data:
                self._printed = (self._printed + data)[-READ_BYTES:]
        return [json.loads(line) for line in lines]

    def check(self) -> None:
        """Kill it if it has reached a limit; it writes down where it is before that."""
        if not self._silent:
            return
        if time.monotonic() - self._since > self._allowed:
            self._limit = f"takes more than {self._allowed:g} s"
        elif self._apart and _resident_mb(self.process.pid) > self._limits.megabytes:
            self._limit = f"needs more than {self._limits.megabytes:g} MB of memory"
        if self._limit:
            self.process.send_signal(signal.SIGABRT)  # to faulthandler
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(GRACE_S)
            self.process.kill()
            self.process.wait()

    def death(self) -> Death:
        """How it ended."""
        printed = self._printed.decode("utf-8", "replace").split("\n")
        last = next((line.strip() for line in reversed(printed) if line.strip()), "")
        return Death(self.process.wait(), self._limit, place(self._faults), last[:200])

    def close(self) -> None:
        """Kill it, and what it has started in a session of its own."""
        # macOS forbids it where none of the group lives
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL) if self._apart else self.process.kill()
        self.process.wait()
        self._open.close()


def shared_file() -> FileIO:
    """An empty file for this process and a child; nobody else can open it."""
    if sys.platform == "linux":
        return FileIO(os.memfd_create("semcore"), "r+")
    with tempfile.TemporaryFile(buffering=0) as file:
        return FileIO(os.dup(file.fileno()), "r+")


def place(faults: FileIO) -> str:
    """` (file, line)` of the innermost line outside of Python's own library in what faulthandler
    wrote, or ""."""
    text = os.pread(faults.fileno(), READ_BYTES, 0).decode("utf-8", "replace")
    frames = re.findall(r'File "([^"]+)", line (\d+)', text.partition("Current thread")[2] or text)
    library = sysconfig.get_path("stdlib")
    for file, line in frames:
        if "site-packages" in file or not file.startswith((library, "<")):
            short = Path(file).parts[-2:] if file.endswith("__init__.py") else (Path(file).name,)
            return f" ({'/'.join(short)}, line {line})"
    return ""


def _resident_mb(pid: int) -> float:
    """Resident memory of a process; 0 if it has ended."""
    try:
        if sys.platform == "linux":
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
        shown = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True)
        return int(shown.stdout or 0) / 1024
    except (OSError, ValueError, IndexError):
        return 0.0


# ---------------------------------------------------------------------------------------- the child

_send: Callable[[str, Any], None]


def main(work: str, parent: int, fds: Sequence[int]) -> None:
    """Do tasks as long as they come; called in a child of the process `parent`.

    Args:
        fds: to read tasks, to send messages, and for faulthandler
    """
    global _send
    die_with(parent)
    tolerate_broken_metadata()
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for fd in fds:
        os.set_inheritable(fd, False)
    faulthandler.enable(fds[2])
    module, _, function = work.partition(":")
    do = getattr(importlib.import_module(module), function)
    with open(fds[0]) as tasks, open(fds[1], "w") as messages:

        def send(kind: str, value: Any = None) -> None:
            messages.write(json.dumps([kind, value]) + "\n")
            messages.flush()

        _send = send
        send(READY)
        for task in tasks:
            for value in do(json.loads(task)):
                send(VALUE, value)
            send(READY)


def note(value: Any) -> None:
    """Send a value before the function has one to yield; it does not count against the time."""
    _send(NOTE, value)


entry_points_of: Any = vars(importlib.metadata.Distribution)["entry_points"].fget
"""The entry points of a distribution, as its metadata has them."""


def tolerate_broken_metadata() -> None:
    """In this process, packages whose entry points cannot be read bring none, whoever asks.

    Pydantic, PyTorch, Numba and matplotlib ask for those of every package there is, and one file
    that is not UTF-8 would end them all.
    """

    def entry_points(self: importlib.metadata.Distribution) -> Any:
        try:
            return entry_points_of(self)
        except Exception:  # the doctor says what is wrong with it
            return importlib.metadata.EntryPoints(())

    importlib.metadata.Distribution.entry_points = property(entry_points)  # type: ignore[assignment,method-assign]


_WATCH = """
import os, signal, subprocess, sys, time
parent, child = map(int, sys.argv[1:])
while os.getppid() == child:
    time.sleep(0.5)
    shown = subprocess.run(["ps", "-o", "ppid=", "-p", str(child)], capture_output=True, text=True)
    if shown.stdout.split() not in ([], [str(parent)]):
        os.kill(child, signal.SIGKILL)
"""
"""A process that is another's child, and kills it when that one has lost its parent."""


def die_with(parent: int) -> None:
    """Let the system kill this process when the one that started it ends, even inside code that
    holds the interpreter's lock.

    Args:
        parent: the process that started this one
    """
    if sys.platform == "linux":
        import ctypes

        PR_SET_PDEATHSIG = 1  # of Linux
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    else:
        watch(parent)
    if os.getppid() != parent:  # it ended before that
        os.kill(os.getpid(), signal.SIGKILL)


def watch(parent: int) -> None:
    """Start a process that kills this one when `parent` ends, and ends with it: where the system
    has no signal for that."""
    command = [sys.executable, "-I", "-S", "-c", _WATCH, str(parent), str(os.getpid())]
    null = subprocess.DEVNULL
    subprocess.Popen(command, stdin=null, stdout=null, stderr=null)
