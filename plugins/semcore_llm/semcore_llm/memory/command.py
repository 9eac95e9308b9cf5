"""The command `memory`: collects records of runs for planners."""

from __future__ import annotations

from pathlib import Path

import click

from semcore import RunError
from semcore.commands import Place


@click.command("memory")
@click.argument("sources", nargs=-1, required=True, type=Place(exists=True))
@click.option(
    "--into",
    required=True,
    type=Place(dir_okay=False),
    help="The memory to add to; created if it does not exist.",
)
def command(sources: tuple[Path, ...], into: Path) -> None:
    """Add the records of SOURCES to a memory: runs with a planner or a knowledge base, or other
    memories.

    A memory holds one record per segment: scenario, plan, outcome and versions. Records that it
    already holds are not added again, so memories can be merged in any order and repeatedly.

    For example: semcore memory runs/pass --into mine.jsonl
    """
    from semcore_llm.memory.store import append, records_of, records_of_run

    lines = [
        line
        for source in sources
        for line in (records_of_run(source) if source.is_dir() else records_of(source))
    ]
    try:
        added = append(into, lines)
    except OSError as error:
        raise RunError(f"{into} cannot be written: {error.strerror}") from error
    click.echo(f"{into}: {added:,} of {len(lines):,} segments added")
