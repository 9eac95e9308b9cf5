"""`export`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click

from semcore.cli.select import RUNS, WHERE, Place, say


@click.command("export")
@RUNS
@click.option("--to", type=click.Choice(["csv", "parquet", "compressai"]), required=True, help="What to write.")
@WHERE
@click.option("--items", is_flag=True, help="csv, parquet: one row a sample and not one a cell and metric.")
@click.option("--spreadsheet", is_flag=True, help="csv: an apostrophe before texts that a spreadsheet takes for formulas.")
@click.option("--all-settings", is_flag=True, help="csv, parquet: every setting and not the swept ones alone.")
@click.option("--metric", "metrics", multiple=True, metavar="METRIC", help="compressai: instead of psnr and ms-ssim.")
@click.option("--group", multiple=True, metavar="PATH", help="compressai: settings or sections that make curves, one a file.")
@click.option("--out", type=Place(), metavar="FILE",
              help="File, or folder for compressai.  [default: print CSV; else RUN/export]")  # fmt: skip
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

    csv and parquet are tidy: one row a cell and metric. compressai is one file a rate-distortion curve, as its plots take
    them; bpp counts payload bits a pixel.
    """
    from semcore.analysis.rows import read_rows
    from semcore.render import csv, export
    from semcore.runs.files import MAX_NAME, beneath
    from semcore.storage import write_output

    rows = read_rows(runs, where)
    if to == "compressai":
        names: dict[str, int] = {}
        for name, curve in export.compressai(rows, metrics or None, group or None).items():
            bare = re.sub(r"[^A-Za-z0-9.+-]+", "-", name)[:MAX_NAME].strip("-.") or "curve"
            names[bare] = names.get(bare, 0) + 1
            name = f"{bare}{f'-{names[bare]}' if names[bare] > 1 else ''}.json"
            path = out / name if out else beneath(runs[0], f"export/{name}")
            write_output(path, (json.dumps(curve, indent=2, ensure_ascii=False) + "\n").encode())
            say(path)
        return
    tidy = export.items(rows, all_settings) if items else export.cells(rows, all_settings)
    if to == "csv" and out is None:
        say(csv.as_csv(tidy, spreadsheet=spreadsheet), end="")
        return
    path = out or beneath(runs[0], f"export/{'items' if items else 'cells'}.{to}")
    write_output(path, csv.as_csv(tidy, spreadsheet=spreadsheet).encode() if to == "csv" else export.parquet(tidy))
    say(path)
