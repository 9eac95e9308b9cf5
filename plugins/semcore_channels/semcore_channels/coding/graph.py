"""The base graphs of TS 38.212, 5.3.2, as lists of entries: column, row and cyclic shift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


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
    def of(cls, encoder: Any) -> Graph:
        """From the parity-check matrix of Sionna's `LDPC5GEncoder`."""
        lifting, matrix = encoder.z, encoder.pcm.tocsr()
        information = encoder.k_ldpc // lifting
        sent = 2 * lifting + encoder.n + encoder.k_filler
        rows = max(-(-sent // lifting) - information, 4)
        found = [np.sort(matrix[row * lifting].indices) for row in range(rows)]
        places = np.concatenate(found).astype(np.int64)
        starts = np.cumsum([0, *map(len, found)]).astype(np.int64)
        return cls(lifting, information, places // lifting, places % lifting, starts)

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
