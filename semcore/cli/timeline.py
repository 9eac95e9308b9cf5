"""`semcore timeline`."""

from __future__ import annotations

from pathlib import Path

import click

from semcore.cli.select import RUNS, WHERE, Place, say, write_figure


@click.command("timeline")
@RUNS
@click.option(
    "--y",
    "metrics",
    multiple=True,
    metavar="METRIC",
    help="What to draw, one panel each: a metric, utility or regret."
    + "  [default: the metrics of the utility]",
)
@click.option(
    "--against",
    default="oracle",
    show_default=True,
    metavar="NAME",
    help="The reference planner of the regret.",
)
@WHERE
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
    help="Name of the files, without ending.  [default: RUN/figures/timeline]",
)
def timeline_command(
    runs: tuple[Path, ...],
    metrics: tuple[str, ...],
    against: str,
    where: tuple[str, ...],
    width: str,
    out: Path | None,
) -> None:
    """Draw the sessions of RUN over their segments, a line per planner: PDF, PNG, CSV, caption.

    Regret is the utility of a segment under the reference planner minus that under the planner,
    summed over the session.

    For example: semcore timeline runs/pass --where scenario.mission=face-verification
    """
    from semcore.analysis.rows import read_rows
    from semcore.analysis.timeline import timeline
    from semcore.api.views import ResultPlot

    drawn = timeline(read_rows(runs, where), list(dict.fromkeys(metrics)), against)
    plot = ResultPlot(drawn, width, "session")
    write_figure(plot.files(), out, runs[0], "timeline")
    say(f"\n{plot.caption}")
