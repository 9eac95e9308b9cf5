"""What a run writes: strict JSON, intervals, genies, means and tables."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from semcore.entrypoints import naming
from semcore.errors import RunError
from semcore.render.progress import print_table
from semcore.render.text import table
from semcore.runs.results import read_run
from semcore.statistics.intervals import Estimate
from semcore.statistics.kinds import Mean


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
