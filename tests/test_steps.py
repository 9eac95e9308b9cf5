"""Progress: the running stage is named, with a count in each cell, here and in other processes."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import Any

import pytest

from semcore import steps
from semcore.interfaces import Job
from semcore.plugins import registry
from semcore.plugins.hookspecs import hook
from semcore.render.progress import Progress
from semcore.rng import Rng
from semcore.runs.labels import Labels
from semcore.steps import Step


class Listens:
    def __init__(self) -> None:
        self.seen: dict[str, list[Step]] = {}

    @hook
    def semcore_cell_started(self, settings: Mapping[str, Any]) -> None:
        assert str(settings) not in self.seen
        self.seen[str(settings)] = []

    @hook
    def semcore_step(self, settings: Mapping[str, Any], step: Step) -> None:
        self.seen[str(settings)].append(step)


def test_a_stage_counts_what_it_is_made_of() -> None:
    heard = list[Step]()
    with steps.listening(heard.append), steps.stage("generate", 2):
        for _ in steps.each(["a", "b"]):
            with steps.stage("draw", 3, "candidates"):
                steps.say(2, 3, "candidates")
    assert [(one.stage, one.done, one.total, one.what) for one in heard] == [
        ("generate", 0, 2, "samples"),
        *[("draw", done, 3, "candidates") for done in (0, 2, 3)], ("generate", 1, 2, "samples"),
        *[("draw", done, 3, "candidates") for done in (0, 2, 3)], ("generate", 2, 2, "samples"),
        ("generate", 2, 2, "samples"),
    ]  # fmt: skip
    with steps.stage("alone", 1):
        assert list(steps.each(iter("ab"), total=2)) == ["a", "b"]  # nobody listens


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.default_cases(1)
def test_every_cell_names_its_stages(bench: Any, jobs: int) -> None:
    listens = Listens()
    finished = bench.run("channel.snr_db=0,3", jobs=jobs, hooks=[listens])
    assert len(listens.seen) == 2 and not finished.complaints
    encoded = [any(one.stage == "encode" for one in heard) for heard in listens.seen.values()]
    assert any(encoded)  # what one cell encodes the other knows
    for heard in listens.seen.values():
        assert {"link", "measure"} <= {one.stage for one in heard}
        last = [one for one in heard if one.stage == "link"][-1]
        assert (last.done, last.total, last.what) == (3, 3, "samples")
        assert heard[-1] == Step("measure", 1, 1, "metrics")


def test_there_is_a_bar_for_each_cell_that_is_under_way() -> None:
    progress = Progress(Labels({"channel.snr_db": [0, 3]}))
    progress.semcore_run_started(folder=None, cells=2, pending=2)  # type: ignore[arg-type]
    for snr in (0, 3):
        progress.semcore_cell_started({"channel.snr_db": snr})
    progress.semcore_step({"channel.snr_db": 3}, Step("generate", 40, 400, "candidates"))
    progress.semcore_step({"channel.snr_db": 0}, Step("link", 0, 8, "samples"))
    shown = {task.description: (task.completed, task.total) for task in progress.bars.tasks}
    assert shown == {
        "cells": (0, 2),
        "snr_db=0  link, samples": (0, 8),
        "snr_db=3  generate, candidates": (40, 400),
    }
    progress.semcore_step({"channel.snr_db": 3}, Step("measure", 0, 2, "metrics"))
    progress.semcore_cell_failed({"channel.snr_db": 0}, "no")
    assert [(task.description, task.completed) for task in progress.bars.tasks] == [
        ("cells", 1), ("snr_db=3  measure, metrics", 0),
    ]  # fmt: skip


def test_a_job_leaves_its_listener_where_it_is() -> None:
    job = pickle.loads(pickle.dumps(Job(int, on_step=lambda step: None)))  # noqa: S301
    assert job.call is int and job.on_step(Step("")) is None


def test_candidates_are_counted_while_they_are_drawn(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("SEMCORE_SHELF", str(tmp_path))
    heard = list[Step]()
    made: Any = registry.load("generator", "class-diffusion")(candidates=3, steps=1)  # type: ignore[call-arg]
    with steps.listening(heard.append), steps.stage("generate", 1):
        made._set(0, 3, Rng(0))
    assert heard[-2].what == "candidates" and (heard[-2].done, heard[-2].total) == (3, 3)
