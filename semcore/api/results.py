"""The results of runs for Python: DataFrames, plots, tables, the report."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from semcore.analysis.rows import Row, matching, rows_of, swept
from semcore.analysis.values import value_of
from semcore.api.views import ResultFrames, ResultPlot, ResultTable
from semcore.entrypoints.extras import extra
from semcore.errors import RunError
from semcore.runs.results import Run, read_run, readable
from semcore.wording.plural import plural

if TYPE_CHECKING:
    import pandas as pd


def read(*folders: str | os.PathLike[str], where: Mapping[str, Any] | None = None) -> Results:
    """Read the results of one run or several.

    Args:
        folders: of runs
        where: dotted path -> value, or list of values, of the cells that are kept

    Raises:
        RunError: a folder is not a run, or no cell matches
    """
    if not folders:
        raise RunError("name the folder of a run: semcore.read('runs/demo')")
    paths = [Path(folder) for folder in folders]
    with readable(*paths):
        results = Results([read_run(path) for path in paths])
    return results[where] if where else results


class Results(Sequence[Row]):
    """The finished cells of one run or several, in the order of their grids.

    `results[0]` is a cell, `results[{"channel.snr_db": 5}]` the cells with a setting, and iteration
    gives cells. The numbers are read from the folders; nothing is computed again.

    Args:
        runs: what is read
        rows: the cells; None: all of the runs
    """

    def __init__(self, runs: Sequence[Run], rows: Sequence[Row] | None = None) -> None:
        self._runs = tuple(runs)
        self._rows = tuple(rows_of(runs) if rows is None else rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    @overload
    def __getitem__(self, key: int) -> Row: ...
    @overload
    def __getitem__(self, key: slice | Mapping[str, Any]) -> Results: ...
    def __getitem__(self, key: int | slice | Mapping[str, Any]) -> Row | Results:
        if isinstance(key, int):
            return self._rows[key]
        if isinstance(key, slice):
            return Results(self._runs, self._rows[key])
        rows = list(self._rows)
        for path, value in key.items():
            rows = matching(rows, path, value if isinstance(value, (list, tuple)) else [value])
        return Results(self._runs, rows)

    @property
    def folders(self) -> list[Path]:
        """The folders of the runs."""
        return [run.folder for run in self._runs]

    @property
    def failures(self) -> list[Mapping[str, Any]]:
        """The cells that failed: settings, reason and traceback."""
        return [failure for run in self._runs for failure in run.failures]

    def to_pandas(self, *, all_settings: bool = False) -> pd.DataFrame:
        """One row per cell.

        Columns: `run`, `seed`, the swept settings by dotted path, `n` (number of samples), of each
        metric its mean by name with the ends of its 95 % interval (`psnr low`, `psnr high`), and
        `channel uses` and `bits` of all samples. A value that does not exist is NaN.

        Args:
            all_settings: a column for every setting, not only for the swept ones

        Raises:
            RunError: pandas is not installed
        """
        from semcore.render.export import settings_of

        table = []
        for row in self._rows:
            line = settings_of(row, self._rows, all_settings)
            line["n"] = row.result["n"]
            for name, summary in row.result["metrics"].items():
                line[name] = _number(summary["mean"])
                line[f"{name} low"] = _number(summary["low"])
                line[f"{name} high"] = _number(summary["high"])
            line["channel uses"] = sum(one["channel_uses"] for one in row.result["ledger"])
            line["bits"] = sum(one["bits"] for one in row.result["ledger"])
            table.append(line)
        return _frame(table)

    def samples(self, *, all_settings: bool = False) -> pd.DataFrame:
        """One row per sample of each cell: `sample`, `channel uses` and a column per metric."""
        from semcore.render.export import settings_of

        table = []
        for row in self._rows:
            start = settings_of(row, self._rows, all_settings)
            for item in row.items():
                values = {name: _number(value_of(item, name)) for name in row.result["metrics"]}
                uses = item["channel_uses"]
                table.append({**start, "sample": item["sample"], "channel uses": uses, **values})
        return _frame(table)

    def ledger(self) -> pd.DataFrame:
        """One row per cell, stream and kind: what its `channel uses` and `bits` were spent on."""
        from semcore.render.export import settings_of

        return _frame(
            {
                **settings_of(row, self._rows),
                "stream": entry["stream"],
                "kind": entry["kind"],
                "channel uses": entry["channel_uses"],
                "bits": entry["bits"],
            }
            for row in self._rows
            for entry in row.result["ledger"]
        )

    def segments(self) -> pd.DataFrame:
        """One row per cell and segment of a session: plan, costs, metrics, utility (`worth`)."""
        from semcore.config.paths import flatten
        from semcore.render.export import settings_of

        table = []
        for row in self._rows:
            for segment in row.result["segments"]:
                plain = {
                    name: value
                    for name, value in segment.items()
                    if isinstance(value, (int, float))
                }
                named = ("environment", "link", "in_force")
                parts = flatten({name: segment.get(name) or {} for name in named})
                parts = {path: value for path, value in parts.items() if value != {}}
                table.append(
                    {**settings_of(row, self._rows), **plain, **parts, **segment["metrics"]}
                )
        return _frame(table)

    def plot(
        self,
        x: str,
        y: str | Sequence[str],
        *,
        group: str | Sequence[str] | None = None,
        width: Literal["column", "page"] = "column",
        scale: Literal["auto", "linear", "log"] = "auto",
    ) -> ResultPlot:
        """Draw metrics over a setting, as `semcore plot` does.

        Args:
            x: a swept setting by dotted path, or a metric
            y: one panel per metric
            group: settings or sections that make lines, the rest is averaged; None: all that
                varies except x and the seed
            width: of a column or of a page of an IEEE paper: 3.5 in or 7.16 in
            scale: of the y axis

        Raises:
            RunError: an unknown setting or metric, or rows that were not measured alike
        """
        from semcore.analysis.chart import chart

        metrics = list(dict.fromkeys(_several(y)))
        drawn = chart(self._known(), x, metrics, None if group is None else _several(group))
        return ResultPlot(drawn, width, scale)

    def table(
        self, rows: str | Sequence[str] | None = None, columns: str | Sequence[str] | None = None
    ) -> ResultTable:
        """The results as a table with 95 % intervals, as `semcore table` writes it.

        Args:
            rows: settings or sections that make lines, the rest is averaged; None: all that varies
                except the seed
            columns: metrics; None: all

        Raises:
            RunError: an unknown setting or metric, or rows that were not measured alike
        """
        from semcore.analysis.table import table

        paths = None if rows is None else _several(rows)
        return ResultTable(
            table(self._known(), paths, None if columns is None else _several(columns))
        )

    def frames(
        self,
        sample: str | int | None = None,
        *,
        scores: str | Sequence[str] = (),
        count: int = 6,
        width: Literal["column", "page"] = "page",
    ) -> ResultFrames:
        """Show one sample as every cell delivered it, below its source, as `semcore frames` does.

        Args:
            sample: its name, or its number from 0; None: the first
            scores: metrics that are shown with it
            count: frames of a clip, evenly spaced
            width: as of `plot`

        Raises:
            RunError: no such sample or metric, or no picture or clip of the sample was kept
        """
        from semcore.render.frames import strips

        wanted = None if sample is None else str(sample)
        return ResultFrames(*strips(self._known(), wanted, _several(scores), count), width)

    def report(self) -> Path | list[Path]:
        """Write `report.html` into the folder of each run; returns its path, or their paths."""
        from semcore.render.page import write_report

        written = [write_report(run.folder) for run in self._runs]
        return written[0] if len(written) == 1 else written

    def __repr__(self) -> str:
        paths = ", ".join(swept(self._rows))
        over = f" over {paths}" if paths else ""
        names = ", ".join(str(folder) for folder in self.folders)
        failed = f", {len(self.failures)} failed" if self.failures else ""
        return f"<Results of {names}: {plural(len(self), 'cell')}{over}{failed}>"

    def _repr_html_(self) -> str:
        if not self._rows:
            return f"<pre>{self!r}</pre>"
        return self.table()._repr_html_()

    def _known(self) -> list[Row]:
        if not self._rows:
            names = " or ".join(str(folder) for folder in self.folders)
            raise RunError(f"no cell of {names} is done")
        return list(self._rows)


def _several(names: str | Sequence[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _frame(rows: Any) -> pd.DataFrame:
    with extra("semcore[pandas]", "DataFrames need pandas"):
        import pandas as pd
    return pd.DataFrame(list(rows))
