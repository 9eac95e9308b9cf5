"""`semcore verify`."""

from __future__ import annotations

from pathlib import Path

import click

from semcore.cli.select import Place, say
from semcore.wording.plural import plural


@click.command("verify")
@click.argument("run", type=Place(exists=True, file_okay=False))
@click.option(
    "--discard",
    is_flag=True,
    help="Remove damaged cells, so that the command of the run computes them again.",
)
def verify_command(run: Path, discard: bool) -> int:
    """Check every byte of RUN against the digests that were written with it.

    Exit code 1 if anything is damaged or missing.
    """
    from semcore.runs import verify
    from semcore.runs.results import readable

    with readable(run):
        verdict = verify.verify(run)
    for fault in verdict.faults:
        say(f"{run / fault.path}: {fault.what}")
    missing = f", {verdict.missing} not computed" if verdict.missing else ""
    whole, faults = plural(verdict.whole, "cell"), plural(len(verdict.faults), "fault")
    say(f"{run}: {whole} whole{missing}, {faults}")
    if verdict.faults and discard:
        removed = verify.discard(verdict, run)
        say(f"Removed: {removed}. The command that made the run computes them again.")
    elif verdict.faults:
        discard_first = "semcore verify --discard, then the command that made the run"
        say(f"Repair: {discard_first}; or a copy of the run that is whole.")
    return 1 if verdict.faults or verdict.missing else 0
