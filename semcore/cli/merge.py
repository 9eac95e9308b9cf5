"""`semcore merge`."""

from __future__ import annotations

from pathlib import Path

import click

from semcore.cli.select import Place, say


@click.command("merge")
@click.argument("runs", nargs=-1, required=True, type=Place(exists=True, file_okay=False))
@click.option("-o", "--out", required=True, type=Place(), help="Folder of the merged run.")
def merge_command(runs: tuple[Path, ...], out: Path) -> None:
    """Merge RUNS of one pipeline, of several machines or for other values of a sweep, into one."""
    from semcore.runs.merge import merge
    from semcore.runs.results import readable

    with readable(*runs):
        done, total = merge(runs, out)
    rest = (
        ""
        if done == total
        else f"; the command of any of its parts, with --out {out}, computes the others"
    )
    say(f"{out}: {done} of {total} cells{rest}")
