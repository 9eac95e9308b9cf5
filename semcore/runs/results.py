"""Runs read back from disk: cells, items, and tables of them."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcore.errors import RunError
from semcore.limits import MAX_TEXT_BYTES
from semcore.runs import files, records
from semcore.runs.files import RefusedFile
from semcore.runs.labels import Labels
from semcore.statistics.base import Quotient, Statistic, statistic_of
from semcore.statistics.intervals import Estimate
from semcore.storage import from_json, unsealed

PARTS = ("id", "n", "metrics", "conventions", "genie", "packages", "config", "segments")
"""Keys that a result must have."""
JOINT = "of the mean error"
"""Heading of the column with the decibels of the mean error of all samples."""
AGAIN = "delete its folder and run again"
"""How to repair a damaged cell."""


@dataclass(frozen=True)
class Run:
    """A run on disk.

    Fields:
        folder: its folder
        info: content of `run.json`
        results: content of `result.json` of every finished cell, with its swept `settings`, in the
            order of the grid
        failures: settings and reason of every failed cell
    """

    folder: Path
    info: dict[str, Any]
    results: list[dict[str, Any]]
    failures: list[dict[str, Any]]

    @property
    def metrics(self) -> list[str]:
        """Names of all metrics, in order of first appearance."""
        return list(dict.fromkeys(name for result in self.results for name in result["metrics"]))

    @property
    def axes(self) -> dict[str, list[Any]]:
        """Swept values by dotted path."""
        return dict(self.info["axes"])

    @property
    def labels(self) -> Labels:
        """The names of the cells."""
        return Labels(self.axes)

    def items(self, result: dict[str, Any]) -> list[dict[str, Any]]:
        """The items of a cell, one per sample."""
        return read_items(self.folder, result["id"])

    def file(self, result: Mapping[str, Any], name: str) -> bytes:
        """The content of a file of a cell, such as a picture or a clip.

        Raises:
            RunError: the file is missing, or refused (`semcore.runs.files`)
        """
        try:
            return files.read(self.folder, f"cells/{result['id']}/{name}")
        except FileNotFoundError as error:
            raise RunError(f"{error.filename} is missing; {AGAIN}") from error


def read_result(folder: Path, identity: str) -> dict[str, Any] | None:
    """The result of a cell, or None if it is not done or damaged."""
    try:
        return checked_result(folder, identity)
    except (FileNotFoundError, ValueError, RefusedFile):
        return None


def checked_result(folder: Path, identity: str) -> dict[str, Any]:
    """The result of a cell.

    Raises:
        FileNotFoundError: the cell is not done
        ValueError: the file is damaged
        RefusedFile: the file is refused (`semcore.runs.files`), or is not what semcore writes
    """
    path = f"cells/{identity}/result.json"
    result = unsealed(files.read(folder, path, MAX_TEXT_BYTES))
    records.load_statistics(result)
    try:
        records.check(records.Result, result)
    except ValueError as error:
        raise RefusedFile(folder / path, f"is not what semcore writes: {error}; {AGAIN}") from error
    if result["id"] != identity:
        raise RefusedFile(folder / path, f"is the result of the cell {result['id']}")
    return result


def read_items(folder: Path, identity: str) -> list[dict[str, Any]]:
    """The items of a cell, one per sample.

    Raises:
        RefusedFile: the file is missing, damaged, or not what semcore writes
    """
    path = f"cells/{identity}/items.jsonl"
    try:
        text = files.read(folder, path, MAX_TEXT_BYTES).decode()
        return list(
            records.check(
                list[records.Item], [from_json(line) for line in text.split("\n") if line]
            )
        )
    except (FileNotFoundError, ValueError) as error:
        raise RefusedFile(
            folder / path, f"is damaged and cannot be read: {error}; {AGAIN}"
        ) from error


def read_info(folder: Path) -> dict[str, Any]:
    """The content of `run.json`.

    Raises:
        RunError: the folder is not a run, or the file is damaged
    """
    try:
        info = unsealed(files.read(folder, "run.json", MAX_TEXT_BYTES))
    except FileNotFoundError as error:
        raise RunError(
            f"{folder} is not a run: it has no readable run.json; semcore run makes one"
        ) from error
    except ValueError as error:
        message = (
            f"{folder}/run.json is damaged ({error}); the command that made the run writes it again"
        )
        raise RunError(message) from error
    try:
        records.check(records.RunInfo, info)
        known = {path: {repr(value) for value in values} for path, values in info["axes"].items()}
        for cell in info["cells"]:
            if any(
                repr(value) not in known.get(path, ()) for path, value in cell["settings"].items()
            ):
                raise ValueError(f"the cell {cell['id']} has settings that are not swept")
    except ValueError as error:
        raise RunError(f"{folder}/run.json is not what semcore writes: {error}") from error
    return info


def read_run(folder: Path) -> Run:
    """Read a run.

    Raises:
        RunError: the folder is not a run, or holds what semcore never writes
    """
    info = read_info(folder)
    results, failures = [], []
    for cell in info["cells"]:
        try:
            result = checked_result(folder, cell["id"])
        except (FileNotFoundError, ValueError):  # not done; or damaged, and computed again
            result = None
        if result is not None:  # perhaps computed for another grid, with other settings
            if missing := [part for part in PARTS if part not in result]:
                lacks = f"it has no {' and no '.join(missing)}"
                raise RunError(f"the cell {cell['id']} of {folder} is damaged: {lacks}; {AGAIN}")
            results.append({**result, "settings": cell["settings"]})
        elif failure := _failure(folder, cell["id"]):
            failures.append({"settings": cell["settings"], **failure})
    return Run(folder, info, results, failures)


def _failure(folder: Path, identity: str) -> dict[str, Any] | None:
    """Why a cell failed; None if it did not, or its record is unreadable."""
    try:
        data = files.read(folder, f"cells/{identity}/failure.json", MAX_TEXT_BYTES)
        return dict(records.check(records.Failure, from_json(data)))
    except (FileNotFoundError, ValueError):
        return None


@contextmanager
def readable(*folders: Path) -> Iterator[None]:
    """Turn exceptions within the context, due to content that semcore never writes, into errors.

    Raises:
        RunError: naming the folders
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # about numbers too large to draw
            yield
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        MemoryError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        whose = " or ".join(map(str, folders))
        hint = "semcore verify says whether it is as semcore wrote it"
        raise RunError(
            f"{whose} cannot be read: {type(error).__name__}: {error}; {hint}"
        ) from error


def value_of(item: Mapping[str, Any], metric: str) -> float | None:
    """The value of a metric in the item of a sample.

    Infinite if the item lists it as exact, a `Quotient` if it has parts, None without a value.
    """
    if metric in item.get("exact", ()):
        return math.inf
    if metric in item.get("parts", {}) and item["parts"][metric][1] > 0:
        return Quotient(*item["parts"][metric])
    value = item["metrics"].get(metric)
    return None if value is None else float(value)


def paired(
    ours: Iterable[Mapping[str, Any]],
    theirs: Iterable[Mapping[str, Any]],
    metric: str,
    kind: Statistic,
) -> Estimate | None:
    """The mean of a metric in our items minus that in theirs, over the samples with values in both.

    Returns:
        None if there is no such sample
    """
    both = pairs(
        [{item["sample"]: value_of(item, metric) for item in items} for items in (ours, theirs)]
    )
    return kind.difference(*both) if both else None


def pairs(values: Sequence[Mapping[str, float | None]]) -> tuple[list[float], list[float]] | None:
    """The values of the samples that have one on both sides.

    Args:
        values: sample -> value, of both sides

    Returns:
        the values of each side in the same order; None if there are none
    """
    found: tuple[list[float], list[float]] = [], []
    for name, one in values[0].items():
        other = values[1].get(name)
        if one is not None and other is not None:
            found[0].append(one)
            found[1].append(other)
    return found if found[0] else None


def metric_title(name: str, signature: str = "") -> str:
    """A metric for readers: in capitals if its signature is (`PSNR|1|`), else without hyphens."""
    spelled = re.match(r"\w+", signature)
    if spelled and spelled[0] == name.replace("-", "").upper():
        return name.upper()
    return spelled[0] if spelled and spelled[0].lower() == name.lower() else name.replace("-", " ")


def left_out(results: Iterable[Mapping[str, Any]]) -> list[str]:
    """What sources left out because it cannot be read, a text per source."""
    found = [result["left_out"] for result in results if "left_out" in result]
    return list(dict.fromkeys(left_out_in_words(one["count"], one["first"]) for one in found))


def left_out_in_words(count: int, first: Sequence[Sequence[str]], most: int = 5) -> str:
    """`2 samples are left out, since they cannot be read: a.jpg (it is empty); b.jpg (...)`."""
    named = "; ".join(f"{name} ({reason})" for name, reason in first[:most])
    few = (
        "1 sample is left out, since it"
        if count == 1
        else f"{count:,} samples are left out, since they"
    )
    return f"{few} cannot be read: {named}{f'; and {count - most:,} more' if count > most else ''}"


def number(value: float | None) -> str:
    """A number with three or four significant digits, thousands separated."""
    if value is None:
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == 0 or 0.001 <= abs(value) < 10_000:
        return f"{value:.4g}"
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.2e}"


def with_interval(summary: Mapping[str, Any]) -> str:
    """`mean ±half`, or `mean [low, high]` of an asymmetric 95 % interval; and `3 exact`."""
    exact = f"{summary['exact']} exact" if summary.get("exact") else ""
    if summary["mean"] is None:
        return exact or number(None)
    return ", ".join(filter(None, (_with_interval(summary), exact)))


def _with_interval(summary: Mapping[str, Any]) -> str:
    mean, low, high = summary["mean"], summary["low"], summary["high"]
    if high is None or low is None or high == low:
        return number(mean)
    half = max(high - mean, mean - low)
    symmetric = "statistic" not in summary or statistic_of(summary["statistic"]).symmetric
    even = symmetric and math.isclose(high - mean, mean - low, rel_tol=1e-6)
    if abs(mean) >= 10_000 or max(abs(mean), half) < 0.001:
        return (
            f"{number(mean)} ±{number(half)}"
            if even
            else f"{number(mean)} [{number(low)}, {number(high)}]"
        )
    places = min(max(1 - math.floor(math.log10(half)), 0), 4)
    if even:
        return f"{mean:,.{places}f} ±{half:,.{places}f}"
    return f"{mean:,.{places}f} [{low + 0:,.{places}f}, {high:,.{places}f}]"


def verdict(p: Mapping[str, Any], q: Mapping[str, Any]) -> str:
    """Which of two summaries is better.

    Returns:
        "a", "b", "same" (equal means), or "open": intervals that overlap or are unknown, or
        different numbers of exact samples, which the means leave out
    """
    if p.get("exact", 0) != q.get("exact", 0):
        return "open"
    if p["mean"] == q["mean"]:
        return "same"
    if p["low"] is None or q["low"] is None or not (p["low"] > q["high"] or q["low"] > p["high"]):
        return "open"
    return "a" if (p["mean"] > q["mean"]) == (p["better"] == "higher") else "b"


def table(run: Run) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a table: swept values, n, and every metric with its 95 % interval."""
    paths = [path for path, values in run.axes.items() if len(values) > 1]
    metrics = run.metrics
    units: dict[str, str] = {}
    for result in run.results:
        for name, summary in result["metrics"].items():
            units.setdefault(name, summary["unit"])
    joint = {
        name for name in metrics if any(_joint(result, name) is not None for result in run.results)
    }
    header = [*paths, "n"]
    for name in metrics:
        unit = f" [{units[name]}]" if units[name] else ""
        header.append(f"{name}{unit}")
        if name in joint:
            header.append(f"{name} {JOINT}{unit}")
    rows: list[list[str]] = []
    labels = run.labels
    for result in run.results:
        row = [labels.value(path, result["settings"].get(path)) for path in paths]
        row.append(str(result["n"]))
        for name in metrics:
            summary = result["metrics"].get(name)
            row.append(with_interval(summary) if summary else "–")
            if name in joint:
                row.append(number(_joint(result, name)))
        rows.append(row)
    return header, rows


def _joint(result: Mapping[str, Any], metric: str) -> float | None:
    found: float | None = result["metrics"].get(metric, {}).get("joint")
    return found
