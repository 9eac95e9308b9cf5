"""The hook plugins that a pipeline file or a command names: with settings, or a name alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pluggy

from semcore.config.build import Builder
from semcore.config.document import Document, Path_
from semcore.entrypoints import discovery, naming
from semcore.entrypoints.discovery import HOOKS, left_out
from semcore.errors import ConfigError, PluginError, Problem, shown
from semcore.plugins.hookspecs import Tracker
from semcore.plugins.packages import add_hooks, hook_error, hook_manager, hook_names
from semcore.wording.redaction import redact
from semcore.wording.suggest import nearest

SECTION = "hooks"


def read_hooks(value: Any, builder: Builder) -> list[object]:
    """What the section `hooks` stands for: trackers, and the names of other hook plugins.

    Args:
        value: a list of names and of mappings with `use`
    """
    value = value or []
    if not isinstance(value, list):
        builder.report(
            (SECTION,), f"hooks is a list of names, for example [mlflow], not {shown(value)}"
        )
        return []
    made = [_plugin(one, builder, (SECTION, index)) for index, one in enumerate(value)]
    return [one for one in made if one is not None]


def _plugin(value: Any, builder: Builder, path: Path_) -> object | None:
    name = value.get("use") if isinstance(value, Mapping) else value
    place = (*path, "use") if isinstance(value, Mapping) else path
    if isinstance(value, Mapping) and not isinstance(name, str):
        builder.component(HOOKS, value, path)  # says what it lacks
        return None
    if not isinstance(name, str) or name not in naming.names(HOOKS):
        hint = left_out(HOOKS, str(name)) or nearest(name, hook_names())
        hint = hint or "no installed package brings any"
        builder.report(place, f"there is no hook plugin {shown(name)}", hint)
        return None
    try:
        if not is_tracker(name):
            if isinstance(value, Mapping) and len(value) > 1:
                hint = "a class with settings is a frozen dataclass of the base semcore.Tracker"
                builder.report(path, f"hook plugin {name!r} has no settings", hint)
                return None
            entry = discovery.find(HOOKS, name)
            assert entry is not None
            add_hooks(entry)
            return name
        tracker = builder.component(HOOKS, value, path)
        if tracker is not None and (reason := hook_error(tracker, hook_manager([]))):
            raise PluginError(f"hook plugin {name!r} {reason}")
    except PluginError as error:
        builder.report(place, str(error))
        return None
    return tracker


def is_tracker(name: str) -> bool:
    """Whether a hook plugin is a tracker; imports it."""
    entry, found = discovery.find(HOOKS, name), naming.local(HOOKS, name)
    if found is None and entry is not None:
        found = discovery.load(entry)
    return isinstance(found, type) and issubclass(found, Tracker)


def missing(value: Any, builder: Builder) -> list[object]:
    """`read_hooks`, with a problem for each plugin that lacks something on this machine."""
    made = read_hooks(value, builder)
    if not builder.problems:
        for index, one in enumerate(made):
            if isinstance(one, Tracker) and (lacking := one.missing()):
                name = naming.name_of(type(one))
                builder.report((SECTION, index), f"hook plugin {name!r}: {lacking}")
    return made


def hooks_of(document: Document | None = None, more: Sequence[object] = ()) -> pluggy.PluginManager:
    """The hook plugins of a checked pipeline file and of its caller, each made for this run.

    Args:
        document: the file; None: there is none
        more: names, mappings with `use`, trackers, and objects with hooks

    Raises:
        ConfigError: one is unknown, or lacks something on this machine
        PluginError: an object has no hooks
    """
    written = [one for one in more if isinstance(one, (str, Mapping))]
    made = [one for one in more if not isinstance(one, (str, Mapping))]

    def tell(path: Path_, message: str, hint: str = "", *, at_key: bool = False) -> Problem:
        where = f"hooks {redact(json.dumps(written[int(path[1])], default=str))}"
        return Problem(message, where, hint=hint)

    for listed, builder in (
        (document.values.get(SECTION) if document else None,
         Builder(document.problem if document else tell)),
        (written, Builder(tell)),
    ):  # fmt: skip
        made = [*missing(listed, builder), *made]
        if builder.problems:
            raise ConfigError(builder.problems)
    for one in made:
        if isinstance(one, Tracker) and (lacking := one.missing()):
            raise PluginError(f"hook plugin {naming.name_of(type(one))!r}: {lacking}")
    return hook_manager(made)
