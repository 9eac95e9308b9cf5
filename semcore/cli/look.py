"""`list` and `show`: what there is, without importing what need not be imported."""

from __future__ import annotations

import collections
import difflib

import click

from semcore.component import fields
from semcore.entrypoints import discovery
from semcore.errors import PluginError, SemcoreError
from semcore.plugins import packages, registry


@click.command("list")
@click.argument("kind", required=False)
def list_command(kind: str | None) -> None:
    """List what is installed: all kinds, or the components of one KIND."""
    if kind is not None and kind not in registry.KINDS:
        near = difflib.get_close_matches(kind, registry.KINDS, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"kinds are {', '.join(registry.KINDS)}"
        raise SemcoreError(f"there is no kind {kind!r}; {hint}")
    for one in [kind] if kind else registry.KINDS:
        entries = registry.installed(one)
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


@click.command("show")
@click.argument("name")
def show_command(name: str) -> None:
    """Show the component NAME (or KIND:NAME): what it does, its fields with defaults and units, its source."""
    kind, _, bare = name.rpartition(":")
    kinds = [one for one in registry.KINDS if (not kind or one == kind) and registry.find(one, bare) is not None]
    if not kinds:
        known = sorted({one for group in registry.KINDS for one in registry.names(group)})
        close = difflib.get_close_matches(bare, known, 1)
        hint = f"did you mean {close[0]!r}?" if close else "semcore list shows what is installed"
        hint = next(filter(None, (discovery.left_out(one, bare) for one in registry.KINDS)), hint)
        raise PluginError(f"nothing installed is called {name!r}; {hint}")
    for index, one in enumerate(kinds):
        if index:
            click.echo()
        show(one, bare)


def show(kind: str, name: str) -> None:
    """Print what a component does, its fields with defaults and units, and its source."""
    cls = registry.load(kind, name)
    package, version = registry.provider(kind, name)
    click.secho(f"{name}", bold=True, nl=False)
    click.echo(f"  ({kind} of {package} {version})" if package else f"  ({kind})")
    click.echo(fields.description(cls))
    described = fields.fields_of(cls)
    if described:
        click.echo("\nFields:")
    for field in described:
        default = "required" if field.default is None else f"default {field.default}"
        click.secho(f"  {field.name}", bold=True, nl=False)
        click.echo(f"  {field.type}{f', {field.unit}' if field.unit else ''}, {default}")
        if field.doc:
            click.echo(click.wrap_text(field.doc, 100, "      ", "      "))
    if cls.reference:
        click.echo(f"\nSource: {cls.reference}")
    if cls.cites:
        click.echo(f"{'' if cls.reference else chr(10)}Cite: {', '.join(cls.cites)}")
    if cls.licences:
        click.echo(f"{'' if cls.reference or cls.cites else chr(10)}Licences: {'; '.join(cls.licences)}")
    if cls.genie:
        click.echo("\nThis is a genie: it knows what an honest receiver could not.")
