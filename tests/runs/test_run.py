"""Runs: nothing is computed twice or lost, and numbers do not depend on how they were computed."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from semcore.entrypoints import naming
from semcore.errors import ConfigError, RunError
from semcore.plugins.hookspecs import hook
from semcore.render.progress import print_table
from semcore.runs.results import read_run, table
from semcore.statistics.intervals import Estimate
from semcore.statistics.kinds import Mean

SNRS = "channel.snr_db=-3,0,3,20,40"


@pytest.fixture(autouse=True)
def _torch_is_there() -> None:
    import torch  # noqa: F401  that the first test is not charged for it


# ------------------------------------------------------------------------------------ computed once


def test_a_sweep_encodes_each_sample_once_and_generates_once_for_what_arrived(bench: Any) -> None:
    finished = bench.run(SNRS)
    assert finished.computed == 5 and not finished.failures
    counts, totals = bench.counts(), bench.totals()
    assert {name: counts["encode", name] for name in ("s0", "s1", "s2")} == {
        "s0": 1,
        "s1": 1,
        "s2": 1,
    }
    assert totals["transmit"] == 15
    arrived = {name: set() for name in ("s0", "s1", "s2")}
    run = read_run(finished.folder)
    for result in run.results:
        for row in run.items(result):
            arrived[row["sample"]].add(row["arrived"]["caption"])
    assert totals["generate"] == sum(map(len, arrived.values()))
    assert all(
        1 < len(some) < 5 for some in arrived.values()
    )  # the sweep has both: noise, and no errors twice


def test_what_a_setting_does_not_touch_is_not_computed_again(bench: Any) -> None:
    bench.run("selector=last", SNRS)
    bench.run("selector=last", "metrics.0.scale=2", SNRS)
    assert bench.totals() == {
        "transmit": 15
    }  # another metric: the link is simulated, nothing is generated
    bench.run("selector=last", "generator.strength=1.01", "channel.snr_db=40")
    assert {"encode", "transmit", "generate"} & set(bench.totals()) == {"transmit", "generate"}
    bench.run("selector=last", "encoder.prefix=a", "channel.snr_db=40")
    assert bench.totals()["encode"] == 3


def test_the_same_command_goes_on_and_a_finished_run_does_nothing(bench: Any) -> None:
    bench.run("channel.snr_db=0,3")
    first = bench.results()
    finished = bench.run("channel.snr_db=0,3,6")
    assert finished.computed == 1 and len(finished.results) == 3
    assert bench.totals()["transmit"] == 3
    finished = bench.run("channel.snr_db=0,3,6")
    assert finished.computed == 0 and all(finished.results) and bench.totals() == {}
    assert {name: data for name, data in bench.results().items() if name in first} == first


def test_a_deleted_cell_alone_is_computed_again(bench: Any) -> None:
    bench.run(SNRS)
    before = bench.results()
    victim = next((bench.folder / "out" / "cells").iterdir())
    shutil.rmtree(victim)
    assert bench.run(SNRS).computed == 1
    assert bench.totals() == {"transmit": 3}
    assert bench.results() == before


@pytest.mark.parametrize("damage", [b"", b"{", b'{"id": "x", "metr', b"\xff\xfe"])
def test_a_damaged_result_counts_as_none(bench: Any, damage: bytes) -> None:
    bench.run()
    before = bench.results()
    (path,) = (bench.folder / "out" / "cells").glob("*/result.json")
    path.write_bytes(damage)
    assert bench.run().computed == 1
    assert bench.results() == before


@pytest.mark.parametrize("damage", ["empty", "half", "bit", "other", "folder"])
def test_a_damaged_cache_file_counts_as_none(bench: Any, damage: str) -> None:
    bench.run(SNRS)
    before = bench.results()
    for path in sorted((bench.folder / "out" / "cache").rglob("*.npz")):
        data = bytearray(path.read_bytes())
        if damage == "bit":
            data[len(data) // 2] ^= 16
        path.unlink()
        if damage == "folder":
            path.mkdir()
            continue
        path.write_bytes(
            {"empty": b"", "half": data[: len(data) // 2], "bit": data, "other": b"hello"}[damage]
        )
    shutil.rmtree(bench.folder / "out" / "cells")
    bench.run(SNRS)
    assert bench.results() == before
    assert bench.totals()["encode"] == (
        15 if damage == "folder" else 3
    )  # what cannot be kept is made again


def test_a_cell_known_from_another_grid_has_the_place_that_is_asked_for_now(bench: Any) -> None:
    bench.run("channel.snr_db=3")
    run = read_run(bench.run("channel.snr_db=0,3").folder)
    assert [result["settings"] for result in run.results] == [
        {"channel.snr_db": 0},
        {"channel.snr_db": 3},
    ]


def test_an_unfinished_cell_is_not_a_cell(bench: Any) -> None:
    """What `kill -9` leaves behind: rows and pictures without result.json, and a temporary file."""
    bench.run()
    before = bench.results()
    (path,) = (bench.folder / "out" / "cells").glob("*/result.json")
    path.rename(path.with_name(".tmp-1-result.json"))
    (path.parent / "items.jsonl").write_text('{"sample": "s')
    assert bench.run().computed == 1
    assert not path.with_name(".tmp-1-result.json").exists()
    assert bench.results() == before


# ------------------------------------------------------------------------------------------ failure


MINE = """from __future__ import annotations
from dataclasses import dataclass, field
from pathlib import Path
import numpy as np
import semcore

@semcore.register("source", "one")
@dataclass(frozen=True)
class One(semcore.Source):
    levels: dict[str, int] = field(default_factory=dict)

    def samples(self):
        grey = int((Path(__file__).parent / "grey").read_text())
        return [semcore.Sample("a", image=np.full((8, 8, 3), grey, np.uint8))]
"""


def mine(bench: Any) -> None:
    """A source in a file of its own, whose picture is as grey as another file says."""
    (bench.folder / "mine.py").write_text(MINE)
    (bench.folder / "grey").write_text("40")
    bench.text = bench.text.replace("greys, limit: 3", "one").replace(
        "bench.py]", "bench.py, ./mine.py]"
    )


def test_another_run_of_a_process_reads_the_source_again(bench: Any) -> None:
    """As in a notebook; the source's settings, which need not be hashable, are what they were."""
    mine(bench)
    assert bench.run().computed == 1 and bench.run().computed == 0
    (bench.folder / "grey").write_text("200")
    assert bench.run().computed == 1
    bench.run("channel.snr_db=40")
    assert [
        result["metrics"]["grey-error"]["mean"] for result in bench.run("channel.snr_db=40").results
    ] == [0]


@pytest.mark.parametrize("edited", [MINE.replace("int(", "1 + int("), None])
def test_a_file_that_is_edited_while_the_run_goes_on_makes_no_result_of_the_old_name(
    bench: Any, edited: str | None
) -> None:
    mine(bench)

    class Edits:
        @hook
        def semcore_run_started(self, folder: Path, cells: int, pending: int) -> None:
            (bench.folder / "mine.py").write_text(edited) if edited else (
                bench.folder / "mine.py"
            ).unlink()

    finished = bench.run(hooks=[Edits()])
    assert (
        finished.computed == 0
        and ("run it again" if edited else "there is no file") in finished.failures[0]
    )
    (bench.folder / "mine.py").write_text(MINE)
    assert bench.run().computed == 1


def test_a_crashed_cell_is_recorded_and_the_others_go_on(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []

    class Hears:
        @hook
        def semcore_cell_failed(self, settings: Any, reason: str) -> None:
            told.append((dict(settings), reason))

    finished = bench.run("channel.crash_db=3", "channel.snr_db=0,3,6", hooks=[Hears()])
    assert finished.computed == 2
    assert finished.failures == ["snr_db=3: FloatingPointError: the amplifier burnt"]
    assert told == [({"channel.snr_db": 3}, "FloatingPointError: the amplifier burnt")]
    assert [result is None for result in finished.results] == [False, True, False]
    (failure,) = (bench.folder / "out" / "cells").glob("*/failure.json")
    record = json.loads(failure.read_text())
    assert (
        record["reason"] == "FloatingPointError: the amplifier burnt"
        and "bench.py" in record["traceback"]
    )
    run = read_run(finished.folder)
    assert [failed["settings"] for failed in run.failures] == [{"channel.snr_db": 3}] and len(
        run.results
    ) == 2

    assert bench.run("channel.crash_db=3", "channel.snr_db=0,3,6").failures  # it is tried again
    assert bench.totals() == {"transmit": 3}
    monkeypatch.setenv("BENCH_CALM", "1")
    finished = bench.run("channel.crash_db=3", "channel.snr_db=0,3,6")
    assert finished.computed == 1 and not finished.failures and not failure.exists()


def test_a_folder_that_cannot_be_written_is_one_clear_line(bench: Any) -> None:
    (bench.folder / "file").write_text("")
    with pytest.raises(
        RunError, match=r"file/out cannot be written: .*; choose another folder with --out"
    ) as caught:
        bench.run(out="file/out")
    assert "\n" not in str(caught.value)


def test_a_full_disk_stops_the_run_and_keeps_what_is_done(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.run("channel.snr_db=0")
    before = bench.results()

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(RunError, match="No space left on device"):
        patched.setattr(os, "fsync", full)
        bench.run("channel.snr_db=0,3")
    assert bench.results() == before
    assert bench.run("channel.snr_db=0,3").computed == 1
    assert not list(bench.folder.rglob(".tmp-*"))


def test_a_source_without_samples_is_told(bench: Any) -> None:
    with pytest.raises(
        ConfigError, match=r"source\.limit=0: error: source 'greys': it has no samples"
    ):
        bench.run("source.limit=0")


# --------------------------------------------------------------------------------- the same numbers


def test_results_do_not_depend_on_processes_order_batches_or_resume(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.run(SNRS, "source.limit=5")
    whole = bench.results()
    bench.run(SNRS, "source.limit=5", out="two", jobs=2)
    assert bench.results("two") == whole

    order = ",".join(reversed(SNRS.split("=")[1].split(",")))  # 40,20,...
    bench.run(f"channel.snr_db={order[:5]}", "source.limit=5", out="in-parts")
    bench.run(f"channel.snr_db={order}", "source.limit=5", out="in-parts")
    assert bench.results("in-parts") == whole

    from semcore.planning.session import run_session
    from semcore.runs import cell as evaluate

    monkeypatch.setattr(
        evaluate,
        "run_session",
        lambda *arguments, **named: run_session(*arguments, **{**named, "batch_size": 2}),
    )
    bench.run(SNRS, "source.limit=5", out="small-batches")
    assert bench.results("small-batches") == whole


def test_a_seed_changes_the_noise_and_the_same_seed_does_not(bench: Any) -> None:
    arrived = []
    for out, seed in (("a", 1), ("b", 2), ("c", 1)):
        run = read_run(
            bench.run("channel.snr_db=0", "source.limit=16", f"seed={seed}", out=out).folder
        )
        arrived.append([row["arrived"]["caption"] for row in run.items(run.results[0])])
    assert arrived[0] == arrived[2] != arrived[1]


def test_points_of_a_sweep_see_the_same_noise(bench: Any) -> None:
    """Paired: every error at a higher SNR is an error at a lower one."""
    finished = bench.run("channel.snr_db=0:12:3", "source.limit=16")
    run = read_run(finished.folder)
    wrong = [
        {row["sample"] for row in run.items(result) if row["arrived"] != row["sent"]}
        for result in run.results
    ]
    assert (
        all(less <= more for more, less in zip(wrong, wrong[1:], strict=False))
        and wrong[0]
        and not wrong[-1]
    )


# ---------------------------------------------------------------------------------- what is written


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40))
def test_the_interval_is_students(values: list[float]) -> None:
    found = Mean().of(values)
    assert found.low is not None and found.high is not None
    error = stats.sem(values)
    low, high = (
        stats.t.interval(0.95, len(values) - 1, np.mean(values), error)
        if error > 0
        else (values[0], values[0])
    )
    assert found.n == len(values)
    assert found.mean == pytest.approx(np.mean(values), abs=1e-6)
    assert (found.low, found.high) == (
        pytest.approx(low, rel=1e-6, abs=1e-6),
        pytest.approx(high, rel=1e-6, abs=1e-6),
    )


def test_an_interval_needs_two_values() -> None:
    assert Mean().of([]) == Estimate(0, None)
    assert Mean().of([3.0]) == Estimate(1, 3.0)
    assert Mean().of([1.0, math.inf]).low is None


def test_the_interval_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    hits = sum(abs(found.mean) <= found.high - found.mean  # type: ignore[operator, arg-type]
               for found in (Mean().of(list(row))
                             for row in rng.standard_normal((2000, 5))))  # fmt: skip
    assert stats.binomtest(hits, 2000, 0.95).pvalue > 1e-3


def test_everything_written_is_strict_json(bench: Any, strict_json: Any) -> None:
    """Whatever a metric returns: not a number, infinity, nothing."""
    finished = bench.run("metrics=[odd, grey-error]", "source.limit=4", "channel.snr_db=0,40")
    for path in finished.folder.rglob("*.json"):
        strict_json(path.read_text())
    for path in finished.folder.rglob("*.jsonl"):
        assert [strict_json(line)["metrics"]["odd"] for line in path.read_text().splitlines()] == [
            None
        ] * 4
    found = finished.results[0]["metrics"]["odd"]
    assert (found["mean"], found["low"], found["high"]) == (None, None, None) and found["n"] <= 4


def test_a_value_that_json_lacks_is_refused_before_the_run(bench: Any) -> None:
    with pytest.raises(Exception, match="snr_db must be a finite number"):
        bench.load("channel.snr_db=.inf")


def test_run_json_says_what_was_asked(bench: Any, strict_json: Any) -> None:
    finished = bench.run("channel.snr_db=0,3")
    info = strict_json((finished.folder / "run.json").read_text())
    assert info["axes"] == {"channel.snr_db": [0, 3]}
    assert [cell["id"] for cell in info["cells"]] == [result["id"] for result in finished.results]
    assert [cell["settings"] for cell in info["cells"]] == [
        {"channel.snr_db": 0},
        {"channel.snr_db": 3},
    ]
    assert (finished.folder / "pipeline.yaml").read_text() == bench.text


@pytest.mark.parametrize("how", ["nested", "by plan", "by environment"])
def test_a_genie_is_named_however_it_came_in(
    bench: Any, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        naming, "_local", dict(naming._local)
    )  # so that no other test knows an oracle
    (bench.folder / "mine.py").write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "from typing import ClassVar\n"
        "import semcore\nfrom semcore.plugins import registry\n\n"
        "@semcore.register('codec', 'oracle')\n@dataclass(frozen=True)\n"
        "class Oracle(registry.load('codec', 'word')):\n    genie: ClassVar[bool] = True\n"
    )
    bench.text = bench.text.replace("bench.py]", "bench.py, ./mine.py]")
    if how == "nested":
        overrides = ["encoder.codec.use=oracle"]
    elif how == "by plan":
        overrides = ["planner.use=alternate", "planner.table=[[encoder.codec.use, oracle]]"]
    else:
        overrides = ["scenario.segments=[{encoder.codec.use: oracle}]"]
    (result,) = bench.run(*overrides).results
    assert result["genie"] == ["oracle"] and "mine.py" in result["packages"]
    assert bench.run(out="honest").results[0]["genie"] == []


def test_means_and_ledger_come_from_the_rows(bench: Any) -> None:
    finished = bench.run("channel.snr_db=0", "source.limit=7")
    (result,) = finished.results
    rows = read_run(finished.folder).items(result)
    assert result["n"] == len(rows) == 7
    assert result["metrics"]["grey-error"]["mean"] == pytest.approx(
        np.mean([row["metrics"]["grey-error"] for row in rows])
    )
    assert (
        sum(line["channel_uses"] for line in result["ledger"])
        == sum(row["channel_uses"] for row in rows)
        == 7 * 12
    )
    assert result["report"]["snr_db"] == 0.0


def test_the_table_shows_units_n_and_intervals(
    bench: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    finished = bench.run("channel.snr_db=0,40", "metrics=[grey-error, odd]")
    header, rows = table(read_run(finished.folder))
    assert header == ["channel.snr_db", "n", "grey-error [grey]", "odd"]
    assert rows[1][:2] == ["40", "3"] and rows[1][3] == "–" and "[0, " in rows[0][2], (
        "an error ends at 0"
    )
    print_table(read_run(finished.folder))
    shown = capsys.readouterr().out
    assert "grey-error [grey]" in shown and "95 % interval" in shown


def test_what_is_no_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is not a run: it has no readable run.json"):
        read_run(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(RunError, match="run.json is damaged"):
        read_run(tmp_path)


# ----------------------------------------------------------------------------------- from the shell


def semcore(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "semcore", *arguments],
        cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.parametrize("jobs", [pytest.param("1", marks=pytest.mark.slow), "2"])
def test_ctrl_c_says_how_to_go_on(bench: Any, jobs: str) -> None:
    command = [
        "run",
        bench.path.name,
        "channel.slow_s=0.5",
        "channel.snr_db=0:40:1",
        "--jobs",
        jobs,
        "--no-report",
    ]
    process = semcore(*command, cwd=bench.folder)
    cells = bench.folder / "runs" / "bench" / "cells"
    deadline = time.monotonic() + 900
    while (
        not list(cells.glob("*/result.json"))
        and process.poll() is None
        and time.monotonic() < deadline
    ):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=900)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    resume = "semcore run pipeline.yaml channel.slow_s=0.5 channel.snr_db=0:40:1 --jobs " + jobs
    assert f"interrupted; this goes on where it stopped:\n  {resume}" in err
    done = list(cells.glob("*/result.json"))
    assert done and all(json.loads(path.read_text()) for path in done)
    assert not list(bench.folder.rglob(".tmp-*"))
