"""One number from several cells: the only place where results are averaged, and where an average is refused.

Two rows may be averaged, and their points connected, if they were measured alike: the same signature of the metric and the
same convention for the SNR.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from semcore.analysis.rows import Row
from semcore.config.build import nearest
from semcore.errors import RunError
from semcore.runs.conventions import SNR
from semcore.runs.files import RefusedFile
from semcore.runs.labels import key, said
from semcore.runs.results import value_of
from semcore.statistics.kinds import Mean, Statistic, statistic_of


@dataclass(frozen=True)
class Summary:
    """The mean of a metric at one place, with its 95 % interval, as its kind has it (`semcore.statistics.kinds`).

    Fields:
        mean: over samples; None if no sample has a finite value
        low: lower end of the interval; None if it stands on a single sample
        high: its upper end
        n: samples
        unit: of the metric
        better: `higher`, `lower` or ""
        signature: how it was measured
        statistic: its kind, as results describe it
        cost: whether it counts what was spent
        exact: samples without any error, which are not in the mean of decibels
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
        """What kind of number it is."""
        return statistic_of(self.statistic)


@dataclass(frozen=True)
class Derived:
    """A metric that follows from others of the same sample."""

    unit: str
    better: str
    signature: str
    needs: str
    of: Callable[[Mapping[str, Any]], float | None]


def _bits_per_pixel(item: Mapping[str, Any]) -> float | None:
    metrics = item["metrics"]
    if ratio := metrics.get("compression-ratio"):
        return 24 / ratio  # 24 source bits a pixel
    bits, cbr = metrics.get("payload-bits"), metrics.get("cbr")
    return bits * 3 * cbr / item["channel_uses"] if bits is not None and cbr else None


DERIVED = {
    "bpp": Derived(
        "bit/pixel", "lower", "bpp|1|ledger-data/pixels", "compression-ratio, or payload-bits and cbr", _bits_per_pixel
    )
}
"""Name -> what is computed from the items of a run: payload bits a pixel, without the bits of the channel code."""


Manner = tuple[tuple[str, str], ...]
"""How something was measured: (what, how) by signature and convention."""


def manner(result: Mapping[str, Any], metric: str) -> Manner:
    """How a metric was measured in a cell: the signature, and the convention for the SNR. The one rule of what is alike."""
    convention = str(result.get("conventions", {}).get("snr", ""))
    if not any(text in convention for text in SNR.values()):  # its channel alone knows what it means
        convention = f"{convention} ({result.get('config', {}).get('channel', {}).get('use', '')})"
    return ("signature", _summary(result, metric).signature), ("SNR convention", convention)


def pooled(rows: Sequence[Row], metric: str) -> Summary:
    """The mean of a metric over all samples of some rows, and its interval.

    The values of one sample in several cells (seeds, swept settings) are no independent observations: they are averaged
    first (trials and parts of ratios: added), so n counts samples, and the interval is that of samples like these.

    Raises:
        RunError: the rows were not measured alike, or the items of a cell are gone
    """
    refuse_mixture(rows, metric)
    first = _summary(rows[0].result, metric)
    if len(rows) == 1 and metric not in DERIVED:
        return first
    values: dict[str, list[float]] = {}
    for row in rows:
        for sample, value in _values(row, metric):
            values.setdefault(sample, []).append(value)
    found = first.kind.of([first.kind.together(some) for some in values.values()])
    return replace(first, **asdict(found))


def refuse_mixture(rows: Sequence[Row], metric: str) -> None:
    """Refuse rows that were not measured alike.

    Raises:
        RunError: naming two of them, what differs, and how to choose
    """
    first = rows[0]
    for other in rows[1:]:
        pairs = zip(manner(first.result, metric), manner(other.result, metric), strict=True)
        differing = [(what, one, two) for (what, one), (_, two) in pairs if one != two]
        if differing:
            told = "".join(f"\n  {what} {first.name}: {one}\n  {what} {other.name}: {two}" for what, one, two in differing)
            raise RunError(f"{metric} was not measured alike in these cells, so it has no average over them{told}"
                           f"{_choice(first, other)}")  # fmt: skip


def known_metrics(rows: Sequence[Row]) -> list[str]:
    """The metrics of some rows, in the order of their first appearance."""
    return list(dict.fromkeys(name for row in rows for name in row.result["metrics"]))


def known_metric(name: str, rows: Sequence[Row]) -> None:
    """Refuse a metric that no row has a value of, with what may have been meant."""
    there = known_metrics(rows)
    if name in there:
        if all(row.result["metrics"].get(name, {}).get("mean") is None for row in rows):
            raise RunError(f"{name} has no value in any of these cells: it does not apply to them")
    elif name in DERIVED:
        if not any(value for row in rows for value in _values(row, name)):
            raise RunError(f"{name} cannot be computed here: it needs {DERIVED[name].needs} among the metrics")
    else:
        hint = nearest(name, [*there, *DERIVED]) or f"measured here: {', '.join(there)}"
        raise RunError(f"no cell has a metric {name!r}; {hint}")


def has(row: Row, metric: str) -> bool:
    """Whether a metric has a finite mean in a row."""
    if metric in DERIVED and metric not in row.result["metrics"]:
        return bool(_values(row, metric))
    return row.result["metrics"].get(metric, {}).get("mean") is not None


def _values(row: Row, metric: str) -> list[tuple[str, float]]:
    """(sample, value) of every sample of a row that has one."""
    try:
        items = row.run.items(dict(row.result))
    except RefusedFile as error:
        raise RunError(f"the samples of {row.name} cannot be read: {error}") from error
    if metric in DERIVED and metric not in row.result["metrics"]:
        found = [(item["sample"], DERIVED[metric].of(item)) for item in items]
    else:
        found = [(item["sample"], value_of(item, metric)) for item in items]
    return [(sample, value) for sample, value in found if value is not None]


def _summary(result: Mapping[str, Any], metric: str) -> Summary:
    if metric in result["metrics"]:
        found = result["metrics"][metric]
        return Summary(**{name: found[name] for name in Summary.__dataclass_fields__})
    one = DERIVED.get(metric)
    return Summary(None, None, None, 0, *((one.unit, one.better, one.signature, Mean(0.0).described) if one else ()))


def _choice(first: Row, other: Row) -> str:
    """How to keep two rows apart: by a setting in which they differ, that of the channel before others."""
    differing = [path for path in first.place if key(first.get(path)) != key(other.get(path))]
    differing.sort(key=lambda path: (path != "channel.use", path not in first.result["settings"]))
    if not differing:
        return ""
    path = differing[0]
    return f"\n  choose with --where {path}={said(first.get(path)).replace(', ', ',')}, or keep them apart with --group {path}"
