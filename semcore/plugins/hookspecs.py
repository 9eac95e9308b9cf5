"""Hooks around a run: a plugin implements any of these methods with
`@semcore.plugins.hookspecs.hook`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pluggy

from semcore.steps import StageDone, Step

spec = pluggy.HookspecMarker("semcore")
hook = pluggy.HookimplMarker("semcore")
"""Decorator of a hook plugin's functions."""


class Hooks:
    """The hooks of a run, in the order in which they are called."""

    @spec
    def semcore_run_started(self, folder: Path, cells: int, pending: int) -> None:
        """A run of `cells` cells begins; `pending` of them are not computed yet."""

    @spec
    def semcore_cell_started(self, settings: Mapping[str, Any]) -> None:
        """A cell with these swept values begins."""

    @spec
    def semcore_step(self, settings: Mapping[str, Any], step: Step) -> None:
        """The cell with these swept values is at this step; several cells may run at once."""

    @spec
    def semcore_stage_done(self, done: StageDone) -> None:
        """A stage has done a batch, in cells computed in this process."""

    @spec
    def semcore_cell_done(self, result: Mapping[str, Any], seconds: float) -> None:
        """A cell's result (what `result.json` holds) is on disk."""

    @spec
    def semcore_cell_failed(self, settings: Mapping[str, Any], reason: str) -> None:
        """A cell failed; the others continue."""

    @spec
    def semcore_hook_failed(self, plugin: str, hook: str, reason: str) -> None:
        """A hook of a plugin failed for the first time; the run and other plugins continue."""

    @spec
    def semcore_run_done(self, folder: Path) -> None:
        """Every cell that could be computed is on disk."""
