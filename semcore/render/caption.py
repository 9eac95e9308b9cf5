"""What a figure or a table stands on, in words: n, intervals, seeds, conventions, signatures, versions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from semcore.analysis.aggregate import Summary
from semcore.analysis.chart import Chart
from semcore.analysis.rows import RUN, SEED, Row, distinct, swept
from semcore.render.figure import LETTERS, floor, scale_of, window
from semcore.runs.labels import key, said, title
from semcore.runs.results import metric_title, number
from semcore.statistics.kinds import Decibels


def of_figure(chart: Chart, scale: str = "auto") -> str:
    """The caption of a figure."""
    points = [point for line in chart.lines for point in line.points]
    names = [metric_title(metric, chart.of(metric)[0].points[0].y.signature) for metric in chart.metrics]
    panels = [f"({LETTERS[i % len(LETTERS)]}) {name}" for i, name in enumerate(names)] if len(names) > 1 else names
    labels = dict.fromkeys(line.label for line in chart.lines)
    apart = (
        f" for each {_and(map(_name, chart.group))}"
        if len(labels) > 1
        else f" for {label}"
        if (label := next(iter(labels)))
        else ""
    )
    said_of = [f"{_and(panels)} over {_axis(chart)}{apart}."]
    y = [point.y for point in points]
    said_of.append(f"Points are means over {_n(y, chart.counted)}; {_intervals(y, 'bars', chart.counted)}.")
    said_of += _averaged([point.rows for point in points], [chart.x, *chart.group], chart.counted)
    for metric in chart.metrics:
        said_of += exactness(metric, [point.y for line in chart.of(metric) for point in line.points])
    for metric in chart.metrics:
        values = [point.y for line in chart.of(metric) for point in line.points]
        if scale_of(chart, metric, scale) == "log":
            shown = metric_title(metric, values[0].signature)
            if zeros := sum(value.mean == 0 for value in values):
                at = f"{zeros} of {len(values)} points"
                said_of.append(f"{shown} is 0 at {at}, which a logarithmic axis cannot show: arrows at its lower edge.")
            lowest = floor([value.mean or 0.0 for value in values])
            if any(value.low is not None and value.low < lowest and value.mean for value in values):
                said_of.append(f"Some intervals of {shown} reach below the lower edge.")
            continue
        low, high = window([value.mean or 0.0 for value in values])
        if any(
            value.low is not None and value.high is not None and not low <= value.low <= value.high <= high for value in values
        ):
            said_of.append(f"Some intervals of {metric_title(metric, values[0].signature)} reach beyond the panel.")
    if any("measured in way" in line.label for line in chart.lines):
        said_of.append("Points that were not measured alike are not connected.")
    if chart.left_out:
        said_of.append(f"{len(chart.left_out)} cells have no number at {chart.x} and are left out.")
    extra = [(chart.x, [point.x for point in points])] if chart.x_is_metric else []
    measured = [(metric, [point.y for line in chart.of(metric) for point in line.points]) for metric in chart.metrics]
    return " ".join([*said_of, *standing(chart.rows, [*measured, *extra])])


def _axis(chart: Chart) -> str:
    if chart.x_is_metric:
        return metric_title(chart.x, chart.lines[0].points[0].x.signature)
    name, unit = title(chart.x)
    if (name, unit) == (chart.x, ""):
        return name
    return f"{chart.x} ({name}{f' in {unit}' if unit else ''})"


def of_table(rows: Sequence[Row], summaries: Sequence[tuple[str, Sequence[Summary]]], pools: Sequence[Sequence[Row]],
             paths: Sequence[str]) -> str:  # fmt: skip
    """The caption of a table: `summaries` are its columns, `pools` the rows of results behind each of its lines."""
    every = [one for _, column in summaries for one in column if one.mean is not None]
    words = [f"Means over {_n(every)}, with {_intervals(every, '')}."]
    words += [sentence for metric, column in summaries for sentence in exactness(metric, column)]
    words.append("Bold: the best of a column, if its interval lies apart from all that are worse; no cost is.")
    words += _averaged(pools, paths)
    return " ".join([*words, *standing(rows, summaries)])


def standing(rows: Sequence[Row], measured: Sequence[tuple[str, Sequence[Summary]]]) -> list[str]:
    """Seeds, conventions, signatures, genies and versions of the rows behind something."""
    seeds = [said(seed) for seed in distinct(SEED, rows)]
    found = [f"Seed{'s' * (len(seeds) > 1)} {', '.join(seeds)}."]
    found.append(f"SNR: {_or(str(row.result['conventions']['snr']) for row in rows)}.")
    for metric, summaries in measured:
        found.append(f"{metric}: {_or(one.signature for one in summaries if one.signature)}.")
    if genies := sorted({name for row in rows for name in row.result["genie"]}):
        found.append(f"{_and(genies)} knows what a real receiver could not (genie): a bound, not a performance.")
    names = [said(name) for name in distinct(RUN, rows)]
    found.append(f"{len(rows)} cell{'s' * (len(rows) > 1)} of {_and(names)}; {_versions(rows)}.")
    return found


def _averaged(pools: Sequence[Sequence[Row]], kept: Sequence[str], counted: str = "samples") -> list[str]:
    if all(len(some) < 2 for some in pools):
        return []
    rows = list({id(row): row for pool in pools for row in pool}.values())
    over = [
        path for path in (*swept(rows), RUN, SEED) if path not in kept and any(len(distinct(path, some)) > 1 for some in pools)
    ]
    told = [f"{path} = {', '.join(said(value) for value in distinct(path, rows))}" for path in dict.fromkeys(over)]
    sets = {frozenset(key([row.get(path) for path in over]) for row in some) for some in pools}
    partly = ", though not over all of them everywhere" if len(sets) > 1 else ""
    first = ": of each sample first, so that n counts samples" if counted == "samples" else ""
    return [f"Averaged over {_and(told)}{partly}{first}."]


def _n(summaries: Sequence[Summary], counted: str = "samples") -> str:
    counts = sorted({summary.n for summary in summaries})
    if not counts:
        return f"no {counted}"
    shown = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else str(counts[0])
    return f"n = {shown} {counted if counts != [1] else counted.removesuffix('s')}"


def _intervals(summaries: Sequence[Summary], drawn: str, counted: str = "samples") -> str:
    single = f"a single {counted.removesuffix('s')}"
    if all(summary.low is None for summary in summaries):
        return f"no interval, since each stands on {single}"
    text = f"{drawn} are the 95 % intervals of the mean" if drawn else "the 95 % interval of the mean"
    why = f"{single}, or on nothing that has a spread" if any(one.low is None and one.n > 1 for one in summaries) else single
    some = f"; a value without one stands on {why}" if any(summary.low is None for summary in summaries) else ""
    how = dict.fromkeys(summary.kind.words for summary in summaries if summary.low is not None)
    return f"{text} ({', '.join(how)}; over {counted}){some}"


def exactness(metric: str, summaries: Sequence[Summary]) -> list[str]:
    """What must be known of decibels: how many samples have no error and are in no mean, and those of the mean error."""
    found = [one for one in summaries if one.statistic["kind"] == Decibels.kind and (one.n or one.exact)]
    if not found:
        return []
    shown = metric_title(metric, found[0].signature)
    joint = [one.joint for one in found if one.joint is not None]
    counts = sorted({one.exact for one in found})
    words = []
    if counts != [0]:
        words.append(f"{_span(counts, str)} samples per value are exact, and not in the mean of {shown}.")
    if joint:
        words.append(f"{shown} of the mean error of all samples: {_span(sorted(joint), number)} {found[0].unit}".strip() + ".")
    return words


def _span(values: Sequence[Any], say: Callable[[Any], str]) -> str:
    first, last = say(values[0]), say(values[-1])
    return first if first == last else f"{first} to {last}"


def _versions(rows: Sequence[Row]) -> str:
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        for package, version in {"semcore": row.run.info["semcore"], **row.result["packages"]}.items():
            found.setdefault(package, {})[str(version)] = None
        for name, version in row.run.info.get("software", {}).items():
            found.setdefault(name, {})[str(version)] = None
    return ", ".join(f"{package} {' and '.join(versions)}" for package, versions in found.items())


def _name(path: str) -> str:
    return title(path)[0] if path.rsplit(".", 1)[-1] != path else path


def _and(words: Iterable[Any]) -> str:
    *most, last = [str(word) for word in words]
    return f"{', '.join(most)} and {last}" if most else last


def _or(words: Iterable[str]) -> str:
    return "; or ".join(dict.fromkeys(words))
