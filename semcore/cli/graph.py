"""`semcore graph`."""

from __future__ import annotations

from pathlib import Path

import click

from semcore.cli.run import OVERRIDES, PIPELINE
from semcore.cli.select import Place
from semcore.config.configuration import load


@click.command("graph")
@PIPELINE
@OVERRIDES
@click.option("--out", type=Place(dir_okay=False), help="File to write.  [default: print it]")
def graph_command(pipeline: Path, overrides: tuple[str, ...], out: Path | None) -> None:
    """Draw PIPELINE with the overrides as a block diagram (SVG); nothing is computed.

    For example: semcore graph examples/llm_image_uma.yaml --out llm.svg
    """
    from semcore.render.page.graph import graph
    from semcore.storage import write_output

    drawing = graph(load(pipeline, overrides))
    if out is None:
        click.echo(drawing, nl=False)
    else:
        write_output(out, drawing.encode("utf-8", "replace"))
        click.echo(out)
