"""Results as data: tidy, complete, to the last digit, and as CompressAI reads them."""

from __future__ import annotations

import csv
import functools
import io
import json
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from semcore.analysis.chart import chart
from semcore.analysis.rows import read_rows
from semcore.cli import main
from semcore.render import caption
from semcore.render import csv as sheet
from semcore.render.export import cells, items
from semcore.runs.conventions import SNR
from semcore.runs.results import read_run

from ..support.written_runs import Writer


@pytest.fixture
def run(write_run: Writer) -> Path:
    """Qualities over SNRs, with everything that CompressAI compares."""
    return write_run([
        {"settings": {"encoder.codec.quality": q, "channel.snr_db": x},
         "packages": {"semcore": "0.1.0", "p": "1"},
         "metrics": {"psnr": [20.0 + q / 3, 25.0 + x, None],
                     "compression-ratio": [240 / q, 480 / q, 12.0]},
         "config": {"encoder": {"use": "b", "codec": {"use": "jpeg", "quality": q},
                                "size": [32, 32]}, "kb": {"limit": None},
                    "channel": {"use": "noise", "snr_db": x}}}
        for q in (20, 50, 80) for x in (0, 5)
    ])  # fmt: skip


def export(*arguments: object) -> int:
    with pytest.raises(SystemExit) as caught:
        main(["export", *map(str, arguments)])
    return int(caught.value.code or 0)


def test_csv_has_one_row_a_cell_and_metric(run: Path, capsys: Any) -> None:
    assert export(run, "--to", "csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    results = {result["id"]: result for result in read_run(run).results}
    assert len(rows) == len({(row["cell"], row["metric"]) for row in rows}) == 2 * len(results)
    for row in rows:
        result = results[row["cell"]]
        summary = result["metrics"][row["metric"]]
        assert [float(row[name]) for name in ("mean", "low", "high", "n")] == [
            summary[n] for n in ("mean", "low", "high", "n")
        ]
        assert {path: float(row[path]) for path in result["settings"]} == result["settings"]
        assert (
            row["signature"] == summary["signature"]
            and row["snr"] == SNR["snr_db"]
            and row["seed"] == "1"
        )
        assert row["packages"] == "semcore==0.1.0 p==1"


def test_items_are_one_row_a_sample(run: Path, tmp_path: Path) -> None:
    assert export(run, "--to", "csv", "--items", "--out", tmp_path / "i.csv") == 0
    rows = list(csv.DictReader(io.StringIO((tmp_path / "i.csv").read_text())))
    assert len(rows) == 18 and [row["psnr"] for row in rows[:3]] == [repr(20 + 20 / 3), "25.0", ""]
    assert {row["sample"] for row in rows} == {"s0", "s1", "s2"}


def test_every_setting_can_be_had(run: Path, capsys: Any) -> None:
    export(run, "--to", "csv", "--all-settings")
    first = next(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert (
        first["encoder.codec.use"] == "jpeg"
        and first["encoder.size"] == "[32, 32]"
        and first["kb.limit"] == ""
    )


@pytest.mark.parametrize("more", [(), ("--items",), ("--all-settings",)])
def test_parquet_holds_what_csv_holds(run: Path, tmp_path: Path, more: tuple[str, ...]) -> None:
    assert export(run, "--to", "parquet", *more, "--out", tmp_path / "t.parquet") == 0
    assert export(run, "--to", "csv", *more, "--out", tmp_path / "t.csv") == 0
    kept = pyarrow.parquet.read_table(tmp_path / "t.parquet").to_pylist()
    written = list(csv.DictReader(io.StringIO((tmp_path / "t.csv").read_text())))
    assert len(kept) == len(written) > 0
    for one, other in zip(kept, written, strict=True):
        assert {name: "" if value is None else str(value) for name, value in one.items()} == other


def test_parquet_without_pyarrow_names_the_extra(
    run: Path, monkeypatch: Any, capsys: Any, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert export(run, "--to", "parquet", "--out", tmp_path / "t.parquet") == 2
    assert (
        capsys.readouterr().err == "error: Parquet needs pyarrow: pip install 'semcore[parquet]'\n"
    )
    assert not (tmp_path / "t.parquet").exists()


def test_compressai_takes_one_file_a_curve(run: Path, tmp_path: Path, strict_json: Any) -> None:
    assert export(run, "--to", "compressai", "--out", tmp_path / "c") == 0
    files = {path.name: strict_json(path.read_text()) for path in (tmp_path / "c").iterdir()}
    assert set(files) == {"SNR-0-dB.json", "SNR-5-dB.json"}
    for x, name in ((0, "SNR-0-dB.json"), (5, "SNR-5-dB.json")):
        curve = files[name]
        assert list(curve) == ["name", "description", "results"] and list(curve["results"]) == [
            "bpp",
            "psnr-rgb",
        ]
        # 24 source bits a pixel over the ratio, the mean over samples
        assert curve["results"]["bpp"] == pytest.approx(
            [(q / 10 + q / 20 + 2) / 3 for q in (20, 50, 80)]
        )
        assert curve["results"]["psnr-rgb"] == pytest.approx(
            [(45 + q / 3 + x) / 2 for q in (20, 50, 80)]
        )
        assert (
            "payload bits a pixel" in curve["description"]
            and "psnr: PSNR|1|" in curve["description"]
        )


def test_compressai_says_what_it_needs(write_run: Writer, capsys: Any) -> None:
    run = write_run(
        [{"settings": {"channel.snr_db": x}, "metrics": {"psnr": [1.0]}} for x in (0, 5)]
    )
    assert export(run, "--to", "compressai") == 2
    assert (
        "it needs compression-ratio, or payload-bits and cbr among the metrics"
        in capsys.readouterr().err
    )
    other = write_run(
        [
            {"settings": {"channel.snr_db": x}, "metrics": {"compression-ratio": [4.0 + x]}}
            for x in (0, 5)
        ],
        "o",
    )
    assert export(other, "--to", "compressai") == 2
    assert "name others with --metric (compression-ratio)" in capsys.readouterr().err


def test_an_average_over_what_was_not_measured_alike_is_refused_here_too(
    write_run: Writer, capsys: Any
) -> None:
    cells = [
        {"settings": {"channel.snr_db": x, "seed": s}, "seed": s, "signature": f"PSNR|{s}|",
         "metrics": {"psnr": [1.0 + x, 2.0], "compression-ratio": [4.0 + x, 5.0]}}
        for x in (0, 5) for s in (1, 2)
    ]  # fmt: skip
    assert export(write_run(cells), "--to", "compressai") == 2
    assert "was not measured alike in these cells" in capsys.readouterr().err


def test_a_damaged_cell_is_told(run: Path, capsys: Any) -> None:
    next(run.glob("cells/*/items.jsonl")).write_text(json.dumps({"sample": "x"}) + "\n")
    assert export(run, "--to", "csv", "--items") == 2
    assert "cannot be read" in capsys.readouterr().err


# -------------------------------------------------------------------------- size, and hostile words


def work(do: Callable[[], object]) -> int:
    """How many functions are called."""
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        do()
    finally:
        sys.setprofile(None)
    return calls


def grid(write_run: Writer, name: str, groups: int, points: int) -> list[Any]:
    return read_rows([write_run([
        {"settings": {"channel.snr_db": x, "encoder.q": q},
         "metrics": {"psnr": [20.0 + x, 21.0 + q]},
         "config": {"channel": {"use": "noise", "snr_db": x},
                    "encoder": {"use": "jpeg", "q": q, "more": [1, 2]}}}
        for q in range(groups) for x in range(points)
    ], name)])  # fmt: skip


def test_twice_the_cells_are_twice_the_work(write_run: Writer) -> None:
    """Of export, and of a plot without the drawing; over more points as over more groups."""

    def plotted(rows: list[Any]) -> None:
        for group in (["encoder"], None):
            drawn = chart(rows, "channel.snr_db", ["psnr"], group)
            caption.of_figure(drawn)
            sheet.of_chart(drawn)

    few, points, groups = (
        grid(write_run, f"{g}x{x}", g, x) for g, x in ((12, 6), (12, 12), (24, 6))
    )
    for do in (
        lambda rows: sheet.as_csv(items(rows)),
        lambda rows: sheet.as_csv(cells(rows, all_settings=True)),
        plotted,
    ):
        do(few)  # what is remembered from now on
        once = work(functools.partial(do, few))
        assert (
            work(functools.partial(do, points)) < 2.4 * once
            and work(functools.partial(do, groups)) < 2.4 * once
        )


EVIL = "\x1b]0;owned\x07\x1b[2J\u202egpj"


def hostile(write_run: Writer, name: str, prefix: str = "") -> Path:
    return write_run([
        {"settings": {"encoder.prefix": f"{prefix}{EVIL}{i}"}, "metrics": {"psnr": [1.0 + i]},
         "unit": EVIL, "signature": f"P{EVIL}",
         "config": {"encoder": {"use": f"e{EVIL}", "other": f"{prefix}{EVIL}"}}} for i in range(2)
    ], name)  # fmt: skip


@pytest.mark.parametrize("words", [
    ["export", "--to", "csv"], ["export", "--to", "csv", "--items", "--all-settings"],
    ["diff", "other"], ["table"], ["frames"], ["plot", "--x", "psnr", "--y", "psnr"],
    ["frames", "--sample", "none"], ["cite"], ["verify"],
])  # fmt: skip
def test_a_terminal_obeys_nothing_of_a_run(
    write_run: Writer, words: list[str], tmp_path: Path, capsys: Any
) -> None:
    run, other = hostile(write_run, f"a{EVIL}"), hostile(write_run, "b", "x")
    rest = [str(other) if word == "other" else word for word in words[1:]]
    with pytest.raises(SystemExit):
        main([words[0], str(run), *rest])
    told = "".join(capsys.readouterr())
    assert told and not [
        sign for sign in told if unicodedata.category(sign) in ("Cc", "Cf") and sign != "\n"
    ]


def test_a_spreadsheet_calculates_nothing_if_it_is_asked_not_to(
    write_run: Writer, tmp_path: Path
) -> None:
    words = ["=1+1", "+cmd|'/c calc'!A0", "-2+3", "@SUM(1)", "\t=1", "\r=1", "plain", "-5", " =1"]
    run = write_run(
        [
            {"settings": {"encoder.prefix": word}, "metrics": {"psnr": [1.0]}, "config": {}}
            for word in words
        ]
    )
    found = {}
    for option in ([], ["--spreadsheet"]):
        assert export(run, "--to", "csv", *option, "--out", tmp_path / "x.csv") == 0
        with open(tmp_path / "x.csv", newline="") as file:
            found[bool(option)] = [row["encoder.prefix"] for row in csv.DictReader(file)]
    assert found[False] == words, "data are as they are"
    assert found[True] == ["'" + word if word not in ("plain", "-5") else word for word in words]
