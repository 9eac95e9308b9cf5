"""Progress of a run: bars on a terminal, elsewhere a line per cell; and the table at the end."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

from semcore.plugins.hookspecs import hook
from semcore.render.columns import columns, console
from semcore.render.text import table
from semcore.runs.labels import Labels
from semcore.runs.results import Run
from semcore.steps import Step
from semcore.wording.numbers import number
from semcore.wording.plural import plural


def bars_on(console: Console) -> Bars:
    """Bars with counts and times, which vanish at the end; none where there is no terminal."""
    return Bars(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


class Progress:
    """Hooks that show the progress of a run; `labels`: the names of its cells."""

    ends_the_run = True
    """Its exceptions end the run, as those of a closed terminal do."""

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        self.console = Console(highlight=False, soft_wrap=True)
        self.bars = bars_on(self.console)
        self.task: Any = None
        self.inside: dict[str, Any] = {}
        self.cells = 0
        self.done = 0

    def __enter__(self) -> Progress:
        self.bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.bars.stop()

    @hook
    def semcore_run_started(self, folder: Path, cells: int, pending: int) -> None:
        """Print the number of cells."""
        self.cells = pending
        known = f", {cells - pending} known" if cells > pending else ""
        self.console.print(f"{folder}: {plural(cells, 'cell')}{known}")
        self.task = self.bars.add_task("cells", total=pending)

    @hook
    def semcore_cell_started(self, settings: Mapping[str, Any]) -> None:
        """Add a bar for the cell."""
        name = self.labels.of(settings)
        self.inside[name] = self.bars.add_task(f"{name}  start", total=None)

    @hook
    def semcore_step(self, settings: Mapping[str, Any], step: Step) -> None:
        """Show the stage of the cell, and how many of its samples, candidates or metrics are
        done."""
        name = self.labels.of(settings)
        if (task := self.inside.get(name)) is None:
            return
        text = f"{name}  {step.stage}{f', {step.what}' if step.total else ''}"
        known = next(one for one in self.bars.tasks if one.id == task)
        if (known.description, known.total) == (text, step.total):
            self.bars.update(task, completed=step.done)
        else:  # its own clock
            self.bars.reset(task, description=text, completed=step.done, total=step.total or None)

    def _ended(self, settings: Mapping[str, Any]) -> None:
        self.done += 1
        self.bars.advance(self.task)
        if (task := self.inside.pop(self.labels.of(settings), None)) is not None:
            self.bars.remove_task(task)

    @hook
    def semcore_cell_done(self, result: Mapping[str, Any], seconds: float) -> None:
        """Print a line per cell."""
        self._ended(result["settings"])
        shown = "  ".join(
            f"{name} {number(found['mean'])}" for name, found in result["metrics"].items()
        )
        done = f"[{self.done}/{self.cells}] {self.labels.of(result['settings'])}"
        self.console.print(f"{done}  {shown}  ({seconds:.1f} s)", markup=False)

    @hook
    def semcore_cell_failed(self, settings: Mapping[str, Any], reason: str) -> None:
        """Print a line per failed cell."""
        self._ended(settings)
        first = reason.splitlines()[0]
        self.console.print(
            f"[{self.done}/{self.cells}] {self.labels.of(settings)}  FAILED: {first}", markup=False
        )

    @hook
    def semcore_hook_failed(self, plugin: str, hook: str, reason: str) -> None:
        """Print a line when a hook of a plugin fails for the first time."""
        self.console.print(f"hook plugin {plugin!r} FAILED in {hook}: {reason}", markup=False)


def print_table(run: Run) -> None:
    """Print every cell with n and the 95 % intervals of its metrics, in as many tables as it
    takes."""
    header, rows = table(run)
    if not rows:
        return
    wide = console()
    fixed = header.index("n") + 1
    widths = [
        2 + max(len(line[column]) for line in (header, *rows)) for column in range(len(header))
    ]
    left = list(range(fixed, len(header)))
    while left:
        room = wide.width - sum(widths[:fixed])
        take = [
            column
            for i, column in enumerate(left)
            if i == 0 or sum(widths[c] for c in left[: i + 1]) <= room
        ]
        chosen = [*range(fixed), *take]
        picked = [[row[column] for column in chosen] for row in (header, *rows)]
        wide.print()
        wide.print(columns(picked[0], picked[1:], fixed - 1), crop=False)
        left = left[len(take) :]
    wide.print(
        "mean ± half-width of its 95 % interval over samples, or \\[low, high] where that is "
        "asymmetric"
    )
