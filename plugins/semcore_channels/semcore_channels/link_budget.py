"""The command `link-budget`: the link budget of a channel, also over a satellite pass."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from semcore import RunError, shown
from semcore.commands import OVERRIDES, PIPELINE, Place
from semcore_channels.budget import HasBudget, Term

if TYPE_CHECKING:
    from semcore_channels.ntn.orbit import Site
    from semcore_channels.ntn.scenarios import Moment

FILE = Place(dir_okay=False)
STEP_S, MOST_MOMENTS = 20.0, 200
BARS = "▁▂▃▄▅▆▇█"
FORMATS = (
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%dT%H:%MZ",
    "%Y-%m-%d",
)
"""Formats of a time, always UTC."""


class _Coordinates(click.ParamType):
    """`LAT,LON` in degrees."""

    name = "LAT,LON"

    def convert(self, value: Any, param: Any, ctx: Any) -> Site:
        """A `Site`."""
        from semcore_channels.ntn.orbit import Site

        try:
            latitude, longitude = (float(part) for part in value.split(","))
        except ValueError:
            self.fail(f"{value!r} is not LAT,LON: two numbers in degrees, for example 39.9,116.4")
        if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
            self.fail(f"{value!r} is not on the earth: latitude -90..90, longitude -180..180")
        return Site(latitude, longitude)


@click.command("link-budget")
@PIPELINE
@OVERRIDES
@click.option(
    "--tle",
    type=FILE,
    help="Two-line elements of the satellite, or `illustration` (supplied).",
)
@click.option(
    "--satellite", help="Name or catalogue number of the satellite in a file of many; with --tle."
)
@click.option(
    "--site",
    "sites",
    multiple=True,
    type=_Coordinates(),
    help="Ground transmitter, then its receiver; with --tle.",
)
@click.option(
    "--at", type=click.DateTime(FORMATS), help="A time (UTC) within the pass; with --tle."
)
@click.option(
    "--highest",
    type=click.FloatRange(1, 90),
    default=90,
    help="Culmination of a circular pass, degrees.  [90]",
)
@click.option(
    "--lowest",
    type=click.FloatRange(0, 89),
    default=10,
    help="Elevation at which a pass begins and ends, degrees.  [10]",
)
@click.option(
    "--step",
    type=click.FloatRange(1, 3600),
    help="Time step in seconds.  [20; more for a pass of hours]",
)
@click.option("--plot", type=FILE, help="Draw the SNR over the pass: PNG, PDF or SVG.")
@click.option(
    "--scenarios", "out", type=FILE, help="Write the pass as a `scenario` section (YAML)."
)
def command(
    pipeline: Path,
    overrides: tuple[str, ...],
    tle: Path | None,
    satellite: str | None,
    sites: tuple[Site, ...],
    at: datetime | None,
    highest: float,
    lowest: float,
    step: float | None,
    plot: Path | None,
    out: Path | None,
) -> None:
    """Print the link budget of PIPELINE's channel in dB, for `satellite` also over a pass.

    The pass is that of a circular orbit at the channel's altitude, or of the elements in --tle over
    --site. For a pipeline with a sweep, the budget is that of the first point; `path=value` chooses
    another.

    For example: semcore link-budget satellite.yaml --highest 60 --plot pass.png
    """
    from semcore.commands import load

    experiment = load(pipeline, overrides)
    cell = experiment.cells[0]
    channel = experiment.resolve(cell).pipeline.channel
    if not isinstance(channel, HasBudget):
        raise RunError(
            f"the channel {type(channel).__name__} has no link budget. "
            "Those of semcore-channels have one, for example `satellite`"
        )
    if len(experiment.cells) > 1:
        settings = ", ".join(f"{path}={shown(value)}" for path, value in cell.settings.items())
        click.echo(
            f"the first of {len(experiment.cells)} points of the sweep: {settings} "
            "(choose another by path=value)\n"
        )
    click.echo(_table(channel.budget()))
    from semcore_channels.ntn import orbit
    from semcore_channels.ntn.channels import Satellite

    options = {
        "--tle": tle,
        "--satellite": satellite,
        "--site": sites,
        "--at": at,
        "--plot": plot,
        "--scenarios": out,
    }
    given = [name for name, value in options.items() if value]
    if not isinstance(channel, Satellite):
        if given:
            raise RunError(
                f"{given[0]} is for the channel `satellite`: "
                f"{type(channel).__name__} does not pass over"
            )
        return
    asked = bool(given) or step is not None or highest != 90
    if not asked and channel.altitude_km > orbit.MOST_AT_REST_KM:
        click.echo(
            f"\nno pass: at {channel.altitude_km:g} km the rotation of the earth matters; "
            "give two-line elements (--tle)"
        )
        return
    if tle is None:
        title, passing = _circular_pass(channel, given, highest, lowest, step)
    else:
        title, passing = _site_pass(channel, tle, satellite, sites, at, lowest, step)
    click.echo(f"\n{title}\n{_pass_table(passing)}")
    if out is not None:
        _write_scenarios(out, passing)
    if plot is not None:
        _draw(plot, title, passing)
        click.echo(plot)


def _table(terms: Sequence[Term]) -> str:
    """A link budget as text, the SNR below a line."""
    width = max(len(term.name) for term in terms)
    lines = [
        f"{term.name:<{width}}  {term.value:>9.2f} {term.unit:<4} {term.note}".rstrip()
        for term in terms
    ]
    return "\n".join([*lines[:-1], "-" * (width + 16), lines[-1]])


def _circular_pass(
    channel: Any, given: Sequence[str], highest: float, lowest: float, step: float | None
) -> tuple[str, list[Moment]]:
    """Title and moments of a circular pass; `given` are the names of the options that are set."""
    from semcore_channels.ntn import orbit
    from semcore_channels.ntn.scenarios import moments

    if {"--site", "--at", "--satellite"} & set(given):
        raise RunError(
            "--site, --at and --satellite require --tle: a circular pass has no site and no time"
        )
    if lowest >= highest:
        raise RunError(f"--lowest {lowest:g} must be below --highest {highest:g}")
    looks = orbit.circular_pass(channel.altitude_km, highest, lowest, step or STEP_S)
    title = (
        f"circular orbit at {channel.altitude_km:g} km over a non-rotating earth, "
        f"culmination at {highest:g} degrees"
    )
    return title, moments(channel, [(look,) for look in looks])


def _site_pass(
    channel: Any,
    tle: Path,
    satellite: str | None,
    sites: Sequence[Site],
    at: datetime | None,
    lowest: float,
    step: float | None,
) -> tuple[str, list[Moment]]:
    """Title and moments of a pass by two-line elements."""
    from semcore_channels.ntn import orbit
    from semcore_channels.ntn.scenarios import moments

    if not sites or at is None:
        raise RunError(
            "--tle needs a --site LAT,LON and a time --at YYYY-MM-DDTHH:MM:SS (UTC) within the pass"
        )
    if len(sites) > 2:
        raise RunError(
            f"--site is given {len(sites)} times; give one transmitter and at most one receiver"
        )
    path = orbit.ILLUSTRATION if str(tle) == "illustration" else tle
    elements = orbit.Elements.read(path, satellite, at)
    begin, looks = orbit.site_pass(elements, sites, at, lowest, step or STEP_S)
    if step is None:  # a pass of hours: at most MOST_MOMENTS lines
        looks = looks[:: -(-len(looks) // MOST_MOMENTS)]
    title = f"{elements.name}, from {begin:%Y-%m-%d %H:%M:%S} UTC"
    return title, moments(channel, looks, turning=True)


def _pass_table(passing: Sequence[Moment]) -> str:
    """The moments of a pass as text."""
    lowest = min(moment.snr_db for moment in passing)
    span = max(max(moment.snr_db for moment in passing) - lowest, 1e-9)
    lines = ["  time s  elevation  range km  Doppler kHz  SNR dB"]
    for moment in passing:
        look = moment.look
        bar = BARS[round((moment.snr_db - lowest) / span * (len(BARS) - 1))]
        lines.append(
            f"{look.time_s:>8.0f}  {look.elevation_deg:>9.1f}  {look.range_km:>8.1f}  "
            f"{moment.doppler_hz / 1e3:>11.2f}  {moment.snr_db:>6.2f} {bar}"
        )
    return "\n".join(lines)


def _write_scenarios(out: Path, passing: Sequence[Moment]) -> None:
    """Write the pass as a `scenario` section."""
    import yaml

    from semcore.commands import write_output

    section = {"scenario": {"segments": [moment.environment for moment in passing]}}
    text = yaml.safe_dump(section, sort_keys=False, default_flow_style=None, width=120)
    write_output(out, text.encode())
    click.echo(f"{out}: {len(passing)} segments for a pipeline file")


def _draw(out: Path, title: str, passing: Sequence[Moment]) -> None:
    """Draw SNR and elevation over time."""
    from matplotlib.figure import Figure

    times = [moment.look.time_s for moment in passing]
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.add_subplot()
    snrs_db = [moment.snr_db for moment in passing]
    axes.plot(times, snrs_db, marker="o", markersize=3, color="#0b5394")
    axes.set_xlabel("time (s)")
    axes.set_ylabel("SNR before fading (dB)", color="#0b5394")
    axes.set_title(title, fontsize=10)
    axes.grid(alpha=0.3)
    other = axes.twinx()
    elevations = [moment.look.elevation_deg for moment in passing]
    other.plot(times, elevations, linestyle="--", color="#999999")
    other.set_ylabel("elevation (degrees)", color="#777777")
    try:
        figure.savefig(out, dpi=150)
    except (OSError, ValueError) as error:
        raise RunError(f"{out} cannot be drawn: {error}") from error
