"""Progress of a training on a terminal: a bar of the steps of an epoch."""

from __future__ import annotations

import contextlib
from types import TracebackType

from rich.console import Console

from semcore.render.progress import bars_on
from semcore.steps import Step, listening


class TrainingBar:
    """A context that shows the steps of each epoch; where there is no terminal it shows nothing."""

    def __init__(self) -> None:
        self.bars = bars_on(Console(highlight=False, soft_wrap=True))
        self.task = self.bars.add_task("start", total=None)
        self.inside = contextlib.ExitStack()

    def __enter__(self) -> TrainingBar:
        self.inside.enter_context(listening(self._show))
        self.inside.enter_context(self.bars)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.inside.close()

    def _show(self, step: Step) -> None:
        known = self.bars.tasks[0]
        if known.description == step.stage and known.total == (step.total or None):
            self.bars.update(self.task, completed=step.done)
        else:  # its own clock
            self.bars.reset(
                self.task, description=step.stage, completed=step.done, total=step.total or None
            )
