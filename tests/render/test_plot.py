"""Figures as journals take them: fonts embedded, exact widths, same bytes, legible in grey."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib
import pytest
from PIL import Image
from pypdf import PdfReader

from semcore.analysis.chart import chart
from semcore.analysis.rows import read_rows
from semcore.render import figure
from semcore.render.paper import styled
from semcore.runs.conventions import SNR
from semcore.runs.results import read_run
from semcore.statistics.base import Statistic
from semcore.statistics.kinds import Decibels, Mean, Score, Share

from ..support.commands import call
from ..support.written_runs import Writer


@pytest.fixture
def run(write_run: Writer) -> Path:
    """Two workflows over three SNRs; the error rate of one falls to nothing."""
    rates = {"words": (0.4, 0.02, 0.0), "pixels": (0.5, 0.1, 0.004)}
    return write_run([
        {"settings": {"workflow": name, "channel.snr_db": x}, "unit": "",
         "packages": {"semcore": "0.1.0", "semcore-x": "2.3"},
         "metrics": {"ber": [rate, rate * 1.5, rate / 2], "psnr": [20.0 + x, 21.5 + x, 30.0]},
         "seed": 7, "statistics": {"ber": Share()}, "better": {"ber": "lower"},
         "config": {"generator": {"use": f"draws-{name}"},
                    "channel": {"use": "noise", "snr_db": x}}}
        for name, line in rates.items() for x, rate in zip((0, 4, 8), line, strict=True)
    ])  # fmt: skip


def plot(*arguments: object) -> int:
    return call("plot", *arguments)


def fonts(page: Any) -> list[Any]:
    return [font.get_object() for font in page["/Resources"]["/Font"].values()]


def test_plot_writes_pdf_png_csv_and_caption(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert plot(run, "--x", "channel.snr_db", "--y", "psnr", "--group", "generator") == 0
    out = capsys.readouterr().out
    base = run / "figures" / "psnr-over-snr_db"
    files = [base.with_suffix(f".{ending}") for ending in ("pdf", "png", "csv", "txt")]
    assert out.splitlines()[:4] == [str(path) for path in files] and all(
        path.stat().st_size for path in files
    )
    assert files[3].read_text() in out


@pytest.mark.parametrize("width, inches", [("column", 3.5), ("page", 7.16)])
def test_the_pdf_has_the_width_of_a_paper_and_every_font_inside(
    run: Path, tmp_path: Path, width: str, inches: float
) -> None:
    assert (
        plot(
            run,
            "--x",
            "channel.snr_db",
            "--y",
            "psnr",
            "--y",
            "ber",
            "--width",
            width,
            "--out",
            tmp_path / "f",
        )
        == 0
    )
    [page] = PdfReader(tmp_path / "f.pdf").pages
    assert float(page.mediabox.width) == pytest.approx(72 * inches, abs=0.01)
    assert fonts(page)
    for font in fonts(page):
        assert font["/Subtype"] == "/Type0"  # composite TrueType, and not Type 3
        [inner] = font["/DescendantFonts"]
        assert inner.get_object()["/Subtype"] == "/CIDFontType2"
        assert len(inner.get_object()["/FontDescriptor"]["/FontFile2"].get_data()) > 1000
    with Image.open(tmp_path / "f.png") as image:
        assert image.width == round(300 * inches) and image.info["dpi"][0] == pytest.approx(
            300, abs=0.1
        )


@pytest.mark.slow
def test_the_same_run_gives_the_same_bytes_in_any_process(run: Path, tmp_path: Path) -> None:
    made = []
    for name, seed in (("a", "1"), ("b", "2")):
        command = [sys.executable, "-m", "semcore", "plot", run, "--x", "channel.snr_db", "--y",
                   "psnr", "--y", "ber", "--out", tmp_path / name]  # fmt: skip
        done = subprocess.run(list(map(str, command)), env={**os.environ, "PYTHONHASHSEED": seed},
                              capture_output=True, timeout=900)  # fmt: skip
        assert done.returncode == 0, done.stderr
        made.append(
            [
                (tmp_path / f"{name}.{ending}").read_bytes()
                for ending in ("pdf", "png", "csv", "txt")
            ]
        )
    assert made[0] == made[1]
    assert b"Date" not in made[0][0]


def test_the_csv_holds_the_numbers_of_the_results_to_the_last_digit(
    run: Path, tmp_path: Path
) -> None:
    plot(run, "--x", "channel.snr_db", "--y", "psnr", "--y", "ber", "--out", tmp_path / "f")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "f.csv").read_text())))
    results = {result["id"]: result for result in read_run(run).results}
    assert len(rows) == 2 * len(results)
    for row in rows:
        result = results[row["cells"]]
        summary = result["metrics"][row["metric"]]
        assert [float(row[key]) for key in ("mean", "low", "high")] == [
            summary[key] for key in ("mean", "low", "high")
        ]
        assert (
            int(row["n"]) == summary["n"]
            and row["signature"] == summary["signature"]
            and row["seeds"] == "7"
        )
        assert float(row["channel.snr_db"]) == result["settings"]["channel.snr_db"]
        assert row["workflow"] == result["settings"]["workflow"] and row["snr"] == SNR["snr_db"]


def test_the_caption_says_what_the_figure_stands_on(run: Path, tmp_path: Path) -> None:
    plot(
        run,
        "--x",
        "channel.snr_db",
        "--y",
        "psnr",
        "--group",
        "generator",
        "--out",
        tmp_path / "f.pdf",
    )
    text = (tmp_path / "f.txt").read_text()
    said = (
        "PSNR over channel.snr_db",
        "for each generator",
        "n = 3 samples",
        "95 % intervals of the mean",
        "Student's t",
    )
    stood = (
        "Seed 7",
        SNR["snr_db"],
        "psnr: PSNR|1|",
        "semcore 0.1.0",
        "semcore-x 2.3",
        "6 cells of run",
    )
    for part in (*said, *stood):
        assert part in text
    assert "Averaged" not in text and "arrows" not in text


def test_the_caption_names_what_was_averaged_seeds_and_genies(
    write_run: Writer, tmp_path: Path
) -> None:
    run = write_run([{"settings": {"channel.snr_db": x, "a.quality": q, "seed": s}, "seed": s,
                      "genie": ["oracle"], "metrics": {"psnr": [1.0, x]},
                      "config": {"channel": {"use": "noise", "snr_db": x}}}
                     for x in (0, 5) for q in (20, 80) for s in (1, 2)])  # fmt: skip
    plot(
        run,
        "--x",
        "channel.snr_db",
        "--y",
        "psnr",
        "--group",
        "channel.use",
        "--out",
        tmp_path / "f",
    )
    text = (tmp_path / "f.txt").read_text()
    assert (
        "Averaged over a.quality = 20, 80 and seed = 1, 2: of each sample first, so that n counts "
        "samples." in text
    )
    assert "n = 2 samples" in text and "Seeds 1, 2." in text
    assert "oracle knows what a real receiver could not (genie): a bound" in text


def test_a_cell_that_is_missing_in_an_average_is_told(write_run: Writer, tmp_path: Path) -> None:
    run = write_run([{"settings": {"channel.snr_db": x, "a.quality": q},
                      "metrics": {"psnr": [1.0, x + q]},
                      "config": {"channel": {"snr_db": x, "use": "c"}}} for x in (0, 5)
                     for q in (20, 80)][:3])  # fmt: skip
    plot(
        run,
        "--x",
        "channel.snr_db",
        "--y",
        "psnr",
        "--group",
        "channel.use",
        "--out",
        tmp_path / "f",
    )
    text = (tmp_path / "f.txt").read_text()
    assert (
        "Averaged over a.quality = 20, 80, though not over all of them everywhere: of each sample "
        "first" in text
    )


def test_single_samples_have_no_bars_and_the_caption_says_so(
    write_run: Writer, tmp_path: Path
) -> None:
    run = write_run([{"settings": {"channel.snr_db": x}, "metrics": {"psnr": [1.0 + x]},
                      "config": {"channel": {"snr_db": x}}} for x in (0, 5)])  # fmt: skip
    plot(run, "--x", "channel.snr_db", "--y", "psnr", "--out", tmp_path / "f")
    assert (
        "n = 1 sample; no interval, since each stands on a single sample."
        in (tmp_path / "f.txt").read_text()
    )


def test_error_rates_over_decades_are_logarithmic_and_zeros_are_arrows_at_the_edge(
    run: Path, tmp_path: Path
) -> None:
    drawn = chart(read_rows([run]), "channel.snr_db", ["ber"])
    with styled():
        [axes] = figure.figure_of(drawn).axes
    assert axes.get_yscale() == "log"
    floor = axes.get_ylim()[0]
    arrows = [line for line in axes.lines if line.get_marker() == 11]
    assert [list(line.get_xdata()) for line in arrows] == [[8]] and arrows[0].get_ydata()[
        0
    ] == floor
    values = [point.y.mean for line in drawn.lines for point in line.points if point.y.mean]
    assert 0 < floor < min(values)
    plot(run, "--x", "channel.snr_db", "--y", "ber", "--out", tmp_path / "f")
    text = (tmp_path / "f.txt").read_text()
    assert (
        "BER is 0 at 1 of 6 points, which a logarithmic axis cannot show: arrows at its lower edge."
        in text
    )
    assert "Clopper–Pearson" in text and "Student" not in text


@pytest.mark.parametrize("kind, better, values", [
    (Share(), "lower", ([0.0, 1.0, 0.0], [0.0, 0.0, 0.0])),
    (Share(100.0), "higher", ([100.0, 0.0, 100.0], [100.0] * 3)),
    (Score(-1.0, 1.0), "higher", ([0.2, 0.99, 0.5], [0.99, 1.0, 1.0])),
    (Mean(0.0), "lower", ([0.1, 9.0, 0.2], [0.0, 0.1, 0.0])),
])  # fmt: skip
def test_no_drawing_shows_what_a_metric_cannot_be(
    write_run: Writer, kind: Statistic, better: str, values: Any
) -> None:
    cells = [{"settings": {"channel.snr_db": x}, "metrics": {"m": line},
              "config": {"channel": {"snr_db": x}}, "statistics": {"m": kind}, "better": better}
             for x, line in enumerate(values)]  # fmt: skip
    run = write_run(cells)
    least, most = kind.range
    for asked in ("auto", "linear", "log"):
        with styled():
            low, high = (
                figure.figure_of(chart(read_rows([run]), "channel.snr_db", ["m"]), asked=asked)
                .axes[0]
                .get_ylim()
            )
        assert (least is None or low >= least) and (most is None or high <= most)
    for point in chart(read_rows([run]), "channel.snr_db", ["m"]).lines[0].points:
        assert point.y.low is not None and point.y.high is not None
        assert (least is None or point.y.low >= least) and (most is None or point.y.high <= most)


def test_exact_pictures_are_counted_and_not_averaged(write_run: Writer, tmp_path: Path) -> None:
    values = [20.0, 24.0, 22.0], [math.inf, 30.0, 40.0]
    cells = [{"settings": {"channel.snr_db": x}, "metrics": {"psnr": line},
              "config": {"channel": {"snr_db": x}}, "unit": "dB",
              "statistics": {"psnr": Decibels()}} for x, line in enumerate(values)]  # fmt: skip
    run = write_run(cells)
    plot(run, "--x", "channel.snr_db", "--y", "psnr", "--out", tmp_path / "f")
    text = (tmp_path / "f.txt").read_text()
    assert "0 to 1 samples per value are exact, and not in the mean of PSNR." in text
    assert "PSNR of the mean error of all samples: 21.7 to 34.36 dB." in text
    assert [result["metrics"]["psnr"]["mean"] for result in read_run(run).results] == [22.0, 35.0]


def test_no_global_setting_is_touched(run: Path) -> None:
    before = dict(matplotlib.rcParams)
    figure.draw(chart(read_rows([run]), "channel.snr_db", ["psnr"]))
    assert dict(matplotlib.rcParams) == before


def test_what_is_wrong_is_told_in_a_line_and_nothing_is_written(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plot(run, "--x", "channel.snr", "--y", "psnr") == 2
    assert (
        capsys.readouterr().err
        == "error: no cell has a setting 'channel.snr'; did you mean 'channel.snr_db'?\n"
    )
    assert plot(run, "--x", "channel.snr_db", "--y", "psrn") == 2
    assert not (run / "figures").exists()


def test_a_real_run_can_be_drawn(bench: Any, tmp_path: Path) -> None:
    bench.text += "sweep: {channel.snr_db: [0, 10, 20], encoder.codec.quality: [1, 3]}\n"
    bench.run()
    folder = bench.folder / "out"
    assert plot(folder, "--x", "channel.snr_db", "--y", "grey-error", "--out", tmp_path / "f") == 0
    [first, *_] = csv.DictReader(io.StringIO((tmp_path / "f.csv").read_text()))
    cell = json.loads((folder / "cells" / first["cells"] / "result.json").read_text())
    assert float(first["mean"]) == cell["metrics"]["grey-error"]["mean"]
    assert "grey error" in (tmp_path / "f.txt").read_text()
