"""Calls hooks so that a failing one stops neither the run nor the others."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pluggy

from semcore.entrypoints.discovery import one_line
from semcore.wording.redaction import printable, redact


class Around:
    """The hooks of a run: each plugin is called separately, and its exceptions are collected.

    Exceptions of what shows the progress (a closed terminal) are raised, and so is Ctrl-C.

    Args:
        manager: the plugins
    """

    def __init__(self, manager: pluggy.PluginManager) -> None:
        self._manager = manager
        self._failed: dict[tuple[str, str], list[str]] = {}

    @property
    def complaints(self) -> list[str]:
        """A sentence for each plugin and hook that failed."""
        sentences = []
        for (plugin, hook), reasons in self._failed.items():
            times = f" ({len(reasons)} times)" if len(reasons) > 1 else ""
            sentences.append(f"hook plugin {plugin!r} failed in {hook}{times}: {reasons[0]}")
        return sentences

    def __call__(self, name: str, /, **arguments: Any) -> None:
        """Call a hook of every plugin that implements it."""
        every = self._manager.get_plugins()
        for plugin in [
            one.plugin for one in reversed(getattr(self._manager.hook, name).get_hookimpls())
        ]:
            try:
                self._manager.subset_hook_caller(name, every - {plugin})(**arguments)
            except (Exception, SystemExit) as error:  # a third-party hook can raise anything
                if getattr(plugin, "ends_the_run", False):
                    raise
                self._complain(str(self._manager.get_name(plugin)), name, error)

    def _complain(self, plugin: str, hook: str, error: BaseException) -> None:
        reason = (
            f"it calls sys.exit({error.code!r})"
            if isinstance(error, SystemExit)
            else one_line(error)
        )
        frames = traceback.extract_tb(error.__traceback__)
        reason = printable(
            redact(f"{reason} ({Path(frames[-1].filename).name}, line {frames[-1].lineno})")
        )
        known = self._failed.setdefault((plugin, hook), [])
        known.append(reason)
        if len(known) == 1 and hook != "semcore_hook_failed":
            self("semcore_hook_failed", plugin=plugin, hook=hook, reason=reason)
