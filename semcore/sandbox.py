"""Work on what may crash, hang or eat all memory: done in a child process, watched from here.

The child calls a function with each of its tasks in turn; the function yields values, which arrive
here one by one. When the child dies, or is killed at a limit, the task it was at ends with a
`Death`, and another child continues with the next one.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import importlib.metadata
import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_CHILD = "import sys; from semcore.sandbox import main; main(*sys.argv[1:])"
TICK_S = 0.02
"""How often a child is looked at."""
GRACE_S = 2.0
"""Time that a child has to report its position before it is killed, s."""


@dataclass(frozen=True)
class Limits:
    """What a child may use.

    Fields:
        seconds: time between two values
        megabytes: resident memory
        first_s: time until the first value of a task; 0: `seconds`
    """

    seconds: float = 60.0
    megabytes: int = 4096
    first_s: float = 0.0


IMPORT = Limits(seconds=20.0)
"""Limits of importing a module outside of `semcore plugins`."""


@dataclass(frozen=True)
class Death:
    """How a child ended in the middle of a task.

    Fields:
        reason: what became of it, as a predicate
        where: file and line that it was at, if that is known
        said: the last line that it printed
    """

    reason: str
    where: str = ""
    said: str = ""

    def during(self, what: str) -> str:
        """The same with what it was doing: `when it is imported`."""
        said = f"; it says {self.said!r}" if self.said else ""
        return f"{self.reason} {what}" + (f" ({self.where})" if self.where else "") + said

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where else ""
        return self.reason + place + (f"; it said {self.said!r}" if self.said else "")


def attempt(work: str, tasks: Sequence[Any], limits: Limits) -> Iterator[tuple[int, Any]]:
    """Call `work` (`module:function`) with each task, in children; yields (index of the task, value
    or `Death`).

    Args:
        tasks: values that JSON can hold
    """
    done = 0
    while done < len(tasks):
        at = done
        for index, value in _one_child(work, tasks[done:], limits):
            at = done + index
            yield at, value
        done = at + 1


def _one_child(work: str, tasks: Sequence[Any], limits: Limits) -> Iterator[tuple[int, Any]]:
    """The values of one child, up to the end of all tasks or its death; at least one task is over
    then."""
    with tempfile.TemporaryDirectory(prefix="semcore-") as name:
        folder = Path(name)
        (folder / "tasks").write_text(json.dumps(tasks))
        (folder / "report").touch()
        # the child is to find what is found here
        path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
        with (
            open(folder / "output", "wb") as output,
            open(folder / "report", encoding="utf-8") as report,
        ):
            child = subprocess.Popen(
                [sys.executable, "-P", "-c", _CHILD, work, name, str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # what it leaves behind goes with the folder
                env={**os.environ, "PYTHONPATH": path, "TMPDIR": name},
                start_new_session=True,
            )
            try:
                yield from _watch(child, report, folder, limits, len(tasks))
            finally:
                with contextlib.suppress(ProcessLookupError):  # what it has started ends with it
                    os.killpg(child.pid, signal.SIGKILL)
                child.wait()


def _watch(
    child: subprocess.Popen[bytes], report: Any, folder: Path, limits: Limits, count: int
) -> Iterator[tuple[int, Any]]:
    index, line, killed = 0, "", ""
    received, allowed = time.monotonic(), limits.first_s or limits.seconds
    while True:
        ended = child.poll() is not None
        line += report.readline()  # an unfinished line is finished later
        if line.endswith("\n"):
            index, kind, value = json.loads(line)
            line, received = "", time.monotonic()
            allowed = limits.seconds if kind == "value" else limits.first_s or limits.seconds
            if kind == "value":
                yield index, value
            elif kind == "end" and index == count - 1:
                return
            continue
        if ended:
            yield index, _death(child.returncode, folder, killed)
            return
        if time.monotonic() - received > allowed:
            killed = f"takes more than {allowed:g} s"
        elif _resident_mb(child.pid) > limits.megabytes:
            killed = f"needs more than {limits.megabytes} MB of memory"
        if killed:
            child.send_signal(signal.SIGABRT)  # faulthandler writes down where it is
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(GRACE_S)
            child.kill()
            child.wait()
            continue
        time.sleep(TICK_S)


def _resident_mb(pid: int) -> float:
    """Resident memory of a process; 0 if it has ended."""
    try:
        if sys.platform == "linux":
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
        shown = subprocess.run(
            ["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        return int(shown.stdout or 0) / 1024
    except (OSError, ValueError, IndexError):
        return 0.0


def _death(code: int, folder: Path, killed: str) -> Death:
    if killed:
        reason = killed
    elif code < 0:
        reason = f"kills the process by {signal.Signals(-code).name}"
    else:
        reason = f"ends the process with code {code}"
    said = (folder / "output").read_text(encoding="utf-8", errors="replace").split("\n")
    last = next((line.strip() for line in reversed(said) if line.strip()), "")
    faults = folder / "faults"
    return Death(reason, place(faults.read_text() if faults.exists() else ""), last[:200])


def place(text: str) -> str:
    """The innermost line outside of Python's own library in what faulthandler wrote, or ""."""
    frames = re.findall(r'File "([^"]+)", line (\d+)', text.partition("Current thread")[2] or text)
    library = sysconfig.get_path("stdlib")
    own = [
        one for one in frames if "site-packages" in one[0] or not one[0].startswith((library, "<"))
    ]
    for file, line in own[:1]:
        short = "/".join(Path(file).parts[-2:]) if file.endswith("__init__.py") else Path(file).name
        return f"{short}, line {line}"
    return ""


# ---------------------------------------------------------------------------------------- the child

_READ: Any = vars(importlib.metadata.Distribution)["entry_points"].fget


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


def entry_points_of(source: importlib.metadata.Distribution) -> Any:
    """The entry points of a distribution, as its metadata has them."""
    return _READ(source)


PARENT_DEATH_SIGNAL = 1
"""`PR_SET_PDEATHSIG` of Linux's prctl."""
WATCH_S = 0.5
"""How often a watching process looks at the others."""
_WATCH = """
import os, signal, subprocess, sys, time
parent, child, pause = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
while True:
    time.sleep(pause)
    asked = subprocess.run(["ps", "-o", "ppid=", "-p", str(child)], capture_output=True, text=True)
    found = asked.stdout.strip()
    if os.getppid() != child or not found:
        break
    if int(found) != parent:
        os.kill(child, signal.SIGKILL)
        break
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

        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    else:
        watch(parent)
    if os.getppid() != parent:  # it ended before that
        os.kill(os.getpid(), signal.SIGKILL)


def watch(parent: int) -> None:
    """Start a process that kills this one when `parent` ends, and ends with it: where the system
    has no signal for that."""
    command = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        _WATCH,
        str(parent),
        str(os.getpid()),
        str(WATCH_S),
    ]
    subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def main(work: str, folder: str, parent: str) -> None:
    """Do all tasks in `folder`; called in the child of the process `parent`."""
    die_with(int(parent))
    tolerate_broken_metadata()
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    faulthandler.enable(open(Path(folder, "faults"), "w"))  # noqa: SIM115 - open as long as the process lives
    tasks = json.loads(Path(folder, "tasks").read_text())
    with open(Path(folder, "report"), "a", encoding="utf-8") as report:

        def tell(index: int, kind: str, value: Any = None) -> None:
            report.write(json.dumps([index, kind, value]) + "\n")
            report.flush()

        for index, task in enumerate(tasks):
            tell(index, "begin")
            module, _, function = work.partition(":")
            for value in getattr(importlib.import_module(module), function)(task):
                tell(index, "value", value)
            tell(index, "end")
