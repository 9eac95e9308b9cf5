"""Commands that are killed, interrupted or lack what they expect: they end, and can go on."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from semcore.runs.results import read_result

from ...support.processes import SNRS, Shell, files, processes_of, workers_of


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shell, dict[str, bytes]]]:
    """A run of two jobs with slow cells, and the files of an undisturbed one."""
    one = Shell(tmp_path_factory.mktemp("shell"), "--jobs", "2", "channel.slow_s=0.3")
    assert one.start("whole").wait(900) == 0
    whole = files(one.folder / "whole")
    del whole["run.json"]  # holds the command, which names another folder
    yield one, whole


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("target", ["parent", "worker", "group"])
def test_kill_at_any_time_with_two_jobs(
    shell: tuple[Shell, dict[str, bytes]], target: str, seed: int
) -> None:
    one, whole = shell
    chance, out = random.Random(f"{target}{seed}"), f"{target}-{seed}"
    process = one.start(out)
    if target == "worker":
        one.until(lambda: workers_of(process.pid))
    time.sleep(chance.uniform(0, 4))
    if target == "worker" and process.poll() is None:
        victims = workers_of(process.pid)
        if victims:
            os.kill(chance.choice(victims), signal.SIGKILL)
        assert process.wait(900) == 0  # another process takes its place
    elif process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL) if target == "group" else process.kill()
        assert process.wait(900) == -signal.SIGKILL
        time.sleep(2)
        assert processes_of(process.pid) == []

    done = {path.parent.name for path in (one.folder / out).glob("cells/*/result.json")}
    assert all(read_result(one.folder / out, name) for name in done)
    seen = files(one.folder / out)
    assert not [name for name, data in seen.items() if name in whole and data != whole[name]]
    process = one.start(out)
    assert process.wait(900) == 0
    assert len(one.log.read_text().split("transmit")) - 1 == 3 * (
        len(SNRS) - len(done)
    )  # three samples a cell
    assert {
        name: data for name, data in files(one.folder / out).items() if name != "run.json"
    } == whole


@pytest.mark.parametrize(
    ("whom", "jobs"),
    [
        ("process", "1"),
        ("terminal", "2"),
        pytest.param("process", "2", marks=pytest.mark.slow),
        pytest.param("terminal", "1", marks=pytest.mark.slow),
    ],
)
@pytest.mark.default_cases(1)
def test_ctrl_c_ends_at_once_and_says_how_to_go_on(tmp_path: Path, jobs: str, whom: str) -> None:
    one = Shell(tmp_path, "--jobs", jobs)
    process = one.start("out", "channel.slow_s=6000")
    one.until(lambda: "transmit" in one.log.read_text())
    os.kill(process.pid, signal.SIGINT) if whom == "process" else os.killpg(
        process.pid, signal.SIGINT
    )
    _, err = process.communicate(timeout=900)  # a cell takes 6000 s
    assert process.returncode == 130 and "Traceback" not in err
    told = err.strip().splitlines()
    assert told[-2] == "interrupted; this goes on where it stopped:"
    assert told[-1].split() == ["semcore", *one.command[3:], "channel.slow_s=6000", "--out", "out"]
    one.until(lambda: not processes_of(process.pid))


RECIPE = '''
from dataclasses import dataclass
import ctypes, os, semcore

@semcore.register("recipe", "crash")
@dataclass(frozen=True)
class Crash(semcore.Recipe):
    """Crashes."""

    def train(self, out):
        (out / "begun").touch()
        ctypes.string_at(0)
'''


def test_a_crash_outside_of_cells_is_a_line_that_says_where(tmp_path: Path) -> None:
    (tmp_path / "crash.py").write_text(RECIPE)
    (tmp_path / "crash-1.dist-info").mkdir()
    (tmp_path / "crash-1.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: crash\nVersion: 1\n"
    )
    (tmp_path / "crash-1.dist-info" / "entry_points.txt").write_text(
        "[semcore.recipe]\ncrash = crash:Crash\n"
    )
    command = [sys.executable, "-m", "semcore", "train", "crash", "--out", "out"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=900
    )
    assert (tmp_path / "out" / "begun").exists() and done.returncode == 128 + signal.SIGSEGV, (
        done.stderr
    )
    assert re.search(
        r"^error: the process that did the work was killed by SIGSEGV \(crash\.py, line 12\)",
        done.stderr,
        re.M,
    )
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_command_works_without_its_streams(closed: str) -> None:
    code = "import sys; sys.argv[1:] = ['cp']; from semcore.cli import main; main()"
    shell = f'"{sys.executable}" -c "{code}" {closed}'
    assert (
        subprocess.run(
            ["sh", "-c", shell], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ).returncode
        == 0
    )


def test_a_command_works_where_no_process_can_be_started(tmp_path: Path) -> None:
    code = (
        "import os, sys; sys.argv[1:] = ['cp']\n"
        "def fork(): raise BlockingIOError(11, 'Resource temporarily unavailable')\n"
        "os.fork = fork; from semcore.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0 and "llm_image_uma" in done.stdout and not done.stderr


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.default_cases(1)
def test_a_command_that_is_asked_to_end_takes_its_work_along(
    tmp_path: Path, ending: signal.Signals
) -> None:
    one = Shell(tmp_path)
    process = one.start("out", "channel.slow_s=6000")
    one.until(lambda: "transmit" in one.log.read_text())
    process.send_signal(ending)
    assert process.wait(900) == -ending
    one.until(lambda: not processes_of(process.pid))
