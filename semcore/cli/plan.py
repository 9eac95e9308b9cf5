"""`plan`."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from semcore.cli.run import OVERRIDES, PIPELINE
from semcore.errors import ConfigError, RunError, SemcoreError, shown

if TYPE_CHECKING:
    from semcore.config.experiment import Experiment
    from semcore.session import Segment


@click.command("plan")
@PIPELINE
@OVERRIDES
@click.option("--segments", type=click.IntRange(1), default=1, show_default=True, help="How many segments of the session.")
@click.option("--planner", "only", multiple=True, metavar="NAME", help="Only planners of this name; may be given again.")
def plan_command(pipeline: Path, overrides: tuple[str, ...], segments: int, only: tuple[str, ...]) -> None:
    """Show what each installed planner would do with PIPELINE's scenario, and why.

    A planner that the file sets up is taken as it is there, any other with its defaults. The segments are sent, for what
    became of one is known before the next, but nothing is measured and nothing kept.

    For example: semcore plan examples/satellite_pass.yaml --planner lookup --planner search
    """
    from semcore.config.experiment import load

    experiment = load(pipeline, overrides)
    planners = [(settings["use"], settings) for settings in _planners(experiment)]
    if unknown := set(only) - {name for name, _ in planners}:
        raise RunError(f"no planner {shown(min(unknown))} is installed; there are {', '.join(dict(planners))}")
    for name, settings in planners:
        if not only or name in only:
            click.echo(_title(settings))
            try:
                for segment in _segments(experiment, settings, segments):
                    click.echo(_told(segment))
            except ConfigError as error:
                click.echo(f"  cannot plan here: {error.problems[0].message}")
            except SemcoreError as error:
                click.echo(f"  cannot plan here: {error}")


def _planners(experiment: Experiment) -> Iterator[dict[str, Any]]:
    """The settings of every planner: those of the file, then the others that are installed."""
    from semcore import registry
    from semcore.component import plain

    written = [experiment.resolve(cell).planner for cell in experiment.cells]
    found = {repr(plain(planner)): plain(planner) for planner in written if planner is not None}
    yield from found.values()
    named = {settings["use"] for settings in found.values()}
    yield from ({"use": name} for name in registry.names("planner") if name not in named)


def _segments(experiment: Experiment, planner: Mapping[str, Any], count: int) -> Iterator[Segment]:
    """The first segments of the first cell's session, with another planner."""
    from semcore.cache import Cache
    from semcore.config.experiment import Cell
    from semcore.evaluate import session
    from semcore.run import load
    from semcore.threads import limited

    first = experiment.cells[0]
    cell = Cell(first.index, {**first.settings, "planner": dict(planner)})
    setup = experiment.resolve(cell)
    with tempfile.TemporaryDirectory(prefix="semcore-") as folder, limited(setup.threads):
        yield from itertools.islice(session(experiment, cell, load(setup.source)[0], Cache(Path(folder))), count)


def _title(settings: Mapping[str, Any]) -> str:
    """The planner, with what tells it apart from its defaults."""
    from dataclasses import fields

    from semcore import registry
    from semcore.component import plain, required
    from semcore.fields import default

    cls = registry.load("planner", settings["use"])
    usual = {field.name: plain(default(field)) for field in fields(cls) if not required(field)}
    told = [f"{name}: {_written(value)}" for name, value in settings.items() if name != "use" and usual.get(name) != value]
    return f"{settings['use']} ({', '.join(told)})" if told else settings["use"]


def _written(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_written(item)}" for name, item in value.items()) + "}"
    return "[" + ", ".join(map(_written, value)) + "]" if isinstance(value, list) else str(value)


def _told(segment: Segment) -> str:
    plan = ", ".join(f"{path} = {shown(value)}" for path, value in segment.plan.overrides.items()) or "as written"
    snr = segment.scenario.link.get("snr_db")
    link = "" if snr is None else f" ({snr:.1f} dB)"
    arrived = dict(segment.in_force) == dict(segment.plan.overrides)
    lost = "" if arrived else "\n    ! its signalling was lost: the old plan stays"
    reasons = "".join(f"\n    - {reason}" for reason in segment.plan.reasons)
    return f"  segment {segment.index}{link}: {plan}{lost}{reasons}"
