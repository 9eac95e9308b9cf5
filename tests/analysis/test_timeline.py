"""Sessions as figures, and what each planner would do: the verbs `timeline` and `plan`."""

from __future__ import annotations

import itertools
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from semcore.analysis.rows import Row, read_rows
from semcore.analysis.timeline import timeline
from semcore.cli import cli
from semcore.config.configuration import load
from semcore.errors import RunError
from semcore.plugins.packages import hook_manager
from semcore.render.page.page import write_report
from semcore.runs.runner import run

from ..support.pipelines import SUPPORT

FILE = SUPPORT / "toy" / "talk.yaml"
SETTINGS = (
    "space={workflow: [v2a, a2v]}",
    "kb={use: psnr, threshold_db: 10}",
    "seed=1,2",
    "scenario.utility={toy-lip-sync: {good: 1, bad: 0}, channel-uses: {good: 0, bad: 4000}}",
    "planner=[{use: oracle}, {use: fixed, overrides: {workflow: a2v}}, {use: fixed, overrides: "
    "{workflow: v2a}}]",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sessions") / "run"
    assert not run(load(FILE, SETTINGS), out, hook_manager([])).failures
    return out


@pytest.fixture
def rows(folder: Path) -> list[Row]:
    return read_rows([folder])


def test_regret_is_what_the_oracle_had_more_summed_up_for_each_seed(rows: list[Row]) -> None:
    chart = timeline(rows, ["regret", "utility"])
    assert chart.x == "segment" and {line.label for line in chart.lines} == {
        "oracle", "fixed (workflow a2v)", "fixed (workflow v2a)"
    }  # fmt: skip
    worth = {
        (
            str(row.get("planner.use")),
            str(row.get("planner.overrides.workflow")),
            row.get("seed"),
        ): [segment["worth"] for segment in row.result["segments"]]
        for row in rows
    }
    for line in chart.of("regret"):
        workflow = next(iter(re.findall(r"a2v|v2a", line.label)), "None")
        planner = "oracle" if workflow == "None" else "fixed"
        missed = []
        for seed in (1, 2):
            pairs = zip(worth["oracle", "None", seed], worth[planner, workflow, seed], strict=True)
            missed.append(list(itertools.accumulate(best - one for best, one in pairs)))
        for point, values in zip(line.points, zip(*missed, strict=True), strict=True):
            assert point.y.mean == pytest.approx(sum(values) / 2) and point.y.n == 2


def test_what_is_drawn_by_itself_is_what_the_utility_speaks_of(rows: list[Row]) -> None:
    assert timeline(rows).metrics == ("toy-lip-sync", "channel-uses", "regret")
    alone = [row for row in rows if row.get("planner.use") == "fixed"]
    assert timeline(alone).metrics == ("toy-lip-sync", "channel-uses", "utility")


def test_what_cannot_be_drawn_is_told(rows: list[Row], folder: Path) -> None:
    with pytest.raises(
        RunError, match="no session has a metric 'channel-use'; did you mean 'channel-uses'"
    ):
        timeline(rows, ["channel-use"])
    with pytest.raises(
        RunError,
        match=r"\(.*planner=\w+( \(.*\))?.*\) has no session of the planner 'search' with the same "
        r"seed",
    ):
        timeline(rows, ["regret"], "search")
    bare = [Row(row.run, {**row.result, "segments": []}, row.place) for row in rows]
    with pytest.raises(RunError, match="no cell has a session"):
        timeline(bare)


def test_the_verb_writes_the_figure_and_what_is_behind_it(folder: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        cli, ["timeline", str(folder), "--out", str(tmp_path / "t")], catch_exceptions=False
    )
    assert done.exit_code == 0 and "(c) regret over segment for" in " ".join(done.output.split())
    assert "n = 2 sessions" in done.output and "n counts samples" not in done.output
    assert {path.suffix for path in tmp_path.iterdir()} == {".pdf", ".png", ".csv", ".txt"}


def test_the_report_tells_every_segment_with_its_reasons_and_worth(folder: Path) -> None:
    html = write_report(folder).read_text(encoding="utf-8")
    assert "plans this one is worth most over the real link" in html and "the plan is fixed" in html


def test_the_report_survives_the_failure_of_the_oracle(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "run")
    oracles = [row for row in read_rows([folder]) if row.get("planner.use") == "oracle"]
    (tmp_path / "run" / "cells" / oracles[0].result["id"] / "result.json").unlink()
    html = write_report(tmp_path / "run").read_text(encoding="utf-8")
    assert (
        "Not drawn: " in html
        and "of the planner &#39;oracle&#39; with the same seed" in html
        and "the plan is fixed" in html
    )


@pytest.mark.slow
def test_plan_shows_what_each_planner_would_do_and_why() -> None:
    arguments = [
        "plan",
        str(FILE),
        *SETTINGS[:2],
        SETTINGS[3],
        "--segments",
        "2",
        "--planner",
        "search",
        "--planner",
        "llm",
    ]
    done = CliRunner().invoke(cli, [*arguments, "--planner", "lookup"], catch_exceptions=False)
    told = done.output
    assert done.exit_code == 0 and re.search(
        r"search\n  segment 0 \(20.0 dB\): workflow = '\w+'\n    - memory has no segment", told
    )
    assert "llm\n  cannot plan here: planner 'llm' needs the setting 'base_url'" in told
    assert (
        "lookup (table: [{below: 5.0, set: {workflow: a2v}}])\n  segment 0" in told
        and "    - channel.snr_db is 20" in told
    )
    lost = (
        "  segment 1 (-15.0 dB): workflow = 'a2v'\n"
        "    ! its signalling was lost: the old plan stays"
    )
    assert lost in told
    refused = CliRunner().invoke(cli, [*arguments, "--planner", "nobody"])
    assert "no planner 'nobody' is installed" in str(refused.exception)
