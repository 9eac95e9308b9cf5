"""The satellite paper's case study must show this, from the example itself (`make test-slow`)."""

from __future__ import annotations

import fcntl
import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from semcore.config.configuration import load
from semcore.plugins.packages import hook_manager
from semcore.runs.executors.processes import Processes
from semcore.runs.results import read_run
from semcore.runs.runner import run

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
SEEDS = (1, 2)
NO_FACE = 5.0
"""An AKD above this, px, is that of a grey frame, or of a face that no judge finds."""
Sessions = dict[tuple[str, int], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sessions]:
    """(planner, seed) -> the segments of its session over the pass of the example.

    The processes of a test run share it: one computes it, and the others wait for the results.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    experiment = load(
        ROOT / "examples" / "satellite_pass.yaml", [f"seed={','.join(map(str, SEEDS))}"]
    )
    with open(folder / "satellite-pass.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert not run(
            experiment, folder / "satellite-pass", hook_manager([]), Processes(2)
        ).failures
    found: Sessions = {}
    for result in read_run(folder / "satellite-pass").results:
        planner = result["config"]["planner"]
        level = planner.get("given", {}).get("kb.level", "")
        found[" ".join(filter(None, (planner["use"], level))), result["config"]["seed"]] = result[
            "segments"
        ]
    yield found


def total(sessions: Sessions, planner: str, name: str) -> float:
    """Over all seeds and segments."""
    return math.fsum(segment[name] for seed in SEEDS for segment in sessions[planner, seed])


def akd(sessions: Sessions, planner: str) -> list[float]:
    """Of every segment of all seeds."""
    return [segment["metrics"]["akd"] for seed in SEEDS for segment in sessions[planner, seed]]


def test_search_needs_half_the_symbols_of_the_table_without_judgement(sessions: Sessions) -> None:
    """The paper's headline: about 50 % of the symbols at an AKD at most 5 % worse."""
    assert total(sessions, "search", "channel_uses") <= 0.5 * total(
        sessions, "lookup forced", "channel_uses"
    )
    pairs = list(zip(akd(sessions, "search"), akd(sessions, "lookup forced"), strict=True))
    assert math.fsum(mine for mine, _ in pairs) <= 1.05 * math.fsum(theirs for _, theirs in pairs)
    faces = [(mine, theirs) for mine, theirs in pairs if max(mine, theirs) < NO_FACE]
    assert len(faces) > len(pairs) / 2, "of those segments, too, in which both show a face"
    assert math.fsum(mine for mine, _ in faces) <= 1.05 * math.fsum(theirs for _, theirs in faces)


def test_search_misses_at_most_half_of_what_the_table_misses(sessions: Sessions) -> None:
    """The pass is one that neither the memory nor the table has seen."""
    best = total(sessions, "oracle", "worth")
    regret = {
        name: best - total(sessions, name, "worth")
        for name in ("search", "lookup", "lookup l2", "lookup forced")
    }
    assert regret["search"] <= 0.5 * min(
        regret["lookup"], regret["lookup l2"], regret["lookup forced"]
    ), json.dumps(regret)
