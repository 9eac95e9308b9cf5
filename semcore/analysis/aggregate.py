"""One number from several cells: the only place where results are averaged.

Two rows may be averaged, and their points connected, only if their measurement keys are equal: the
same signature of the metric and the same convention for the SNR.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from semcore.analysis.rows import Row
from semcore.analysis.values import value_of
from semcore.errors import RunError
from semcore.runs.conventions import SNR
from semcore.runs.files import RefusedFile
from semcore.runs.labels import canonical_key, format_value
from semcore.statistics.base import Statistic, statistic_of
from semcore.statistics.kinds import Mean
from semcore.wording.suggest import nearest


@dataclass(frozen=True)
class Summary:
    """The mean of a metric over samples, with the 95 % interval of its kind.

    Fields:
        mean: over samples; None if no sample has a finite value
        low: lower end of the interval; None without an interval, as for a single sample
        high: upper end of the interval
        n: number of samples
        unit: unit of the metric
        better: `higher`, `lower` or ""
        signature: how it was measured
        statistic: its kind, as results describe it (`semcore.statistics.kinds`)
        cost: whether it counts a resource that was spent
        exact: number of samples without any error, which the mean of decibels leaves out
        joint: decibels of the mean error of all samples
    """

    mean: float | None
    low: float | None
    high: float | None
    n: int
    unit: str = ""
    better: str = ""
    signature: str = ""
    statistic: Mapping[str, Any] = field(default_factory=lambda: Mean().described)
    cost: bool = False
    exact: int = 0
    joint: float | None = None

    @property
    def kind(self) -> Statistic:
        """The kind of metric."""
        return statistic_of(self.statistic)


@dataclass(frozen=True)
class Derived:
    """A metric computed from others of the same sample."""

    unit: str
    better: str
    signature: str
    needs: str
    of: Callable[[Mapping[str, Any]], float | None]


def _bits_per_pixel(item: Mapping[str, Any]) -> float | None:
    metrics = item["metrics"]
    if ratio := metrics.get("compression-ratio"):
        return 24 / ratio  # 24 source bits per pixel
    bits, cbr = metrics.get("payload-bits"), metrics.get("cbr")
    return bits * 3 * cbr / item["channel_uses"] if bits is not None and cbr else None


DERIVED = {
    "bpp": Derived(
        unit="bit/pixel",
        better="lower",
        signature="bpp|1|ledger-data/pixels",
        needs="compression-ratio, or payload-bits and cbr",
        of=_bits_per_pixel,
    )
}
"""Metrics computed from items. `bpp`: payload bits per pixel, without channel coding."""


MeasurementKey = tuple[tuple[str, str], ...]
"""How a metric was measured: (what, how) pairs for its signature and the SNR convention."""


def measurement_key(result: Mapping[str, Any], metric: str) -> MeasurementKey:
    """How a metric was measured in a cell. Only values with equal keys are comparable."""
    convention = str(result.get("conventions", {}).get("snr", ""))
    if not any(text in convention for text in SNR.values()):  # a meaning of that channel alone
        channel = result.get("config", {}).get("channel", {}).get("use", "")
        convention = f"{convention} ({channel})"
    return ("signature", summary_of(result, metric).signature), ("SNR convention", convention)


def aggregate(rows: Sequence[Row], metric: str) -> Summary:
    """The mean of a metric over all samples of some rows, with its interval.

    The values of one sample in several cells (seeds, swept settings) are not independent: they are
    averaged first (trials and parts of ratios are added). So n counts samples, and the interval
    is over samples.

    Raises:
        RunError: the measurement keys of the rows differ, or the items of a cell are missing
    """
    refuse_mixture(rows, metric)
    first = summary_of(rows[0].result, metric)
    if len(rows) == 1 and metric not in DERIVED:
        return first
    values: dict[str, list[float]] = {}
    for row in rows:
        for sample, value in _values(row, metric):
            values.setdefault(sample, []).append(value)
    estimate = first.kind.of([first.kind.together(repeated) for repeated in values.values()])
    return replace(first, **asdict(estimate))


def refuse_mixture(rows: Sequence[Row], metric: str) -> None:
    """Refuse rows whose measurement keys differ.

    Raises:
        RunError: naming two of them, what differs, and how to choose
    """
    first = rows[0]
    ours = measurement_key(first.result, metric)
    for other in rows[1:]:
        theirs = measurement_key(other.result, metric)
        if ours == theirs:
            continue
        text = f"{metric} was not measured alike in these cells, so it has no average over them"
        for (what, one), (_, two) in zip(ours, theirs, strict=True):
            if one != two:
                text += f"\n  {what} {first.name}: {one}\n  {what} {other.name}: {two}"
        raise RunError(text + _choice(first, other))


def metric_names(rows: Sequence[Row]) -> list[str]:
    """The metrics of some rows, in order of first appearance."""
    return list(dict.fromkeys(name for row in rows for name in row.result["metrics"]))


def require_metric(name: str, rows: Sequence[Row]) -> None:
    """Check that a row has a value of a metric.

    Raises:
        RunError: none has; with the nearest known metric
    """
    measured = metric_names(rows)
    if name in measured:
        if all(row.result["metrics"].get(name, {}).get("mean") is None for row in rows):
            raise RunError(f"{name} has no value in any of these cells: it does not apply to them")
    elif name in DERIVED:
        if not any(_values(row, name) for row in rows):
            needs = DERIVED[name].needs
            raise RunError(f"{name} cannot be computed here: it needs {needs} among the metrics")
    else:
        hint = nearest(name, [*measured, *DERIVED]) or f"measured here: {', '.join(measured)}"
        raise RunError(f"no cell has a metric {name!r}; {hint}")


def has(row: Row, metric: str) -> bool:
    """Whether a metric has a finite mean in a row."""
    if metric in DERIVED and metric not in row.result["metrics"]:
        return bool(_values(row, metric))
    return row.result["metrics"].get(metric, {}).get("mean") is not None


def summary_of(result: Mapping[str, Any], metric: str) -> Summary:
    """The summary of a metric in `result.json`; without a mean if the cell does not measure it."""
    if metric in result["metrics"]:
        entry = result["metrics"][metric]
        return Summary(**{name: entry[name] for name in Summary.__dataclass_fields__})
    if metric in DERIVED:
        derived = DERIVED[metric]
        described = Mean(0.0).described
        return Summary(
            None, None, None, 0, derived.unit, derived.better, derived.signature, described
        )
    return Summary(None, None, None, 0)


def _values(row: Row, metric: str) -> list[tuple[str, float]]:
    """(sample, value) of every sample of a row that has a value."""
    try:
        items = row.items()
    except RefusedFile as error:
        raise RunError(f"the samples of {row.name} cannot be read: {error}") from error
    if metric in DERIVED and metric not in row.result["metrics"]:
        values = [(item["sample"], DERIVED[metric].of(item)) for item in items]
    else:
        values = [(item["sample"], value_of(item, metric)) for item in items]
    return [(sample, value) for sample, value in values if value is not None]


def _choice(first: Row, other: Row) -> str:
    """How to separate two rows: by a setting in which they differ, preferably the channel."""
    differing = [
        path
        for path in first.place
        if canonical_key(first.get(path)) != canonical_key(other.get(path))
    ]
    if not differing:
        return ""
    swept = first.result["settings"]
    path = min(differing, key=lambda path: (path != "channel.use", path not in swept))
    value = format_value(first.get(path)).replace(", ", ",")
    return f"\n  choose with --where {path}={value}, or keep them apart with --group {path}"
