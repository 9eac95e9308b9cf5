"""TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from semcore.entrypoints.extras import extra
from semcore.trackers.base import Recorder


@dataclass(frozen=True)
class TensorBoard(Recorder):
    """Records runs and trainings as event files of TensorBoard.

    Cells are in its tab HParams, with their settings and numbers; epochs are scalars; the
    configuration, paths and model card are texts. The files are written by tensorboardX, which
    works with every version of protobuf from 3.20 on; TensorBoard itself may be in another
    environment.

    Fields:
        folder: where the event files go, in a folder per run named after it; empty: `tensorboard`
            in the folder of the run or training
    """

    package: ClassVar[str] = "tensorboardX"
    extra: ClassVar[str] = "tensorboard"

    folder: str = ""

    def begin(self, name: str, kind: str, settings: Mapping[str, Any], folder: Path) -> None:
        with extra("semcore[tensorboard]", "the hook plugin tensorboard needs tensorboardX"):
            from tensorboardX import SummaryWriter

        place = Path(self.folder) / name if self.folder else folder / "tensorboard"
        self.state.update(writer=SummaryWriter(str(place)), cells=0)
        lines = [f"| {path} | {value} |" for path, value in settings.items()]
        self.text(kind, "\n".join(["| setting | value |", "|---|---|", *lines]))

    def cell(
        self, settings: Mapping[str, Any], values: Mapping[str, float], config: Mapping[str, Any]
    ) -> None:
        self.state["cells"] = number = self.state["cells"] + 1
        writer = self.state["writer"]
        writer.add_hparams(dict(settings), dict(values), name=f"cell {number}", global_step=number)
        writer.flush()

    def epoch(self, values: Mapping[str, float], number: int) -> None:
        for name, value in values.items():
            self.state["writer"].add_scalar(name, value, number)
        self.state["writer"].flush()

    def text(self, name: str, text: str) -> None:
        self.state["writer"].add_text(name, text)

    def end(self, done: bool) -> None:
        self.state["writer"].close()
