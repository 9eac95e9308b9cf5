"""Files that a pipeline names: `check` finds what `run` refuses, each problem at its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from semcore.config.configuration import load
from semcore.errors import ConfigError
from semcore.plugins.packages import hook_manager
from semcore.runs.results import read_run
from semcore.runs.runner import run

from ..support.commands import called

PIPELINE = """\
semcore: 1
source:
  use: image-folder
  path: {folder}
encoder: {{use: bitstream, codec: {{use: png}}}}
transport: {{use: ldpc}}
channel: {{use: awgn, snr_db: 12}}
generator:
  use: bitstream
  codec: {{use: png}}
metrics: [psnr]
"""


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for index, name in enumerate(("a.png", "b.png")):
        Image.fromarray(np.full((16, 24, 3), 50 * index, np.uint8)).save(tmp_path / "in" / name)
    file = tmp_path / "p.yaml"
    file.write_text(PIPELINE.format(folder=tmp_path / "in"))
    return file


FAULTS: dict[str, tuple[dict[str, str], str, str]] = {
    # what is written instead of what -> where, what
    "a missing folder": ({"/in\n": "/none\n"}, "4:9", "there is no folder"),
    "a pattern": ({"/in\n": "/in/*.png\n"}, "4:9", "is a pattern, not a folder"),
    "a file": ({"/in\n": "/in/a.png\n"}, "4:9", "is a file, not a folder"),
    "a folder without pictures": ({"/in\n": "\n"}, "4:9", "holds no pictures"),
    "nothing behind the offset": ({"/in\n": "/in\n  offset: 5\n"}, "3:3", "it has no samples"),
    "a damaged picture": ({}, "4:9", "bad.jpg cannot be read: it is empty"),
    "another codec": (
        {"  codec: {use: png}": "  codec: {use: webp}"},
        "10:10",
        "codec is webp, and the encoder's is png",
    ),
    "another size": (
        {"metrics": "  size: [24, 16]\nmetrics"},
        "11:9",
        "size is [24, 16], and the source has",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_check_finds_what_run_refuses_at_the_same_place(
    pipeline: Path, fault: str, capsys: Any, tmp_path: Path
) -> None:
    changes, place, message = FAULTS[fault]
    text = pipeline.read_text()
    for before, after in changes.items():
        assert before in text
        text = text.replace(before, after)
    if fault == "a folder without pictures":
        (tmp_path / "empty").mkdir()
        text = text.replace(f"path: {tmp_path}\n", f"path: {tmp_path}/empty\n")
    if fault == "a damaged picture":
        (tmp_path / "in" / "bad.jpg").write_bytes(b"")
    pipeline.write_text(text)
    checked = called(capsys, "check", pipeline)
    ran = called(capsys, "run", pipeline, "--out", tmp_path / "run")
    dry = called(capsys, "run", pipeline, "--out", tmp_path / "run", "--dry-run")
    assert checked == ran == dry and checked[0] == 2
    assert f"p.yaml:{place}: error: " in checked[1] and message in checked[1]
    assert not (tmp_path / "run").exists()


def test_all_of_it_is_found_at_once_and_only_once(
    pipeline: Path, capsys: Any, tmp_path: Path
) -> None:
    for name in ("c.jpg", "d.jpg"):
        (tmp_path / "in" / name).write_bytes(b"just a note")
    code, printed = called(
        capsys,
        "check",
        pipeline,
        f"source.path={tmp_path}/in,{tmp_path}/none",
        "channel.snr_db=0,3,6",
    )
    assert code == 2 and printed.count(" error: source") == 3
    assert all(
        printed.count(one) == 1
        for one in ("c.jpg cannot be read", "d.jpg cannot be read", "there is no folder")
    )
    assert f"source.path={tmp_path}/in,{tmp_path}/none: error: " in printed


def test_from_python_it_is_an_error_with_every_problem(pipeline: Path, tmp_path: Path) -> None:
    (tmp_path / "in" / "c.jpg").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"c\.jpg cannot be read: it is empty"):
        run(load(pipeline), tmp_path / "run", hook_manager([]))


def test_what_is_left_out_is_said_by_check_run_result_and_report(
    pipeline: Path, capsys: Any, tmp_path: Path
) -> None:
    (tmp_path / "in" / "c.jpg").write_bytes(b"")
    (tmp_path / "in" / "d.jpg").write_bytes(b"just a note")
    skip = "source.on_error=skip"
    said = (
        "2 samples are left out, since they cannot be read: c.jpg (it is empty); d.jpg (it is "
        "not a picture"
    )
    code, printed = called(capsys, "check", pipeline, skip)
    assert code == 0 and said in printed
    for _ in range(2):  # the second time nothing is computed
        code, printed = called(capsys, "run", pipeline, skip, "--out", tmp_path / "run")
        assert code == 0 and said in printed
    (result,) = read_run(tmp_path / "run").results
    assert (
        result["n"] == 2
        and result["left_out"]["count"] == 2
        and result["left_out"]["first"][0] == ["c.jpg", "it is empty"]
    )
    assert said in (tmp_path / "run" / "report.html").read_text()
    # With the damaged files gone, nothing is left out, and no old result says so.
    for name in ("c.jpg", "d.jpg"):
        (tmp_path / "in" / name).unlink()
    code, printed = called(capsys, "run", pipeline, skip, "--out", tmp_path / "run")
    assert (
        code == 0
        and "left out" not in printed
        and "left out" not in (tmp_path / "run" / "report.html").read_text()
    )


@pytest.mark.parametrize(
    ("sender", "receiver", "fits"),
    [
        ("{use: jpeg, quality: 20}", "{use: jpeg}", True),
        ("{use: jpeg, subsampling: '4:4:4'}", "{use: jpeg}", True),  # stands in the file
        ("{use: webp, lossless: true}", "{use: webp}", True),
        ("{use: hevc, header: known, quality: 20}", "{use: hevc, header: known}", True),
        ("{use: hevc, header: known, chroma: '4:2:0'}", "{use: hevc, header: known}", False),
        ("{use: jpeg, header: known, optimise: false}", "{use: jpeg, subsampling: '4:4:4'}", False),
        ("{use: webp, header: known}", "{use: webp}", False),
        ("{use: raw}", "{use: png}", False),
    ],
)  # fmt: skip
def test_a_decoder_fits_when_it_decodes_what_was_encoded(
    pipeline: Path, capsys: Any, tmp_path: Path, sender: str, receiver: str, fits: bool
) -> None:
    overrides = [f"encoder.codec={sender}", f"generator.codec={receiver}", "generator.size=[16,24]"]
    code, printed = called(capsys, "check", pipeline, *overrides)
    assert (code == 0) == fits, printed
    if not fits:
        assert "generator 'bitstream' does not fit the encoder 'bitstream': its codec" in printed
        return
    code, _ = called(capsys, "run", pipeline, *overrides, "--out", tmp_path / "run", "--no-report")
    rows = [
        json.loads(line)
        for line in next((tmp_path / "run" / "cells").glob("*/items.jsonl"))
        .read_text()
        .splitlines()
    ]
    assert code == 0 and all(
        row["metrics"]["psnr"] is None or row["metrics"]["psnr"] > 30 for row in rows
    )


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("source={use: samples, limit: 1000000000000}", "limit must be at most 100e3"),
        (
            "source={use: samples, limit: 90000, size: [1024, 1024]}",
            "limit must be at most 1,024 pictures of 1024×1024 pixels",
        ),
        ("source={use: samples, size: [100000, 100000]}", "must be at most 1024"),
        (
            "source={use: talking-samples, limit: 900, size: [1024, 1024]}",
            "limit must be at most 13 at size",
        ),
        (
            "generator={use: mini-diffusion, candidates: 1000000000}",
            "candidates must be at most 100e3",
        ),
        (
            "generator={use: mini-diffusion, candidates: 50000, size: [512, 512]}",
            "candidates must be at most 4,096 pictures",
        ),
        (
            "generator={use: class-diffusion, candidates: 1000000000}",
            "candidates must be at most 100e3",
        ),
        (
            "generator={use: stable-diffusion, model: x, candidates: 90000}",
            "candidates must be at most 4,096 pictures",
        ),
    ],
)
def test_limits_that_cannot_be_drawn_are_refused(
    pipeline: Path, capsys: Any, override: str, message: str
) -> None:
    code, printed = called(capsys, "check", pipeline, override)
    assert code == 2 and message in printed and f"{override}: error: " in printed


def test_the_sizes_of_drawn_pictures_are_known_without_drawing_them(
    pipeline: Path, capsys: Any
) -> None:
    sizes = ["source={use: samples, limit: 100000, size: [64, 64]}", "generator.size=[32,32]"]
    code, printed = called(capsys, "check", pipeline, *sizes)
    assert code == 2 and "size is [32, 32], and the source has pictures of [64, 64]" in printed


def test_sources_inside_of_other_components_are_looked_through(
    pipeline: Path, capsys: Any, tmp_path: Path
) -> None:
    genie = f"selector={{use: genie, source: {{use: image-folder, path: {tmp_path}/none}}}}"
    code, printed = called(capsys, "check", pipeline, genie)
    assert code == 2 and f"{genie}: error: source 'image-folder': there is no folder" in printed


@pytest.mark.parametrize(
    "source",
    [
        "av-clips",
        "grid",
        "sequences",
        "stl10",
        "cifar10",
        "image-folder",
        "lrs2",
        "voxceleb",
        "cifar100",
        "celeba",
    ],
)
def test_a_pattern_is_named_as_one_by_every_source(
    pipeline: Path, capsys: Any, tmp_path: Path, source: str
) -> None:
    text = (
        pipeline.read_text()
        .replace("use: image-folder", f"use: {source}")
        .replace("/in\n", "/in/*.png\n")
    )
    pipeline.write_text(
        text.replace("bitstream", "video-codec").replace("codec: {use: png}", "codec: h264")
    )
    code, printed = called(capsys, "check", pipeline)
    assert (
        code == 2
        and "p.yaml:4:9: error: " in printed
        and "is a pattern" in printed.replace("a pattern is", "is a pattern")
    )


def test_a_decoder_of_another_video_codec_is_refused(pipeline: Path, capsys: Any) -> None:
    video = [
        "source={use: talking-samples}",
        "encoder={use: video-codec, codec: h264}",
        "generator={use: video-codec}",
    ]
    code, printed = called(capsys, "check", pipeline, *video)
    assert code == 2 and "its codec is h265, and the encoder's is h264" in printed
