"""Results as data for other programs: tidy tables, and curves as CompressAI reads them."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from semcore.analysis.aggregate import metric_names, require_metric
from semcore.analysis.chart import Line, chart
from semcore.analysis.rows import RUN, SEED, Row, swept
from semcore.analysis.values import value_of
from semcore.entrypoints.extras import extra
from semcore.errors import RunError
from semcore.render.caption import provenance_sentences

COMPRESSAI = {"psnr": "psnr-rgb", "ms-ssim": "ms-ssim-rgb"}
"""The names of CompressAI for metrics; other metrics keep theirs."""


def cells(rows: Sequence[Row], all_settings: bool = False) -> list[dict[str, Any]]:
    """One row per cell and metric: settings by dotted path, mean, interval, signature."""
    paths = _paths(rows, all_settings)
    return [
        {
            **_start(row, paths),
            "metric": name,
            **summary,
            "statistic": summary["statistic"]["kind"],
            **_end(row),
        }
        for row in rows
        for name, summary in row.result["metrics"].items()
    ]


def items(rows: Sequence[Row], all_settings: bool = False) -> list[dict[str, Any]]:
    """One row per sample: settings by dotted path, a column per metric; exact decibels are inf."""
    paths, metrics = _paths(rows, all_settings), metric_names(rows)
    found = []
    for row in rows:
        start, end = _start(row, paths), _end(row)
        for item in row.items():
            values = {name: _plain(value_of(item, name)) for name in metrics}
            found.append(
                {
                    **start,
                    "sample": item["sample"],
                    "channel-uses": item["channel_uses"],
                    **values,
                    **end,
                }
            )
    return found


def settings_of(row: Row, rows: Sequence[Row], all_settings: bool = False) -> dict[str, Any]:
    """The run, the seed and the settings of a row as columns.

    Args:
        rows: those that it stands among; a setting that none of them varies has no column
        all_settings: whether every setting has one
    """
    start = _start(row, _paths(rows, all_settings))
    return {name: value for name, value in start.items() if name != "cell"}


def _plain(value: float | None) -> float | None:
    return None if value is None else value + 0.0


def _paths(rows: Sequence[Row], all_settings: bool) -> list[str]:
    """The paths of the settings that get a column."""
    paths = (
        dict.fromkeys(path for one in rows for path in one.place) if all_settings else swept(rows)
    )
    return [path for path in paths if path not in (RUN, SEED)]


def _start(row: Row, paths: Sequence[str]) -> dict[str, Any]:
    named = {path: _flat(row.get(path)) for path in paths}
    return {"run": row.place[RUN], "cell": row.result["id"], "seed": row.place[SEED], **named}


def _end(row: Row) -> dict[str, Any]:
    versions = {"semcore": row.run.info["semcore"], **row.result["packages"]}
    return {
        "snr": row.result["conventions"]["snr"],
        "genie": " ".join(row.result["genie"]),
        "packages": " ".join(f"{package}=={version}" for package, version in versions.items()),
    }


def _flat(value: Any) -> Any:
    """A setting as one value: a component without settings by name, others and lists as JSON."""
    if isinstance(value, Mapping) and list(value) == ["use"]:
        return value["use"]
    return json.dumps(value) if isinstance(value, (list, Mapping)) else value


def parquet(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows as a Parquet file. A column of mixed types becomes text.

    Raises:
        RunError: pyarrow is not installed
    """
    with extra("semcore[parquet]", "Parquet needs pyarrow"):
        import pyarrow
        import pyarrow.parquet
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: _column([row.get(name) for row in rows]) for name in names}
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), buffer)
    return buffer.getvalue()


def _column(values: list[Any]) -> list[Any]:
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float} and len(kinds) > 1:
        return [None if value is None else float(value) for value in values]
    if len(kinds) <= 1:
        return values
    return [None if value is None else str(value) for value in values]


def compressai(
    rows: Sequence[Row], metrics: Sequence[str] | None = None, group: Sequence[str] | None = None
) -> dict[str, dict[str, Any]]:
    """Rate-distortion curves as in the result files of CompressAI.

    Args:
        rows: of one run or several
        metrics: against bits per pixel; None: those of `COMPRESSAI`
        group: settings or sections that make curves (`chart`)

    Returns:
        content of a file by name: {name, description, results}

    Raises:
        RunError: the bits per pixel are unknown, or the metrics are
    """
    require_metric("bpp", rows)
    known = metric_names(rows)
    shown = list(metrics) if metrics else [name for name in COMPRESSAI if name in known]
    if not shown:
        raise RunError(
            f"CompressAI compares {' and '.join(COMPRESSAI)}, which are not among the metrics; "
            f"name others with --metric ({', '.join(known)})"
        )
    drawn = chart(rows, "bpp", shown, group)
    files: dict[str, dict[str, Any]] = {}
    for label in drawn.labels:
        lines = [line for line in drawn.lines if line.label == label]
        if any(_cells(line) != _cells(lines[0]) for line in lines):
            names = " and ".join(shown)
            hint = "name one with --metric"
            raise RunError(f"{label}: {names} are not known in the same cells; {hint}")
        x = [point.x for point in lines[0].points]
        measured = [(line.metric, [point.y for point in line.points]) for line in lines]
        results = {"bpp": [one.mean for one in x]}
        for metric, summaries in measured:
            results[COMPRESSAI.get(metric, metric)] = [one.mean for one in summaries]
        sentences = [
            "bpp: payload bits a pixel, without channel coding.",
            *provenance_sentences(drawn.rows, [("bpp", x), *measured]),
        ]
        name = label or str(rows[0].place[RUN])
        files[name] = {"name": name, "description": " ".join(sentences), "results": results}
    return files


def _cells(line: Line) -> list[list[str]]:
    """The ids of the cells behind each point."""
    return [[row.result["id"] for row in point.rows] for point in line.points]
