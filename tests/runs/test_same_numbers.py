"""The same numbers whatever the order of cells, the batch size, the processes and interruptions."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semcore.component.digest import Digester
from semcore.config.configuration import load
from semcore.planning.session import run_session
from semcore.runs import cell as evaluate
from semcore.runs.identity import resolve

from ..support.pipelines import PIPELINE, Bench

POINTS = [(snr, strength) for snr in (-3, 0, 6, 40) for strength in (1.0, 1.5)]
SAMPLES = 7
CALM = {"suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, dict[str, bytes]]:
    """A grid computed at once, in order, in one process, in one batch."""
    bench = Bench(tmp_path_factory.mktemp("same"))
    bench.run(*grid(POINTS), out="whole")
    return bench, bench.results("whole")


def grid(points: list[tuple[int, float]]) -> list[str]:
    """The smallest grid that holds some points, as overrides."""
    snrs = dict.fromkeys(snr for snr, _ in points)
    strengths = dict.fromkeys(strength for _, strength in points)
    axes = {"channel.snr_db": snrs, "generator.strength": strengths}
    return [
        f"source.limit={SAMPLES}",
        *(f"{path}={','.join(map(str, values))}" for path, values in axes.items()),
    ]


@pytest.mark.slow  # test_run.py has one order, one batch size and one interruption in each run
@settings(max_examples=25, **CALM)
@given(
    st.permutations(POINTS),
    st.integers(1, SAMPLES + 1),
    st.integers(0, len(POINTS)),
    st.sampled_from(["kept", "lost"]),
)
def test_order_batches_and_interruptions_change_no_byte(
    whole: tuple[Bench, dict[str, bytes]],
    order: list[tuple[int, float]],
    size: int,
    stopped: int,
    cache: str,
) -> None:
    bench, expected = whole
    out = bench.folder / "again"
    shutil.rmtree(out, ignore_errors=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            evaluate,
            "run_session",
            lambda *arguments, **named: run_session(*arguments, **{**named, "batch_size": size}),
        )
        for points in (order[:stopped], order):  # a part first, then all of it
            if points:
                bench.run(*grid(points), out="again")
            if cache == "lost":
                shutil.rmtree(out / "cache", ignore_errors=True)
    assert bench.results("again") == expected


@pytest.mark.slow
@settings(max_examples=2, **CALM)
@given(st.permutations(POINTS), st.integers(2, 3))
def test_processes_change_no_byte(
    whole: tuple[Bench, dict[str, bytes]], order: list[tuple[int, float]], jobs: int
) -> None:
    bench, expected = whole
    shutil.rmtree(bench.folder / "jobs", ignore_errors=True)
    bench.run(*grid(order), out="jobs", jobs=jobs)
    assert bench.results("jobs") == expected


@pytest.mark.slow
def test_threads_change_no_byte(tmp_path: Path) -> None:
    """Real models: neither more cores nor cells that share them may change the rounding."""
    import torch

    pipeline = tmp_path / "real.yaml"
    pipeline.write_text(REAL)
    found = []
    for threads in (1, 2):
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            bench = Bench(tmp_path)
            bench.text = REAL
            bench.run(out=f"{threads}")
            found.append(bench.results(f"{threads}"))
            assert torch.get_num_threads() == threads  # what the process had before
        finally:
            torch.set_num_threads(before)
    assert found[0] == found[1]


REAL = """
semcore: 1
source: {use: samples, limit: 3, size: [64, 64]}
encoder: {use: mini-caption}
transport: {use: ldpc}
channel: {use: awgn, snr_db: 1}
generator: {use: mini-diffusion, candidates: 2, steps: 4}
selector: {use: clip-score}
metrics: [ssim, clip-image, psnr]
"""


# ---------------------------------------------------------------------------- how a file is written


def shuffled(value: Any, data: st.DataObject) -> Any:
    """The same content with the keys of every mapping in another order."""
    if isinstance(value, dict):
        return {key: shuffled(value[key], data) for key in data.draw(st.permutations(list(value)))}
    if isinstance(value, list):
        return [shuffled(item, data) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and data.draw(st.booleans()):
        return float(value)
    return value


WHOLE_NUMBERS = {
    "semcore",
    "seed",
    "threads",
    "limit",
    "users",
    "quality",
    "repeat",
    "steps",
    "candidates",
}


def restored(value: Any, key: str = "") -> Any:
    """Whole numbers where the setting is one; elsewhere 10 and 10.0 are the same."""
    if isinstance(value, dict):
        return {name: restored(item, name) for name, item in value.items()}
    return int(value) if key in WHOLE_NUMBERS and isinstance(value, float) else value


@settings(max_examples=40, **CALM)
@given(st.data())
def test_order_of_keys_comments_and_ways_to_write_numbers_change_no_cell(
    tmp_path: Path, data: st.DataObject
) -> None:
    values = yaml.safe_load(PIPELINE + "seed: 3\nsweep: {generator.strength: [1, 2]}\n")
    values["channel"] |= {"speed_kmh": [3, 30], "slow_s": 0}
    path = tmp_path / "pipeline.yaml"

    def ids() -> set[str]:
        experiment = load(path)
        return {resolve(experiment, cell, Digester()).id for cell in experiment.cells}

    path.write_text(yaml.safe_dump(values, sort_keys=False))
    before = ids()
    again = restored(shuffled(values, data))
    text = yaml.safe_dump(
        again, sort_keys=False, default_flow_style=data.draw(st.sampled_from([None, False]))
    )
    lines = [
        line + data.draw(st.sampled_from(["", "  # a comment", "\n"])) for line in text.splitlines()
    ]
    path.write_text("# a pipeline\n" + "\n".join(lines) + "\n")
    assert ids() == before
