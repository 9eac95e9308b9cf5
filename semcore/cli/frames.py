"""`semcore frames`."""

from __future__ import annotations

from pathlib import Path

import click

from semcore.cli.select import RUNS, WHERE, Place, write_figure


@click.command("frames")
@RUNS
@WHERE
@click.option(
    "--sample",
    metavar="NAME",
    help="Which sample: its name, or its number from 0.  [default: the first]",
)
@click.option(
    "--score",
    "metrics",
    multiple=True,
    metavar="METRIC",
    help="A metric to show beside the frames.",
)
@click.option(
    "--count", type=click.IntRange(1, 20), default=6, show_default=True, help="Frames per clip."
)
@click.option(
    "--width",
    type=click.Choice(["column", "page"]),
    default="page",
    show_default=True,
    help="Of an IEEE paper: 3.5 in or 7.16 in.",
)
@click.option(
    "--out",
    type=Place(dir_okay=False),
    metavar="FILE",
    help="Name of the files, without ending.  [default: RUN/figures/frames-of-SAMPLE]",
)
def frames_command(
    runs: tuple[Path, ...],
    where: tuple[str, ...],
    sample: str | None,
    metrics: tuple[str, ...],
    count: int,
    width: str,
    out: Path | None,
) -> None:
    """Draw one sample as every cell of RUN delivered it, below the source, as PDF and PNG.

    For example: semcore frames runs/av --where channel.block_snr_db=12 --score akd
    """
    from semcore.analysis.rows import read_rows
    from semcore.render import frames

    name, found = frames.strips(read_rows(runs, where), sample, metrics, count)
    write_figure(frames.draw(found, width), out, runs[0], f"frames-of-{name}")
