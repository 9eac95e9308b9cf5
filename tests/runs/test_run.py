"""Runs: nothing is computed twice, and numbers do not depend on how they were computed."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from semcore.runs.results import read_run

SNRS = "channel.snr_db=-3,0,3,20,40"


@pytest.fixture(autouse=True)
def _torch_is_there() -> None:
    import torch  # noqa: F401  that the first test is not charged for it


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
@pytest.mark.default_cases(2)
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
