"""`list` and `show`: what there is, without importing what need not be imported."""

from __future__ import annotations

import collections
import dataclasses
import difflib
from typing import Any, get_args, get_origin

import click

from semcore import discovery, plugins, registry
from semcore.component import Component, documentation, field_types, plain, unit_of
from semcore.errors import PluginError, SemcoreError


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
            click.echo(f"  {entry.name:<{width}}  {plugins.describe(entry)}{clash}".rstrip())
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
        _show(one, bare)


def _show(kind: str, name: str) -> None:
    cls = registry.load(kind, name)
    package, version = registry.provider(kind, name)
    click.secho(f"{name}", bold=True, nl=False)
    click.echo(f"  ({kind} of {package} {version})" if package else f"  ({kind})")
    text = (cls.__doc__ or "").split("Fields:")[0].rstrip()
    click.echo(_dedent(text))
    docs = documentation(cls)
    fields = dataclasses.fields(cls)
    if fields:
        click.echo("\nFields:")
    types = field_types(cls)
    for field in fields:
        unit = unit_of(field.name)
        default = "required" if _required(field) else f"default {written(_default(field))}"
        click.secho(f"  {field.name}", bold=True, nl=False)
        click.echo(f"  {type_name(types[field.name])}{f', {unit}' if unit else ''}, {default}")
        if docs.get(field.name):
            click.echo(click.wrap_text(docs[field.name], 100, "      ", "      "))
    if cls.reference:
        click.echo(f"\nSource: {cls.reference}")
    if cls.genie:
        click.echo("\nThis is a genie: it knows what an honest receiver could not.")


def _required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else None


def written(value: Any) -> str:
    """A value as YAML would write it."""
    value = plain(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, float):
        return f"{value:g}"
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    return str(value) or '""'


def type_name(annotation: Any) -> str:
    """An annotation as a user would say it."""
    import types
    import typing

    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is typing.Annotated:
        bounds = [_bound(item) for item in arguments[1:]]
        return " ".join([type_name(arguments[0]), *(bound for bound in bounds if bound)])
    if origin is typing.Literal:
        return " | ".join(map(repr, arguments))
    if origin in (typing.Union, types.UnionType):
        return " | ".join(type_name(item) for item in arguments)
    if origin is tuple:
        inner = ", ".join("..." if item is Ellipsis else type_name(item) for item in arguments)
        return f"[{inner}]"
    if origin is dict:
        return f"a mapping: {type_name(arguments[0])} → {type_name(arguments[1])}"
    if origin is not None:
        return f"{getattr(origin, '__name__', origin)} of {', '.join(type_name(item) for item in arguments)}"
    if annotation is type(None):
        return "nothing"
    if isinstance(annotation, type) and issubclass(annotation, Component):
        return f"a {annotation.kind}"
    return {"str": "text", "float": "number", "int": "whole number", "bool": "true or false", "Any": "any value"}.get(
        getattr(annotation, "__name__", str(annotation)), getattr(annotation, "__name__", str(annotation))
    )


def _bound(item: Any) -> str:
    for attribute, sign in (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<")):
        if getattr(item, attribute, None) is not None:
            return f"{sign} {getattr(item, attribute):g}"
    return ""


def _dedent(text: str) -> str:
    import inspect

    return inspect.cleandoc(text)
