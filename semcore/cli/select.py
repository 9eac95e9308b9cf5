"""What the verbs that read runs have in common: the runs, and which of their cells."""

from __future__ import annotations

from pathlib import Path

import click

RUNS = click.argument("runs", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="RUN...")
WHERE = click.option("--where", multiple=True, metavar="PATH=VALUE", help="Only cells with this setting; A,B: one of them.")
