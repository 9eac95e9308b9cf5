"""`semcore plot`."""

from __future__ import annotations

from pathlib import Path

import click

from semcore.cli.select import RUNS, WHERE, Place, say, write_figure

SCALES = ("auto", "linear", "log")


@click.command("plot")
@RUNS
@click.option(
    "--x",
    required=True,
    metavar="PATH",
    help="A swept setting (channel.snr_db), or a metric (cbr, bpp).",
)
@click.option(
    "--y",
    "metrics",
    required=True,
    multiple=True,
    metavar="METRIC",
    help="What to draw, one panel each.",
)
@click.option(
    "--group",
    multiple=True,
    metavar="PATH",
    help="Settings or sections that make lines; the rest is averaged."
    + "  [default: all that varies except x and the seed]",
)
@WHERE
@click.option(
    "--width",
    type=click.Choice(["column", "page"]),
    default="column",
    show_default=True,
    help="Of an IEEE paper: 3.5 in or 7.16 in.",
)
@click.option(
    "--scale",
    type=click.Choice(SCALES),
    default="auto",
    show_default=True,
    help="Of the y axis.",
)
@click.option(
    "--out",
    type=Place(dir_okay=False),
    metavar="FILE",
    help="Name of the files, without ending.  [default: RUN/figures/Y-over-X]",
)
def plot_command(
    runs: tuple[Path, ...],
    x: str,
    metrics: tuple[str, ...],
    group: tuple[str, ...],
    where: tuple[str, ...],
    width: str,
    scale: str,
    out: Path | None,
) -> None:
    """Draw RUN (several runs as one) as PDF and PNG, with the data as CSV and a caption.

    For example: semcore plot runs/demo --x channel.block_snr_db --y ssim --group generator
    """
    from semcore.analysis.chart import chart
    from semcore.analysis.rows import read_rows
    from semcore.api.views import ResultPlot

    drawn = chart(read_rows(runs, where), x, list(dict.fromkeys(metrics)), list(group) or None)
    plot = ResultPlot(drawn, width, scale)
    name = f"{'-'.join(drawn.metrics)}-over-{x.rsplit('.', 1)[-1]}"
    write_figure(plot.files(), out, runs[0], name)
    say(f"\n{plot.caption}")
