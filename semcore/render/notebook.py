"""Progress of a run in a notebook: one line that is written again, and the cells that failed."""

from __future__ import annotations

import html
import sys
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from semcore.plugins.hookspecs import hook
from semcore.runs.labels import Labels
from semcore.steps import Step
from semcore.wording.numbers import number

OFTEN_S = 0.2
"""The line is written again no more often."""


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    known = sys.modules.get("IPython")
    shell = known.get_ipython() if known is not None else None
    return shell is not None and hasattr(shell, "kernel")


class NotebookProgress:
    """Hooks that show the progress of a run below the cell of a notebook.

    Args:
        labels: the names of the cells
    """

    ends_the_run = True
    """Its exceptions end the run, as those of a closed terminal do."""

    def __init__(self, labels: Labels) -> None:
        self.labels, self.handle = labels, None
        self.cells = self.done = 0
        self.step, self.last, self.failed = "", "", list[str]()
        self.shown_at = 0.0

    def __enter__(self) -> NotebookProgress:
        # tqdm's complaint when a library imports it; the progress is shown here
        warnings.filterwarnings("ignore", message="IProgress not found")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.step = ""
        self._show()

    @hook
    def semcore_run_started(self, folder: Path, cells: int, pending: int) -> None:
        """Show the number of cells."""
        self.cells = pending
        if not pending:
            self.last = f"all cells were found done in {folder}"
        self._show()

    @hook
    def semcore_step(self, settings: Mapping[str, Any], step: Step) -> None:
        """Show the stage of the cell, and how many of its samples or candidates are done."""
        count = f" {step.done}/{step.total} {step.what}" if step.total else ""
        self.step = f"{self.labels.of(settings)}: {step.stage}{count}"
        if time.monotonic() - self.shown_at > OFTEN_S:
            self._show()

    @hook
    def semcore_cell_done(self, result: Mapping[str, Any], seconds: float) -> None:
        """Show the means of the cell."""
        self.done += 1
        means = (f"{name} {number(one['mean'])}" for name, one in result["metrics"].items())
        self.last = f"{self.labels.of(result['settings'])}: {', '.join(means)} ({seconds:.1f} s)"
        self._show()

    @hook
    def semcore_cell_failed(self, settings: Mapping[str, Any], reason: str) -> None:
        """Show the reason; it stays."""
        self.done += 1
        self.failed.append(f"{self.labels.of(settings)} failed: {reason.splitlines()[0]}")
        self._show()

    @hook
    def semcore_hook_failed(self, plugin: str, hook: str, reason: str) -> None:
        """Show that a hook of a plugin failed for the first time; it stays."""
        self.failed.append(f"hook plugin {plugin!r} failed in {hook}: {reason}")
        self._show()

    def _show(self) -> None:
        from IPython.display import HTML, display

        self.shown_at = time.monotonic()
        bar = f'<progress value="{self.done}" max="{max(self.cells, 1)}"></progress>'
        head = f"{bar} {self.done}/{self.cells} cells" if self.cells else ""
        texts = [*self.failed, self.last, self.step]
        lines = [head, *(html.escape(text) for text in texts)]
        shown = HTML("<br>".join(filter(None, lines)))
        if self.handle is None:
            self.handle = display(shown, display_id=True)
        else:
            self.handle.update(shown)
