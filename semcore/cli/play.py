"""`semcore play`."""

from __future__ import annotations

from pathlib import Path

import click

from semcore.cli.select import Place, say
from semcore.errors import SemcoreError


@click.command("play")
@click.argument("run", type=Place(exists=True, file_okay=False))
@click.argument("cell", required=False)
@click.option("--write", "only_write", is_flag=True, help="Write the page without opening it.")
def play_command(run: Path, cell: str | None, only_write: bool) -> None:
    """Open a page with the clips and pictures of one CELL of RUN, beside the source.

    CELL is its number in the table of the run, from 0, or the beginning of its id; without CELL,
    the cells are listed.
    """
    from semcore.render.page import write_cell
    from semcore.runs.results import read_run, readable

    found = read_run(run)
    if cell is None:
        for number, result in enumerate(found.results):
            say(f"{number:>3}  {result['id'][:12]}  {found.labels.of(result['settings'])}")
        return
    chosen = []
    for number, result in enumerate(found.results):
        if str(number) == cell or (len(cell) > 3 and result["id"].startswith(cell)):
            chosen.append(number)
    if len(chosen) != 1:
        what = "no cell is" if not chosen else f"{len(chosen)} cells are"
        raise SemcoreError(f"{what} called {cell!r} in {run}; `semcore play {run}` lists them")
    with readable(run):
        page = write_cell(found, chosen[0])
    say(page)
    if not only_write:
        click.launch(str(page))
