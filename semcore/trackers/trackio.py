"""Trackio."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from semcore.entrypoints.extras import extra
from semcore.trackers.base import Recorder


@dataclass(frozen=True)
class Trackio(Recorder):
    """Records runs and trainings with Trackio: a run of Trackio each, with a step per cell or
    epoch.

    A step has the settings and the numbers of a cell, and the last one the paths, or the model
    card.

    Fields:
        project: name of the project
        space: Hugging Face Space that shows it, as `user/name`; empty: files on this machine, in
            the folder that the environment variable TRACKIO_DIR names, which `trackio show` reads
    """

    package: ClassVar[str] = "trackio"
    extra: ClassVar[str] = "trackio"

    project: str = "semcore"
    space: str = ""

    def begin(self, name: str, kind: str, settings: Mapping[str, Any], folder: Path) -> None:
        with extra("semcore[trackio]", "the hook plugin trackio needs trackio"):
            import trackio

        self.state["run"] = trackio.init(
            project=self.project,
            name=f"{name} {int(1000 * time.time())}",
            space_id=self.space or None,
            config={**settings, "kind": kind},
            embed=False,
        )
        self.state["texts"] = {}

    def cell(
        self, settings: Mapping[str, Any], values: Mapping[str, float], config: Mapping[str, Any]
    ) -> None:
        self.state["run"].log({**settings, **values})

    def epoch(self, values: Mapping[str, float], number: int) -> None:
        self.state["run"].log(dict(values), step=number)

    def text(self, name: str, text: str) -> None:
        self.state["texts"][name] = text

    def end(self, done: bool) -> None:
        self.state["run"].log({**self.state["texts"], "done": done})
        self.state["run"].finish()
