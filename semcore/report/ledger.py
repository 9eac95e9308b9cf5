"""The ledger of a run: what every stream cost for every kind, in sums that are exact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from semcore.report.lines import Lines
from semcore.results import Run


@dataclass(frozen=True)
class Post:
    """One line: channel uses and bits of a stream for a kind. `share`: of the group's channel uses, in %."""

    stream: str
    kind: str
    uses: int
    bits: int
    share: float


@dataclass(frozen=True)
class Account:
    """A group of cells.

    Fields:
        label: what its cells have in common
        cells: how many
        rows: transmissions of a sample: cells × samples
        posts: the lines; their sums are `uses` and `bits`
        uses: channel uses, all
        bits: channel bits, all
        agrees: whether the rows of the samples sum to `uses`, too
    """

    label: str
    cells: int
    rows: int
    posts: tuple[Post, ...]
    uses: int
    bits: int
    agrees: bool


def accounts(run: Run, lines: Lines) -> list[Account]:
    """One account a line; without an axis x, one a cell."""
    groups = [(line.label, line.cells) for line in lines.lines]
    if lines.x is None:
        groups = [(lines.place(cell), (cell,)) for line in lines.lines for cell in line.cells]
    return [_account(run, name, cells) for name, cells in groups]


def _account(run: Run, name: str, cells: Sequence[dict]) -> Account:
    sums: dict[tuple[str, str], list[int]] = {}
    for cell in cells:
        for post in cell["ledger"]:
            line = sums.setdefault((post["stream"], post["kind"]), [0, 0])
            line[0] += post["channel_uses"]
            line[1] += post["bits"]
    uses, bits = (sum(line[i] for line in sums.values()) for i in (0, 1))
    posts = tuple(
        Post(stream, kind, one, other, 100 * one / uses if uses else 0.0)
        for (stream, kind), (one, other) in sorted(sums.items(), key=lambda item: list(sums).index(item[0]))
    )
    by_sample = sum(row["channel_uses"] for cell in cells for row in run.items(cell))
    return Account(name, len(cells), sum(cell["n"] for cell in cells), posts, uses, bits, by_sample == uses)
