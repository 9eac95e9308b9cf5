"""Shipped examples, run in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from semcore.config.configuration import load
from semcore.plugins.packages import hook_manager
from semcore.runs.results import read_run
from semcore.runs.runner import run

ROOT = Path(__file__).parents[2]


def results(example: str, out: Path, *overrides: str) -> list[dict[str, Any]]:
    """The results of an example under overrides, one per cell."""
    finished = run(load(ROOT / "examples" / example, overrides), out, hook_manager([]))
    assert finished.failures == []
    return read_run(out).results


def mean(result: dict[str, Any], metric: str) -> float:
    return result["metrics"][metric]["mean"]
