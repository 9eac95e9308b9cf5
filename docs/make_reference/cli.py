"""The page of the command line: every command, read from click."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click
from prose import cell, code, escaped, fence, page, slug, table

from semcore import cli
from semcore.config.fields import written

INTRODUCTION = """\
# Command line

Every command of `semcore`, generated from its help by `make docs`. `semcore --help` lists the
commands, with those of other installed packages; `-h` or `--help` after a command shows its help;
`semcore --version` shows the version.

Exit code 0: done. 1: done, and something is amiss (a cell failed, a run is damaged or incomplete).
2: nothing was done, and the message says what to fix. 130: interrupted."""

NAMES = {"text": "TEXT", "integer": "N", "integer range": "N", "float": "X", "float range": "X",
         "path": "PATH", "file": "PATH", "directory": "PATH", "filename": "PATH"}  # fmt: skip
"""What click calls a type, and what the value of an option is called here."""
OWN = ("help", "version")
"""Options that click adds everywhere."""


def text() -> str:
    """The page."""
    commands = [pair for command in cli.COMMANDS for pair in _commands(cli.cli, (command,))]
    rows = [
        [f"[`{command}`](#{slug(f'semcore {command}')})", escaped(line)]
        for command, (_, line) in cli.COMMANDS.items()
    ]
    return page(
        INTRODUCTION,
        table(["command", "what it does"], rows),
        *(_verb(path, command) for path, command in commands),
    )


def _commands(
    group: click.Group, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """A command and those below it, with the words that call them."""
    context = click.Context(group)
    command = group.get_command(context, path[-1])
    if command is None or command.hidden:
        return
    yield path, command
    if isinstance(command, click.Group):
        for name in sorted(command.list_commands(context)):
            yield from _commands(command, (*path, name))


def _verb(path: tuple[str, ...], command: click.Command) -> str:
    options = [
        one
        for one in command.params
        if isinstance(one, click.Option) and one.name not in OWN and not one.hidden
    ]
    arguments = [one for one in command.params if isinstance(one, click.Argument)]
    words = ["semcore", *path, *["[OPTIONS]"] * bool(options), *map(_argument, arguments)]
    if isinstance(command, click.Group):
        words.append("[COMMAND]..." if command.invoke_without_command else "COMMAND...")
    rows = [[_flags(one), cell(_sentence(one)), _range(one), _default(one)] for one in options]
    return page(
        f"{'#' * (len(path) + 1)} `semcore {' '.join(path)}`",
        fence(" ".join(words)),
        _help(command.help or ""),
        table(["option", "what for", "values", "default"], rows) if rows else "",
    ).rstrip()


def _help(text: str) -> str:
    """The help of a command; paragraphs that click does not wrap are kept verbatim."""
    paragraphs = re.split(r"\n\s*\n", inspect.cleandoc(text.split("\f")[0]))
    return page(
        *(fence(one.lstrip("\b\n")) if one.startswith("\b") else escaped(one) for one in paragraphs)
    ).rstrip()


def _argument(argument: click.Argument) -> str:
    if argument.metavar:
        return argument.metavar
    name = f"{(argument.name or '').upper()}{'' if argument.nargs == 1 else '...'}"
    return name if argument.required else f"[{name}]"


def _flags(option: click.Option) -> str:
    flags = ", ".join(sorted(option.opts, key=len))
    if option.is_flag or option.count:
        return code(
            f"{flags} / {', '.join(option.secondary_opts)}" if option.secondary_opts else flags
        )
    kind = option.type
    value = option.metavar or (
        "CHOICE" if isinstance(kind, click.Choice) else NAMES.get(kind.name, kind.name.upper())
    )
    return code(f"{flags} {value}") + (" (repeatable)" if option.multiple else "")


def _sentence(option: click.Option) -> str:
    """The help of an option, without a default at its end."""
    return re.sub(r"\s*\[default: .*\]$", "", option.help or "")


def _range(option: click.Option) -> str:
    kind = option.type
    if isinstance(kind, click.Choice):
        return ", ".join(code(str(choice)) for choice in kind.choices)
    if isinstance(kind, (click.IntRange, click.FloatRange)):
        low = f"{'>' if kind.min_open else '≥'} {written(kind.min)}" if kind.min is not None else ""
        high = (
            f"{'<' if kind.max_open else '≤'} {written(kind.max)}" if kind.max is not None else ""
        )
        return " ".join(
            filter(
                None, ("whole number" if isinstance(kind, click.IntRange) else "number", low, high)
            )
        )
    return ""


def _default(option: click.Option) -> str:
    if option.required:
        return "**required**"
    if found := re.search(r"\[default: (.*)\]$", option.help or ""):
        return cell(found[1])
    if isinstance(option.show_default, str):
        return cell(option.show_default)
    return (
        code(written(option.default))
        if option.show_default and not callable(option.default)
        else ""
    )
