"""kill -9 at the worst moments: nothing torn, nothing computed twice, the same command finishes."""

from __future__ import annotations

import multiprocessing
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from semcore import storage
from semcore.errors import RunError
from semcore.runs.results import read_result, read_run
from semcore.storage import TEMPORARY

from ..support.pipelines import PIPELINE

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
import victim  # noqa: E402

SNRS = [0, 3, 6]
SWEEP = f"channel.snr_db={','.join(map(str, SNRS))}"
WRITES = 7
"""Files beside a cell's result: a source and a result picture of three samples, and the rows."""
SEEDS = [pytest.param(seed, marks=[pytest.mark.slow] if seed else []) for seed in range(12)]
"""The first in every test run, all of them in `make test-slow`."""

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["torch", "semcore.runs.runner", "semcore.metrics.builtin"])


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


class Story:
    """A pipeline, the files of an undisturbed run, and a folder in which runs are killed."""

    def __init__(self, folder: Path) -> None:
        self.pipeline, self.folder = folder / "pipeline.yaml", folder
        self.pipeline.write_text(PIPELINE)
        self.whole = self._finish(folder / "whole")
        assert len(self.whole) == 2 + len(SNRS) * (WRITES + 1)

    def _start(self, out: Path, log: Path, barrier: Any = None, how: str = "unnamed") -> Any:
        process = FORKS.Process(
            target=victim.run, args=(self.pipeline, SWEEP, out, log, barrier, how)
        )
        process.start()
        return process

    def _finish(self, out: Path) -> dict[str, bytes]:
        process = self._start(out, self.folder / "log-of-the-end")
        process.join(900)
        assert process.exitcode == 0
        return files(out)

    def kill_at(
        self, place: tuple[str, str, str], nth: int, seed: int = 0, how: str = "unnamed"
    ) -> Path:
        """Run until the barrier, kill -9, and prove that this is what ended it."""
        out = self.folder / f"{'-'.join(place)}-{nth}-{seed}-{how}"
        here, there = FORKS.Pipe()
        process = self._start(out, self.folder / "log-before", (there, place, nth), how)
        there.close()
        assert here.poll(900), "the barrier was never reached"
        assert here.recv() == "here"
        process.kill()
        process.join(900)
        assert process.exitcode == -signal.SIGKILL
        return out

    def check(self, out: Path) -> None:
        """What a reader sees is whole, and the same command finishes without repeating any work."""
        seen = files(out)
        torn = [name for name, data in seen.items() if data != self.whole[name]]
        assert not torn, f"torn files can be seen: {torn}"
        run = read_run(out)
        for result in run.results:
            missing = [
                name for name in result["files"] if f"cells/{result['id']}/{name}" not in seen
            ]
            assert not missing, f"a cell counts as done without {missing}"
        done = {str(result["settings"]["channel.snr_db"]) for result in run.results}

        log = self.folder / "log-of-the-end"
        log.unlink(missing_ok=True)
        assert self._finish(out) == self.whole, (
            "the run that went on ends otherwise than one undisturbed"
        )
        begun = log.read_text().split() if log.exists() else []
        assert not done & set(begun), f"computed again after their commit: {done & set(begun)}"
        assert sorted([*done, *begun]) == sorted(map(str, SNRS))
        assert not list(out.rglob(f"{TEMPORARY}*")), "half-written files are left over"


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return Story(tmp_path_factory.mktemp("story"))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("place", victim.PLACES, ids="-".join)
@pytest.mark.parametrize("kind", ["artifact", "result"])
@pytest.mark.parametrize("how", ["unnamed", pytest.param("named", marks=pytest.mark.slow)])
def test_a_kill_inside_a_commit_costs_no_more_than_the_cell(
    story: Story, kind: str, place: tuple[str, str], seed: int, how: str
) -> None:
    writes = len(SNRS) * (WRITES if kind == "artifact" else 1)
    nth = random.Random(f"{kind}{place}{seed}").randrange(writes)
    out = story.kill_at((kind, *place), nth, seed, how)
    if how == "unnamed":
        assert not list(out.rglob(f"{TEMPORARY}*")), "the kill left a half-written file"
    story.check(out)


def test_a_file_that_is_replaced_is_whole_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for hides in (False, True):
        if hides:
            monkeypatch.setattr(storage, "_unnamed", lambda path: None)
        for data in (b"old", b"new"):
            storage.write(tmp_path / "file", data)
            assert (tmp_path / "file").read_bytes() == data and len(list(tmp_path.iterdir())) == 1
        (tmp_path / "file").unlink()
        (tmp_path / "file").mkdir()
        with pytest.raises(OSError, match="file"):
            storage.write(tmp_path / "file", b"new")
        assert len(list(tmp_path.iterdir())) == 1
        (tmp_path / "file").rmdir()


@pytest.mark.parametrize("kind", ["artifact", "result"])
def test_these_tests_notice_a_naive_writer(story: Story, kind: str) -> None:
    out = story.kill_at((kind, "temp", "half"), 1, how="naive")
    with pytest.raises(AssertionError, match="torn files can be seen"):
        story.check(out)


# ---------------------------------------------------------------------------------------- processes


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


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize(
    "what",
    [*list(CRASHES)[:2], *(pytest.param(one, marks=pytest.mark.slow) for one in list(CRASHES)[2:])],
)
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


def test_again_computes_no_cell_twice_that_was_done_when_the_process_died(tmp_path: Path) -> None:
    (tmp_path / "sleepy.py").write_text(SLEEPY.replace("time.sleep(3600)", "os._exit(3)"))
    one = Shell(tmp_path, "--again", "channel.use=sleepy")
    (tmp_path / "pipeline.yaml").write_text(PIPELINE.replace("bench.py]", "bench.py, ./sleepy.py]"))
    out, _ = one.start("out").communicate(timeout=900)
    assert len(re.findall(r"\] snr_db=0 ", out)) == 1 and len(re.findall(r"\] snr_db=6 ", out)) == 1


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
def test_a_command_that_is_asked_to_end_takes_its_work_along(
    tmp_path: Path, ending: signal.Signals
) -> None:
    one = Shell(tmp_path)
    process = one.start("out", "channel.slow_s=6000")
    one.until(lambda: "transmit" in one.log.read_text())
    process.send_signal(ending)
    assert process.wait(900) == -ending
    one.until(lambda: not processes_of(process.pid))


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


def living(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# ----------------------------------------------------------------------------------------- the disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(folder)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("mounting a small disk takes root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


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
