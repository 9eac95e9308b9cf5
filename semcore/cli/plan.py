"""`plan`."""

from __future__ import annotations

import functools
import itertools
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from semcore.children import IMPORT, Death, Limits, attempt
from semcore.cli.run import OVERRIDES, PIPELINE
from semcore.entrypoints.discovery import one_line
from semcore.errors import ConfigError, RunError, SemcoreError, shown

if TYPE_CHECKING:
    from semcore.config.configuration import Configuration
    from semcore.planning.session import Segment


@click.command("plan")
@PIPELINE
@OVERRIDES
@click.option(
    "--segments",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="How many segments of the session.",
)
@click.option(
    "--planner",
    "only",
    multiple=True,
    metavar="NAME",
    help="Only planners of this name; may be given again.",
)
@click.option("--timeout", type=click.FloatRange(0.1), default=600.0, show_default=True,
              help="Seconds that a planner may take for a segment.")  # fmt: skip
def plan_command(
    pipeline: Path, overrides: tuple[str, ...], segments: int, only: tuple[str, ...], timeout: float
) -> None:
    """Show what each installed planner would do with PIPELINE's scenario, and why.

    A planner that the file sets up is taken as it is there, any other with its defaults. The
    segments are sent, for what became of one is known before the next, but nothing is measured and
    nothing kept. Planners work in a child process: one that crashes or hangs hurts only itself.

    For example: semcore plan examples/satellite_pass.yaml --planner lookup --planner search
    """
    from semcore.config.configuration import load

    configuration = load(pipeline, overrides)
    planners = [(settings["use"], settings) for settings in _planners(configuration)]
    if unknown := set(only) - {name for name, _ in planners}:
        raise RunError(
            f"no planner {shown(min(unknown))} is installed; there are {', '.join(dict(planners))}"
        )
    chosen = [settings for name, settings in planners if not only or name in only]
    called = [str(pipeline), list(overrides)]
    usable = []
    for index, value in attempt(
        "semcore.cli.plan:titles", [[*called, settings] for settings in chosen], IMPORT
    ):
        if isinstance(value, Death) or "problem" in value:
            reason = (
                f"it {value.during('when it is imported')}"
                if isinstance(value, Death)
                else value["problem"]
            )
            click.echo(f"{chosen[index]['use']}\n  cannot plan here: {reason}")
        else:
            usable.append((chosen[index], value["title"]))
    tasks = [[*called, settings, title, segments] for settings, title in usable]
    for _, value in attempt(
        "semcore.cli.plan:plans", tasks, Limits(timeout, first_s=max(timeout, Limits.seconds))
    ):
        click.echo(f"  cannot plan here: it {value}" if isinstance(value, Death) else value)


def titles(task: Any) -> Iterator[dict[str, str]]:
    """The planner of some settings in words, once it is imported; in a child."""
    pipeline, overrides, settings = task
    try:
        _loaded(pipeline, tuple(overrides))
        yield {"title": _title(settings)}
    except (Exception, SystemExit) as error:  # whatever somebody else's planner raises
        yield {"problem": _problem(error)}


def plans(task: Any) -> Iterator[str]:
    """What a planner does in each segment, line by line; in a child."""
    pipeline, overrides, settings, title, count = task
    try:
        import torch  # noqa: F401  its seconds are no planner's

        configuration = _loaded(pipeline, tuple(overrides))
        yield title
        for segment in _segments(configuration, settings, count):
            yield _changed(segment)
    except (Exception, SystemExit) as error:
        yield f"  cannot plan here: {_problem(error)}"


@functools.cache
def _loaded(pipeline: str, overrides: tuple[str, ...]) -> Configuration:
    from semcore.config.configuration import load

    return load(Path(pipeline), overrides)


def _problem(error: BaseException) -> str:
    """Why a planner cannot plan, in one line."""
    if isinstance(error, ConfigError):
        return error.problems[0].message
    return str(error) if isinstance(error, SemcoreError) else one_line(error)


def _planners(configuration: Configuration) -> Iterator[dict[str, Any]]:
    """The settings of every planner: those of the file, then the others that are installed."""
    from semcore.component.base import plain
    from semcore.entrypoints import naming

    written = [configuration.resolve(cell).planner for cell in configuration.cells]
    found = {repr(plain(planner)): plain(planner) for planner in written if planner is not None}
    yield from found.values()
    named = {settings["use"] for settings in found.values()}
    yield from ({"use": name} for name in naming.names("planner") if name not in named)


def _segments(
    configuration: Configuration, planner: Mapping[str, Any], count: int
) -> Iterator[Segment]:
    """The first segments of the first cell's session, with another planner."""
    from semcore.config.configuration import Cell
    from semcore.runs.cache import Cache
    from semcore.runs.cell import cell_session
    from semcore.runs.sources import load
    from semcore.runs.threads import limited

    first = configuration.cells[0]
    cell = Cell(first.index, {**first.settings, "planner": dict(planner)})
    setup = configuration.resolve(cell)
    limits = limited(setup.threads, setup.device)
    with tempfile.TemporaryDirectory(prefix="semcore-") as folder, limits:
        yield from itertools.islice(
            cell_session(configuration, cell, load(setup.source)[0], Cache(Path(folder))), count
        )


def _title(settings: Mapping[str, Any]) -> str:
    """The planner, with what tells it apart from its defaults."""
    from dataclasses import fields

    from semcore.component.base import plain, required
    from semcore.config.fields import default
    from semcore.plugins import registry

    cls = registry.load("planner", settings["use"])
    usual = {field.name: plain(default(field)) for field in fields(cls) if not required(field)}
    changed = [
        f"{name}: {_written(value)}"
        for name, value in settings.items()
        if name != "use" and usual.get(name) != value
    ]
    return f"{settings['use']} ({', '.join(changed)})" if changed else settings["use"]


def _written(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_written(item)}" for name, item in value.items()) + "}"
    return "[" + ", ".join(map(_written, value)) + "]" if isinstance(value, list) else str(value)


def _changed(segment: Segment) -> str:
    plan = (
        ", ".join(f"{path} = {shown(value)}" for path, value in segment.plan.overrides.items())
        or "as written"
    )
    snr = segment.scenario.link.get("snr_db")
    link = "" if snr is None else f" ({snr:.1f} dB)"
    arrived = dict(segment.in_force) == dict(segment.plan.overrides)
    lost = "" if arrived else "\n    ! its signalling was lost: the old plan stays"
    reasons = "".join(f"\n    - {reason}" for reason in segment.plan.reasons)
    return f"  segment {segment.index}{link}: {plan}{lost}{reasons}"
