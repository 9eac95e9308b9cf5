"""Weights & Biases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from semcore.entrypoints.extras import extra
from semcore.trackers.base import Recorder


@dataclass(frozen=True)
class WandB(Recorder):
    """Records runs and trainings with Weights & Biases: a run of W&B each, with a step per cell or
    epoch.

    The configuration is that of the run of W&B. A step has the settings and the numbers of a cell,
    so that a chart can have a setting as its axis. Paths and model card are in the summary.

    Fields:
        project: name of the project
        entity: user or team; empty: the default of the account
        mode: `online`, `offline` (files for `wandb sync`), `disabled`; null: what the environment
            variable WANDB_MODE says, or online
        folder: where W&B writes its files; empty: the current folder
    """

    package: ClassVar[str] = "wandb"
    extra: ClassVar[str] = "wandb"
    test_settings = ({"mode": "offline"},)

    project: str = "semcore"
    entity: str = ""
    mode: Literal["online", "offline", "disabled"] | None = None
    folder: str = ""

    def begin(self, name: str, kind: str, settings: Mapping[str, Any], folder: Path) -> None:
        with extra("semcore[wandb]", "the hook plugin wandb needs wandb"):
            import wandb

        self.state["run"] = wandb.init(
            project=self.project,
            entity=self.entity or None,
            name=name,
            job_type=kind,
            config=dict(settings),
            mode=self.mode,
            dir=self.folder or None,
            reinit="create_new",
            settings=wandb.Settings(silent=True),
        )

    def cell(
        self, settings: Mapping[str, Any], values: Mapping[str, float], config: Mapping[str, Any]
    ) -> None:
        self.state["run"].log({**settings, **values})

    def epoch(self, values: Mapping[str, float], number: int) -> None:
        self.state["run"].log(dict(values), step=number)

    def text(self, name: str, text: str) -> None:
        self.state["run"].summary[name] = text

    def end(self, done: bool) -> None:
        self.state["run"].finish(exit_code=0 if done else 1)
