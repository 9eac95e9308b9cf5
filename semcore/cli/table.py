"""`semcore table`."""

from __future__ import annotations

from pathlib import Path

import click

from semcore.cli.select import RUNS, WHERE, Place, say

ENDINGS = {".md": "markdown", ".tex": "latex", ".csv": "csv"}


@click.command("table")
@RUNS
@click.option(
    "--rows",
    "paths",
    multiple=True,
    metavar="PATH",
    help="Settings or sections that make lines; the rest is averaged."
    + "  [default: all that varies except the seed]",
)
@click.option(
    "--columns", "metrics", multiple=True, metavar="METRIC", help="Metrics.  [default: all]"
)
@WHERE
@click.option(
    "--to",
    type=click.Choice(list(ENDINGS.values())),
    help="[default: by the ending of --out, else markdown]",
)
@click.option(
    "--spreadsheet",
    is_flag=True,
    help="csv: an apostrophe before texts that a spreadsheet would read as formulas.",
)
@click.option("--out", type=Place(dir_okay=False), help="File to write.  [default: print it]")
def table_command(
    runs: tuple[Path, ...],
    paths: tuple[str, ...],
    metrics: tuple[str, ...],
    where: tuple[str, ...],
    to: str | None,
    spreadsheet: bool,
    out: Path | None,
) -> None:
    """Write RUN (several runs as one) as a table with 95 % intervals.

    For example: semcore table runs/demo --where channel.block_snr_db=3 --columns ssim --to latex
    """
    from semcore.analysis.rows import read_rows
    from semcore.analysis.table import table
    from semcore.render import csv
    from semcore.render.table import as_latex, as_markdown
    from semcore.storage import write_output

    found = table(read_rows(runs, where), paths or None, metrics or None)
    kind = to or ENDINGS.get(out.suffix if out else "", "markdown")
    if kind == "csv":
        text = csv.of_table(found, spreadsheet)
    elif kind == "latex":
        text = as_latex(found, runs[0].resolve().name)
    else:
        text = as_markdown(found)
    if out is None:
        say(text, end="")
    else:
        write_output(out, text.encode())
        say(out)
