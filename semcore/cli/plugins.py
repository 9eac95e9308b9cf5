"""`plugins`: the installed packages, and what is wrong with those that are broken."""

from __future__ import annotations

import click

from semcore.children import Limits
from semcore.cli import COMMANDS
from semcore.entrypoints import discovery, naming
from semcore.entrypoints.discovery import COMMAND, HOOKS, VARIABLE
from semcore.plugins import doctor, packages
from semcore.wording.plural import plural

GROUP_NAMES = {HOOKS: "hooks", COMMAND: "commands"}


@click.group("plugins", invoke_without_command=True)
@click.pass_context
def plugins_command(ctx: click.Context) -> None:
    """List the installed packages that bring components, hook plugins or commands."""
    if ctx.invoked_subcommand is not None:
        return
    for package in packages.packages():
        click.secho(f"{package.name} {package.version}", bold=True)
        by_kind: dict[str, list[str]] = {}
        for entry in package.entries:
            by_kind.setdefault(entry.kind, []).append(entry.name)
        for kind, names in by_kind.items():
            group = GROUP_NAMES.get(kind, discovery.word(kind))
            click.echo(f"  {group:<10} {', '.join(names)}")
    if left_out := sorted(
        discovery.distributions().keys()
        - {discovery.normalised(one.name) for one in discovery.in_use()}
    ):
        click.echo(f"left out by {VARIABLE}: {', '.join(left_out)}")
    for line in _strangers():
        click.echo(line)


TIMEOUT = click.option(
    "--timeout",
    type=click.FloatRange(0.1),
    default=Limits.seconds,
    show_default=True,
    help="Seconds that one module may take.",
)
MEMORY = click.option(
    "--memory-mb",
    type=click.IntRange(1),
    default=Limits.megabytes,
    show_default=True,
    help="Resident memory that it may take.",
)


@plugins_command.command("doctor")
@click.argument("names", nargs=-1, metavar="[PACKAGE]...")
@TIMEOUT
@MEMORY
def doctor_command(names: tuple[str, ...], timeout: float, memory_mb: int) -> int:
    """Look at each PACKAGE, by default all that are installed, and tell what is wrong with it and
    how to fix it.

    Whatever it brings is imported in a child process: a package that crashes, hangs or eats memory
    hurts only that.
    """
    used = {discovery.normalised(one.name) for one in discovery.in_use()}
    broken, patients = [], doctor.select(names)
    for patient in patients:
        seen = doctor.examine(patient, Limits(timeout, memory_mb), COMMANDS)
        tell(seen, left_out=not patient.fault and discovery.normalised(patient.name) not in used)
        broken += [discovery.normalised(patient.name)] * bool(seen.faults)
    strange = [] if names else _strangers()
    for line in strange:
        click.echo(line)
    if broken:
        whole = ",".join(sorted(used - {*broken, discovery.CORE}))
        click.echo(
            f"\n{len(broken)} of {len(patients)} packages: faults. What does not use them "
            "runs all the same."
        )
        click.echo(f"To load the others alone: {VARIABLE}={whole}")
    return 1 if broken or strange else 0


def tell(seen: doctor.Examined, left_out: bool = False) -> None:
    """Say what is known of a package."""
    kinds = [entry.kind for entry in seen.package.entries]
    counts = [
        (sum(kind in naming.KINDS for kind in kinds), "component"),
        (kinds.count(HOOKS), "hook plugin"),
        (kinds.count(COMMAND), "command"),
        (sum(kind.startswith(discovery.FOREIGN) for kind in kinds), "extension"),
    ]
    brings = ", ".join(plural(count, word) for count, word in counts if count)
    count = len(seen.faults)
    state = plural(count, "fault") if count else f"fine, {brings}, import {seen.seconds:.1f} s"
    click.secho(f"{seen.package.name} {seen.package.version}".strip(), bold=True, nl=False)
    click.echo(f": {state}{f' (left out by {VARIABLE})' if left_out else ''}")
    for fault in seen.faults:
        click.echo(f"  {fault.what} {fault.reason}\n    hint: {fault.fix}")
    for note in seen.notes:
        click.echo(f"  note: {note}")


def _strangers() -> list[str]:
    return [
        f"{VARIABLE} names {name!r}, which is not installed"
        for name in discovery.unknown_distributions()
    ]
