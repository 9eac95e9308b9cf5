"""The base graphs of TS 38.212, 5.3.2, as lists of entries: column, row and cyclic shift."""

from __future__ import annotations

import csv
import functools
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np

INFORMATION_COLUMNS = {1: 22, 2: 10}
"""Columns of information bits by base graph, TS 38.212, 5.2.2."""
LIFTING_FACTORS = (2, 3, 5, 7, 9, 11, 13, 15)
"""The odd parts of the lifting sizes by set index i_LS, and 2 for 0: TS 38.212, Table 5.3.2-1."""
LARGEST_LIFTING = 384


@dataclass(frozen=True, eq=False)
class Graph:
    """A lifted base graph, restricted to the rows that a code of `n` bits uses.

    A parity bit that is not sent has no check.

    Fields:
        lifting: lifting size Z
        information: number of columns of information bits
        columns, shifts: of the entries, int64 (entries,), row by row
        starts: first entry of each row, and the number of entries, int64 (rows + 1,)
    """

    lifting: int
    information: int
    columns: np.ndarray
    shifts: np.ndarray
    starts: np.ndarray

    @classmethod
    def of_code(cls, k: int, n: int, base_graph: int) -> Graph:
        """The graph of the code of `k` information and `n` coded bits, TS 38.212, 5.2.2 and 5.3.2.

        The tables of the standard are read from Sionna's files without its import, which takes
        seconds in every process.
        """
        information = INFORMATION_COLUMNS[base_graph]
        lifting, set_index = _lifting(k, base_graph)
        sent = 2 * lifting + n + information * lifting - k
        rows = max(-(-sent // lifting) - information, 4)
        row, column, shift = _base_graph(base_graph)[:, [0, 1, 2 + set_index]].T
        used = row < rows
        row, column, shift = row[used], column[used], shift[used] % lifting
        order = np.lexsort((column, row))
        starts = np.searchsorted(row[order], np.arange(rows + 1))
        return cls(lifting, information, column[order], shift[order], starts.astype(np.int64))

    @property
    def bits(self) -> int:
        """Bits of a word, with filler and punctured bits."""
        return (self.information + len(self.starts) - 1) * self.lifting

    def steps(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The steps of the encoder, each of which computes one parity block from known blocks.

        The sum of the first four rows contains the first parity block only: each other one is in
            two
        of them and cancels. After it, there is always a row with one unknown.

        Returns:
            columns and shifts of the blocks that the steps add, (entries,) each; column and shift
            of the block that each step computes, (steps, 2); first entry of each step, (steps + 1,)
        """
        rows = [self._row(number) for number in range(len(self.starts) - 1)]
        first = self.information
        total: dict[tuple[int, int], int] = {}
        for entry in (entry for row in rows[:4] for entry in row):
            total[entry] = total.get(entry, 0) ^ 1
        core = [entry for entry, odd in total.items() if odd]
        [unknown] = [entry for entry in core if entry[0] >= first]
        steps = [([entry for entry in core if entry != unknown], unknown)]
        known, waiting = {*range(first), unknown[0]}, rows
        while waiting:
            ready = [row for row in waiting if sum(column not in known for column, _ in row) <= 1]
            for row in ready:
                new = [entry for entry in row if entry[0] not in known]
                if new:
                    steps.append(([entry for entry in row if entry != new[0]], new[0]))
                    known.add(new[0][0])
            waiting = [row for row in waiting if row not in ready]
        entries = np.array([entry for added, _ in steps for entry in added], np.int64)
        starts = np.cumsum([0, *(len(added) for added, _ in steps)]).astype(np.int64)
        return (
            entries[:, 0].copy(),
            entries[:, 1].copy(),
            np.array([found for _, found in steps], np.int64),
            starts,
        )

    def _row(self, number: int) -> list[tuple[int, int]]:
        part = slice(self.starts[number], self.starts[number + 1])
        return list(zip(self.columns[part].tolist(), self.shifts[part].tolist(), strict=True))


def _lifting(k: int, base_graph: int) -> tuple[int, int]:
    """The smallest lifting size that holds `k` information bits, and its set index i_LS."""
    columns = INFORMATION_COLUMNS[base_graph]
    if base_graph == 2:
        columns = next(
            count for above, count in ((640, 10), (560, 9), (192, 8), (0, 6)) if k > above
        )
    sizes = (
        (factor << power, index)
        for index, factor in enumerate(LIFTING_FACTORS)
        for power in range(8)
        if factor << power <= LARGEST_LIFTING and (factor, power) != (2, 8)
    )
    return min(size for size in sizes if size[0] * columns >= k)


@functools.cache
def _base_graph(number: int) -> np.ndarray:
    """TS 38.212, Tables 5.3.2-2 and -3, as int64 (entries, 10): row, column, eight shifts."""
    sionna = importlib.util.find_spec("sionna")
    if sionna is None or sionna.origin is None:
        raise ModuleNotFoundError("No module named 'sionna'", name="sionna")
    codes = Path(sionna.origin).parent / "phy" / "fec" / "ldpc" / "codes"
    file = codes / f"5G_bg{number}.csv"
    with file.open(newline="") as text:
        lines = list(csv.reader(text, delimiter=";"))[2:]
    row = "0"
    entries = []
    for first, *rest in lines:
        row = first or row
        entries.append([int(row), *map(int, rest)])
    return np.array(entries, np.int64)
