"""Tables on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from semcore.wording.redaction import printable

UNSEEN = 110
"""Width of a table that is written to a file or a pipe."""


def console() -> Console:
    """The console for tables, as wide as the terminal."""
    terminal = Console()
    return Console(
        highlight=False,
        width=terminal.width if terminal.is_terminal else max(terminal.width, UNSEEN),
    )


def columns(header: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> Table:
    """A table of plain texts without wrapping; the first `left` columns are left-aligned."""
    shown = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for index, name in enumerate(header):
        shown.add_column(
            Text(printable(name)), justify="left" if index < left else "right", no_wrap=True
        )
    for row in rows:
        shown.add_row(*(Text(printable(cell)) for cell in row))
    return shown
