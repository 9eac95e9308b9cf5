"""Runs on disk: damage is found, parts are merged, and differences are reported."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semcore.analysis.compare import diff
from semcore.cli import main
from semcore.errors import RunError
from semcore.render.page import write_report
from semcore.runs.merge import merge
from semcore.runs.results import read_run
from semcore.runs.runner import Shard
from semcore.runs.verify import discard, verify
from semcore.storage import TEMPORARY, sealed, signed, unsealed

SNRS = "channel.snr_db=0,3"


def all_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with its report."""
    from ..support.pipelines import Bench

    made = Bench(tmp_path_factory.mktemp("kept"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_LOG", str(made.log))
        folder = made.run(SNRS).folder
    write_report(folder)
    return folder


# ------------------------------------------------------------------------------------------- verify


@settings(max_examples=60)
@given(
    st.dictionaries(
        st.text(),
        st.text() | st.integers() | st.lists(st.floats(allow_nan=False, allow_infinity=False)),
    )
)
def test_a_seal_holds_for_what_was_sealed_alone(value: dict[str, Any]) -> None:
    value.pop("digest", None)
    data = sealed(value)
    assert unsealed(data) == value and list(json.loads(data))[-1] == "digest"
    for place in range(len(data)):
        damaged = bytearray(data)
        damaged[place] ^= 1
        with pytest.raises(ValueError, match="does not match"):
            unsealed(bytes(damaged))
    for length in range(len(data)):
        with pytest.raises(ValueError, match="does not match"):
            unsealed(data[:length])


def test_an_undamaged_run_is_found_whole(kept: Path) -> None:
    verdict = verify(kept)
    assert (verdict.whole, verdict.missing, verdict.faults) == (2, 0, ())


@settings(max_examples=150)
@given(st.data())
def test_any_flipped_or_missing_byte_is_found_and_named(kept: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(all_files(kept)))
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    how = data.draw(st.sampled_from(["flip", "cut", "longer", "file"]))
    try:
        if how == "flip":
            path.write_bytes(
                whole[:place]
                + bytes([whole[place] ^ data.draw(st.integers(1, 255))])
                + whole[place + 1 :]
            )
        elif how == "cut":
            path.write_bytes(whole[:place])
        elif how == "longer":
            path.write_bytes(whole + b"\n")
        else:
            path.unlink()
        name = str(path.relative_to(kept))
        if name == "run.json":
            with pytest.raises(RunError, match="run.json"):
                verify(kept)
        elif how == "file" and path.suffix in (".npz", ".html"):
            assert not verify(kept).faults  # it can be made again; nothing is lost
        elif how == "file" and path.name == "result.json":
            assert verify(kept).missing == 1
        else:
            assert [fault.path for fault in verify(kept).faults] == [name]
    finally:
        path.write_bytes(whole)


def test_what_is_damaged_can_be_discarded_and_computed_again(
    bench: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.run(SNRS)
    before = bench.results()
    victim = next((bench.folder / "out").glob("cells/*/pictures/001-result.png"))
    victim.write_bytes(victim.read_bytes()[:-1])
    (bench.folder / "out" / "cells" / victim.parts[-3] / "pictures" / "stray.png").write_bytes(b"")
    out = bench.folder / "out"
    with pytest.raises(SystemExit) as caught:
        main(["verify", str(out)])
    told = capsys.readouterr().out
    assert caught.value.code == 1 and f"{victim}: its content does not match its digest\n" in told
    assert "stray.png: does not belong to the cell" in told and "1 cell whole, 2 faults" in told
    with pytest.raises(SystemExit):
        main(["verify", str(out), "--discard"])
    assert bench.run(SNRS).computed == 1 and bench.results() == before
    assert not verify(out).faults


def test_a_copied_result_is_not_taken_for_another_cell(bench: Any) -> None:
    bench.run(SNRS)
    first, second = sorted((bench.folder / "out" / "cells").iterdir())
    shutil.rmtree(second)
    shutil.copytree(first, second)
    (fault,) = verify(bench.folder / "out").faults
    assert (
        fault.what == f"is the result of the cell {first.name}"
        and discard(verify(bench.folder / "out"), bench.folder) == 1
    )


def test_pages_are_signed() -> None:
    from semcore.storage import is_signed

    assert (
        is_signed(signed(b"<html>")) and not is_signed(signed(b"<html>")[1:]) and not is_signed(b"")
    )


# -------------------------------------------------------------------------------------------- merge


def run_shard(bench: Any, part: int, of: int, *overrides: str) -> Path:
    from semcore.plugins.packages import hook_manager
    from semcore.runs.runner import run

    bench.log.write_text("")
    return run(
        bench.load(*overrides),
        bench.folder / f"part{part}",
        hook_manager([]),
        shard=Shard(part, of),
    ).folder


def test_what_a_killed_merge_left_half_written_is_gone(bench: Any) -> None:
    part = bench.run("channel.snr_db=0", out="part").folder
    left = bench.folder / "all" / "cells" / part.name / f"{TEMPORARY}1-ab-items.jsonl"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    assert merge([part], bench.folder / "all") == (1, 1)
    assert not list((bench.folder / "all").rglob(f"{TEMPORARY}*"))


@pytest.mark.parametrize("of", [2, 3])
def test_the_parts_of_a_grid_become_the_whole(bench: Any, of: int) -> None:
    grid = ("channel.snr_db=0:9:3", "generator.strength=1,1.5")
    whole = bench.run(*grid, out="whole").folder
    parts = [run_shard(bench, part, of, *grid) for part in range(1, of + 1)]
    assert merge(parts, bench.folder / "all") == (8, 8)
    assert bench.results("all") == bench.results("whole")
    assert read_run(bench.folder / "all").results == read_run(whole).results
    assert bench.run(*grid, out="all").computed == 0
    assert not verify(bench.folder / "all").faults


def test_other_values_of_the_same_sweep_are_united_in_order(bench: Any) -> None:
    bench.run("channel.snr_db=6,9", out="high")
    bench.run("channel.snr_db=0,3,6", out="low")
    assert merge([bench.folder / "high", bench.folder / "low"], bench.folder / "all") == (4, 4)
    run = read_run(bench.folder / "all")
    assert run.axes == {"channel.snr_db": [0, 3, 6, 9]}
    assert [result["settings"]["channel.snr_db"] for result in run.results] == [0, 3, 6, 9]
    bench.run("channel.snr_db=12,15", out="more")
    assert merge([bench.folder / "more"], bench.folder / "all") == (6, 6)  # into what is there


def test_an_unfinished_part_leaves_an_unfinished_whole(bench: Any) -> None:
    one = run_shard(bench, 1, 2, SNRS)
    assert merge([one], bench.folder / "all") == (1, 2)
    assert bench.run(SNRS, out="all").computed == 1


def test_what_does_not_belong_together_is_not_merged(bench: Any) -> None:
    a = bench.run("channel.snr_db=0,3", out="a").folder
    for other, reason in (
        (
            ("channel.snr_db=0,6", "generator.strength=2"),
            "not of the same settings, files and versions",
        ),
        (
            ("generator.strength=1,2",),
            "sweep different settings: channel.snr_db, and generator.strength",
        ),
        (("channel.snr_db=6,9",), "differ in their name: 'bench' and 'other'"),
    ):
        bench.text = bench.text.replace(
            "name: bench", "name: other" if "name" in reason else "name: bench"
        )
        b = bench.run(*other, out="b").folder
        with pytest.raises(RunError, match=reason):
            merge([a, b], bench.folder / "all")
        assert not (bench.folder / "all").exists()
        shutil.rmtree(b)
    path = next(a.glob("cells/*/items.jsonl"))
    path.write_bytes(path.read_bytes().replace(b"s0", b"s9"))
    with pytest.raises(
        RunError, match=r"items.jsonl: its content does not match its digest; semcore verify"
    ):
        merge([a], bench.folder / "all")


def test_different_results_of_one_cell_are_told(bench: Any) -> None:
    a = bench.run(out="a").folder
    shutil.copytree(a, bench.folder / "b")
    path = next((bench.folder / "b").glob("cells/*/result.json"))
    result = unsealed(path.read_bytes())
    result["metrics"]["grey-error"]["mean"] += 1e-9
    path.write_bytes(sealed(result))
    with pytest.raises(RunError, match="have different results of the cell"):
        merge([a, bench.folder / "b"], bench.folder / "all")


# --------------------------------------------------------------------------------------------- diff


def test_a_run_does_not_differ_from_itself(bench: Any) -> None:
    a, b = bench.run(SNRS, out="a").folder, bench.run(SNRS, out="b").folder
    found = diff(a, b)
    assert not found.settings and found.alone == ((), ()) and found.same == 2
    assert all(change.difference.mean == 0 for change in found.changes)


def test_a_difference_names_settings_and_is_paired(bench: Any) -> None:
    a = bench.run("channel.snr_db=40", "source.limit=4", out="a").folder
    b = bench.run(
        "channel.snr_db=40,50", "source.limit=5", "generator.strength=0.5", out="b"
    ).folder
    found = diff(a, b)
    assert found.settings["generator.strength"] == ("1.0", "0.5") and found.settings[
        "source.limit"
    ] == ("4", "5")
    assert set(found.settings) == {"generator.strength", "source.limit", "channel.snr_db"}
    assert found.alone[1] == () or [dict(one) for one in found.alone[1]] == [{"channel.snr_db": 50}]
    (change,) = (
        change for change in found.changes if change.settings in ({}, {"channel.snr_db": 40})
    )
    rows = [
        {
            row["sample"]: row["metrics"]["grey-error"]
            for row in read_run(f).items(read_run(f).results[0])
        }
        for f in (a, b)
    ]
    apart = [rows[1][name] - rows[0][name] for name in rows[0] if name in rows[1]]
    assert change.difference is not None and change.difference.n == len(apart) > 1
    assert change.difference.mean == pytest.approx(sum(apart) / len(apart))


def test_values_that_are_measured_differently_are_not_subtracted(bench: Any) -> None:
    a, b = bench.run(out="a").folder, bench.run("metrics.0.scale=2", out="b").folder
    (change,) = diff(a, b).changes
    assert change.difference is None and change.reason.startswith(
        "measured differently: GreyError(scale=1.0) and "
    )


def test_diff_prints_what_differs_and_what_that_did(
    bench: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = (
        bench.run(SNRS, out="a").folder,
        bench.run(SNRS, "generator.strength=0.5", out="b").folder,
    )
    with pytest.raises(SystemExit) as caught:
        main(["diff", str(a), str(b)])
    told = capsys.readouterr().out
    assert caught.value.code == 0
    assert re.search(r"^generator.strength +1\.0 +0\.5", told, re.M)
    assert re.search(r"^snr_db=3 +grey-error \[grey\] .* ±", told, re.M)
    assert "0 of 2 cells are the same" in told
