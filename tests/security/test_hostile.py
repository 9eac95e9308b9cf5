"""Hostile bytes and symbols from a channel: no decoder crashes, hangs or exhausts memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from semcore.config.configuration import load
from semcore.entrypoints import naming
from semcore.plugins.packages import hook_manager
from semcore.runs.runner import run

from ..support.pipelines import SUPPORT

MOST_MB = 512
"""What a decoder may take for hostile input, on top of what it has loaded."""


@pytest.mark.parametrize(
    ("what", "seed", "cases"),
    [
        ("codecs", 1, 500),
        pytest.param("transports", 1, 5, marks=pytest.mark.slow),
        pytest.param("codecs", 2, 40_000, marks=pytest.mark.slow),
        pytest.param("codecs", 3, 40_000, marks=pytest.mark.slow),
        pytest.param("transports", 2, 60, marks=pytest.mark.slow),
    ],
)
@pytest.mark.slow
def test_no_crash_no_hang_and_bounded_memory(what: str, seed: int, cases: int) -> None:
    """In its own process, which a decoder in C may crash, and which is stopped if it hangs."""
    command = [sys.executable, str(SUPPORT / "fuzz.py"), what, str(seed), str(cases)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["cases"] >= 8 * cases and found["grown_mb"] < MOST_MB, found


def test_an_error_that_quotes_what_arrived_cannot_command_a_terminal(
    bench: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from semcore.cli import main

    monkeypatch.setattr(naming, "_local", dict(naming._local))
    monkeypatch.chdir(bench.folder)
    (bench.folder / "quotes.py").write_text(
        "from dataclasses import dataclass\nimport semcore\nfrom semcore.plugins import registry\n"
        "\n"
        "@semcore.register('generator', 'quotes')\n@dataclass(frozen=True)\n"
        "class Quotes(registry.load('generator', 'flat')):\n"
        "    def generate(self, batch, kb, rng):\n"
        "        raise ValueError('cannot draw ' + batch[0].text('caption'))\n"
    )
    bench.text = bench.text.replace("bench.py]", "bench.py, ./quotes.py]").replace(
        "use: flat", "use: quotes"
    )
    bench.text = bench.text.replace(
        "use: brightness", 'use: brightness, prefix: "\\e]0;owned\\a\\e[2J"'
    )
    with pytest.raises(SystemExit):
        main(["run", str(bench.path), "channel.snr_db=60"])
    out, err = capsys.readouterr()
    assert "cannot draw" in err and "owned" in err and not {"\x1b", "\a"} & {*out, *err}


PICTURES = """
semcore: 1
plugins: [%s]
source: {use: samples, limit: 3, user: anna}
encoder: {use: bitstream, codec: {use: %s}}
transport: {use: ldpc, iterations: 4}
channel: {use: garbage}
generator: {use: bitstream, codec: {use: %s}, size: [32, 32]}
metrics: [psnr, ssim, ber, bler, class-accuracy]
"""
SESSION = """
semcore: 1
plugins: [%s]
source: {use: samples, limit: 4, user: anna}
encoder: {use: mini-caption}
transport: {use: ldpc, iterations: 4, codec: {use: %s}, on_error: %s}
channel: {use: garbage}
generator: {use: mini-diffusion, candidates: 2, steps: 2, start: reference}
selector: {use: clip-score}
kb: {use: psnr}
planner:
  use: lookup
  quantity: channel.seed
  table: [{below: 2, set: {generator.steps: 1}}]
  otherwise: {generator.steps: 2}
scenario: {segments: [{channel.seed: 1}, {channel.seed: 2}, {channel.seed: 3}, {channel.seed: 4}]}
metrics: [psnr, ssim, bleu, char-accuracy, semantic-entropy, clip-score, channel-uses]
"""


def every_cell(text: str, folder: Path, *overrides: str) -> None:
    """Run a pipeline; every cell must come to a result, its page included."""
    from semcore.render.page import write_report

    (folder / "pipeline.yaml").write_text(text)
    finished = run(load(folder / "pipeline.yaml", overrides), folder / "run", hook_manager([]))
    assert not finished.failures and all(finished.results)
    assert write_report(folder / "run").stat().st_size > 1000


@pytest.mark.parametrize(
    "codec",
    [
        "jpeg",
        "hevc",
        *(pytest.param(one, marks=pytest.mark.slow) for one in ("raw", "png", "webp")),
    ],
)
@pytest.mark.default_cases(1)
def test_a_link_that_delivers_garbage_comes_to_an_end(codec: str, tmp_path: Path) -> None:
    every_cell(PICTURES % (SUPPORT / "garbage.py", codec, codec), tmp_path, "channel.seed=0:4:1")


@pytest.mark.parametrize(
    ("codec", "on_error"),
    [
        ("jpeg", "deliver"),
        pytest.param("raw", "deliver", marks=pytest.mark.slow),
        pytest.param("png", "erase", marks=pytest.mark.slow),
    ],
)
@pytest.mark.slow
def test_so_does_a_session_whose_plans_and_updates_are_garbage(
    codec: str, on_error: str, tmp_path: Path
) -> None:
    every_cell(SESSION % (SUPPORT / "garbage.py", codec, on_error), tmp_path)
