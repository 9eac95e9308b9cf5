"""Two runs compared: which settings differ, and how every metric changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcore.analysis.values import paired
from semcore.config.paths import flatten
from semcore.runs.provenance import built_from
from semcore.runs.results import Run, read_run
from semcore.statistics.base import statistic_of
from semcore.statistics.intervals import Estimate

ABSENT = "–"
MADE_BY, LIBRARY = "made by ", "library "
"""Prefixes of the components and libraries of a run, which are compared like settings."""


@dataclass(frozen=True)
class MetricChange:
    """A metric at one point of the sweep, in both runs.

    Fields:
        settings: the swept values that the two cells share
        metric: its name
        unit: its unit
        first: mean in the first run
        second: mean in the second run
        difference: second minus first over the samples in both, with its 95 % interval; None if
            they are not comparable
        reason: why they are not comparable
    """

    settings: Mapping[str, Any]
    metric: str
    unit: str
    first: float | None
    second: float | None
    difference: Estimate | None
    reason: str = ""


@dataclass(frozen=True)
class Difference:
    """What differs between two runs.

    Fields:
        settings: dotted path -> values in the first and in the second run; swept values are joined
        alone: swept settings of the cells that only one run has done, by run
        changes: every metric of every pair of cells
        same: number of pairs of cells with identical results
    """

    settings: Mapping[str, tuple[str, str]]
    alone: tuple[tuple[Mapping[str, Any], ...], tuple[Mapping[str, Any], ...]]
    changes: tuple[MetricChange, ...]
    same: int


def diff(first: Path, second: Path) -> Difference:
    """Compare two runs; cells are paired by their swept values.

    Raises:
        RunError: a folder is not a run
    """
    runs = read_run(first), read_run(second)
    cells = [{repr(_place(result, runs)): result for result in run.results} for run in runs]
    alone = (
        tuple(result["settings"] for key, result in cells[0].items() if key not in cells[1]),
        tuple(result["settings"] for key, result in cells[1].items() if key not in cells[0]),
    )
    changes: list[MetricChange] = []
    same = 0
    for key, result in cells[0].items():
        if key in cells[1]:
            pair = result, cells[1][key]
            same += {**pair[0], "settings": 0} == {**pair[1], "settings": 0}
            changes += _changes(runs, pair)
    return Difference(_settings(runs), alone, tuple(changes), same)


def _settings(runs: tuple[Run, Run]) -> dict[str, tuple[str, str]]:
    """The settings that differ; components and libraries only where both runs have them."""
    first, second = map(_config, runs)
    found = {}
    for path in dict.fromkeys([*first, *second]):
        pair = first.get(path, ABSENT), second.get(path, ABSENT)
        known = path in first and path in second or not path.startswith((MADE_BY, LIBRARY))
        if known and pair[0] != pair[1]:
            found[path] = pair
    return found


def _place(result: Mapping[str, Any], runs: tuple[Run, Run]) -> list[tuple[str, Any]]:
    """The swept values by which a cell is paired: those of axes that both runs have."""
    settings = result["settings"].items()
    return [(path, value) for path, value in settings if all(path in run.axes for run in runs)]


def _config(run: Run) -> dict[str, str]:
    """Every setting of the cells, with seed, packages, sources and libraries; values are joined."""
    found: dict[str, dict[str, None]] = {}
    for result in run.results:
        parts = {f"package {name}": version for name, version in result["packages"].items()}
        for name, values in built_from([result]).items():
            parts[f"{MADE_BY}{name}"] = "; ".join(values)
        for name, version in result.get("libraries", {}).items():
            parts[f"{LIBRARY}{name}"] = version
        settings = {**flatten(result["config"]), **parts, "semcore": run.info["semcore"]}
        for path, value in settings.items():
            found.setdefault(path, {})[str(value)] = None
    return {path: ", ".join(values) for path, values in found.items()}


def _changes(
    runs: tuple[Run, Run], pair: tuple[dict[str, Any], dict[str, Any]]
) -> list[MetricChange]:
    first, second = (run.items(result) for run, result in zip(runs, pair, strict=True))
    settings = {
        path: value for path, value in pair[0]["settings"].items() if path in pair[1]["settings"]
    }
    changes = []
    for name in dict.fromkeys([*pair[0]["metrics"], *pair[1]["metrics"]]):
        ours, theirs = (result["metrics"].get(name) for result in pair)
        difference, reason = None, ""
        if not ours or not theirs:
            reason = "only one run measures it"
        elif ours["signature"] != theirs["signature"]:
            reason = f"measured differently: {ours['signature']} and {theirs['signature']}"
        else:
            difference = paired(second, first, name, statistic_of(ours["statistic"]))
            reason = "" if difference else "no sample has it in both"
        unit = (ours or theirs or {})["unit"]
        first_mean, second_mean = (one["mean"] if one else None for one in (ours, theirs))
        changes.append(
            MetricChange(settings, name, unit, first_mean, second_mean, difference, reason)
        )
    return changes
