"""Arguments and options that the commands that read runs share, and their output."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from semcore.wording.redaction import printable


class Place(click.Path):
    """A path on the command line.

    An empty path, as of an unset shell variable, is refused: it would mean the current folder.
    """

    def __init__(self, **how: Any) -> None:
        super().__init__(path_type=Path, **how)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse an empty text."""
        if value == "":
            self.fail("is empty: name a file or a folder ('.' is this folder)", param, ctx)
        return super().convert(value, param, ctx)


_RUNS = click.argument("runs", type=Place(), nargs=-1, required=True, metavar="RUN...")
WHERE = click.option(
    "--where",
    multiple=True,
    metavar="PATH=VALUE",
    help="Only cells with this setting; A,B: one of them.",
)

HOOKS = click.option(
    "--hooks",
    multiple=True,
    metavar="NAME",
    help="A hook plugin that is called, too: mlflow, or '{use: mlflow, experiment: x}'.",
)


def hooks_read(texts: Sequence[str]) -> list[Any]:
    """What the options `--hooks` name: a name, a mapping with `use`, or a list of them, each."""
    from semcore.config.paths import read_override

    read = [read_override(f"hooks={text}").value for text in texts]
    return [one for value in read for one in (value if isinstance(value, list) else [value])]


def RUNS(command: Callable[..., Any]) -> Callable[..., Any]:  # noqa: N802 - a decorator beside WHERE
    """The runs that a command reads; damaged ones end it with one line."""

    @functools.wraps(command)
    def reading(*, runs: tuple[Path, ...], **others: Any) -> Any:
        from semcore.runs.results import readable

        with readable(*runs):
            return command(runs=runs, **others)

    return _RUNS(reading)


def say(text: object, end: str = "\n", err: bool = False) -> None:
    """Print text that may come from a run, without control characters."""
    click.echo(printable(f"{text}{end}"), nl=False, err=err)


def write_figure(files: Mapping[str, bytes], out: Path | None, run: Path, name: str) -> None:
    """Write the files of a figure beside each other, and print their paths.

    Args:
        files: content by ending
        out: their path without ending, or with one of the endings; None: in the figures of `run`
        run: folder of a run
        name: of the figure, without `out`; characters that a file name cannot have are replaced
    """
    from semcore.runs.files import beneath, file_name
    from semcore.storage import write, write_output

    if out is None:
        base = beneath(run, f"figures/{file_name(name)}")
    else:
        base = out.with_suffix("") if out.suffix.removeprefix(".") in files else out
    for ending, data in files.items():
        path = base.with_name(f"{base.name}.{ending}")
        (write if out is None else write_output)(path, data)
        say(path)
