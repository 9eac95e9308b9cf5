"""Results as data for other programs: tidy tables, and the files that CompressAI compares codecs by."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from semcore.analysis.aggregate import metric_names, require_metric
from semcore.analysis.chart import chart
from semcore.analysis.rows import RUN, SEED, Row, swept
from semcore.errors import RunError
from semcore.render.caption import provenance_sentences
from semcore.runs.results import value_of

COMPRESSAI = {"psnr": "psnr-rgb", "ms-ssim": "ms-ssim-rgb"}
"""What CompressAI calls metrics of ours; the others keep their names."""


def cells(rows: Sequence[Row], all_settings: bool = False) -> list[dict[str, Any]]:
    """One row per cell and metric: settings by dotted path, mean and interval, and how it was measured."""
    paths = _paths(rows, all_settings)
    return [
        {**_start(row, paths), "metric": name, **summary, "statistic": summary["statistic"]["kind"], **_end(row)}
        for row in rows
        for name, summary in row.result["metrics"].items()
    ]


def items(rows: Sequence[Row], all_settings: bool = False) -> list[dict[str, Any]]:
    """One row per sample: settings by dotted path, and a column per metric; infinite where decibels have no error."""
    paths, metrics, found = _paths(rows, all_settings), metric_names(rows), []
    for row in rows:
        start, end = _start(row, paths), _end(row)
        for item in row.run.items(dict(row.result)):
            values = {name: _plain(value_of(item, name)) for name in metrics}
            found.append({**start, "sample": item["sample"], "channel-uses": item["channel_uses"], **values, **end})
    return found


def _plain(value: float | None) -> float | None:
    return None if value is None else value + 0.0


def _paths(rows: Sequence[Row], all_settings: bool) -> list[str]:
    """The settings that have a column."""
    paths = dict.fromkeys(path for one in rows for path in one.place) if all_settings else swept(rows)
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
    """A setting as one value; a list or a component as JSON."""
    return json.dumps(value) if isinstance(value, (list, Mapping)) else value


def parquet(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows as a Parquet file. A column holds numbers if all of its values are, else text.

    Raises:
        RunError: pyarrow is not installed
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise RunError("Parquet needs pyarrow: pip install 'semcore[parquet]'") from error
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: _column([row.get(name) for row in rows]) for name in names}
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), buffer)
    return buffer.getvalue()


def _column(values: list[Any]) -> list[Any]:
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float} and len(kinds) > 1:
        return [None if value is None else float(value) for value in values]
    return values if len(kinds) <= 1 else [None if value is None else str(value) for value in values]


def compressai(
    rows: Sequence[Row], metrics: Sequence[str] | None = None, group: Sequence[str] | None = None
) -> dict[str, dict[str, Any]]:
    """One rate-distortion curve a file, as in CompressAI's results: name -> {name, description, results}.

    Raises:
        RunError: the bits per pixel are not known, or there is no other metric
    """
    require_metric("bpp", rows)
    shown = list(metrics) if metrics else [name for name in COMPRESSAI if name in metric_names(rows)]
    if not shown:
        raise RunError(f"CompressAI compares {' and '.join(COMPRESSAI)}, which are not among the metrics; name others with "
                       f"--metric ({', '.join(metric_names(rows))})")  # fmt: skip
    drawn = chart(rows, "bpp", shown, group)
    files: dict[str, dict[str, Any]] = {}
    for label in dict.fromkeys(line.label for line in drawn.lines):
        lines = [line for line in drawn.lines if line.label == label]
        at = [[row.result["id"] for row in point.rows] for point in lines[0].points]
        if any([[row.result["id"] for row in point.rows] for point in line.points] != at for line in lines):
            raise RunError(f"{label}: {' and '.join(shown)} are not known in the same cells; name one with --metric")
        results = {"bpp": [point.x.mean for point in lines[0].points]}
        results |= {COMPRESSAI.get(line.metric, line.metric): [point.y.mean for point in line.points] for line in lines}
        measured = [
            ("bpp", [point.x for point in lines[0].points]),
            *((one.metric, [p.y for p in one.points]) for one in lines),
        ]
        said = ["bpp: payload bits a pixel, without channel coding.", *provenance_sentences(drawn.rows, measured)]
        name = label or str(rows[0].place[RUN])
        files[name] = {"name": name, "description": " ".join(said), "results": results}
    return files
