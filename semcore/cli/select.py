"""What the verbs that read runs have in common: the runs, and which of their cells."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from semcore.wording.redaction import printable


class Place(click.Path):
    """A path on the command line; an empty one, of a shell variable that is not set, is not taken for this folder."""

    def __init__(self, **how: Any) -> None:
        super().__init__(path_type=Path, **how)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse an empty text."""
        if value == "":
            self.fail("is empty: name a file or a folder ('.' is this folder)", param, ctx)
        return super().convert(value, param, ctx)


_RUNS = click.argument("runs", type=Place(), nargs=-1, required=True, metavar="RUN...")
WHERE = click.option("--where", multiple=True, metavar="PATH=VALUE", help="Only cells with this setting; A,B: one of them.")


def RUNS(verb: Callable[..., Any]) -> Callable[..., Any]:  # noqa: N802 - a decorator beside WHERE
    """The runs that a verb reads; what is wrong with them ends it with one line."""

    @functools.wraps(verb)
    def reading(*, runs: tuple[Path, ...], **others: Any) -> Any:
        from semcore.runs.results import readable

        with readable(*runs):
            return verb(runs=runs, **others)

    return _RUNS(reading)


def say(text: object, end: str = "\n", err: bool = False) -> None:
    """Print what may quote a run: a terminal obeys nothing of it."""
    click.echo(printable(f"{text}{end}"), nl=False, err=err)


def write_figure(files: Mapping[str, bytes], out: Path | None, run: Path, name: str) -> None:
    """Write the files of a figure, by their endings, beside each other; their paths are told.

    Args:
        out: what the user called them, perhaps with one of the endings; None: among the figures of `run`
        name: of a figure of the run; what cannot stand in a file's name is replaced
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
