"""`semcore.run` and `semcore.read`: what the command does, from Python."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import semcore
from semcore import ConfigError, RunError
from semcore.config.build import component


def test_importing_semcore_loads_nothing_heavy() -> None:
    code = (
        "import sys, semcore; print({'torch', 'pandas', 'matplotlib', 'pydantic'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_it_computes_the_cells_of_the_command(bench: Any, tmp_path: Path) -> None:
    bench.run("channel.snr_db=0,10", out="command")
    results = semcore.run(bench.path, {"channel.snr_db": [0, 10]}, out=tmp_path / "python")
    assert bench.results("python") == bench.results("command")
    assert [row.settings for row in results] == [{"channel.snr_db": 0}, {"channel.snr_db": 10}]


def test_what_is_done_is_not_computed_again(bench: Any, tmp_path: Path) -> None:
    first = semcore.run(bench.path, out=tmp_path / "out", progress=False)
    bench.log.write_text("")
    again = semcore.run(bench.path, out=tmp_path / "out", progress=False)
    assert not bench.log.read_text()
    assert first[0].result == again[0].result
    semcore.run(bench.path, out=tmp_path / "out", progress=False, again=True)
    assert bench.log.read_text()


@pytest.mark.parametrize(
    ("value", "cells"),
    [
        (3, [3]),
        (np.float64(3.5), [3.5]),
        ([0, 5, 10], [0, 5, 10]),
        ((0, 5), [0, 5]),
        (range(0, 15, 5), [0, 5, 10]),
        (np.array([0.0, 2.5]), [0.0, 2.5]),
        ("0:10:5", [0, 5, 10]),
    ],
)
def test_settings_are_values_of_python(
    bench: Any, tmp_path: Path, value: object, cells: list[float]
) -> None:
    results = semcore.run(bench.path, {"channel.snr_db": value}, out=tmp_path / "out")
    assert [row.get("channel.snr_db") for row in results] == cells


def test_a_component_is_a_value_and_several_are_swept(bench: Any, tmp_path: Path) -> None:
    bench.load()
    loud = component("channel", {"use": "noise", "snr_db": 20})
    results = semcore.run(bench.path, {"channel": [loud, {"use": "noise"}]}, out=tmp_path / "out")
    assert [row.get("channel.snr_db") for row in results][0] == 20
    assert len(results) == 2


def test_limit_seed_and_batch_size(bench: Any, tmp_path: Path) -> None:
    results = semcore.run(bench.path, out=tmp_path / "out", limit=2, seed=7, batch_size=1)
    assert results[0].result["n"] == 2
    assert results[0].get("seed") == 7


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"channel.snrdb": 3}, "channel.snrdb=3: error: channel 'noise' has no setting 'snrdb'"),
        ({"channel.snr_db": "loud"}, "snr_db must be a number, not 'loud'"),
        ({"channel.snr_db": []}, "channel.snr_db=[]: error:"),
        ({"chanel.snr_db": 3}, "chanel.snr_db=3: error:"),
        ({"channel.snr_db": "0:10:0"}, "error: the range 0:10:0 never gets from 0 to 10"),
    ],
)
def test_errors_are_those_of_the_command(bench: Any, settings: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        semcore.run(bench.path, settings, out=bench.folder / "out")
    assert message in str(caught.value)
    assert not (bench.folder / "out").exists()


def test_a_file_that_is_not_there_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        semcore.run(tmp_path / "none.yaml")


def test_a_failed_cell_warns_and_the_others_are_there(bench: Any, tmp_path: Path) -> None:
    settings = {"channel.snr_db": [0, 5], "channel.crash_db": 5}
    with pytest.warns(UserWarning, match="1 cell failed:\nsnr_db=5: .*the amplifier burnt"):
        results = semcore.run(bench.path, settings, out=tmp_path / "out")
    assert [row.settings for row in results] == [{"channel.snr_db": 0}]
    assert "the amplifier burnt" in results.failures[0]["reason"]
    with pytest.raises(RunError, match="no cell could be computed.*\n.*the amplifier burnt"):
        semcore.run(bench.path, {"channel.crash_db": 10}, out=tmp_path / "none")


def test_hooks_hear_of_the_run(bench: Any, tmp_path: Path) -> None:
    heard = []

    class Listener:
        @semcore.hook
        def semcore_cell_done(self, result: Any, seconds: float) -> None:
            heard.append(result["id"])

    results = semcore.run(bench.path, out=tmp_path / "out", hooks=[Listener()])
    assert heard == [row.result["id"] for row in results]


@pytest.mark.slow
def test_processes_compute_the_same(bench: Any, tmp_path: Path) -> None:
    one = semcore.run(bench.path, {"channel.snr_db": [0, 10]}, out=tmp_path / "one")
    two = semcore.run(bench.path, {"channel.snr_db": [0, 10]}, out=tmp_path / "two", jobs=2)
    assert [row.result for row in one] == [row.result for row in two]


@pytest.mark.slow
def test_a_script_needs_no_guard_for_processes(bench: Any, tmp_path: Path) -> None:
    """Without `if __name__ == "__main__"`, a process that imports the script would run it again."""
    script = tmp_path / "script.py"
    call = f"semcore.run({str(bench.path)!r}, out={str(tmp_path / 'out')!r}, jobs=2)"
    script.write_text(f"import semcore\nprint(len({call}))\n")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "1"


# ------------------------------------------------------------------------------------------ results


@pytest.fixture
def results(bench: Any, tmp_path: Path) -> semcore.Results:
    bench.text = bench.text.replace("[grey-error]", "[grey-error, ber, cbr]")
    settings = {"channel.snr_db": [0, 5, 10], "seed": [1, 2]}
    return semcore.run(bench.path, settings, out=tmp_path / "out", progress=False)


def test_one_row_per_cell(results: semcore.Results) -> None:
    table = results.to_pandas()
    assert len(table) == len(results) == 6
    assert list(table["channel.snr_db"]) == [0, 0, 5, 5, 10, 10]
    for index, row in enumerate(results):
        summary = row.result["metrics"]["grey-error"]
        assert table.loc[index, "grey-error"] == summary["mean"]
        assert table.loc[index, "grey-error low"] == summary["low"]
    assert set(results.to_pandas(all_settings=True)["channel.use"]) == {"noise"}


def test_one_row_per_sample_and_the_means_agree(results: semcore.Results) -> None:
    samples, cells = results.samples(), results.to_pandas()
    assert len(samples) == 18
    mean = samples.groupby(["channel.snr_db", "seed"])["grey-error"].mean()
    assert np.allclose(mean.to_numpy(), cells["grey-error"].to_numpy())


def test_the_ledger_sums_to_the_channel_uses_of_cells_and_samples(results: semcore.Results) -> None:
    by_cell = results.ledger().groupby(["channel.snr_db", "seed"])["channel uses"].sum()
    assert list(by_cell) == list(results.to_pandas()["channel uses"])
    of_samples = results.samples().groupby(["channel.snr_db", "seed"])["channel uses"].sum()
    assert list(of_samples) == list(by_cell)


def test_cells_are_chosen_by_index_and_by_setting(results: semcore.Results) -> None:
    assert len(results[{"channel.snr_db": 5}]) == 2
    assert len(results[{"channel.snr_db": [0, 5], "seed": 1}]) == 2
    assert results[-1].settings == {"channel.snr_db": 10, "seed": 2}
    assert len(results[1:3]) == 2
    with pytest.raises(RunError, match=r"channel\.snr_db is 0, 5, 10"):
        results[{"channel.snr_db": 7}]
    with pytest.raises(RunError, match="did you mean 'channel.snr_db'"):
        results[{"channel.snr": 5}]


def test_a_run_is_read_again_alone_or_with_others(
    results: semcore.Results, bench: Any, tmp_path: Path
) -> None:
    again = semcore.read(tmp_path / "out")
    assert [row.result for row in again] == [row.result for row in results]
    more = semcore.run(bench.path, {"channel.snr_db": 20}, out=tmp_path / "more")
    both = semcore.read(tmp_path / "out", tmp_path / "more")
    assert len(both) == len(results) + len(more)
    assert set(both.to_pandas()["run"]) == {"out", "more"}
    assert len(semcore.read(tmp_path / "out", where={"seed": 1})) == 3
    with pytest.raises(RunError, match="is not a run"):
        semcore.read(tmp_path / "elsewhere")


def test_a_plot_has_its_numbers_and_can_be_saved(results: semcore.Results, tmp_path: Path) -> None:
    plot = results.plot(x="channel.snr_db", y="grey-error")
    assert plot._repr_png_().startswith(b"\x89PNG")
    assert len(plot.figure().axes) == 1
    assert "n = 3 samples" in plot.caption
    files = plot.save(tmp_path / "figures" / "error.pdf")
    assert sorted(path.suffix for path in files) == [".csv", ".pdf", ".png", ".txt"]
    assert all(path.is_file() for path in files)
    with pytest.raises(RunError, match="no cell has a metric 'psnr'"):
        results.plot(x="channel.snr_db", y="psnr")


def test_a_table_is_markdown_html_latex_and_csv(results: semcore.Results, tmp_path: Path) -> None:
    table = results.table(rows="channel.snr_db", columns="grey-error")
    assert str(table).count("\n| ") == 4  # below the first line: the rule and three SNRs
    assert table._repr_html_().count("<tr>") == 4
    assert r"\toprule" in table.latex()
    assert len(table.csv.splitlines()) == 4
    for name in ("a.md", "a.tex", "a.csv"):
        assert table.save(tmp_path / name).read_text()


def test_a_notebook_shows_results_as_a_table(results: semcore.Results) -> None:
    assert "<table>" in results._repr_html_()
    assert repr(results) == f"<Results of {results.folders[0]}: 6 cells over channel.snr_db, seed>"
    assert "grey-error" in repr(results[0])


def test_a_value_that_does_not_exist_is_nan(results: semcore.Results) -> None:
    row = results[0]
    assert all(math.isnan(one) or isinstance(one, float) for one in results.to_pandas()["ber"])
    assert row.metrics.keys() == row.result["metrics"].keys()


def test_the_report_is_written(results: semcore.Results) -> None:
    assert Path(str(results.report())).read_text().startswith("<!doctype html>")
