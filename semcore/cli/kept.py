"""`verify`, `merge`, `diff`: what is done with runs that are on disk."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from semcore.cli.select import Place, say
from semcore.runs.labels import Labels
from semcore.runs.results import number, readable

RUN = Place(exists=True, file_okay=False)


@click.command("verify")
@click.argument("run", type=RUN)
@click.option("--discard", is_flag=True, help="Remove damaged cells, so that the command of the run computes them again.")
def verify_command(run: Path, discard: bool) -> int:
    """Check every byte of RUN against the digests that were written with it. Exit code 1 if anything is damaged or missing."""
    from semcore.runs.verify import discard as remove
    from semcore.runs.verify import verify

    with readable(run):
        verdict = verify(run)
    for fault in verdict.faults:
        say(f"{run / fault.path}: {fault.what}")
    missing = f", {verdict.missing} not computed" if verdict.missing else ""
    whole, faults = verdict.whole, len(verdict.faults)
    say(f"{run}: {whole} cell{'s' * (whole != 1)} whole{missing}, {faults} fault{'s' * (faults != 1)}")
    if verdict.faults and discard:
        say(f"Removed: {remove(verdict, run)}. The command that made the run computes them again.")
    elif verdict.faults:
        say("Repair: semcore verify --discard, then the command that made the run; or a copy of the run that is whole.")
    return 1 if verdict.faults or verdict.missing else 0


@click.command("merge")
@click.argument("runs", nargs=-1, required=True, type=RUN)
@click.option("-o", "--out", required=True, type=Place(), help="Folder of the united run.")
def merge_command(runs: tuple[Path, ...], out: Path) -> None:
    """Unite RUNS of one pipeline, computed on several machines or for other values of a sweep, in one run."""
    from semcore.runs.merge import merge

    with readable(*runs):
        done, total = merge(runs, out)
    rest = "" if done == total else f"; the command of any of its parts, with --out {out}, computes the others"
    say(f"{out}: {done} of {total} cells{rest}")


@click.command("diff")
@click.argument("first", type=RUN)
@click.argument("second", type=RUN)
def diff_command(first: Path, second: Path) -> None:
    """Say which settings differ between two runs, and what that did to each metric.

    Differences are paired: over the samples that both runs have, with a 95 % interval.
    """
    from rich.console import Console

    from semcore.analysis.compare import diff
    from semcore.cli.columns import columns

    with readable(first, second):
        found = diff(first, second)
    console = Console(highlight=False, soft_wrap=True, width=1000)  # a table of ours is no wider than it must be

    if found.settings:
        rows = [[path, *pair] for path, pair in found.settings.items()]
        console.print(columns(["setting", str(first), str(second)], rows, 3), crop=False)
    else:
        console.print("No setting differs.")
    labels = Labels.among([*found.alone[0], *found.alone[1], *(change.settings for change in found.changes)])
    for folder, cells in zip((first, second), found.alone, strict=True):
        if cells:
            say(f"\nOnly {folder} has: {'; '.join(labels.of(one) for one in cells[:8])}{' …' * (len(cells) > 8)}")
    changed = [change for change in found.changes if change.first != change.second or change.reason]
    if changed:
        console.print()
        rows = [
            [labels.of(one.settings), f"{one.metric} [{one.unit}]" if one.unit else one.metric, number(one.first),
             number(one.second), one.reason or _signed(vars(one.difference))]
            for one in changed
        ]  # fmt: skip
        console.print(columns(["at", "metric", str(first), str(second), "difference"], rows, 2), crop=False)
        console.print("difference: of the samples that both have, ± half-width of its 95 % interval, or \\[low, high]")
    pairs = len({str(change.settings) for change in found.changes})
    console.print(f"\n{found.same} of {pairs} cells are the same, every byte of their results.")


def _signed(found: Mapping[str, Any]) -> str:
    """A difference with its sign and interval."""
    mean, low, high = found["mean"], found["low"], found["high"]
    if mean is None:
        return "no pair of samples with an error"
    shown = f"{'+' * (mean > 0)}{number(mean)}"
    if low is None or high is None:
        return shown
    even = math.isclose(high - mean, mean - low, rel_tol=1e-6)
    return f"{shown} ±{number(high - mean)}" if even else f"{shown} [{number(low)}, {number(high)}]"
