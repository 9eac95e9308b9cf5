"""What the verbs that read runs have in common: the runs, and which of their cells."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

RUNS = click.argument("runs", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="RUN...")
WHERE = click.option("--where", multiple=True, metavar="PATH=VALUE", help="Only cells with this setting; A,B: one of them.")


def write_figure(files: Mapping[str, bytes], out: Path | None, default: Path) -> None:
    """Write the files of a figure, by their endings, beside each other; their paths are told.

    Args:
        out: what the user called them, perhaps with one of the endings; None: as `default`
    """
    from semcore.storage import write

    base = default if out is None else out.with_suffix("") if out.suffix.removeprefix(".") in files else out
    for ending, data in files.items():
        path = base.with_name(f"{base.name}.{ending}")
        write(path, data)
        click.echo(path)
