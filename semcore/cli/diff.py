"""`semcore diff`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from semcore.cli.select import Place, say
from semcore.runs.labels import Labels
from semcore.runs.results import readable
from semcore.wording.numbers import number

RUN = Place(exists=True, file_okay=False)
MOST = 8
"""Cells of one run alone that are listed."""


@click.command("diff")
@click.argument("first", type=RUN)
@click.argument("second", type=RUN)
def diff_command(first: Path, second: Path) -> None:
    """Show which settings differ between two runs, and how each metric changed.

    Differences are paired: over the samples that both runs have, with a 95 % interval.
    """
    from rich.console import Console

    from semcore.analysis.compare import diff
    from semcore.render.columns import columns

    with readable(first, second):
        found = diff(first, second)
    # tables are as wide as they need
    console = Console(highlight=False, soft_wrap=True, width=1000)

    if found.settings:
        rows = [[path, *pair] for path, pair in found.settings.items()]
        console.print(columns(["setting", str(first), str(second)], rows, 3), crop=False)
    else:
        console.print("No setting differs.")
    labels = Labels.among(
        [*found.alone[0], *found.alone[1], *(change.settings for change in found.changes)]
    )
    for folder, cells in zip((first, second), found.alone, strict=True):
        if cells:
            listed = "; ".join(labels.of(settings) for settings in cells[:MOST])
            say(f"\nOnly {folder} has: {listed}{' …' if len(cells) > MOST else ''}")
    changed = [change for change in found.changes if change.first != change.second or change.reason]
    if changed:
        console.print()
        rows = [
            [
                labels.of(change.settings),
                f"{change.metric} [{change.unit}]" if change.unit else change.metric,
                number(change.first),
                number(change.second),
                change.reason or _signed(vars(change.difference)),
            ]
            for change in changed
        ]
        console.print(
            columns(["at", "metric", str(first), str(second), "difference"], rows, 2), crop=False
        )
        half = "± half-width of its 95 % interval"
        console.print(f"difference: over the samples in both, {half}, or \\[low, high]")
    pairs = len({str(change.settings) for change in found.changes})
    console.print(f"\n{found.same} of {pairs} cells are the same, every byte of their results.")


def _signed(estimate: Mapping[str, Any]) -> str:
    """A difference with its sign and interval."""
    mean, low, high = estimate["mean"], estimate["low"], estimate["high"]
    if mean is None:
        return "no pair of samples with an error"
    shown = f"+{number(mean)}" if mean > 0 else number(mean)
    if low is None or high is None:
        return shown
    even = math.isclose(high - mean, mean - low, rel_tol=1e-6)
    return f"{shown} ±{number(high - mean)}" if even else f"{shown} [{number(low)}, {number(high)}]"
