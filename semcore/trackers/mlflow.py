"""MLflow."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from semcore.entrypoints.extras import extra
from semcore.trackers.base import Recorder

MOST_PARAMETERS = 100
"""Parameters and metrics that MLflow takes at a time."""
LONGEST = 500
"""Characters of a parameter that every server takes."""


@dataclass(frozen=True)
class MLflow(Recorder):
    """Records runs and trainings with MLflow: a run of MLflow each, and one within it per cell.

    Settings are parameters, numbers are metrics; folder, report, figures and model card are texts
    among the artifacts. In names of metrics, characters that MLflow does not take are replaced by
    `_`.

    Fields:
        experiment: name of the experiment; it is made if it is not there
        tracking_uri: where MLflow keeps its runs; empty: what the environment variable
            MLFLOW_TRACKING_URI says, or MLflow's own default, which is in the current folder
    """

    package: ClassVar[str] = "mlflow"
    extra: ClassVar[str] = "mlflow"

    experiment: str = "semcore"
    tracking_uri: str = ""

    def begin(self, name: str, kind: str, settings: Mapping[str, Any], folder: Path) -> None:
        with extra("semcore[mlflow]", "the hook plugin mlflow needs mlflow"):
            from mlflow import MlflowClient

        client = MlflowClient(self.tracking_uri or None)
        found = client.get_experiment_by_name(self.experiment)
        experiment = found.experiment_id if found else client.create_experiment(self.experiment)
        tags = {"semcore.kind": kind, "semcore.folder": str(folder.absolute())}
        made = client.create_run(experiment, tags=tags, run_name=name)
        self.state.update(client=client, experiment=experiment, run=made.info.run_id, cells=0)
        self._log(made.info.run_id, settings, {})

    def cell(
        self, settings: Mapping[str, Any], values: Mapping[str, float], config: Mapping[str, Any]
    ) -> None:
        client, self.state["cells"] = self.state["client"], self.state["cells"] + 1
        name = ", ".join(f"{path}={value}" for path, value in settings.items())
        tags = {"mlflow.parentRunId": self.state["run"], "semcore.kind": "cell"}
        made = client.create_run(
            self.state["experiment"], tags=tags, run_name=name[:LONGEST] or "cell"
        )
        self._log(made.info.run_id, config, values)
        client.set_terminated(made.info.run_id)

    def epoch(self, values: Mapping[str, float], number: int) -> None:
        self._log(self.state["run"], {}, values, number)

    def text(self, name: str, text: str) -> None:
        self.state["client"].log_text(self.state["run"], text, f"{name}.txt")

    def end(self, done: bool) -> None:
        self.state["client"].set_terminated(self.state["run"], "FINISHED" if done else "FAILED")

    def _log(
        self, run: str, settings: Mapping[str, Any], values: Mapping[str, float], step: int = 0
    ) -> None:
        with extra("semcore[mlflow]", "the hook plugin mlflow needs mlflow"):
            from mlflow.entities import Metric, Param

        now = int(1000 * time.time())
        parameters = [Param(_name(path), str(one)[:LONGEST]) for path, one in settings.items()]
        metrics = [Metric(_name(name), value, now, step) for name, value in values.items()]
        for start in range(0, max(len(parameters), len(metrics)), MOST_PARAMETERS):
            part = slice(start, start + MOST_PARAMETERS)
            self.state["client"].log_batch(run, metrics=metrics[part], params=parameters[part])


def _name(name: str) -> str:
    return re.sub(r"[^\w\-./ :]", "_", name)
