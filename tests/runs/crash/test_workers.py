"""Cells that hang or end their process: the others go on, and no process is left behind."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from semcore.runs.results import read_run

from ...support.pipelines import PIPELINE
from ...support.processes import Shell, children_of, living, processes_of


@pytest.mark.slow
def test_a_cell_that_takes_too_long_is_stopped_and_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "sleepy.py").write_text(SLEEPY)
    one = Shell(tmp_path, "--jobs", "2", "--time-limit", "3", "channel.use=sleepy")
    (tmp_path / "pipeline.yaml").write_text(PIPELINE.replace("bench.py]", "bench.py, ./sleepy.py]"))
    process = one.start("out")
    out, err = process.communicate(timeout=900)
    assert process.returncode == 1 and "snr_db=3: it took longer than the time limit of 3 s" in err
    assert len(list((tmp_path / "out").glob("cells/*/result.json"))) == 2
    assert [failed["settings"] for failed in read_run(tmp_path / "out").failures] == [
        {"channel.snr_db": 3}
    ]


CRASHES = {
    "os.kill(os.getpid(), 9)": r"was killed by SIGKILL again, perhaps for want of memory",
    "import ctypes; ctypes.string_at(0)": r"was killed by SIGSEGV( \(sleepy\.py, line 15\))? again",
    "os.abort()": r"was killed by SIGABRT( \(sleepy\.py, line 15\))? again",
    "os._exit(0)": "exited with code 0 again",
}
"""What a plugin does to its process -> what the failure of its cell says."""


@pytest.mark.parametrize(
    ("what", "jobs"),
    [
        pytest.param(what, jobs, marks=[] if index == number else pytest.mark.slow)
        for index, what in enumerate(CRASHES)
        for number, jobs in enumerate(["1", "2"])
    ],
)
@pytest.mark.slow
def test_a_cell_that_ends_its_process_fails_and_the_others_go_on(
    tmp_path: Path, what: str, jobs: str
) -> None:
    (tmp_path / "sleepy.py").write_text(SLEEPY.replace("time.sleep(3600)", what))
    one = Shell(tmp_path, "--jobs", jobs, "channel.use=sleepy")
    (tmp_path / "pipeline.yaml").write_text(PIPELINE.replace("bench.py]", "bench.py, ./sleepy.py]"))
    process = one.start("out")
    out, err = process.communicate(timeout=900)
    assert process.returncode == 1
    assert re.search(rf"^error: a cell failed: snr_db=3: its process {CRASHES[what]}", err, re.M), (
        err
    )
    assert jobs == "2" or what.startswith("os.") or "sleepy.py, line 15" in err
    assert len(list((tmp_path / "out").glob("cells/*/result.json"))) == 2
    assert len(read_run(tmp_path / "out").failures) == 1


@pytest.mark.slow
def test_again_computes_no_cell_twice_that_was_done_when_the_process_died(tmp_path: Path) -> None:
    (tmp_path / "sleepy.py").write_text(SLEEPY.replace("time.sleep(3600)", "os._exit(3)"))
    one = Shell(tmp_path, "--again", "channel.use=sleepy")
    (tmp_path / "pipeline.yaml").write_text(PIPELINE.replace("bench.py]", "bench.py, ./sleepy.py]"))
    out, _ = one.start("out").communicate(timeout=900)
    assert len(re.findall(r"\] snr_db=0 ", out)) == 1 and len(re.findall(r"\] snr_db=6 ", out)) == 1


SLEEPY = '''
import os, time
from dataclasses import dataclass
import semcore

@semcore.register("channel", "sleepy")
@dataclass(frozen=True)
class Sleepy(semcore.ChannelModel):
    """Never wakes up at 3 dB."""

    snr_db: float = 0.0

    def transmit(self, symbols, rng):
        if self.snr_db == 3:
            time.sleep(3600)
        return symbols.received(symbols.values, 0.1)
'''
HELD = "import ctypes; ctypes.PyDLL(None).sleep(600)"
"""Code of a library that keeps the interpreter's lock: no other thread of the process runs."""


@pytest.mark.slow
def test_workers_die_with_their_parent_inside_code_that_holds_the_lock(tmp_path: Path) -> None:
    (tmp_path / "sleepy.py").write_text(
        SLEEPY.replace("time.sleep(3600)", f"open('here', 'w').close(); {HELD}")
    )
    one = Shell(tmp_path, "--jobs", "2", "channel.use=sleepy")
    (tmp_path / "pipeline.yaml").write_text(PIPELINE.replace("bench.py]", "bench.py, ./sleepy.py]"))
    process = one.start("out")
    one.until((tmp_path / "here").exists)
    process.kill()
    process.wait()
    one.until(lambda: not processes_of(process.pid))


@pytest.mark.parametrize("how", ["children.die_with(os.getppid())", "children.watch(os.getppid())"])
def test_a_child_dies_with_its_parent(tmp_path: Path, how: str) -> None:
    """By the system's signal where there is one, else by a process that watches."""
    child = f"import os; from semcore import children; {how}; open('here', 'w').close(); {HELD}"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    process = subprocess.Popen([sys.executable, "-c", parent], cwd=tmp_path, start_new_session=True)
    Shell(tmp_path).until((tmp_path / "here").exists)
    process.kill()
    process.wait()
    Shell(tmp_path).until(lambda: not processes_of(process.pid))


def test_a_plugin_that_hangs_while_it_is_looked_at_dies_with_the_command(tmp_path: Path) -> None:
    (tmp_path / "hangs.py").write_text(f"open('here', 'w').close()\n{HELD}\n")
    command = [sys.executable, "-m", "semcore", "conform", "hangs.py"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    one = Shell(tmp_path)
    one.until((tmp_path / "here").exists)
    children = [pid for child in children_of(process.pid) for pid in [child, *children_of(child)]]
    process.kill()
    process.wait()
    assert children
    one.until(lambda: not any(living(child) for child in children))
