"""What is wrong with an installed package: its metadata, then each thing that it brings, imported in a child process."""

from __future__ import annotations

import difflib
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from semcore.entrypoints import discovery
from semcore.entrypoints.discovery import COMMAND, HOOKS, PREFIX, VARIABLE, Distribution, PluginEntry, UnusableError
from semcore.errors import PluginError
from semcore.plugins import registry
from semcore.plugins.packages import GROUPS, add_hooks, command
from semcore.sandbox import Death, Limits, attempt

HEAVY = (
    "torch",
    "tensorflow",
    "jax",
    "sionna",
    "transformers",
    "diffusers",
    "open_clip",
    "torchmetrics",
    "matplotlib",
    "pandas",
)
"""Libraries whose import takes seconds: what needs them imports them when it is used."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Fields:
        what: what it is wrong with
        reason: what is wrong, as a predicate
        mend: what to do
    """

    what: str
    reason: str
    mend: str


@dataclass(frozen=True)
class Examined:
    """What is known of a package once it has been looked at.

    Fields:
        seconds: how long the import of its modules took
        faults: what stops it, or a part of it, from being used
        notes: what could be better
    """

    package: Distribution
    seconds: float = 0.0
    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()


def select(names: Sequence[str] = ()) -> list[Distribution]:
    """The installed packages called `names`, or all, by name; those that cannot be used and those left out included.

    Raises:
        PluginError: there is no such package
    """
    found: dict[str, Distribution] = {}
    for one in discovery.everything():
        found.setdefault(discovery.normalised(one.name), one)
    for name in names:
        if discovery.normalised(name) not in found:
            near = difflib.get_close_matches(discovery.normalised(name), found, 1)
            hint = f"did you mean {near[0]!r}?" if near else "semcore plugins lists those that there are"
            raise PluginError(f"no installed package {name!r} brings anything to semcore; {hint}")
    return [found[name] for name in sorted({discovery.normalised(name) for name in names} or found)]


def examine(one: Distribution, limits: Limits, verbs: Collection[str] = ()) -> Examined:
    """Look at a package.

    Args:
        verbs: semcore's own
    """
    faults, notes = _metadata(one, verbs)
    if one.fault or discovery.other_semcore(one):
        return Examined(one, 0.0, tuple(faults), tuple(notes))
    by_module: dict[str, list[PluginEntry]] = {}
    for entry in one.entries:
        if entry.kind in GROUPS:
            by_module.setdefault(entry.module, []).append(entry)
    waiting, seconds, heavy = list(by_module.values()), 0.0, ""
    tasks = [[asdict(entry) for entry in entries] for entries in waiting]
    for index, value in attempt("semcore.plugins.doctor:look_at", tasks, limits):
        if isinstance(value, Death):
            reason = value.during("when it is imported")
            faults += [Fault(entry.label, reason, f"mend or uninstall {one.name}") for entry in waiting[index]]
            continue
        entry = waiting[index].pop(0)
        seconds += value["seconds"]
        if value["heavy"] and not heavy:
            heavy = f"{entry.module} imports {value['heavy']}"
        if value["reason"]:
            faults.append(Fault(entry.label, value["reason"], value["mend"]))
    if heavy:
        notes.append(f"{heavy} when it is imported: import that inside the method that needs it")
    return Examined(one, seconds, tuple(faults), tuple(notes))


def _metadata(one: Distribution, verbs: Collection[str]) -> tuple[list[Fault], list[str]]:
    """What its metadata says, alone and beside that of the others: faults and notes."""
    whole = "the package"
    notes: list[str] = []
    if one.fault:
        return [Fault(whole, f"is not used: {one.fault}", f"reinstall {one.name}, or delete {one.folder}")], notes
    faults = []
    twins = [other for other in discovery.everything() if discovery.normalised(other.name) == discovery.normalised(one.name)]
    if len({Path(twin.folder).parent for twin in twins}) < len(twins):
        versions = " and ".join(sorted(twin.version for twin in twins))
        mend = f"uninstall {one.name} until it is gone, and install it again"
        faults.append(Fault(whole, f"has the metadata of {versions} in one folder", mend))
    elif len(twins) > 1:
        notes.append("is installed more than once: " + ", ".join(f"{twin.version} in {twin.folder}" for twin in twins))
    if refused := discovery.not_for_this(one):
        faults.append(Fault(whole, *refused))
    for lacking in discovery.unmet(one):
        if lacking.text != discovery.other_semcore(one):
            there = f"of which {lacking.installed} is installed" if lacking.installed else "which is not installed"
            faults.append(Fault(whole, f"needs {lacking.text}, {there}", f"pip install '{lacking.text}'"))
    for entry in one.entries:
        if wrong := _misplaced(entry, verbs):
            faults.append(Fault(entry.label, *wrong))
    return faults, notes


def _misplaced(entry: PluginEntry, verbs: Collection[str]) -> tuple[str, str] | None:
    """What is wrong with the name or the group of an entry point: the reason, and the mend."""
    if entry.kind not in GROUPS:
        near = difflib.get_close_matches(entry.kind, GROUPS, 1, 0.5)
        mend = f"did you mean '{PREFIX}{near[0]}'?" if near else f"groups are {', '.join(PREFIX + one for one in GROUPS)}"
        return f"stands in the group '{PREFIX}{entry.kind}', which semcore does not read", mend
    if entry.kind == COMMAND and entry.name in verbs:
        return "is called like a verb of semcore's own, which goes before it", f"rename it, or uninstall {entry.package}"
    others = [found for found in discovery.entries(entry.kind).get(entry.name, []) if found != entry]
    if others and entry in discovery.entries(entry.kind)[entry.name] and not discovery.shipped(entry):
        given = " and ".join(sorted(f"{other.package} {other.version}" for other in others))
        cause = f"rename it, or uninstall {entry.package}" if any(map(discovery.shipped, others)) else "uninstall one of them"
        return f"is given by {given}, too, so that neither can be used", f"{cause}, or leave it out by {VARIABLE}"
    return None


# ---------------------------------------------------------------------------------------------- in the child


def look_at(entries: list[dict[str, str]]) -> Iterator[dict[str, Any]]:
    """Import each entry point of a module and hold it against its interface."""
    for fields in entries:
        entry, before, start = PluginEntry(**fields), set(sys.modules), time.perf_counter()
        reason = mend = ""
        try:
            use(entry)
        except UnusableError as error:
            reason, mend = error.reason, error.mend
        except BaseException as error:  # whatever the class of somebody else does when it is looked at
            reason, mend = f"cannot be used: {discovery.one_line(error)}", f"mend or uninstall {entry.package}"
        heavy = next((name for name in HEAVY if name in sys.modules and name not in before), "")
        yield {"reason": reason, "mend": mend, "heavy": heavy, "seconds": time.perf_counter() - start}


def use(entry: PluginEntry) -> Any:
    """Load what an entry point stands for, whatever its group.

    Raises:
        UnusableError: it cannot be used
    """
    if entry.kind == COMMAND:
        return command(entry)
    if entry.kind == HOOKS:
        return add_hooks(entry)
    return registry.resolve(entry)
