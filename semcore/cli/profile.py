"""`profile`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from semcore.cli.run import OVERRIDES, PIPELINE
from semcore.cli.select import Place
from semcore.config.configuration import load

if TYPE_CHECKING:
    from semcore.runs.profile import Profile


@click.command("profile")
@PIPELINE
@OVERRIDES
@click.option(
    "--by",
    "paths",
    multiple=True,
    metavar="PATH",
    help="Swept settings "
    "that make "
    "lines; the rest "
    "stays at its "
    "first value.  [default: workflow, if it is swept]",
)
@click.option("--stages", is_flag=True, help="Split each line into the stages of the link.")
@click.option(
    "--repeat",
    type=click.IntRange(1),
    default=5,
    show_default=True,
    help="Samples by the clock; the median counts.",
)
@click.option("--out", type=Place(dir_okay=False), help="Write the figures as CSV, too.")
def profile_command(
    pipeline: Path,
    overrides: tuple[str, ...],
    paths: tuple[str, ...],
    stages: bool,
    repeat: int,
    out: Path | None,
) -> None:
    """Measure what PIPELINE costs to compute: one line for each workflow, each in a process of its
    own.

    FLOPs are those of matrix products, convolutions and attention for one sample; a multiplication
    and an addition are two. The first columns are of one more sample when everything is loaded,
    those after `first` of the very first, with loading and what is made once and kept (a candidate
    set). Memory is that of the process, at its peak and before the first sample.
    """
    from semcore.render.columns import columns, console
    from semcore.render.csv import as_csv
    from semcore.runs import profile
    from semcore.storage import write_output

    experiment = load(pipeline, overrides)
    by = list(paths) or [path for path in experiment.axes if path == "workflow"]
    found = profile.profiles(experiment, profile.different(experiment, by), repeat)
    rows = [row for one in found for row in _rows(one, by, stages)]
    left = len(by) + stages
    shown = [[str(value) for value in row.values()][:left] + _shown(row) for row in rows]
    console().print(columns([*list(rows[0])[:left], *HEADER], shown, left), crop=False)
    if out is not None:
        write_output(out, as_csv(rows).encode())
        click.echo(out)


def _rows(one: Profile, by: list[str], stages: bool) -> list[dict[str, Any]]:
    """The lines of one profile, by column: that of the whole pipeline, or one for each stage and
    then the whole."""
    costs = {**(one.stages if stages else {}), "total": one.total}
    memory = {"peak_mb": one.peak_mb, "idle_mb": one.idle_mb}
    return [
        {
            **{path: one.settings[path] for path in by},
            **({"stage": name} if stages else {}),
            **asdict(cost),
            **memory,
        }
        for name, cost in costs.items()
    ]


HEADER = ("parameters", "FLOPs", "seconds", "first: FLOPs", "seconds", "peak MiB", "at rest")


def _shown(row: dict[str, Any]) -> list[str]:
    """The numbers of a line as the terminal shows them."""
    return [
        *(_short(row[name]) for name in ("parameters", "flops")),
        f"{row['seconds']:.3g}",
        _short(row["first_flops"]),
        f"{row['first_s']:.3g}",
        *(f"{row[name]:.0f}" for name in ("peak_mb", "idle_mb")),
    ]


def _short(count: int) -> str:
    """7706000 as 7.71M."""
    power = min(4, max(0, (len(str(count)) - 1) // 3))
    return f"{count / 1000**power:.3g}{('', 'k', 'M', 'G', 'T')[power]}"
