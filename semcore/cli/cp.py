"""`cp`."""

from __future__ import annotations

import textwrap
from pathlib import Path

import click

from semcore.cli.select import Place
from semcore.config import examples


@click.command("cp")
@click.argument("example", required=False)
@click.argument("target", type=Place(), default=Path(), metavar="[DEST]")
def cp_command(example: str | None, target: Path) -> None:
    """Copy EXAMPLE, with the files that it names, into the folder DEST (or to DEST.yaml); without
    EXAMPLE list them all."""
    if example is None:
        found = examples.examples()
        width = max((len(one.name) for one in found), default=0)
        for one in found:
            whose = f"  ({one.package})" if one.package != "semcore" else ""
            click.echo(
                f"{one.name:<{width}}  "
                f"{textwrap.shorten(one.summary, 110, placeholder=' …')}{whose}"
            )
        return
    for path in examples.copy(examples.find(example), target):
        click.echo(path)
