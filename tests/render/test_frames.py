"""`semcore frames`: what cells made of one sample, as a figure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import semcore
from semcore import RunError
from semcore.analysis.rows import read_rows
from semcore.media import clips
from semcore.render import frames
from semcore.render.paper import PAGE_IN, WIDTHS_IN, styled
from semcore.types import Sample

from ..support.commands import call
from ..support.written_runs import Writer

GREYS = {"bright": 220, "dark": 40}


@pytest.fixture
def run(write_run: Writer) -> Path:
    """Two workflows, a sample with pictures of one grey, and one with clips that grow brighter."""
    pytest.importorskip("av")
    folder = write_run([
        {"settings": {"workflow": name}, "metrics": {"akd": [grey / 100, 2.0]}, "unit": "px",
         "config": {"workflow": name}}
        for name, grey in GREYS.items()
    ])  # fmt: skip
    for row in read_rows([folder]):
        cell, grey = folder / "cells" / row.result["id"], GREYS[row.get("workflow")]
        items = row.run.items(dict(row.result))
        ramp = np.repeat(np.arange(0, 250, 10, dtype=np.uint8), 32 * 48 * 3).reshape(25, 32, 48, 3)
        for name, level in (("source", 128), ("result", grey)):
            Image.fromarray(np.full((32, 48, 3), level, np.uint8)).save(cell / f"{name}.png")
            (cell / f"{name}.mp4").write_bytes(clips.mp4(Sample("s1", video=ramp, fps=25.0)) or b"")
        items[0] |= {"pictures": {"source": "source.png", "result": "result.png"}}
        items[1] |= {
            "clips": {"source": "source.mp4", **({"result": "result.mp4"} if grey > 100 else {})}
        }
        (cell / "items.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    return folder


def test_pictures_of_the_first_sample_below_their_source(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, found = frames.strips(read_rows([run]), None, ["akd"], 4)
    assert name == "s0" and [one.label for one in found] == [
        "source",
        "bright\nAKD 2.2 px",
        "dark\nAKD 0.4 px",
    ]
    assert [one.frames[0].mean() for one in found] == [128, 220, 40] and not found[0].moments
    assert call("frames", run, "--score", "akd") == 0
    paths = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert [path.name for path in paths] == ["frames-of-s0.pdf", "frames-of-s0.png"]
    before = [path.read_bytes() for path in paths]
    assert (
        call("frames", run, "--score", "akd") == 0
        and [path.read_bytes() for path in paths] == before
    ), "the same bytes again"


def test_python_shows_and_saves_the_figure_of_the_command(run: Path, tmp_path: Path) -> None:
    results = semcore.read(run)
    shown = results.frames(1, count=3)
    assert shown.sample == "s1" and [len(one.frames) for one in shown.strips] == [3, 3, 0]
    assert shown._repr_html_().count("<img") == 1
    assert call("frames", run, "--sample", "1", "--count", "3", "--out", tmp_path / "command") == 0
    for path in shown.save(tmp_path / "python.pdf"):
        assert path.read_bytes() == (tmp_path / f"command{path.suffix}").read_bytes()
    with pytest.raises(RunError, match="no sample '7'; there are s0, s1"):
        results.frames(7)


def test_frames_of_clips_are_spread_over_them_and_lost_ones_say_so(run: Path) -> None:
    name, found = frames.strips(read_rows([run]), "1", [], 5)
    assert (
        name == "s1"
        and [len(one.frames) for one in found] == [5, 5, 0]
        and found[2].label == "dark\n(nothing)"
    )
    assert found[0].moments == pytest.approx((0.08, 0.28, 0.48, 0.68, 0.88))
    greys = [float(one.mean()) for one in found[1].frames]
    np.testing.assert_allclose(greys, [20, 70, 120, 170, 220], atol=4)
    with (
        Image.open(run / "figures" / "frames-of-s1.png")
        if call("frames", run, "--sample", "s1") == 0
        else Image.new("L", (1, 1)) as drawn
    ):
        assert drawn.width == 2148


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--sample", "nobody"], "the cells have no sample 'nobody'; there are s0, s1"),
        (["--score", "psnr"], "no cell has a metric 'psnr'; there are akd"),
        (["--where", "workflow=neither"], "no cell has workflow=neither"),
    ],
)
def test_what_is_not_there_is_named(
    run: Path, capsys: pytest.CaptureFixture[str], arguments: list[Any], said: str
) -> None:
    assert call("frames", run, *arguments) == 2 and said in capsys.readouterr().err


def test_a_run_that_kept_nothing_says_so(
    write_run: Writer, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = write_run([{"settings": {}, "metrics": {"akd": [1.0]}}], "bare")
    assert (
        call("frames", bare) == 2
        and "neither clips nor pictures were kept" in capsys.readouterr().err
    )


@pytest.mark.parametrize("width", ["column", "page"])
@pytest.mark.parametrize(
    ("shape", "count", "cells"),
    [((32, 48), 1, 2), ((64, 64), 1, 30), ((160, 90), 1, 3), ((90, 160), 6, 9), ((160, 90), 2, 5)],
)
def test_no_page_is_larger_than_a_printed_one(
    shape: tuple[int, int], count: int, cells: int, width: str
) -> None:
    picture = np.zeros((*shape, 3), np.uint8)
    found = [frames.Strip(f"name of cell {i}\nPSNR {i} dB", (picture,) * count,
                          tuple(range(count)) if count > 1 else ())
             for i in range(cells)]  # fmt: skip
    with styled():
        pages = list(frames.pages_of(found, width))
    assert all(
        page.get_figheight() <= PAGE_IN and page.get_figwidth() == WIDTHS_IN[width]
        for page in pages
    )
    assert sum(len(axes.images) for page in pages for axes in page.axes) == cells * count, (
        "nothing is left out"
    )
    assert len(pages) <= 1 + cells // 2
