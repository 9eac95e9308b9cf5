"""`semcore list`."""

from __future__ import annotations

import collections
import difflib

import click

from semcore.entrypoints import naming
from semcore.errors import SemcoreError
from semcore.plugins import packages


@click.command("list")
@click.argument("kind", required=False)
def list_command(kind: str | None) -> None:
    """List what is installed: all kinds, or the components of one KIND."""
    if kind is not None and kind not in naming.KINDS:
        near = difflib.get_close_matches(kind, naming.KINDS, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"kinds are {', '.join(naming.KINDS)}"
        raise SemcoreError(f"there is no kind {kind!r}; {hint}")
    for one in [kind] if kind else naming.KINDS:
        entries = naming.installed(one)
        if not entries and not kind:
            continue
        click.secho(one, bold=True)
        width = max((len(entry.name) for entry in entries), default=0)
        given = collections.Counter(entry.name for entry in entries)
        for entry in entries:
            clash = f"  [{entry.package} {entry.version}]" if given[entry.name] > 1 else ""
            click.echo(f"  {entry.name:<{width}}  {packages.describe(entry)}{clash}".rstrip())
        if not entries:
            click.echo("  nothing is installed")
