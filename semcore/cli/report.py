"""`semcore report`."""

from __future__ import annotations

from pathlib import Path

import click

from semcore.cli.select import Place, say


@click.command("report")
@click.argument("run", type=Place(exists=True, file_okay=False))
def report_command(run: Path) -> None:
    """Write RUN as one self-contained page, RUN/report.html."""
    from semcore.render.page import write_report
    from semcore.runs.results import readable

    with readable(run):
        say(write_report(run))
