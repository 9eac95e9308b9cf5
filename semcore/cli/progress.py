"""Progress of a run: bars on a terminal, one plain line a cell elsewhere; a table at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from semcore.cache import StageDone
from semcore.cli.columns import columns, console
from semcore.hookspecs import hook
from semcore.results import Run, number, table
from semcore.words import Labels


class Progress:
    """Hooks that show how far a run is; `labels`: the names of its cells."""

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        self.console = Console(highlight=False, soft_wrap=True)
        self.bars = Bars(
            TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            TimeRemainingColumn(), console=self.console, disable=not self.console.is_terminal, transient=True,
        )  # fmt: skip
        self.task: Any = None
        self.cells = 0
        self.done = 0
        self.cell = ""
        self.through: Counter[str] = Counter()

    def __enter__(self) -> Progress:
        self.bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.bars.stop()

    @hook
    def semcore_run_started(self, folder: Path, cells: int, pending: int) -> None:
        """Say what there is to do."""
        self.cells = pending
        known = f", {cells - pending} known" if cells > pending else ""
        self.console.print(f"{folder}: {cells} cell{'s' if cells != 1 else ''}{known}")
        self.task = self.bars.add_task("starting", total=pending)

    @hook
    def semcore_cell_started(self, settings: Mapping[str, Any]) -> None:
        """Name the cell in flight."""
        self.cell = self.labels.of(settings)
        self.through.clear()
        self.bars.update(self.task, description=self.cell)

    @hook
    def semcore_stage_done(self, done: StageDone) -> None:
        """Say how many of the cell's samples are through the stage."""
        self.through[done.stage] += done.computed + done.reused
        self.bars.update(self.task, description=f"{self.cell}  {done.stage} {self.through[done.stage]}")

    @hook
    def semcore_cell_done(self, result: Mapping[str, Any], seconds: float) -> None:
        """One line a cell."""
        self.done += 1
        self.bars.advance(self.task)
        shown = "  ".join(f"{name} {number(found['mean'])}" for name, found in result["metrics"].items())
        self.console.print(f"[{self.done}/{self.cells}] {self.labels.of(result['settings'])}  {shown}  ({seconds:.1f} s)",
                           markup=False)  # fmt: skip

    @hook
    def semcore_cell_failed(self, settings: Mapping[str, Any], reason: str) -> None:
        """One line a failed cell."""
        self.done += 1
        self.bars.advance(self.task)
        first = reason.splitlines()[0]
        self.console.print(f"[{self.done}/{self.cells}] {self.labels.of(settings)}  FAILED: {first}", markup=False)

    @hook
    def semcore_hook_failed(self, plugin: str, hook: str, reason: str) -> None:
        """One line a hook of a plugin, the first time that it fails."""
        self.console.print(f"hook plugin {plugin!r} FAILED in {hook}: {reason}", markup=False)


def print_table(run: Run) -> None:
    """Every cell with n and the 95 % interval of each metric; what does not fit side by side follows below."""
    header, rows = table(run)
    if not rows:
        return
    wide = console()
    fixed = header.index("n") + 1
    widths = [2 + max(len(line[column]) for line in (header, *rows)) for column in range(len(header))]
    left = list(range(fixed, len(header)))
    while left:
        room = wide.width - sum(widths[:fixed])
        take = [column for i, column in enumerate(left) if i == 0 or sum(widths[c] for c in left[: i + 1]) <= room]
        chosen = [*range(fixed), *take]
        picked = [[row[column] for column in chosen] for row in (header, *rows)]
        wide.print()
        wide.print(columns(picked[0], picked[1:], fixed - 1), crop=False)
        left = left[len(take) :]
    wide.print("mean ± half of its 95 % interval, or [both ends]; over samples, as the kind of the metric has it")
