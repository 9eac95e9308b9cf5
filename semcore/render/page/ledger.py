"""The ledger of a run: what every stream cost for every kind, in sums that are exact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from semcore.render.page.curves import COLOURS
from semcore.render.page.lines import Lines
from semcore.runs.results import Run

STRENGTHS = (1.0, 0.68, 0.46, 0.3, 0.2)
"""Opacity of a stream's kinds, in the order of their channel uses."""


@dataclass(frozen=True)
class Post:
    """One line: channel uses and bits of a stream for a kind.

    Fields:
        share: of the group's channel uses, in %
        colour: that of the stream
        strength: opacity of the colour, which tells the kinds of a stream apart
    """

    stream: str
    kind: str
    uses: int
    bits: int
    share: float
    colour: str
    strength: float


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
    """One account a line; of a single line without an axis x, one a cell."""
    groups = [(line.label, line.cells) for line in lines.lines]
    if lines.x is None and len(lines.lines) < 2:
        groups = [(lines.place(cell), (cell,)) for line in lines.lines for cell in line.cells]
    return [_account(run, name, cells) for name, cells in groups]


def _account(run: Run, name: str, cells: Sequence[dict[str, Any]]) -> Account:
    sums: dict[tuple[str, str], list[int]] = {}
    for cell in cells:
        for post in (post for post in cell["ledger"] if post["channel_uses"] or post["bits"]):
            line = sums.setdefault((post["stream"], post["kind"]), [0, 0])
            line[0] += post["channel_uses"]
            line[1] += post["bits"]
    uses, bits = (sum(line[i] for line in sums.values()) for i in (0, 1))
    streams = list(dict.fromkeys(stream for stream, _ in sums))
    posts = []
    for index, stream in enumerate(streams):
        mine = sorted((item for item in sums.items() if item[0][0] == stream), key=lambda item: -item[1][0])
        for rank, ((_, kind), (one, other)) in enumerate(mine):
            share = 100 * one / uses if uses else 0.0
            strength = STRENGTHS[min(rank, len(STRENGTHS) - 1)]
            posts.append(Post(stream, kind, one, other, share, COLOURS[index % len(COLOURS)], strength))
    by_sample = sum(row["channel_uses"] for cell in cells for row in run.items(cell))
    return Account(name, len(cells), sum(cell["n"] for cell in cells), tuple(posts), uses, bits, by_sample == uses)
