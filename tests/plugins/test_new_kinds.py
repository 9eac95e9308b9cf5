"""What a third party adds in one file, as the page "Write a plugin" shows it: a metric, also of
videos or with its own interval, a command, a hook. Axes and modulations have tests of their own."""

from __future__ import annotations

import json
import re
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import semcore
from semcore.statistics import Estimate, statistic_of
from semcore_video.sources.talking_samples import TalkingSamples

PAGE = Path(__file__).parents[2] / "docs" / "write-a-plugin.md"
METRIC = '''
"""The median error of grey values."""

import math
import statistics
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import semcore
from semcore.statistics import Estimate


@dataclass(frozen=True)
class Median(semcore.Statistic):
    """The median of samples, with the interval of order statistics.

    Fields:
        low: least possible value
    """

    kind: ClassVar[str] = "median"
    words: ClassVar[str] = "order statistics"
    symmetric: ClassVar[bool] = False

    low: float = 0.0

    @property
    def range(self):
        return self.low, None

    def estimate(self, values):
        ordered = sorted(values)
        return Estimate(len(ordered), statistics.median(ordered), ordered[0], ordered[-1])

    def average(self, values):
        return statistics.median(values)


@dataclass(frozen=True)
class MedianError(semcore.Metric):
    """The median error of the pixels of a picture."""

    statistic: ClassVar[semcore.Statistic] = Median()
    unit: ClassVar[str] = "grey"
    better: ClassVar[str] = "lower"

    def measure(self, records):
        pairs = [(r.source.image.astype(float), r.result.image) for r in records]
        return [float(np.median(np.abs(sent - shown))) for sent, shown in pairs]

    @property
    def signature(self):
        return "median-error|1|"
'''
COMMAND = '''
"""A command."""

from pathlib import Path

import click

from semcore.analysis import read_rows


@click.command("cells")
@click.argument("run", type=click.Path(path_type=Path))
def cells(run):
    """Count the cells of RUN."""
    click.echo(f"{len(read_rows([run]))} cells")
'''
HOOK = '''
"""A tracker."""

import semcore


class Tracker:
    """Appends the mean of a metric to a file."""

    @semcore.hook
    def semcore_cell_done(self, result):
        mean = result["metrics"]["grey-error"]["mean"]
        with open("tracked.txt", "a") as file:
            file.write(f"{result['settings']['channel.snr_db']} {mean}\\n")
'''


@pytest.fixture
def page(blocks: Any) -> Any:
    """Finds a piece of Python or YAML of the page by what stands in it."""

    def find(text: str) -> str:
        (found,) = [block for _, _, block in blocks(PAGE) if text in block]
        return found

    return find


@pytest.mark.slow
def test_a_metric_of_videos_is_one_file(site: Any, page: Any) -> None:
    """It stands in results, in the table and on the page, with the interval of its kind."""
    (site.folder / "flicker.py").write_text(page("class Flicker"))
    (site.folder / "flicker.yaml").write_text(page("plugins: [./flicker.py]"))
    done = site("run", "flicker.yaml", "--out", "out")
    assert done.returncode == 0, done.stderr
    means = {}
    for result in semcore_results(site.folder / "out"):
        entry = result["metrics"]["flicker"]
        assert entry["statistic"] == {"kind": "mean", "low": 0.0, "high": None}
        assert entry["n"] == 2 and entry["low"] == 0.0 <= entry["mean"] <= entry["high"]
        means[result["settings"]["channel.snr_db"]] = entry["mean"]
    sources = [sample.video.mean((1, 2, 3)) for sample in TalkingSamples(limit=2).samples()]
    speeds = [25 * np.abs(np.diff(grey)).mean() for grey in sources]
    assert means[0] == pytest.approx(np.mean(speeds)), "both are lost, and do not move"
    assert means[8] != means[0]
    table = site("table", "out", "--columns", "flicker", "--rows", "channel.snr_db")
    assert table.returncode == 0, table.stderr
    rows = re.findall(r"^\| ([08]) \| ([\d.]+) \\\[0\.0, ", table.stdout, re.MULTILINE)
    assert {int(snr): float(mean) for snr, mean in rows} == pytest.approx(means, abs=0.05)
    assert "Flicker (grey/s)" in table.stdout and "Student's t" in table.stdout
    report = (site.folder / "out" / "report.html").read_text()
    assert "flicker" in report and "grey/s" in report
    assert site("conform", "flicker.py").returncode == 0


@pytest.mark.slow
def test_a_metric_brings_an_interval_of_its_own(site: Any, bench: Any) -> None:
    """It is computed, kept, and read by another process: tables, figures and the page name it."""
    site.install("med", "[semcore.metric]\nmedian-error = med:MedianError\n", {"med": METRIC})
    done = site(
        "run",
        bench.path,
        "metrics=[median-error,grey-error]",
        "channel.snr_db=0,3",
        "seed=1,2",
        "--out",
        "out",
    )
    assert done.returncode == 0, done.stderr
    for path in (site.folder / "out" / "cells").glob("*/result.json"):
        entry = json.loads(path.read_text())["metrics"]["median-error"]
        items = path.with_name("items.jsonl").read_text().splitlines()
        values = sorted(json.loads(item)["metrics"]["median-error"] for item in items)
        assert entry["statistic"] == {"kind": "median", "low": 0.0, "high": None}
        assert (entry["low"], entry["mean"], entry["high"]) == (values[0], values[1], values[2])
    table = site("table", "out", "--columns", "median-error", "--rows", "channel.snr_db")
    assert table.returncode == 0 and "order statistics" in table.stdout, table.stderr
    plot = site("plot", "out", "--x", "channel.snr_db", "--y", "median-error", "--out", "figure")
    assert plot.returncode == 0 and "order statistics" in " ".join(plot.stdout.split()), plot.stderr
    assert "order statistics" in (site.folder / "out" / "report.html").read_text()
    diff = site("diff", "out", "out")
    assert diff.returncode == 0, diff.stderr


@pytest.mark.slow
def test_the_interval_of_the_page_is_that_of_the_logarithms(
    site: Any, bench: Any, page: Any
) -> None:
    head = """
import math
import statistics
from dataclasses import dataclass
import semcore
from semcore.statistics import Estimate, student
"""
    metric = """
@dataclass(frozen=True)
class Times(semcore.Metric):
    '''One value per sample.'''
    statistic = Positive()
    def measure(self, records):
        return [10.0 ** index for index, _ in enumerate(records)]
"""
    site.install(
        "times",
        "[semcore.metric]\ntimes = times:Times\n",
        {"times": head + page("class Positive") + metric},
    )
    arguments = ("metrics=[times]", "batch_size=3", "--out", "out")
    done = site("run", bench.path, *arguments)
    assert done.returncode == 0, done.stderr
    (path,) = (site.folder / "out").glob("cells/*/result.json")
    entry = json.loads(path.read_text())["metrics"]["times"]
    half = statistics.stdev([0, 1, 2]) / 3**0.5 * 4.302653
    ends = [10 ** (1 - half), 10.0, 10 ** (1 + half)]
    assert [entry["low"], entry["mean"], entry["high"]] == pytest.approx(ends, rel=1e-5)
    table = site("table", "out")
    assert table.returncode == 0 and "Student's t of logarithms" in " ".join(table.stdout.split())


def test_a_result_of_a_metric_that_is_gone_is_refused_with_its_kind(site: Any, bench: Any) -> None:
    info = site.install(
        "med", "[semcore.metric]\nmedian-error = med:MedianError\n", {"med": METRIC}
    )
    assert (
        site("run", bench.path, "metrics=[median-error]", "--no-report", "--out", "out").returncode
        == 0
    )
    (info / "entry_points.txt").write_text("")
    done = site("table", "out")
    assert done.returncode == 2
    assert "has an interval of the kind 'median', which no installed package brings" in done.stderr


def test_two_kinds_of_one_name_are_refused() -> None:
    with pytest.raises(TypeError, match="'share' is the kind of semcore.statistics.kinds.Share"):

        class Share(semcore.Statistic):
            kind = "share"
            words = ""

            @property
            def range(self) -> tuple[float | None, float | None]:
                return None, None

            def estimate(self, values: Any) -> Estimate:
                return Estimate(len(values), None)

    assert type(statistic_of(semcore.Share().described)) is semcore.Share


def test_a_command_is_one_file(site: Any, bench: Any) -> None:
    site.install("counts", "[semcore.command]\ncells = counts:cells\n", {"counts": COMMAND})
    bench.run("channel.snr_db=0,3")
    assert re.search(r"^ +cells +counts", site("--help").stdout, re.M)
    done = site("cells", bench.folder / "out")
    assert done.returncode == 0 and done.stdout == "2 cells\n", done.stderr


@pytest.mark.slow
def test_the_command_and_the_tracker_of_the_page_work(site: Any, bench: Any, page: Any) -> None:
    head = "from pathlib import Path\nimport click\nfrom semcore.analysis import read_rows\n"
    text = head + page("class Notes").replace("@semcore.register", "# ") + page("def best")
    points = "[semcore.command]\nbest = mine:best\n[semcore.hooks]\nmine = mine:Notes\n"
    site.install("mine", points, {"mine": text})
    bench.text += "hooks: [{use: mine, file: lines.txt}]\n"
    done = site("run", bench.path, "channel.snr_db=0,30", "--no-report", "--out", "out")
    assert done.returncode == 0, done.stderr
    lines = (site.folder / "lines.txt").read_text().splitlines()
    assert len(lines) == 2 and all("{'grey-error': " in line for line in lines)
    best = site("best", "out", "grey-error")
    assert best.returncode == 0 and "snr_db=0" in best.stdout, best.stderr


def test_a_tracker_is_one_file(site: Any, bench: Any) -> None:
    site.install("track", "[semcore.hooks]\ntrack = track:Tracker\n", {"track": HOOK})
    bench.text += "hooks: [track]\n"
    done = site("run", bench.path, "channel.snr_db=0,3", "--no-report", "--out", "out")
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in (site.folder / "tracked.txt").read_text().splitlines()]
    means = {
        str(result["settings"]["channel.snr_db"]): result["metrics"]["grey-error"]["mean"]
        for result in semcore_results(site.folder / "out")
    }
    assert {x: float(mean) for x, mean in lines} == pytest.approx(means)


@pytest.mark.slow
def test_the_environment_selects_metrics_commands_and_trackers(site: Any, bench: Any) -> None:
    site.install("med", "[semcore.metric]\nmedian-error = med:MedianError\n", {"med": METRIC})
    site.install("counts", "[semcore.command]\ncells = counts:cells\n", {"counts": COMMAND})
    site.install("track", "[semcore.hooks]\ntrack = track:Tracker\n", {"track": HOOK})
    arguments = ("run", bench.path, "metrics=[median-error]", "--no-report", "--out", "out")
    assert site(*arguments).returncode == 0
    without = {"SEMCORE_PLUGINS": "counts"}
    hint = "brings it, but SEMCORE_PLUGINS leaves that out"
    refused = site(*arguments, **without)
    assert refused.returncode == 2 and f"med 1.5 {hint}" in refused.stderr
    table = site("table", "out", **without)
    assert table.returncode == 2 and "interval of the kind 'median'" in table.stderr
    bench.text += "hooks: [track]\n"
    tracked = site("check", bench.path, **without)
    assert tracked.returncode == 2 and f"track 1.5 {hint}" in tracked.stderr
    assert site("cells", "out", SEMCORE_PLUGINS="counts,med").stdout == "1 cells\n"
    gone = site("cells", "out", SEMCORE_PLUGINS="med,track")
    assert gone.returncode == 2 and "No such command 'cells'" in gone.stderr


def semcore_results(folder: Any) -> list[dict[str, Any]]:
    from semcore.runs.results import read_run

    return read_run(folder).results
