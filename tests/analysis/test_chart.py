"""Which cells are one point, which points are one line, and what may not be averaged."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcore.analysis.aggregate import aggregate
from semcore.analysis.chart import chart
from semcore.analysis.rows import Row, read_rows
from semcore.errors import RunError
from semcore.runs.conventions import SNR
from semcore.runs.results import Run
from semcore.statistics.kinds import Mean

from ..support.written_runs import Writer

X = "channel.snr_db"


def cell(values: Sequence[float | None], metric: str = "psnr", **more: Any) -> dict[str, Any]:
    """A cell; what is not told is a setting: snr=3 sweeps channel.snr_db."""
    settings = {X: more.pop("at")} if "at" in more else {}
    settings |= {path: more.pop(path) for path in list(more) if "." in path or path == "workflow"}
    if "seed" in more:
        settings["seed"] = more["seed"]
    config = {
        "channel": {"use": "noise", **({"snr_db": settings[X]} if X in settings else {})},
        **more.pop("config", {}),
    }
    return {"settings": settings, "metrics": {metric: list(values)}, "config": config, **more}


def row(values: dict[str, float], **more: Any) -> Row:
    """A row in memory: sample -> value."""
    summary = {**dataclasses.asdict(Mean().of([0])), "unit": "", "better": "", "cost": False,
               "statistic": Mean().described, "signature": "M"}  # fmt: skip
    made = {
        "id": "a" * 20,
        "settings": {},
        "metrics": {"m": summary},
        "conventions": {"snr": SNR["snr_db"]},
        "config": {},
    }
    run = Run(Path(), {}, [], [])
    object.__setattr__(
        run, "items", lambda result: [{"sample": s, "metrics": {"m": v}} for s, v in values.items()]
    )
    return Row(run, {**made, **more}, {})


values = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(-100, 100), min_size=2)


@given(st.lists(values, min_size=2, max_size=4))
def test_the_average_is_over_samples_with_their_own_values_averaged_first(
    cells: list[dict[str, float]],
) -> None:
    found = aggregate([row(one) for one in cells], "m")
    means = [sum(v) / len(v) for s in "abcdefgh" if (v := [one[s] for one in cells if s in one])]
    mean = sum(means) / len(means)
    deviation = math.sqrt(sum((v - mean) ** 2 for v in means) / (len(means) - 1))
    t = {1: 12.7062, 2: 4.30265, 3: 3.18245, 4: 2.77645, 5: 2.57058, 6: 2.44691, 7: 2.36462}[
        len(means) - 1
    ]  # a printed table
    assert found.n == len(means) and found.mean == pytest.approx(mean, abs=1e-9)
    assert found.high is not None and found.low is not None
    assert found.high - found.low == pytest.approx(
        2 * t * deviation / math.sqrt(len(means)), rel=1e-4, abs=1e-9
    )


@given(values, st.integers(1, 4))
def test_the_same_cell_again_adds_no_certainty(one: dict[str, float], copies: int) -> None:
    first, more = aggregate([row(one), row(one)], "m"), aggregate([row(one)] * (2 + copies), "m")
    assert (first.n, more.n) == (len(one), len(one))
    assert more.low == pytest.approx(first.low, abs=1e-9) and more.high == pytest.approx(
        first.high, abs=1e-9
    )


def test_one_cell_alone_is_what_its_result_says(write_run: Writer) -> None:
    [only] = read_rows([write_run([cell([1.0, 2.5, 4.0], at=0)])])
    summary = only.result["metrics"]["psnr"]
    assert vars(aggregate([only], "psnr")) == summary


# ---------------------------------------------------------------------------------- what is refused


def test_different_signatures_have_no_average(write_run: Writer) -> None:
    run = write_run([cell([1.0, 2.0], at=0, workflow="a", signature="PSNR|1|cap"),
                     cell([3.0, 4.0], at=0, workflow="b", signature="PSNR|2|"),
                     cell([3.0, 4.0], at=5, workflow="b", signature="PSNR|2|")])  # fmt: skip
    rows = read_rows([run])
    with pytest.raises(RunError) as caught:
        chart(rows, X, ["psnr"], group=["channel.use"])
    told = str(caught.value)
    assert (
        all(one.result["id"][:8] in told for one in rows[:2])
        and "workflow=a" in told
        and "workflow=b" in told
    )
    assert "PSNR|1|cap" in told and "PSNR|2|" in told
    assert told.endswith("choose with --where workflow=a, or keep them apart with --group workflow")


def test_the_ways_out_that_a_refusal_names_are_ways_out(write_run: Writer) -> None:
    uses = {"awgn": SNR["snr_db"], "uma": SNR["block_snr_db"]}
    cells = [cell([1.0, 2.0], at=x, **{"channel.use": use}, snr=snr,
                  config={"channel": {"use": use, "snr_db": x}})
             for x in (0, 5) for use, snr in uses.items()]  # fmt: skip
    run = write_run(cells)
    rows = read_rows([run])
    with pytest.raises(RunError, match="SNR convention") as caught:
        chart(rows, X, ["psnr"], group=["seed"])
    assert "--where channel.use=awgn" in str(caught.value) and "--group channel.use" in str(
        caught.value
    )
    assert (
        len(chart(read_rows([run], ["channel.use=awgn"]), X, ["psnr"], group=["seed"]).lines) == 1
    )
    assert len(chart(rows, X, ["psnr"], group=["channel.use"]).lines) == 2


def test_channels_that_alone_know_what_their_snr_means_are_not_averaged(write_run: Writer) -> None:
    own = "set by the link, see its settings"
    cells = [
        cell([1.0, 2.0], at=x, **{"channel.use": use}, snr=own, config={"channel": {"use": use}})
        for x in (0, 5)
        for use in ("jammed", "foggy")
    ]
    with pytest.raises(RunError, match=r"jammed(.|\n)*foggy"):
        chart(read_rows([write_run(cells)]), X, ["psnr"], group=["seed"])


def test_points_that_were_not_measured_alike_are_not_connected(write_run: Writer) -> None:
    run = write_run([cell([1.0, 2.0], at=x, signature="A" if x < 4 else "B") for x in (0, 2, 4, 6)])
    lines = chart(read_rows([run]), X, ["psnr"]).lines
    assert [[point.x.mean for point in line.points] for line in lines] == [[0, 2], [4, 6]]
    assert len({line.label for line in lines}) == 2


# -------------------------------------------------------------------------------- what makes a line


def test_nothing_but_the_seed_is_averaged_unless_asked_for(write_run: Writer) -> None:
    run = write_run([cell([x, q], at=x, seed=s, **{"encoder.quality": q},
                          config={"encoder": {"use": "e", "quality": q}})
                     for x in (0, 5) for q in (20, 80) for s in (1, 2, 3)])  # fmt: skip
    drawn = chart(read_rows([run]), X, ["psnr"])
    assert drawn.group == ("encoder.quality",) and [line.label for line in drawn.lines] == [
        "quality 20",
        "quality 80",
    ]
    assert all(
        len(point.rows) == 3 and point.y.n == 2 for line in drawn.lines for point in line.points
    )
    [line] = chart(read_rows([run]), X, ["psnr"], group=["encoder.use"]).lines
    assert [len(point.rows) for point in line.points] == [6, 6] and line.label == "e"


def test_a_section_is_named_by_its_component_and_what_tells_it_apart(write_run: Writer) -> None:
    generators = [
        {"use": "draw", "steps": 10, "guidance": 2},
        {"use": "draw", "steps": 50, "guidance": 2},
        {"use": "copy", "codec": {"use": "jpeg", "quality": 9}},
    ]
    run = write_run([cell([x, 1.0], at=x, workflow=str(i), config={"generator": g}) for x in (0, 5)
                     for i, g in enumerate(generators)])  # fmt: skip
    lines = chart(read_rows([run]), X, ["psnr"], group=["generator"]).lines
    assert [line.label for line in lines] == ["draw (steps 10)", "draw (steps 50)", "copy"]


def test_the_axis_does_not_tell_its_own_section_apart(write_run: Writer) -> None:
    run = write_run([cell([x, 1.0], at=x) for x in (0, 5, 10)])
    [line] = chart(read_rows([run]), X, ["psnr"], group=["channel"]).lines
    assert [point.x.mean for point in line.points] == [0, 5, 10]


def test_a_run_given_twice_counts_once(write_run: Writer) -> None:
    run = write_run([cell([1.0, 2.0], at=x) for x in (0, 5)])
    assert len(read_rows([run, run])) == 2


def test_runs_that_differ_in_more_than_the_seed_are_lines_of_their_own(write_run: Writer) -> None:
    one, seed, other = (
        write_run([cell([x, 1.0], at=x, config=config) | {"seed": s} for x in (0, 5)], name)
        for name, config, s in (
            ("one", {}, 1),
            ("seed", {}, 2),
            ("other", {"kb": {"use": "static"}}, 1),
        )
    )
    assert [line.label for line in chart(read_rows([one, other]), X, ["psnr"]).lines] == [
        "one",
        "other",
    ]
    [line] = chart(read_rows([one, seed]), X, ["psnr"]).lines
    assert all(len(point.rows) == 2 for point in line.points)


def test_over_a_metric_every_cell_is_a_point(write_run: Writer) -> None:
    run = write_run([{**cell([20.0 + q, 30.0], **{"encoder.quality": q, X: x}),
                      "metrics": {"psnr": [20.0 + q + x, 30.0 + x],
                     "cbr": [q / 10, q / 10]}} for x in (0, 5) for q in (20, 50, 80)])  # fmt: skip
    drawn = chart(read_rows([run]), "cbr", ["psnr"])
    assert drawn.group == (X,) and drawn.x_is_metric
    assert [[point.x.mean for point in line.points] for line in drawn.lines] == [[2, 5, 8]] * 2


def test_bits_per_pixel_are_the_payload_over_the_pixels(write_run: Writer) -> None:
    # 100 channel uses at CBR 0.5 are 200 source values, a picture of 200/3 pixels
    run = write_run([{**cell([]), "settings": {X: x},
                      "metrics": {"psnr": [1.0], "payload-bits": [100.0 * (1 + x)],
                     "cbr": [0.5]}} for x in (0, 5)])  # fmt: skip
    [line] = chart(read_rows([run]), "bpp", ["psnr"]).lines
    assert [point.x.mean for point in line.points] == pytest.approx([1.5, 9.0])
    ratio = write_run([{**cell([]), "settings": {X: x},
                        "metrics": {"psnr": [1.0], "compression-ratio": [4.0 + x]}}
                       for x in (0, 4)], "ratio")  # fmt: skip
    [line] = chart(read_rows([ratio]), "bpp", ["psnr"]).lines
    assert [point.x.mean for point in line.points] == pytest.approx([3.0, 6.0])


# ------------------------------------------------------------------------------------- what is told


@pytest.fixture
def swept_run(write_run: Writer) -> Path:
    config = {"source": {"use": "s", "limit": 3}}
    return write_run(
        [
            cell([x, 1.0], at=x, **{"encoder.quality": q}, config=config)
            for x in (0, 5)
            for q in (20, 80)
        ]
    )


@pytest.mark.parametrize(
    "x, y, group, told",
    [
        ("channel.snr", "psnr", None,
         "no cell has a setting 'channel.snr'; did you mean 'channel.snr_db'?"),
        ("zzz", "psnr", None, "no cell has a setting 'zzz'"),
        (X, "pnsr", None, "no cell has a metric 'pnsr'; did you mean 'psnr'?"),
        (X, "psnr", ["encodr.quality"],
         "no cell has a setting 'encodr.quality'; did you mean 'encoder.quality'?"),
        ("source.limit", "psnr", None,
         "source.limit is 3 in every cell, so there is nothing to draw over it; swept here: "
         "channel.snr_db, encoder.quality"),
        ("channel.use", "psnr", None,
         "channel.use is not a number, so it cannot be an axis: it is noise"),
        ("bpp", "psnr", None,
         "bpp cannot be computed here: it needs compression-ratio, or payload-bits and cbr"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_told_with_what_can(
    swept_run: Path, x: str, y: str, group: list[str], told: str
) -> None:
    with pytest.raises(RunError) as caught:
        chart(read_rows([swept_run]), x, [y], group)
    assert str(caught.value).startswith(told)


def test_a_metric_without_any_value_is_told(write_run: Writer) -> None:
    with pytest.raises(RunError, match="bleu has no value in any of these cells"):
        chart(
            read_rows([write_run([cell([None, None], "bleu", at=x) for x in (0, 5)])]), X, ["bleu"]
        )


@pytest.mark.parametrize(
    "where, kept",
    [(["channel.snr_db=5"], 2), (["channel.snr_db=0,5"], 4), (["channel.snr_db=0:10:5"], 4),
     (["encoder.quality=20.0"], 2), (["channel=noise"], 4),
     (["encoder.quality=20", "channel.snr_db=0"], 1)],
)  # fmt: skip
def test_cells_are_chosen_by_their_settings(swept_run: Path, where: list[str], kept: int) -> None:
    assert len(read_rows([swept_run], where)) == kept


def test_a_choice_that_leaves_nothing_is_told(swept_run: Path) -> None:
    with pytest.raises(RunError, match=r"no cell has channel\.snr_db=7; channel\.snr_db is 0, 5$"):
        read_rows([swept_run], ["channel.snr_db=7"])
    with pytest.raises(RunError, match="did you mean 'channel.snr_db'"):
        read_rows([swept_run], ["channel.snr_d=7"])


def test_a_run_without_results_and_a_damaged_one_are_told(
    write_run: Writer, tmp_path: Path
) -> None:
    run = write_run([cell([1.0, 2.0], at=x, seed=s) for x in (0, 5) for s in (1, 2)])
    next(run.glob("cells/*/items.jsonl")).write_text("{")
    with pytest.raises(RunError, match=r"the samples of cell \w{8} .* cannot be read"):
        chart(read_rows([run]), X, ["psnr"])
    damaged = write_run(
        [{**cell([1.0, 2.0], at=0), "result": {"genie": None, "config": None}}], "damaged"
    )
    with pytest.raises(
        RunError, match=r"the cell \w+ of .* is damaged: it has no genie and no config"
    ):
        read_rows([damaged])
    for path in run.glob("cells/*/result.json"):
        path.unlink()
    with pytest.raises(RunError, match="is done yet"):
        read_rows([run])
    with pytest.raises(RunError, match="is not a run"):
        read_rows([tmp_path])
