"""`run` and `check`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from semcore.cli.select import HOOKS, Place, hooks_read
from semcore.config.configuration import Configuration, load
from semcore.config.hook_plugins import hooks_of
from semcore.runs.labels import Labels
from semcore.wording.plural import plural

if TYPE_CHECKING:
    from pluggy import PluginManager

    from semcore.interfaces import Executor
    from semcore.runs.runner import Finished, Shard

PIPELINE = click.argument("pipeline", type=Place(readable=False))
OVERRIDES = click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")


@click.command("run")
@PIPELINE
@OVERRIDES
@click.option("--limit", type=click.IntRange(1), help="Number of samples to send (source.limit).")
@click.option("--out", type=Place(), help="Folder of the run.  [default: runs/NAME]")
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Processes that compute cells.",
)
@click.option(
    "--time-limit",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="Stop a cell that takes longer; it fails.",
)
@click.option(
    "--executor",
    metavar="NAME",
    help="Where cells are computed: ray, or '{use: ray, address: ...}'.  [default: --jobs]",
)
@click.option(
    "--shard",
    metavar="K/N",
    help="Compute only the K-th of N parts of the grid; semcore merge unites them.",
)
@click.option("--seed", type=click.IntRange(0), help="Seed of every random number.")
@click.option(
    "--batch-size",
    type=click.IntRange(1),
    help="Samples that are sent at a time; results do not depend on it.  [default: 64]",
)
@click.option(
    "--device",
    metavar="NAME",
    help="What networks compute on: auto, cpu, cuda, cuda:NUMBER or mps; results depend on it by "
    "rounding alone.  [default: cpu]",
)
@click.option(
    "--again", is_flag=True, help="Compute cells that are done once more, their stages included."
)
@HOOKS
@click.option("--dry-run", is_flag=True, help="Say what would be computed, and stop.")
@click.option(
    "--report/--no-report", default=True, help="Write report.html at the end.  [default: report]"
)
def run_command(
    pipeline: Path,
    overrides: tuple[str, ...],
    limit: int | None,
    out: Path | None,
    jobs: int,
    time_limit: float | None,
    executor: str | None,
    shard: str | None,
    seed: int | None,
    batch_size: int | None,
    device: str | None,
    again: bool,
    hooks: tuple[str, ...],
    dry_run: bool,
    report: bool,
) -> int:
    """Send the samples of PIPELINE and measure what arrives.

    KEY=VALUE changes a setting: channel.snr_db=3 sets one value, channel.snr_db=0:20:5 or
    channel.snr_db=0,3,6 sweeps. The same command goes on where an earlier one stopped. What is done
    is done again only where something that its numbers depend on has changed: settings, samples,
    source code, models, libraries.
    """
    changes = [*overrides]
    if limit is not None:
        changes.append(f"source.limit={limit}")
    if seed is not None:
        changes.append(f"seed={seed}")
    if batch_size is not None:
        changes.append(f"batch_size={batch_size}")
    if device is not None:
        changes.append(f"device={device}")
    configuration = load(pipeline, changes)
    folder = out or Path("runs") / configuration.name
    part = _shard(shard)
    if dry_run:
        return _dry_run(configuration, folder, part)
    chosen = _executor(executor, jobs, time_limit)
    called = hooks_of(configuration.document, hooks_read(hooks))
    return _run(configuration, folder, chosen, part, report, again, called)


def _executor(text: str | None, jobs: int, time_limit: float | None) -> Executor | None:
    """What computes the cells; None: this process."""
    from semcore.api.launch import executor_of
    from semcore.config.build import component
    from semcore.config.paths import read_override

    if text is None:
        return executor_of(None, jobs, time_limit)
    if jobs != 1 or time_limit is not None:
        raise click.UsageError(
            "--jobs and --time-limit are settings of the executor 'processes': '{use: "
            "processes, ...}'"
        )
    made: Executor = component(
        "executor", read_override(f"executor={text}").value, f"--executor {text}"
    )
    return made


def _shard(text: str | None) -> Shard:
    from semcore.runs.runner import Shard

    part, sign, of = (text or "1/1").partition("/")
    if not (sign and part.isdecimal() and of.isdecimal() and 1 <= int(part) <= int(of)):
        raise click.UsageError(
            f"--shard is written K/N with 1 ≤ K ≤ N, for example 1/2, not {text}"
        )
    return Shard(int(part), int(of))


def _dry_run(configuration: Configuration, folder: Path, shard: Shard) -> int:
    from semcore.component.digest import Digester
    from semcore.runs.identity import resolve
    from semcore.runs.results import read_result
    from semcore.runs.sources import inputs

    inputs(configuration)
    digester, labels = Digester(), Labels(configuration.axes)
    for cell in filter(shard.holds, configuration.cells):
        done = read_result(folder, resolve(configuration, cell, digester).id) is not None
        click.echo(f"{'done   ' if done else 'pending'}  {labels.of(cell.settings)}")
    return 0


def _run(
    configuration: Configuration,
    folder: Path,
    executor: Executor | None,
    shard: Shard,
    report: bool,
    again: bool,
    hooks: PluginManager,
) -> int:
    from semcore.render.progress import Progress, print_table
    from semcore.render.text import gaps, left_out
    from semcore.runs.results import read_run
    from semcore.runs.runner import run
    from semcore.wording.redaction import printable

    def written(folder: Path) -> Path:
        from semcore.render.page import write_report

        return write_report(folder)

    with Progress(Labels(configuration.axes)) as progress:
        hooks.register(progress)
        page = written if report else None
        finished = run(configuration, folder, hooks, executor, sys.argv[1:], shard, again, page)
    print_table(read_run(folder))
    results = [one for one in finished.results if one]
    for text in [*left_out(results), *gaps(results)]:
        click.echo(printable(text))
    if finished.computed == 0 and not finished.failures:
        _say_what_is_there(folder, finished)
    for reason in finished.failures:
        click.echo(f"error: a cell failed: {reason}", err=True)
    for complaint in finished.complaints:
        click.echo(f"error: {complaint}; no result depends on it", err=True)
    if finished.failures:
        click.echo(
            f"The tracebacks are in {folder}/cells/*/failure.json; the same command tries again.",
            err=True,
        )
    if finished.report:
        click.echo(f"Report: {finished.report}")
    return 1 if finished.failures or finished.complaints else 0


def _say_what_is_there(folder: Path, finished: Finished) -> None:
    from semcore.runs.provenance import stands_on

    done = [result for result in finished.results if result is not None]
    found = "the cell was" if len(done) == 1 else f"all {len(done)} cells were"
    click.echo(
        f"Nothing to do: {found} found done in {folder / 'cells'}, with the same samples, "
        "settings and seed, and with"
    )
    for line in stands_on(done):
        click.echo(f"  {line}")
    click.echo(
        "To compute again, add --again; to keep these results, too, name another folder with --out."
    )


@click.command("check")
@PIPELINE
@OVERRIDES
def check_command(pipeline: Path, overrides: tuple[str, ...]) -> None:
    """Check PIPELINE under the overrides: every problem at once, each with its place. Nothing is
    computed."""
    from semcore.component.digest import digest
    from semcore.render.text import left_out_in_words
    from semcore.runs.sources import inputs
    from semcore.wording.redaction import printable

    configuration = load(pipeline, overrides)
    left_out = inputs(configuration)
    count = len(configuration.cells)
    click.echo(f"{pipeline}: fine, {plural(count, 'cell')}")
    for path, values in configuration.axes.items():
        click.echo(f"  {path}: {', '.join(map(str, values))}")
    for one in left_out:
        click.echo(f"  {printable(left_out_in_words(len(one), one))}")
    built = {
        id(source): source
        for source in (configuration.resolve(cell).source for cell in configuration.cells)
    }
    sources = {digest(source): source for source in built.values()}
    for text in dict.fromkeys(text for source in sources.values() for text in source.remarks()):
        click.echo(f"  {printable(text)}")
