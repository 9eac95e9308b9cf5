"""`schema`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from semcore.cli.select import Place


@click.command("schema")
@click.argument("pipeline", type=Place(), required=False)
@click.option("--out", type=Place(dir_okay=False), help="File to write.  [default: print it]")
def schema_command(pipeline: Path | None, out: Path | None) -> None:
    """Write the JSON Schema of pipeline files, made of what is installed: by it an editor completes
    the YAML.

    With PIPELINE also of what the files beside it register that it names under `plugins`.

    For example: semcore schema --out pipeline.schema.json; then, in the first line of a pipeline:

    # yaml-language-server: $schema=pipeline.schema.json
    """
    from semcore.config import document
    from semcore.config.json_schema import pipeline_schema
    from semcore.storage import write_output

    if pipeline is not None:
        document.read(pipeline)  # what is wrong with the file itself is said at its place
    made = pipeline_schema(
        lambda message: click.echo(f"note: left out: {message}", err=True), pipeline
    )
    text = json.dumps(made, indent=1, ensure_ascii=False) + "\n"
    if out is None:
        click.echo(text, nl=False)
    else:
        write_output(out, text.encode())
        click.echo(out)
