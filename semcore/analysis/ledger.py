"""The ledger of a run: exact sums of channel uses and bits, by stream and kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from semcore.analysis.overview import Overview
from semcore.analysis.rows import Row


@dataclass(frozen=True)
class LedgerLine:
    """Channel uses and bits of a stream for one kind.

    Fields:
        stream: name of the stream
        kind: what they were spent on, as in `semcore.Ledger`
        uses: channel uses
        bits: channel bits
        share: of the channel uses of the group, in %
    """

    stream: str
    kind: str
    uses: int
    bits: int
    share: float


@dataclass(frozen=True)
class LedgerSum:
    """The ledger of a group of cells.

    Fields:
        label: what its cells have in common
        cells: number of cells
        transmissions: number of samples sent: cells × samples
        lines: by stream in order of appearance, the most channel uses first; they sum to `uses`
            and `bits`
        uses: all channel uses
        bits: all channel bits
        agrees: whether the items of the cells sum to `uses` as well
    """

    label: str
    cells: int
    transmissions: int
    lines: tuple[LedgerLine, ...]
    uses: int
    bits: int
    agrees: bool


def ledger(overview: Overview) -> list[LedgerSum]:
    """One sum per group; per cell if there is a single group without an axis."""
    if not overview.x and len(overview.groups) < 2:
        rows = [row for group in overview.groups for row in group.rows]
        return [_sum(overview.place(row), [row]) for row in rows]
    return [_sum(group.label, group.rows) for group in overview.groups]


def _sum(label: str, rows: Sequence[Row]) -> LedgerSum:
    uses: dict[tuple[str, str], int] = {}
    bits: dict[tuple[str, str], int] = {}
    for row in rows:
        for entry in row.result["ledger"]:
            if entry["channel_uses"] or entry["bits"]:
                key = entry["stream"], entry["kind"]
                uses[key] = uses.get(key, 0) + entry["channel_uses"]
                bits[key] = bits.get(key, 0) + entry["bits"]
    total = sum(uses.values())
    streams = list(dict.fromkeys(stream for stream, _ in uses))
    order = sorted(uses, key=lambda key: (streams.index(key[0]), -uses[key]))
    lines = tuple(
        LedgerLine(*key, uses[key], bits[key], 100 * uses[key] / total if total else 0.0)
        for key in order
    )
    by_sample = sum(item["channel_uses"] for row in rows for item in row.items())
    transmissions = sum(row.result["n"] for row in rows)
    whole = sum(bits.values())
    return LedgerSum(label, len(rows), transmissions, lines, total, whole, by_sample == total)
