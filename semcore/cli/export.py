"""`semcore export`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

import click

from semcore.cli.select import RUNS, WHERE, Place, say


@click.command("export")
@RUNS
@click.option(
    "--to",
    type=click.Choice(["csv", "parquet", "compressai"]),
    required=True,
    help="What to write.",
)
@WHERE
@click.option(
    "--items", is_flag=True, help="csv, parquet: one row per sample, not per cell and metric."
)
@click.option(
    "--spreadsheet",
    is_flag=True,
    help="csv: an apostrophe before texts that a spreadsheet would read as formulas.",
)
@click.option(
    "--all-settings", is_flag=True, help="csv, parquet: every setting, not only the swept ones."
)
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="METRIC",
    help="compressai: instead of psnr and ms-ssim.",
)
@click.option(
    "--group",
    multiple=True,
    metavar="PATH",
    help="compressai: settings or sections that make curves, one per file.",
)
@click.option(
    "--out",
    type=Place(),
    metavar="FILE",
    help="File, or folder for compressai.  [default: print CSV; else RUN/export]",
)
def export_command(
    runs: tuple[Path, ...],
    to: str,
    where: tuple[str, ...],
    items: bool,
    spreadsheet: bool,
    all_settings: bool,
    metrics: tuple[str, ...],
    group: tuple[str, ...],
    out: Path | None,
) -> None:
    """Write the results of RUN as data for other programs.

    csv and parquet are tidy: one row per cell and metric. compressai writes a file per
    rate-distortion curve, for the plots of CompressAI; bpp counts payload bits per pixel.
    """
    from semcore.analysis.rows import read_rows
    from semcore.render import csv, export
    from semcore.runs.files import beneath
    from semcore.storage import write_output

    rows = read_rows(runs, where)
    if to == "compressai":
        curves = export.compressai(rows, metrics or None, group or None)
        for name, curve in zip(_file_names(curves), curves.values(), strict=True):
            path = out / name if out else beneath(runs[0], f"export/{name}")
            write_output(path, (json.dumps(curve, indent=2, ensure_ascii=False) + "\n").encode())
            say(path)
        return
    tidy = export.items(rows, all_settings) if items else export.cells(rows, all_settings)
    if to == "csv" and out is None:
        say(csv.as_csv(tidy, spreadsheet=spreadsheet), end="")
        return
    path = out or beneath(runs[0], f"export/{'items' if items else 'cells'}.{to}")
    write_output(
        path,
        csv.as_csv(tidy, spreadsheet=spreadsheet).encode() if to == "csv" else export.parquet(tidy),
    )
    say(path)


def _file_names(labels: Iterable[str]) -> list[str]:
    """Names of files for curves, distinct and without special characters."""
    from semcore.runs.files import MAX_NAME

    counts: dict[str, int] = {}
    names = []
    for label in labels:
        bare = re.sub(r"[^A-Za-z0-9.+-]+", "-", label)[:MAX_NAME].strip("-.") or "curve"
        counts[bare] = counts.get(bare, 0) + 1
        names.append(f"{bare}-{counts[bare]}.json" if counts[bare] > 1 else f"{bare}.json")
    return names
