"""kill -9 inside a commit: nothing torn, nothing computed twice, the same command finishes."""

from __future__ import annotations

import multiprocessing
import random
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from semcore import storage
from semcore.runs.results import read_run
from semcore.storage import TEMPORARY

from ...support.pipelines import PIPELINE, SUPPORT
from ...support.processes import SNRS, SWEEP, files

sys.path.insert(0, str(SUPPORT))
import victim  # noqa: E402

WRITES = 7
"""Files beside a cell's result: a source and a result picture of three samples, and the rows."""
SEEDS = [pytest.param(seed, marks=[pytest.mark.slow] if seed else []) for seed in range(4)]
"""The first in every test run, all of them in `make test-slow`."""
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["torch", "semcore.runs.runner", "semcore.metrics.builtin"])


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


IN_BRIEF = (("temp", "half"), ("fsync", "before"), ("rename", "before"), ("rename", "after"))
"""Places of the default suite; `make test-slow` has all."""


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "place",
    [
        pytest.param(place, marks=() if place in IN_BRIEF else pytest.mark.slow)
        for place in victim.PLACES
    ],
    ids="-".join,
)
@pytest.mark.parametrize("kind", [pytest.param("artifact", marks=pytest.mark.slow), "result"])
@pytest.mark.parametrize("how", ["unnamed", pytest.param("named", marks=pytest.mark.slow)])
@pytest.mark.default_cases(1)
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
