"""The page about codecs of one's own is followed word for word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "train-your-own.md"


def test_the_codec_is_as_short_as_the_page_says(blocks: Any) -> None:
    files = {name: text for _, name, text in blocks(PAGE) if name}
    code = [line for line in files["mycodec.py"].splitlines() if line.strip()]
    inside = [line for line in code if '"""' not in line and not line.lstrip().startswith("#")]
    begin = next(number for number, line in enumerate(inside) if line.startswith("class "))
    assert len([line for line in inside[begin:] if ": " not in line or "=" in line]) <= 20


def results(run: Path) -> list[Any]:
    return [json.loads(path.read_text()) for path in run.glob("cells/*/result.json")]


@pytest.mark.docs
def test_the_page_leads_from_two_modules_to_a_package(
    tmp_path: Path, fresh: Any, follow: Any
) -> None:
    follow(PAGE, tmp_path, fresh)
    mine = tmp_path / "runs" / "mine"
    card = (mine / "README.md").read_text()
    assert "plugins=[./jammed.py, ./mycodec.py]" in card and "| 512 (1/6) |" in card
    curve = [line.split(",") for line in (mine / "validation.csv").read_text().splitlines()]
    psnr = [float(row[curve[0].index("psnr")]) for row in curve[1:]]
    assert len(psnr) == 80 and psnr[-1] > psnr[0] + 2
    compared = results(tmp_path / "runs" / "compare")
    assert len(compared) == 9
    assert all(0.95 / 6 < one["metrics"]["cbr"]["mean"] < 1.001 / 6 for one in compared)
    (paper,), (converted,) = (results(tmp_path / "runs" / name) for name in ("paper", "converted"))
    assert paper["metrics"]["psnr"] == converted["metrics"]["psnr"]
    (installed,) = results(tmp_path / "runs" / "installed")
    assert installed["packages"]["semcore-my-codec"] == "0.1.0"
    assert installed["metrics"]["psnr"]["mean"] > 12
