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
        lines = [f"| {path} | {value} |" for path, value in settings.items()]
        table = "\n".join(["| setting | value |", "|---|---|", *lines])
        self.state.update(
            make=lambda: SummaryWriter(str(place)), writer=None, cells=0, texts=[(kind, table)]
        )

    def writer(self) -> Any:
        """The writer of the event files.

        It is made when there are numbers: a run or training that fails before has none, and a
        writer on a full disk would try again when the process ends, and print a traceback.
        """
        writer = self.state["writer"]
        if writer is None:
            writer = self.state["writer"] = self.state["make"]()
            for name, text in self.state.pop("texts"):
                writer.add_text(name, text)
        return writer

    def cell(
        self, settings: Mapping[str, Any], values: Mapping[str, float], config: Mapping[str, Any]
    ) -> None:
        self.state["cells"] = number = self.state["cells"] + 1
        writer = self.writer()
        writer.add_hparams(dict(settings), dict(values), name=f"cell {number}", global_step=number)
        writer.flush()

    def epoch(self, values: Mapping[str, float], number: int) -> None:
        for name, value in values.items():
            self.writer().add_scalar(name, value, number)
        self.writer().flush()

    def text(self, name: str, text: str) -> None:
        if self.state["writer"] is None:
            self.state["texts"].append((name, text))
        else:
            self.state["writer"].add_text(name, text)

    def end(self, done: bool) -> None:
        if done or self.state["writer"] is not None:
            self.writer().close()
