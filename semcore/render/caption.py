"""What a figure or a table shows and how it was measured, in sentences.

Number of samples, intervals, seeds, conventions, signatures and versions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from semcore.analysis.aggregate import Summary
from semcore.analysis.chart import Chart
from semcore.analysis.rows import RUN, SEED, Row, distinct, swept
from semcore.analysis.table import Table
from semcore.render.figure import LETTERS
from semcore.render.scale import linear_window, log_floor, means, scale_of
from semcore.render.text import metric_title
from semcore.runs.labels import canonical_key, format_value, title
from semcore.statistics.kinds import Decibels
from semcore.wording.numbers import number
from semcore.wording.plural import plural


def of_figure(chart: Chart, scale: str = "auto") -> str:
    """The caption of a figure; `scale`: as for `figure.draw`."""
    y = {metric: [point.y for point in chart.points(metric)] for metric in chart.metrics}
    every = [summary for summaries in y.values() for summary in summaries]
    pools = [point.rows for line in chart.lines for point in line.points]
    intervals = _intervals(every, "bars", chart.counted)
    sentences = [
        f"{_panels(chart)} over {_axis(chart)}{_lines(chart)}.",
        f"Points are means over {_n(every, chart.counted)}; {intervals}.",
        *_averaged(pools, [chart.x, *chart.group], chart.counted),
    ]
    for metric, summaries in y.items():
        sentences += exactness(metric, summaries)
    for metric in chart.metrics:
        sentences += _cut(chart, metric, scale)
    if any("measured in way" in line.label for line in chart.lines):
        sentences.append("Points that were not measured alike are not connected.")
    if chart.left_out:
        count = len(chart.left_out)
        sentences.append(f"{count} cells have no number at {chart.x} and are left out.")
    if chart.x_is_metric:
        x = [point.x for line in chart.lines for point in line.points]
        sentences += provenance_sentences(chart.rows, [*y.items(), (chart.x, x)])
    else:
        sentences += provenance_sentences(chart.rows, list(y.items()))
    return " ".join(sentences)


def of_table(table: Table) -> str:
    """The caption of a table."""
    columns = [(metric, table.column(index)) for index, metric in enumerate(table.metrics)]
    every = [one for _, column in columns for one in column if one.mean is not None]
    sentences = [f"Means over {_n(every)}, with {_intervals(every, '')}."]
    for metric, column in columns:
        sentences += exactness(metric, column)
    best = "Bold: the best of a column, if its interval lies apart from all that are worse"
    sentences.append(f"{best}; no cost is.")
    sentences += _averaged(table.pools, table.paths)
    return " ".join([*sentences, *provenance_sentences(table.rows, columns)])


def provenance_sentences(
    rows: Sequence[Row], measured: Sequence[tuple[str, Sequence[Summary]]]
) -> list[str]:
    """Seeds, conventions, signatures, genies and versions behind rows; `measured`: by metric."""
    seeds = [format_value(seed) for seed in distinct(SEED, rows)]
    sentences = [f"{'Seed' if len(seeds) == 1 else 'Seeds'} {', '.join(seeds)}."]
    sentences.append(f"SNR: {_or(str(row.result['conventions']['snr']) for row in rows)}.")
    for metric, summaries in measured:
        signatures = _or(one.signature for one in summaries if one.signature)
        sentences.append(f"{metric}: {signatures}.")
    if genies := sorted({name for row in rows for name in row.result["genie"]}):
        what = "knows what a real receiver could not (genie): a bound, not a performance."
        sentences.append(f"{_and(genies)} {what}")
    cells = plural(len(rows), "cell")
    names = [format_value(name) for name in distinct(RUN, rows)]
    sentences.append(f"{cells} of {_and(names)}; {_versions(rows)}.")
    return sentences


def exactness(metric: str, summaries: Sequence[Summary]) -> list[str]:
    """For decibels: how many samples are exact and in no mean, and the value of the mean error."""
    known = [
        one for one in summaries if one.statistic["kind"] == Decibels.kind and (one.n or one.exact)
    ]
    if not known:
        return []
    name = metric_title(metric, known[0].signature)
    joint = sorted(one.joint for one in known if one.joint is not None)
    counts = sorted({one.exact for one in known})
    sentences = []
    if counts != [0]:
        range_ = _range(counts, str)
        sentences.append(f"{range_} samples per value are exact, and not in the mean of {name}.")
    if joint:
        range_ = f"{_range(joint, number)} {known[0].unit}".strip()
        sentences.append(f"{name} of the mean error of all samples: {range_}.")
    return sentences


def _panels(chart: Chart) -> str:
    names = [metric_title(name, chart.points(name)[0].y.signature) for name in chart.metrics]
    if len(names) == 1:
        return names[0]
    return _and(f"({LETTERS[i % len(LETTERS)]}) {name}" for i, name in enumerate(names))


def _axis(chart: Chart) -> str:
    if chart.x_is_metric:
        return metric_title(chart.x, chart.lines[0].points[0].x.signature)
    name, unit = title(chart.x)
    if (name, unit) == (chart.x, ""):
        return name
    return f"{chart.x} ({name} in {unit})" if unit else f"{chart.x} ({name})"


def _lines(chart: Chart) -> str:
    """What the lines stand for."""
    if len(chart.labels) > 1:
        return f" for each {_and(map(_setting, chart.group))}"
    return f" for {chart.labels[0]}" if chart.labels[0] else ""


def _setting(path: str) -> str:
    return title(path)[0] if "." in path else path


def _cut(chart: Chart, metric: str, scale: str) -> list[str]:
    """What a panel does not show: means of 0 on a logarithmic axis, and long intervals."""
    y, values = [point.y for point in chart.points(metric)], means(chart, metric)
    name = metric_title(metric, y[0].signature)
    if scale_of(chart, metric, scale) == "linear":
        low, high = linear_window(values)
        for one in y:
            if (
                one.low is not None
                and one.high is not None
                and not low <= one.low <= one.high <= high
            ):
                return [f"Some intervals of {name} reach beyond the panel."]
        return []
    sentences, floor = [], log_floor(values)
    if zeros := sum(one.mean == 0 for one in y):
        where = f"{name} is 0 at {zeros} of {len(y)} points"
        sentences.append(
            f"{where}, which a logarithmic axis cannot show: arrows at its lower edge."
        )
    if any(one.low is not None and one.low < floor and one.mean for one in y):
        sentences.append(f"Some intervals of {name} reach below the lower edge.")
    return sentences


def _averaged(
    pools: Sequence[Sequence[Row]], kept: Sequence[str], counted: str = "samples"
) -> list[str]:
    """Over which settings values were averaged; `kept`: those that distinguish the values."""
    if all(len(pool) < 2 for pool in pools):
        return []
    rows = list({id(row): row for pool in pools for row in pool}.values())
    over = [
        path
        for path in dict.fromkeys((*swept(rows), RUN, SEED))
        if path not in kept and any(len(distinct(path, pool)) > 1 for pool in pools)
    ]
    texts = [f"{path} = {', '.join(map(format_value, distinct(path, rows)))}" for path in over]
    sets = {
        frozenset(canonical_key([row.get(path) for path in over]) for row in pool) for pool in pools
    }
    partly = ", though not over all of them everywhere" if len(sets) > 1 else ""
    first = ": of each sample first, so that n counts samples" if counted == "samples" else ""
    return [f"Averaged over {_and(texts)}{partly}{first}."]


def _n(summaries: Sequence[Summary], counted: str = "samples") -> str:
    counts = sorted({summary.n for summary in summaries})
    if not counts:
        return f"no {counted}"
    return f"n = {_range(counts, str)} {counted if counts != [1] else _one(counted)}"


def _intervals(summaries: Sequence[Summary], drawn: str, counted: str = "samples") -> str:
    single = f"a single {_one(counted)}"
    without = [one for one in summaries if one.low is None]
    if len(without) == len(summaries):
        return f"no interval, since each stands on {single}"
    text = "the 95 % interval of the mean"
    if drawn:
        text = f"{drawn} are the 95 % intervals of the mean"
    kinds = dict.fromkeys(one.kind.words for one in summaries if one.low is not None)
    text += f" ({', '.join(kinds)}; over {counted})"
    if without:
        spread = ", or on nothing that has a spread" if any(one.n > 1 for one in without) else ""
        text += f"; a value without one stands on {single}{spread}"
    return text


def _one(counted: str) -> str:
    return counted.removesuffix("s")


def _range(values: Sequence[Any], text: Callable[[Any], str]) -> str:
    first, last = text(values[0]), text(values[-1])
    return first if first == last else f"{first} to {last}"


def _versions(rows: Sequence[Row]) -> str:
    versions: dict[str, dict[str, None]] = {}
    for row in rows:
        packages = {"semcore": row.run.info["semcore"], **row.result["packages"]}
        for name, version in [*packages.items(), *row.run.info.get("software", {}).items()]:
            versions.setdefault(name, {})[str(version)] = None
    return ", ".join(f"{name} {' and '.join(known)}" for name, known in versions.items())


def _and(words: Iterable[Any]) -> str:
    *most, last = map(str, words)
    return f"{', '.join(most)} and {last}" if most else last


def _or(words: Iterable[str]) -> str:
    return "; or ".join(dict.fromkeys(words))
