"""Hooks around a run and a training: a plugin implements any of these methods with
`@semcore.hook`.

All hooks are called in the process that starts the run or the training, never in one that computes
cells.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pluggy

from semcore.component.base import Component
from semcore.steps import StageDone, Step

spec = pluggy.HookspecMarker("semcore")
hook = pluggy.HookimplMarker("semcore")
"""Decorator of a hook plugin's functions."""


@dataclass(frozen=True)
class Tracker(Component):
    """Base of hook plugins with settings, as in `hooks: [{use: mlflow, experiment: x}]`.

    Its methods that are decorated with `semcore.hook` are called during runs and trainings. Each
    has an instance of its own. Neither a result nor the id of a cell depends on it.
    """

    kind: ClassVar[str] = "hooks"

    @functools.cached_property
    def state(self) -> dict[str, Any]:
        """What it remembers from one hook to the next; empty at first."""
        return {}


class Hooks:
    """The hooks of a run, in the order in which they are called, and those of a training."""

    @spec
    def semcore_run_started(
        self, folder: Path, cells: int, pending: int, configuration: Mapping[str, Any]
    ) -> None:
        """A run of `cells` cells begins; `pending` of them are not computed yet.

        `configuration` has the sections of the pipeline file with the changes of the command line,
        its `name`, and under `sweep` the swept values by dotted path, without secrets.
        """

    @spec
    def semcore_cell_started(self, settings: Mapping[str, Any], config: Mapping[str, Any]) -> None:
        """A cell with these swept values begins; `config` is what `result.json` has under it."""

    @spec
    def semcore_step(self, settings: Mapping[str, Any], step: Step) -> None:
        """The cell with these swept values is at this step; several cells may run at once."""

    @spec
    def semcore_stage_done(self, done: StageDone, settings: Mapping[str, Any]) -> None:
        """A stage has done a batch, in the cell with these swept values, computed in this
        process."""

    @spec
    def semcore_cell_done(self, folder: Path, result: Mapping[str, Any], seconds: float) -> None:
        """A cell's result is on disk, in the folder of the run.

        `result` is what `result.json` holds, and `settings`: the swept values of the cell.
        """

    @spec
    def semcore_cell_failed(
        self, settings: Mapping[str, Any], reason: str, config: Mapping[str, Any]
    ) -> None:
        """A cell failed; the others continue."""

    @spec
    def semcore_hook_failed(self, plugin: str, hook: str, reason: str) -> None:
        """A hook of a plugin failed for the first time; the run and other plugins continue."""

    @spec
    def semcore_run_done(self, folder: Path, report: Path | None) -> None:
        """Every cell that could be computed is on disk; `report`: the page, if one was written."""

    @spec
    def semcore_training_started(
        self, recipe: str, settings: Mapping[str, Any], folder: Path
    ) -> None:
        """A training by a recipe begins, or goes on from the checkpoint in its folder."""

    @spec
    def semcore_epoch_done(
        self, folder: Path, epoch: int, epochs: int, values: Mapping[str, float]
    ) -> None:
        """Epoch `epoch` of `epochs` (from 1) is done and its checkpoint written.

        `values` has the mean loss, what the recipe validates, and all seconds so far.
        """

    @spec
    def semcore_training_done(self, folder: Path, card: Path | None) -> None:
        """The weights are written; `card`: their model card, if there is one."""

    @spec
    def semcore_training_failed(self, folder: Path, reason: str) -> None:
        """A training ended without weights, also by an interruption."""
