"""Calling hooks so that one that fails hurts neither the run nor the others."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pluggy

from semcore.entrypoints.discovery import one_line
from semcore.wording.redaction import printable, redact


class Around:
    """The hooks of a run: each plugin is called by itself, and what it raises is kept as a complaint.

    What semcore's own plugins raise (a terminal that is gone) is passed on, and so is Ctrl-C.

    Args:
        manager: the plugins
    """

    def __init__(self, manager: pluggy.PluginManager) -> None:
        self._manager = manager
        self._failed: dict[tuple[str, str], list[str]] = {}

    @property
    def complaints(self) -> list[str]:
        """What failed, a sentence for each plugin and hook."""
        return [
            f"hook plugin {plugin!r} failed in {hook}{f' ({len(reasons)} times)' if len(reasons) > 1 else ''}: {reasons[0]}"
            for (plugin, hook), reasons in self._failed.items()
        ]

    def __call__(self, name: str, /, **arguments: Any) -> None:
        """Call a hook of every plugin that has it."""
        every = self._manager.get_plugins()
        for plugin in [one.plugin for one in reversed(getattr(self._manager.hook, name).get_hookimpls())]:
            try:
                self._manager.subset_hook_caller(name, every - {plugin})(**arguments)
            except (Exception, SystemExit) as error:  # whatever somebody else's hook raises
                if _ours(plugin):
                    raise
                self._complain(str(self._manager.get_name(plugin)), name, error)

    def _complain(self, plugin: str, hook: str, error: BaseException) -> None:
        reason = f"it calls sys.exit({error.code!r})" if isinstance(error, SystemExit) else one_line(error)
        frames = traceback.extract_tb(error.__traceback__)
        reason = printable(redact(f"{reason} ({Path(frames[-1].filename).name}, line {frames[-1].lineno})"))
        known = self._failed.setdefault((plugin, hook), [])
        known.append(reason)
        if len(known) == 1 and hook != "semcore_hook_failed":
            self("semcore_hook_failed", plugin=plugin, hook=hook, reason=reason)


def _ours(plugin: object) -> bool:
    return type(plugin).__module__.partition(".")[0] == "semcore"
