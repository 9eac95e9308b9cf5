"""Child processes: one that exits, crashes, hangs, prints without end or raises costs its task
alone."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from semcore import children
from semcore.children import Death, Limits, attempt

WORK = """
import ctypes, json, os, subprocess, sys, tempfile, time
from semcore import children

def exits():
    print("no licence", flush=True)
    os._exit(3)

def crashes():
    ctypes.string_at(0)

def raises():
    raise ValueError("boom")

def hangs():
    while True:
        pass

def hangs_in_c():
    ctypes.PyDLL(None).sleep(600)

def prints():
    while True:
        print("so it goes")

def grows():
    kept = []
    while True:
        kept.append(bytearray(os.urandom(2**20) * 16))

def sends_half():
    open_ones = map(int, os.listdir("/proc/self/fd"))
    os.write(next(fd for fd in open_ones if fd > 2 and sends(fd)), b'["value"')
    time.sleep(600)

def sends(fd):
    try:
        kind = os.readlink(f"/proc/self/fd/{fd}")
        flags = int(open(f"/proc/self/fdinfo/{fd}").read().split("flags:")[1].split()[0], 8)
        return kind.startswith("pipe") and flags & os.O_ACCMODE == os.O_WRONLY
    except OSError:
        return False

def leaves():
    open(os.path.join(tempfile.gettempdir(), "left"), "w").close()
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    return [tempfile.gettempdir(), child.pid, os.getsid(0)]

def reads():
    return sys.stdin.read()

def work(task):
    yield ["began", task]
    yield globals()[task]() if task in globals() else task

def large(task):
    children.note(task)
    yield "x" * task

def dies_once(task):
    path, name = task
    if name == "dies" and not os.path.exists(path):
        open(path, "w").close()
        os.abort()
    yield [name, os.getpid()]
"""
LIMITS = Limits(seconds=3.0, first_s=60.0)
ENDS = {
    "exits": r"ends the process with code 3; it says 'no licence'",
    "crashes": r"kills the process by SIGSEGV \(work_of_children\.py, line \d+\)",
    "raises": r"ends the process with code 1; it says 'ValueError: boom'",
    "hangs": r"takes more than 3 s \(work_of_children\.py, line \d+\)",
    "hangs_in_c": r"takes more than 3 s \(work_of_children\.py, line \d+\)",
    "prints": r"takes more than 3 s \(work_of_children\.py, line \d+\); it says 'so it goes'",
    "grows": r"needs more than 400 MB of memory \(work_of_children\.py, line \d+\)",
    "sends_half": r"takes more than 3 s \(work_of_children\.py, line \d+\)",
}


@pytest.fixture(autouse=True)
def _work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work_of_children.py").write_text(WORK)
    monkeypatch.syspath_prepend(tmp_path)


def call(
    function: str, *tasks: Any, limits: Limits = LIMITS, **options: Any
) -> list[tuple[int, Any]]:
    return list(attempt(f"work_of_children:{function}", tasks, limits, **options))


@pytest.mark.parametrize("what", ENDS)
@pytest.mark.default_cases(1)
def test_a_child_that_ends_badly_costs_its_task(what: str) -> None:
    limits = Limits(60.0, 400, 60.0) if what == "grows" else LIMITS
    made = call("work", "a", what, "b", limits=limits)
    assert [one for one in made if not isinstance(one[1], Death)] == [
        (0, ["began", "a"]), (0, "a"), (1, ["began", what]), (2, ["began", "b"]), (2, "b"),
    ]  # fmt: skip
    assert isinstance(made[3][1], Death) and made[3][0] == 1
    assert re.fullmatch(ENDS[what], str(made[3][1])), str(made[3][1])


@pytest.mark.slow
def test_what_a_child_prints_is_kept_up_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = list[int]()
    whole = children._Child.death

    def death(child: Any) -> Death:
        kept.append(len(child._printed))
        return whole(child)

    monkeypatch.setattr(children._Child, "death", death)
    call("work", "prints")
    assert kept == [children.READ_BYTES]


def test_what_a_child_starts_and_writes_ends_with_it() -> None:
    ((_, _), (_, (folder, grandchild, session))) = call("work", "leaves")
    assert session != os.getsid(0) and not Path(folder).exists()
    for _ in range(1000):
        try:
            if Path(f"/proc/{grandchild}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except OSError:
            return
        time.sleep(0.01)
    raise AssertionError("what a child has started lives on")


def test_a_child_has_nothing_to_read() -> None:
    assert call("work", "reads")[1] == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("apart", [True, False])
def test_a_large_value_comes_whole_and_who_takes_it_may_take_its_time(apart: bool) -> None:
    size, limits, made = 3 * 2**20, Limits(2.0, first_s=60.0), list[Any]()
    for index, value in attempt(
        "work_of_children:large", [size, size], limits, children=2, apart=apart
    ):
        made.append((index, len(value) if isinstance(value, str) else value))
        time.sleep(2.5)
    assert sorted(made) == sorted([(0, size), (0, size), (1, size), (1, size)])


def test_tasks_are_taken_when_there_is_a_child_for_them(tmp_path: Path) -> None:
    taken = list[int]()

    def tasks() -> Iterator[int]:
        for task in range(6):
            taken.append(task)
            yield task

    made = attempt("work_of_children:work", tasks(), LIMITS, children=2)
    first = next(made)
    assert len(taken) <= 3
    assert sorted([first, *made], key=str) == sorted(
        [one for task in range(6) for one in ((task, ["began", task]), (task, task))], key=str
    )


@pytest.mark.parametrize(("tries", "dead"), [(1, [1]), (2, [])])
def test_a_task_whose_child_dies_is_tried_again_as_often_as_allowed(
    tmp_path: Path, tries: int, dead: list[int]
) -> None:
    tasks = [[str(tmp_path / "died"), name] for name in ("a", "dies", "b")]
    made = call("dies_once", *tasks, tries=tries)
    deaths = {index: value for index, value in made if isinstance(value, Death)}
    assert list(deaths) == dead and all(one.code == -signal.SIGABRT for one in deaths.values())
    assert {value[0] for _, value in made if not isinstance(value, Death)} == {
        "a",
        "b",
        *(["dies"] if not dead else []),
    }


@pytest.mark.slow
def test_a_limit_is_no_death_to_try_again() -> None:
    made = call("work", "hangs", tries=3)
    assert [index for index, _ in made] == [0, 0] and made[1][1].limit == "takes more than 3 s"


def test_work_that_is_given_up_leaves_no_child() -> None:
    made = attempt("work_of_children:work", ["hangs", "hangs"], Limits(600.0), children=2)
    next(made)
    (crew,) = [value for name, value in made.gi_frame.f_locals.items() if name == "crew"]  # type: ignore[attr-defined]
    assert len(crew) == 2
    made.close()  # type: ignore[attr-defined]
    assert all(child.process.poll() is not None for child in crew)


def test_a_death_says_what_became_of_the_process() -> None:
    assert Death(-signal.SIGKILL).how == "was killed by SIGKILL"
    assert Death(7, where=" (x.py, line 3)").how == "exited with code 7 (x.py, line 3)"
    assert (
        Death(7).during("when it is imported") == "ends the process with code 7 when it is imported"
    )
