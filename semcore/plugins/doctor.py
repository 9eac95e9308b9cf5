"""Checks an installed package: its metadata, then each entry point, in a child process."""

from __future__ import annotations

import difflib
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from semcore.children import Death, Limits, attempt
from semcore.entrypoints import discovery
from semcore.entrypoints.discovery import (
    COMMAND,
    HOOKS,
    PREFIX,
    VARIABLE,
    Distribution,
    PluginEntry,
    UnusableError,
)
from semcore.errors import PluginError
from semcore.plugins import registry
from semcore.plugins.extras import incomplete
from semcore.plugins.packages import GROUPS, add_hooks, command, readable

HEAVY = (
    "torch", "tensorflow", "jax", "sionna", "transformers", "diffusers", "open_clip",
    "torchmetrics", "matplotlib", "pandas",
)  # fmt: skip
"""Libraries whose import takes seconds: import them where they are used."""


@dataclass(frozen=True)
class Fault:
    """One problem of a package.

    Fields:
        what: the affected part
        reason: what is wrong, as a predicate
        fix: what to do
    """

    what: str
    reason: str
    fix: str


@dataclass(frozen=True)
class Examined:
    """The result of checking a package.

    Fields:
        seconds: import time of its modules
        faults: problems that prevent its use, or that of a part
        notes: possible improvements
    """

    package: Distribution
    seconds: float = 0.0
    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()


def select(names: Sequence[str] = ()) -> list[Distribution]:
    """The installed packages called `names`, or all, by name, usable or not.

    Raises:
        PluginError: a package is not installed
    """
    found: dict[str, Distribution] = {}
    for one in discovery.everything():
        found.setdefault(discovery.normalised(one.name), one)
    for name in names:
        if discovery.normalised(name) not in found:
            near = difflib.get_close_matches(discovery.normalised(name), found, 1)
            hint = (
                f"did you mean {near[0]!r}?"
                if near
                else "semcore plugins lists those that there are"
            )
            raise PluginError(f"no installed package {name!r} brings anything to semcore; {hint}")
    return [found[name] for name in sorted({discovery.normalised(name) for name in names} or found)]


def examine(one: Distribution, limits: Limits, commands: Collection[str] = ()) -> Examined:
    """Check a package.

    Args:
        commands: semcore's own
    """
    faults, notes = _metadata(one, commands)
    if one.fault or discovery.other_semcore(one):
        return Examined(one, 0.0, tuple(faults), tuple(notes))
    by_module: dict[str, list[PluginEntry]] = {}
    for entry in one.entries:
        if readable(entry.kind):
            by_module.setdefault(entry.module, []).append(entry)
    # Recipes may load PyTorch; what they load would hide what the modules after them load.
    waiting = sorted(by_module.values(), key=lambda entries: entries[0].kind == "recipe")
    seconds, heavy = 0.0, ""
    tasks = [[asdict(entry) for entry in entries] for entries in waiting]
    for index, value in attempt("semcore.plugins.doctor:look_at", tasks, limits):
        if isinstance(value, Death):
            reason = value.during("when it is imported")
            faults += [
                Fault(entry.label, reason, f"fix or uninstall {one.name}")
                for entry in waiting[index]
            ]
            continue
        entry = waiting[index].pop(0)
        seconds += value["seconds"]
        if value["heavy"] and not heavy and entry.kind != "recipe":
            heavy = f"{entry.module} imports {value['heavy']}"
        if value["reason"]:
            faults.append(Fault(entry.label, value["reason"], value["fix"]))
    notes += incomplete(one)
    if heavy:
        notes.append(f"{heavy} when it is imported: import that inside the method that needs it")
    return Examined(one, seconds, tuple(faults), tuple(notes))


def _metadata(one: Distribution, commands: Collection[str]) -> tuple[list[Fault], list[str]]:
    """Faults and notes from its metadata and that of the other packages."""
    whole = "the package"
    notes: list[str] = []
    if one.fault:
        return [
            Fault(
                whole, f"is not used: {one.fault}", f"reinstall {one.name}, or delete {one.folder}"
            )
        ], notes
    faults = []
    twins = [
        other
        for other in discovery.everything()
        if discovery.normalised(other.name) == discovery.normalised(one.name)
    ]
    if len({Path(twin.folder).parent for twin in twins}) < len(twins):
        versions = " and ".join(sorted(twin.version for twin in twins))
        fix = f"uninstall {one.name} until it is gone, and install it again"
        faults.append(Fault(whole, f"has the metadata of {versions} in one folder", fix))
    elif len(twins) > 1:
        notes.append(
            "is installed more than once: "
            + ", ".join(f"{twin.version} in {twin.folder}" for twin in twins)
        )
    if refused := discovery.not_for_this(one):
        faults.append(Fault(whole, *refused))
    for lacking in discovery.unmet(one):
        if lacking.text != discovery.other_semcore(one):
            found = (
                f"of which {lacking.installed} is installed"
                if lacking.installed
                else "which is not installed"
            )
            faults.append(
                Fault(whole, f"needs {lacking.text}, {found}", f"pip install '{lacking.text}'")
            )
    for entry in one.entries:
        if wrong := _misplaced(entry, commands):
            faults.append(Fault(entry.label, *wrong))
    return faults, notes


def _misplaced(entry: PluginEntry, commands: Collection[str]) -> tuple[str, str] | None:
    """The reason why the name or group of an entry point is wrong, and the fix."""
    if not readable(entry.kind):
        near = difflib.get_close_matches(entry.kind, GROUPS, 1, 0.5)
        fix = (
            f"did you mean '{PREFIX}{near[0]}'?"
            if near
            else f"groups are {', '.join(PREFIX + one for one in GROUPS)}"
        )
        return f"is in the group '{PREFIX}{entry.kind}', which semcore does not read", fix
    if entry.kind == COMMAND and entry.name in commands:
        return (
            "has the name of a command of semcore, which takes precedence",
            f"rename it, or uninstall {entry.package}",
        )
    others = [
        found for found in discovery.entries(entry.kind).get(entry.name, []) if found != entry
    ]
    if (
        others
        and entry in discovery.entries(entry.kind)[entry.name]
        and not discovery.shipped(entry)
    ):
        given = " and ".join(sorted(f"{other.package} {other.version}" for other in others))
        cause = (
            f"rename it, or uninstall {entry.package}"
            if any(map(discovery.shipped, others))
            else "uninstall one of them"
        )
        return (
            f"is given by {given}, too, so that neither can be used",
            f"{cause}, or leave it out by {VARIABLE}",
        )
    return None


# ------------------------------------------------------------------------------------- in the child


def look_at(entries: list[dict[str, str]]) -> Iterator[dict[str, Any]]:
    """Import each entry point of a module and check it against its interface."""
    for fields in entries:
        entry, before, start = PluginEntry(**fields), set(sys.modules), time.perf_counter()
        reason = fix = ""
        try:
            use(entry)
        except UnusableError as error:
            reason, fix = error.reason, error.fix
        except BaseException as error:  # a third-party class can raise anything
            reason, fix = (
                f"cannot be used: {discovery.one_line(error)}",
                f"fix or uninstall {entry.package}",
            )
        heavy = next((name for name in HEAVY if name in sys.modules and name not in before), "")
        yield {"reason": reason, "fix": fix, "heavy": heavy, "seconds": time.perf_counter() - start}


def use(entry: PluginEntry) -> Any:
    """Load an entry point of any group.

    Raises:
        UnusableError: it cannot be used
    """
    if entry.kind == COMMAND:
        return command(entry)
    if entry.kind == HOOKS:
        return add_hooks(entry)
    return registry.resolve(entry) if entry.kind in GROUPS else discovery.load(entry)
