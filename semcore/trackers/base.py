"""What trackers of experiments have in common: what is recorded of a run and of a training."""

from __future__ import annotations

import abc
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from semcore.config.paths import flatten
from semcore.entrypoints.extras import not_installed
from semcore.plugins.hookspecs import Tracker, hook
from semcore.steps import StageDone


@dataclass(frozen=True)
class Recorder(Tracker, abc.ABC):
    """A tracker that records runs and trainings with a library of tracking.

    Recorded of a run: its configuration; of each cell its settings, the mean of each metric with
    the ends of its 95 % interval, channel uses, samples and seconds, per stage if the cell was
    computed in this process; the reason of each failure; and the paths of the folder, the report
    and the figures. Of a training: its settings, the values of each epoch, and the model card.
    """

    package: ClassVar[str]
    """The module that it needs."""
    extra: ClassVar[str]
    """The extra of semcore that installs it."""

    def missing(self) -> str:
        return not_installed({self.package: f"semcore[{self.extra}]"})

    # ----------------------------------------------------------------------- what a library does

    @abc.abstractmethod
    def begin(self, name: str, kind: str, settings: Mapping[str, Any], folder: Path) -> None:
        """Begin to record.

        Args:
            name: of the pipeline or the recipe
            kind: `run` or `training`
            settings: dotted path -> value
            folder: of the run or the training
        """

    @abc.abstractmethod
    def cell(
        self, settings: Mapping[str, Any], values: Mapping[str, float], config: Mapping[str, Any]
    ) -> None:
        """Record a cell.

        Args:
            settings: its swept values, by dotted path
            values: its numbers by name: `psnr`, `psnr low`, `psnr high`, `channel uses`, ...
            config: all its settings, by dotted path
        """

    @abc.abstractmethod
    def epoch(self, values: Mapping[str, float], number: int) -> None:
        """Record the values of an epoch, which count from 1."""

    @abc.abstractmethod
    def text(self, name: str, text: str) -> None:
        """Record a text: a path, a model card, the reason of a failure."""

    @abc.abstractmethod
    def end(self, done: bool) -> None:
        """Stop recording; `done`: whether it ended as it should."""

    # ----------------------------------------------------------------------------------- the hooks

    @hook
    def semcore_run_started(
        self, folder: Path, cells: int, pending: int, configuration: Mapping[str, Any]
    ) -> None:
        """A run begins."""
        self.state.clear()
        settings = {**_flat(configuration), "cells": cells, "cells pending": pending}
        self.begin(str(configuration["name"]), "run", settings, folder)

    @hook
    def semcore_stage_done(self, done: StageDone, settings: Mapping[str, Any]) -> None:
        """Add up the seconds of a stage."""
        spent = self.state.setdefault(_key(settings), {})
        spent[done.stage] = spent.get(done.stage, 0.0) + done.seconds

    @hook
    def semcore_cell_done(self, result: Mapping[str, Any], seconds: float) -> None:
        """A cell is done."""
        settings = result["settings"]
        values: dict[str, float | None] = {}
        for name, found in result["metrics"].items():
            values |= {name: found["mean"]}
            values |= {f"{name} {end}": found.get(end) for end in ("low", "high")}
        values["samples"] = result["n"]
        values["channel uses"] = sum(one["channel_uses"] for one in result["ledger"])
        values["seconds"] = seconds
        for stage, spent in self.state.pop(_key(settings), {}).items():
            values[f"seconds {stage}"] = spent
        known = {name: float(value) for name, value in values.items() if value is not None}
        self.cell(_plain(settings), known, _flat(result["config"]))

    @hook
    def semcore_cell_failed(self, settings: Mapping[str, Any], reason: str) -> None:
        """A cell failed."""
        failures = self.state["failures"] = self.state.get("failures", 0) + 1
        self.text(f"failure {failures}", f"{json.dumps(dict(settings), default=str)}: {reason}")

    @hook
    def semcore_run_done(self, folder: Path, report: Path | None) -> None:
        """A run ends."""
        self.text("folder", str(folder.absolute()))
        if report is not None:
            self.text("report", str(report.absolute()))
        if figures := sorted(str(path.absolute()) for path in folder.glob("figures/*")):
            self.text("figures", "\n".join(figures))
        self._end("failures" not in self.state)

    @hook
    def semcore_training_started(
        self, recipe: str, settings: Mapping[str, Any], folder: Path
    ) -> None:
        """A training begins."""
        self.state.clear()
        self.begin(recipe, "training", _flat(settings), folder)
        self.text("folder", str(folder.absolute()))

    @hook
    def semcore_epoch_done(self, epoch: int, values: Mapping[str, float]) -> None:
        """An epoch of a training is done."""
        self.epoch(values, epoch)

    @hook
    def semcore_training_done(self, card: Path | None) -> None:
        """A training ends with weights."""
        if card is not None:
            self.text("card", card.read_text(encoding="utf-8"))
        self._end(True)

    @hook
    def semcore_training_failed(self, reason: str) -> None:
        """A training ends without."""
        try:
            self.text("failure", reason)
        finally:
            self._end(False)

    def _end(self, done: bool) -> None:
        """Stop recording, and let go of files that cannot be written on a full disk."""
        try:
            self.end(done)
        finally:
            self.state.clear()


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    return _plain(flatten(dict(values)))


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers and texts as they are, anything else as JSON."""
    return {
        name: value
        if isinstance(value, (bool, int, float, str))
        else json.dumps(value, default=str)
        for name, value in values.items()
    }


def _key(settings: Mapping[str, Any]) -> str:
    return json.dumps(dict(settings), sort_keys=True, default=str)
