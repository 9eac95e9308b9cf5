"""The command line. Each command is a module of its own, imported when it is called; `--help`
imports none of them."""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import sys
from typing import Any, NoReturn

import click

from semcore import children, supervisor
from semcore.entrypoints import discovery
from semcore.entrypoints.discovery import COMMAND
from semcore.errors import ConfigError, SemcoreError
from semcore.wording.redaction import guard_streams, printable

COMMANDS = {
    "run": ("semcore.cli.run", "Send a pipeline's samples and measure what arrives."),
    "check": ("semcore.cli.run", "Check a pipeline file, and change nothing."),
    "fetch": (
        "semcore.cli.fetch",
        "Download what a pipeline needs of a hub: models and data sets.",
    ),
    "list": ("semcore.cli.list", "List what is installed, by kind."),
    "show": ("semcore.cli.show", "Show a component: fields, units, defaults, source."),
    "plugins": (
        "semcore.cli.plugins",
        "List the plugin packages; `plugins doctor` finds broken ones.",
    ),
    "new": ("semcore.cli.new", "Write a plugin package to start from, one that works."),
    "conform": ("semcore.cli.conform", "Try a package against the laws of its interfaces."),
    "verify": ("semcore.cli.verify", "Check every byte of a run."),
    "merge": ("semcore.cli.merge", "Merge runs of several machines."),
    "diff": ("semcore.cli.diff", "Show what differs between two runs: settings and metrics."),
    "report": ("semcore.cli.report", "Write a run as one self-contained page."),
    "play": ("semcore.cli.play", "Open what one cell of a run made, in the browser."),
    "plot": ("semcore.cli.plot", "Draw a run as a figure for a paper: PDF, PNG, CSV and caption."),
    "timeline": ("semcore.cli.timeline", "Draw sessions over their segments, a line a planner."),
    "frames": ("semcore.cli.frames", "Draw frames that the cells of a run made, below the source."),
    "table": ("semcore.cli.table", "Write a run as a table: Markdown, LaTeX or CSV."),
    "export": ("semcore.cli.export", "Write the results as data: CSV, Parquet, or for CompressAI."),
    "cite": ("semcore.cli.cite", "Print the BibTeX of every component that a run used."),
    "cp": ("semcore.cli.cp", "Copy an example that an installed package ships."),
    "schema": (
        "semcore.cli.schema",
        "Write the JSON Schema by which an editor completes pipelines.",
    ),
    "plan": ("semcore.cli.plan", "Show what each planner would do with a pipeline, and why."),
    "graph": ("semcore.cli.graph", "Draw a pipeline as a block diagram (SVG)."),
    "profile": (
        "semcore.cli.profile",
        "Measure what a pipeline costs: parameters, FLOPs, seconds, memory.",
    ),
    "train": ("semcore.cli.train", "Train shipped weights by their recipe."),
    "push": ("semcore.cli.push", "Publish weights and their card on a hub, or in a folder."),
    "models": ("semcore.cli.train", "List the shipped models with their cards."),
}
"""Verb -> its module and its line in the help."""
NOT_WRITTEN = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EEXIST, errno.EISDIR}
"""What can only go wrong while something is written."""


class Commands(click.Group):
    """A group whose commands are imported when called; third parties' commands are entry points in
    `semcore.command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Our commands in their order, then those of plugins; of two with one name ours is the one
        that is called."""
        return [*COMMANDS, *sorted(discovery.entries(COMMAND).keys() - COMMANDS.keys())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name in COMMANDS:
            return getattr(importlib.import_module(COMMANDS[cmd_name][0]), f"{cmd_name}_command")
        if entry := discovery.find(COMMAND, cmd_name):
            from semcore.plugins.packages import command

            return command(entry)
        if hint := discovery.left_out(COMMAND, cmd_name):
            ctx.fail(f"No such command {cmd_name!r}; {hint}")
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands with their lines, those of plugins with their packages, without importing
        them."""
        with formatter.section("Commands"):
            formatter.write_dl([(command, line) for command, (_, line) in COMMANDS.items()])
        foreign = {
            command: discovery.entries(COMMAND)[command]
            for command in self.list_commands(ctx)
            if command not in COMMANDS
        }
        if foreign:
            with formatter.section("Commands of plugins"):
                formatter.write_dl(
                    [
                        (command, " and ".join(one.package for one in found))
                        for command, found in foreign.items()
                    ]
                )


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="semcore")
def cli() -> None:
    """semcore: generative semantic communication, composed in YAML.

    Start with `semcore run examples/llm_image_uma.yaml`.
    """


def main(arguments: list[str] | None = None) -> None:
    """Entry point: errors that a user can fix are printed without a traceback, with exit status
    2."""
    # a command of its own, and not called by a program that has loaded who knows what
    if arguments is None:
        supervisor.take_over()
    code: Any = 1
    try:
        _main(arguments)
    except SystemExit as error:
        code = error.code
        raise
    finally:
        supervisor.ended(code if isinstance(code, int) else 0 if code is None else 1)


def _main(arguments: list[str] | None) -> NoReturn:
    guard_streams()
    children.tolerate_broken_metadata()
    discovery.be_cautious()
    # spinning threads slow a busy machine down tenfold
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        result: Any = cli.main(args=arguments, standalone_mode=False)
        sys.exit(result if isinstance(result, int) else 0)
    except SemcoreError as error:
        click.echo(
            printable(str(error) if isinstance(error, ConfigError) else f"error: {error}"), err=True
        )
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        if (
            isinstance(error, click.MissingParameter)
            and error.param is not None
            and error.param.name == "pipeline"
        ):
            click.echo(
                "Hint: semcore cp lists the examples that there are to start from, and "
                "copies them.",
                err=True,
            )
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo(
            f"\ninterrupted; this goes on where it stopped:\n  {_command(arguments)}", err=True
        )
        sys.exit(130)
    except BrokenPipeError:
        _give_up_output()
        sys.exit(0)
    except (
        OSError
    ) as error:  # a full disk, a folder that may not be written, a file that was taken away
        _give_up_output()
        click.echo(printable(f"error: {_of_system(error)}"), err=True)
        sys.exit(2)


def _of_system(error: OSError) -> str:
    """What the operating system refuses, in one line."""
    what = "cannot be written" if error.errno in NOT_WRITTEN else "cannot be read or written"
    names = " and ".join(
        str(name) for name in (error.filename, error.filename2) if name is not None
    )
    return f"{names or 'a file'} {what}: {error.strerror or ' '.join(str(error).split())}"


def _give_up_output() -> None:
    """Let what is left of the output go: where it went can take no more, and Python would complain
    once again at the end."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _command(arguments: list[str] | None) -> str:
    import shlex

    return shlex.join(["semcore", *(sys.argv[1:] if arguments is None else arguments)])
