"""`semcore show`."""

from __future__ import annotations

import difflib
import sys

import click

from semcore.config import fields
from semcore.entrypoints import discovery, naming
from semcore.errors import PluginError
from semcore.plugins import registry


@click.command("show")
@click.argument("name")
def show_command(name: str) -> None:
    """Show a component by its NAME or KIND:NAME: what it does, its fields, its source."""
    kind, _, bare = name.rpartition(":")
    kinds = [
        one
        for one in naming.KINDS
        if (not kind or one == kind) and naming.find(one, bare) is not None
    ]
    if not kinds:
        known = sorted({one for group in naming.KINDS for one in naming.names(group)})
        close = difflib.get_close_matches(bare, known, 1)
        hint = f"did you mean {close[0]!r}?" if close else "semcore list shows what is installed"
        hint = next(filter(None, (discovery.left_out(one, bare) for one in naming.KINDS)), hint)
        raise PluginError(f"nothing installed is called {name!r}; {hint}")
    for index, one in enumerate(kinds):
        if index:
            click.echo()
        show(one, bare)


def show(kind: str, name: str) -> None:
    """Print what a component does, its fields with defaults and units, and its source."""
    cls = registry.load(kind, name)
    package, version = naming.provider(kind, name)
    click.secho(f"{name}", bold=True, nl=False)
    click.echo(f"  ({kind} of {package} {version})" if package else f"  ({kind})")
    if line := _import(cls, package):
        click.echo(line)
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
        click.echo(
            f"{'' if cls.reference or cls.cites else chr(10)}Licences: {'; '.join(cls.licences)}"
        )
    if cls.genie:
        click.echo("\nThis is a genie: it uses information that a real receiver does not have.")


def _import(cls: type, package: str) -> str:
    """The line of Python that imports a class, if it is offered by its installed package."""
    root = cls.__module__.partition(".")[0]
    offered = package and getattr(sys.modules.get(root), cls.__name__, None) is cls
    return f"from {root if offered else cls.__module__} import {cls.__name__}" if package else ""
