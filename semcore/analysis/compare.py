"""Two runs side by side: which settings differ, and what that did to every metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcore.config.paths import flatten
from semcore.runs.provenance import built_from
from semcore.runs.results import Run, paired, read_run
from semcore.statistics.base import statistic_of
from semcore.statistics.intervals import Estimate

ABSENT = "–"
MADE_BY, LIBRARY = "made by ", "library "
"""What a component or a library that both runs have is known by, beside their settings."""


@dataclass(frozen=True)
class Change:
    """A metric at one point of the sweep, in both runs.

    Fields:
        settings: the swept values that both cells have
        metric: its name
        unit: its unit
        first: mean in the first run
        second: mean in the second run
        difference: second minus first, over the samples that both have, with its 95 % interval; None if not comparable
        reason: why it is not comparable
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
        settings: dotted path -> values in the first and in the second run; swept values stand joined
        alone: swept settings of cells that one run alone has done, by run
        changes: every metric of every pair of cells
        same: number of pairs of cells that are the same to the byte
    """

    settings: Mapping[str, tuple[str, str]]
    alone: tuple[tuple[Mapping[str, Any], ...], tuple[Mapping[str, Any], ...]]
    changes: tuple[Change, ...]
    same: int


def diff(first: Path, second: Path) -> Difference:
    """Compare two runs; cells are paired by their swept values.

    Raises:
        RunError: a folder does not hold a run
    """
    runs = read_run(first), read_run(second)
    configs = [_config(run) for run in runs]
    settings = {
        path: (configs[0].get(path, ABSENT), configs[1].get(path, ABSENT))
        for path in dict.fromkeys([*configs[0], *configs[1]])
        if configs[0].get(path, ABSENT) != configs[1].get(path, ABSENT)
        and (all(path in config for config in configs) or not path.startswith((MADE_BY, LIBRARY)))
    }
    cells = [{repr(_place(result, runs)): result for result in run.results} for run in runs]
    alone = tuple(
        tuple(cells[i][key]["settings"] for key in cells[i] if key not in cells[1 - i]) for i in range(2)
    )  # fmt: skip
    changes: list[Change] = []
    same = 0
    for key in (key for key in cells[0] if key in cells[1]):
        pair = cells[0][key], cells[1][key]
        same += {**pair[0], "settings": 0} == {**pair[1], "settings": 0}
        changes += _changes(runs, pair)
    return Difference(settings, (alone[0], alone[1]), tuple(changes), same)


def _place(result: Mapping[str, Any], runs: tuple[Run, Run]) -> list[tuple[str, Any]]:
    """What a cell is paired by: the swept values, without axes that only one run sweeps over more than one value."""
    return [(path, value) for path, value in result["settings"].items() if all(path in one.axes for one in runs)]


def _config(run: Run) -> dict[str, str]:
    """Every setting of a run's cells, with seed, packages, sources and libraries; the values that it takes stand joined."""
    found: dict[str, dict[str, None]] = {}
    for result in run.results:
        packages = {f"package {name}": version for name, version in result["packages"].items()}
        packages |= {f"{MADE_BY}{name}": "; ".join(values) for name, values in built_from([result]).items()}
        packages |= {f"{LIBRARY}{name}": version for name, version in result.get("libraries", {}).items()}
        for path, value in {**flatten(result["config"]), **packages, "semcore": run.info["semcore"]}.items():
            found.setdefault(path, {})[str(value)] = None
    return {path: ", ".join(values) for path, values in found.items()}


def _changes(runs: tuple[Run, Run], pair: tuple[dict[str, Any], dict[str, Any]]) -> list[Change]:
    rows = [{row["sample"]: row for row in run.items(result)} for run, result in zip(runs, pair, strict=True)]
    settings = {path: value for path, value in pair[0]["settings"].items() if path in pair[1]["settings"]}
    changes = []
    for name in dict.fromkeys([*pair[0]["metrics"], *pair[1]["metrics"]]):
        found = [result["metrics"].get(name) for result in pair]
        means = [one["mean"] if one else None for one in found]
        unit = next(one["unit"] for one in found if one)
        difference, reason = None, ""
        if not all(found):
            reason = "only one run measures it"
        elif found[0]["signature"] != found[1]["signature"]:
            reason = f"measured differently: {found[0]['signature']} and {found[1]['signature']}"
        else:
            difference = paired(rows[1].values(), rows[0].values(), name, statistic_of(found[0]["statistic"]))
            reason = "" if difference else "no sample has it in both"
        changes.append(Change(settings, name, unit, means[0], means[1], difference, reason))
    return changes
