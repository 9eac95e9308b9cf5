"""`fetch`."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from semcore.cli.select import say
from semcore.config.configuration import load
from semcore.errors import RunError, SemcoreError
from semcore.wording.plural import plural

if TYPE_CHECKING:
    from semcore.component.base import Component
    from semcore.models.fetching import Listing
    from semcore.models.repository import HubFiles, Read

HERE = "here"
"""Stands for the size of a file that need not be downloaded."""


@click.command("fetch")
@click.argument("arguments", nargs=-1, required=True, metavar="PIPELINE... [KEY=VALUE]...")
@click.option("--yes", is_flag=True, help="Download without asking.")
@click.option("--dry-run", is_flag=True, help="List what would be downloaded, and stop.")
def fetch_command(arguments: tuple[str, ...], yes: bool, dry_run: bool) -> int:
    """Download what PIPELINE needs of a hub: models and data sets by their revisions, of each the
    files that are used.

    Lists them first, with sizes and licences, and asks. Afterwards the pipeline runs without a
    network. What broke off goes on where it stopped.
    """
    changes = [one for one in arguments if "=" in one and not Path(one).exists()]
    pipelines = [Path(one) for one in arguments if one not in changes]
    if not pipelines:
        raise click.UsageError("Missing argument 'PIPELINE'.")
    plan = _plan(pipelines, changes)
    for listed in plan.listings:
        _show(listed)
    for text in [*plan.notes, *plan.problems]:
        say(text)
    code = 1 if plan.problems else 0
    needed = [listed for listed in plan.listings if listed.missing]
    if not needed:
        if not plan.problems:
            say("everything is here")
        return code
    count, size = sum(len(one.missing) for one in needed), sum(one.bytes_missing for one in needed)
    folders = ", ".join(dict.fromkeys(str(one.wanted.folder.parent) for one in needed))
    say(f"to download: {plural(count, 'file')}, {in_bytes(size)}, to {folders}")
    if dry_run:
        return code
    from semcore.models.fetching import check_space, download

    check_space(needed)
    confirm("Download?", yes)
    for listed in needed:
        download(listed, lambda name: say(f"  {name}"))
    say("everything is here" if not code else "the rest is here")
    return code


@dataclass(eq=False)
class _Plan:
    """What there is to download.

    Fields:
        listings: repositories, as the hub lists them
        notes: what is known of the others
        problems: why something cannot be downloaded
    """

    listings: list[Listing] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def _plan(pipelines: Sequence[Path], changes: Sequence[str]) -> _Plan:
    from semcore.config.inputs import components_of
    from semcore.models.fetching import listing

    plan = _Plan()
    wanted: dict[tuple[Any, ...], tuple[HubFiles, bool]] = {}
    components = {id(one): one for path in pipelines for one in components_of(load(path, changes))}
    for component in components.values():
        try:
            reason = component.missing()
            files = downloads_of(component)
        except SemcoreError as error:
            plan.problems.append(f"error: {error}")
            continue
        for one in files:
            key = one.kind, one.repository, one.revision, one.cache_dir
            known, here = wanted.get(key, (one, True))
            wanted[key] = _both(known, one), here and not reason
        if reason and not files:
            plan.problems.append(f"not downloaded: {reason}")
    for one, here in wanted.values():
        try:
            plan.listings.append(listing(one))
        except RunError as error:
            if here:
                plan.notes.append(f"{one.kind} {one.repository}  {HERE}; not compared: {error}")
            else:
                plan.problems.append(f"error: {error}")
    plan.problems = list(dict.fromkeys(plan.problems))
    return plan


def downloads_of(component: Component) -> list[HubFiles]:
    """The repositories on a hub that a component reads: those that its method `downloads` names,
    and those of settings of weights."""
    from semcore.models.hub import on_hub, weights_files

    found = list(component.downloads()) if hasattr(component, "downloads") else []
    for one in dataclasses.fields(component):
        value = getattr(component, one.name)
        named = one.name.endswith("weights") and isinstance(value, str) and on_hub(value)
        if named:
            found.append(weights_files(*named))
    return found


def _both(one: HubFiles, other: HubFiles) -> HubFiles:
    """The files of a repository that either of two components reads."""
    if one is other:
        return one

    def used(names: Sequence[str], read: Read) -> Sequence[str]:
        return [*one.used(names, read), *other.used(names, read)]

    return replace(one, used=used)


def _show(listed: Listing) -> None:
    wanted, missing = listed.wanted, set(listed.missing)
    gated = ", gated" if listed.gated else ""
    say(
        f"{wanted.kind} {wanted.repository}  revision {wanted.revision or 'main'} (commit "
        f"{listed.commit[:7]}), licence {listed.licence}{gated}"
    )
    for name, size in listed.files.items():
        say(f"  {in_bytes(size) if name in missing else HERE:>9}  {name}")


def in_bytes(size: int) -> str:
    """A number of bytes with a unit; negative: unknown."""
    if size < 0:
        return "?"
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} B"


def confirm(question: str, yes: bool) -> None:
    """Ask at the terminal.

    Args:
        yes: whether the answer was given on the command line

    Raises:
        click.UsageError: nobody can be asked
        SystemExit: the user declines
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("nobody can be asked here: add --yes, or --dry-run to list only")
    if not click.confirm(question):
        say("nothing was done")
        sys.exit(1)
