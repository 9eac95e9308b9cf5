"""What a pipeline costs to compute: counted operations against closed forms, and the command."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from semcore.cli import main
from semcore.config.configuration import load
from semcore.errors import RunError
from semcore.runs.profile import Profile, different, profiles

PLUGIN = '''
import functools
from dataclasses import dataclass

import numpy as np
import torch

import semcore
from semcore.runs.cache import user_cache

LINEAR = torch.nn.Linear(64, 32)
ATTENTION = torch.nn.functional.scaled_dot_product_attention


@semcore.register("encoder", "linear")
@dataclass(frozen=True)
class Linear(semcore.SemanticEncoder):
    """One product of a matrix and a vector."""

    @property
    def streams(self):
        return {"values": semcore.Features}

    def encode(self, samples, kb):
        with torch.no_grad():
            values = [semcore.Features(LINEAR(torch.ones(64)).numpy()) for _ in samples]
        return [
            semcore.Semantics(one.id, {"values": found})
            for one, found in zip(samples, values, strict=True)
        ]


@semcore.register("generator", "once-then-again")
@dataclass(frozen=True)
class OnceThenAgain(semcore.Generator):
    """A convolution for the first sample, then attention and the encoder's network for each.

    Fields:
        again: so often
        fails: whether it fails
    """

    accepts = {"values": (semcore.Features,)}
    again: int = 1
    fails: bool = False

    @functools.cached_property
    def made(self):
        user_cache().put("once", "made")
        conv = torch.nn.Conv2d(3, 5, 3)
        return conv(torch.ones(1, 3, 6, 6))

    @torch.no_grad()
    def generate(self, batch, kb, rng):
        if self.fails:
            raise ValueError("it fails")
        assert user_cache().get("once") is None or hasattr(self, "known")
        object.__setattr__(self, "known", self.made)
        for _ in range(self.again):
            LINEAR(torch.ones(64))
            ATTENTION(torch.ones(1, 2, 7, 8), torch.ones(1, 2, 9, 8), torch.ones(1, 2, 9, 8))
        return [semcore.Candidates([semcore.Sample(one.key)]) for one in batch]
'''
PIPELINE = """
semcore: 1
name: costs
plugins: [./costs.py]
source: {use: samples, limit: 1}
encoder: linear
transport: analog
channel: awgn
generator: {use: once-then-again, again: 1}
metrics: [channel-uses]
sweep:
  generator.again: [1, 3]
  channel.snr_db: [0, 10]
"""
LINEAR, ATTENTION, CONVOLUTION = 2 * 64 * 32, 2 * 2 * 7 * 8 * 9 * 2, 2 * 5 * 4 * 4 * 3 * 3 * 3


def written(folder: Path) -> Path:
    (folder / "costs.py").write_text(PLUGIN)
    (folder / "pipeline.yaml").write_text(PIPELINE)
    return folder / "pipeline.yaml"


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    return written(tmp_path)


def measured(pipeline: Path, *overrides: str, by: tuple[str, ...] = ()) -> list[Profile]:
    experiment = load(pipeline, overrides)
    return list(profiles(experiment, different(experiment, by), repeat=1))


@pytest.fixture(scope="module")
def costs(tmp_path_factory: pytest.TempPathFactory) -> list[Profile]:
    """Of the pipeline that does its work once, and of the one that does it three times."""
    return measured(written(tmp_path_factory.mktemp("costs")), by=("generator.again",))


@pytest.mark.slow
def test_operations_and_parameters_are_those_of_the_closed_forms(costs: list[Profile]) -> None:
    one, three = costs
    for found, again in ((one, 1), (three, 3)):
        assert found.stages["encode"].flops == LINEAR
        assert found.stages["generate"].flops == again * (LINEAR + ATTENTION)
        assert found.stages["generate"].first_flops == again * (LINEAR + ATTENTION) + CONVOLUTION
        assert found.total.flops == LINEAR + again * (LINEAR + ATTENTION)
        assert found.total.first_flops == found.total.flops + CONVOLUTION
        linear, convolution = 64 * 32 + 32, 3 * 5 * 9 + 5
        assert found.stages["encode"].parameters == linear
        assert found.stages["generate"].parameters == found.total.parameters == linear + convolution
        assert found.total.seconds >= max(cost.seconds for cost in found.stages.values()) > 0
        assert found.peak_mb >= found.idle_mb
    assert one.settings == {"generator.again": 1, "channel.snr_db": 0}


@pytest.mark.slow
def test_what_the_user_has_on_the_shelf_is_neither_used_nor_changed(
    costs: list[Profile], pipeline: Path
) -> None:
    assert measured(pipeline)[0].total.first_flops == costs[0].total.first_flops > 0


@pytest.mark.slow
def test_a_failure_names_the_cell_and_the_reason(pipeline: Path) -> None:
    with pytest.raises(RunError, match=r"'generator.again': 1.*ValueError: it fails"):
        measured(pipeline, "generator.fails=true")


def test_a_line_for_each_value_that_is_asked_for(pipeline: Path) -> None:
    experiment = load(pipeline)
    assert len(different(experiment, ())) == 1
    assert [
        cell.settings["channel.snr_db"] for cell in different(experiment, ("channel.snr_db",))
    ] == [0, 10]
    assert len(different(experiment, ("channel.snr_db", "generator.again"))) == 4
    with pytest.raises(
        RunError, match=r"workflow is not swept; swept are generator.again, channel.snr_db"
    ):
        different(experiment, ("workflow",))


@pytest.mark.slow
def test_the_verb_prints_a_table_and_writes_a_sheet(
    pipeline: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = pipeline.parent / "costs.csv"
    with pytest.raises(SystemExit) as ended:
        main(
            [
                "profile",
                str(pipeline),
                "--by",
                "generator.again",
                "--stages",
                "--repeat",
                "1",
                "--out",
                str(sheet),
            ]
        )
    out = capsys.readouterr().out
    assert ended.value.code == 0 and "parameters" in out and "4.1k" in out
    rows = list(csv.DictReader(sheet.open()))
    assert [row["stage"] for row in rows] == [
        "encode",
        "send",
        "channel",
        "receive",
        "generate",
        "total",
    ] * 2
    assert [int(row["flops"]) for row in rows if row["stage"] == "total"] == [
        LINEAR + again * (LINEAR + ATTENTION) for again in (1, 3)
    ]
