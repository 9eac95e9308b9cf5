"""`semcore cite`."""

from __future__ import annotations

from pathlib import Path

import click

from semcore.cli.select import RUNS, WHERE, Place, say


@click.command("cite")
@RUNS
@WHERE
@click.option("--out", type=Place(dir_okay=False), help="File to write.  [default: print it]")
def cite_command(runs: tuple[Path, ...], where: tuple[str, ...], out: Path | None) -> None:
    """Print the BibTeX of every component that RUN used, and of semcore.

    For example: semcore cite runs/demo > references.bib
    """
    from semcore.analysis.rows import read_rows
    from semcore.render.bibliography import bibliography
    from semcore.storage import write_output

    found = bibliography(read_rows(runs, where))
    for sentence in found.missing:
        say(f"note: {sentence}", err=True)
    if out is None:
        say(found.text, end="")
    else:
        write_output(out, found.text.encode())
        say(out)
