"""The inner loops of the 5G LDPC code, compiled by numba.

A word consists of blocks of `lifting` bits, and a check is a sum of cyclically shifted blocks. Each
inner loop runs over two contiguous ranges, which the compiler vectorises.

Imported only where numba is installed; `codes.py` falls back to Sionna.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

_NORMALISATION = np.float32(0.9)
_REACH, _CURVE = np.float32(2.77), np.float32(0.0903)
_ENDLESS = np.float32(1e9)
"""Larger than any reliability."""


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile on the first call, without the GIL; cached on disk if there is a writable folder."""
    settings: dict[str, Any] = {
        "nogil": True,
        "fastmath": {"nsz", "arcp", "contract", "reassoc"},
        "error_model": "numpy",
    }
    try:
        return numba.njit(cache=True, **settings)(function)
    except RuntimeError:  # no writable folder for the cache
        return numba.njit(**settings)(function)


@_compiled
def encode(
    bits: np.ndarray,
    word: np.ndarray,
    columns: np.ndarray,
    shifts: np.ndarray,
    solves: np.ndarray,
    starts: np.ndarray,
    lifting: int,
) -> None:
    """Compute the parity of words from their information.

    Args:
        bits: scratch, uint8 (lifting,)
        word: uint8 (words, columns * lifting); information first, parity behind it
        columns, shifts: of the entries that a step adds; `starts[i]:starts[i + 1]` are those of
            step i
        solves: of each step, the column that it computes and the shift of its entry
        lifting: Z of TS 38.212
    """
    for number in range(word.shape[0]):
        for step in range(solves.shape[0]):
            bits[:] = 0
            for entry in range(starts[step], starts[step + 1]):
                base, shift = columns[entry] * lifting, shifts[entry]
                for i in range(lifting - shift):
                    bits[i] ^= word[number, base + shift + i]
                for i in range(shift):
                    bits[lifting - shift + i] ^= word[number, base + i]
            base, shift = solves[step, 0] * lifting, solves[step, 1]
            for i in range(lifting - shift):
                word[number, base + shift + i] = bits[i]
            for i in range(shift):
                word[number, base + i] = bits[lifting - shift + i]


@numba.njit(inline="always")
def _of_sum(a: np.float32, b: np.float32) -> np.float32:
    """Reliability of the sum of two bits of reliability a <= b.

    a - g(b - a) + g(a + b) with g(x) = log(1 + exp(-x)), approximated by a parabola that equals it
    at 0 and reaches zero at 2.77; the error is at most 0.03.
    """
    x, y = _REACH - (b - a), _REACH - (a + b)
    x, y = (x if x > np.float32(0) else np.float32(0)), (y if y > np.float32(0) else np.float32(0))
    found = a - _CURVE * x * x + _CURVE * y * y
    return found if found > np.float32(0) else np.float32(0)


@_compiled
def decode(
    soft: np.ndarray,
    hard: np.ndarray,
    columns: np.ndarray,
    shifts: np.ndarray,
    starts: np.ndarray,
    lifting: int,
    iterations: int,
) -> None:
    """Layered min-sum decoding that stops when all checks hold.

    The message of a check to one of its bits is the reliability of the sum of the others. Min-sum
    takes the smallest reliability, an overestimate. Here it is that of the sum of the two smallest
    (lambda-min with three of them, F. Guilloud et al., Proc. Turbo Codes 2003), times a
    normalisation for all others (J. Chen et al., IEEE Trans. Commun. 53(8), 2005). Layered decoding
    (M. Mansour and N. Shanbhag, IEEE Trans. VLSI 11(6), 2003) needs half the iterations of
    flooding.

    Args:
        soft: log p0/p1 of each bit, float32 (words, columns * lifting); overwritten
        hard: the decided bits, uint8 of the same shape
        columns, shifts: of the entries of the parity-check matrix; `starts[i]:starts[i + 1]` are
            those of row i
        lifting: Z of TS 38.212
        iterations: largest number of iterations
    """
    rows = len(starts) - 1
    widest = 0
    for row in range(rows):
        widest = max(widest, starts[row + 1] - starts[row])
    messages = np.empty((len(columns), lifting), np.float32)
    extrinsic = np.empty((widest, lifting), np.float32)
    smallest, sums = np.empty((4, lifting), np.float32), np.empty((3, lifting), np.float32)
    parity = np.empty(lifting, np.uint8)
    for number in range(soft.shape[0]):
        beliefs, decided = soft[number], hard[number]
        messages[:] = 0
        for _ in range(iterations):
            if _holds(beliefs, decided, parity, columns, shifts, starts, lifting):
                break
            for row in range(rows):
                first, behind = starts[row], starts[row + 1]
                _row(
                    beliefs,
                    messages,
                    extrinsic,
                    smallest,
                    sums,
                    columns,
                    shifts,
                    first,
                    behind,
                    lifting,
                )
        for i in range(len(beliefs)):
            decided[i] = beliefs[i] < 0


@_compiled
def _holds(
    beliefs: np.ndarray,
    decided: np.ndarray,
    parity: np.ndarray,
    columns: np.ndarray,
    shifts: np.ndarray,
    starts: np.ndarray,
    lifting: int,
) -> bool:
    """Whether the hard decisions are a code word."""
    for i in range(len(beliefs)):
        decided[i] = beliefs[i] < 0
    for row in range(len(starts) - 1):
        parity[:] = 0
        for entry in range(starts[row], starts[row + 1]):
            base, shift = columns[entry] * lifting, shifts[entry]
            for i in range(lifting - shift):
                parity[i] ^= decided[base + shift + i]
            for i in range(shift):
                parity[lifting - shift + i] ^= decided[base + i]
        wrong = np.uint8(0)
        for i in range(lifting):
            wrong |= parity[i]
        if wrong:
            return False
    return True


@_compiled
def _row(
    beliefs: np.ndarray,
    messages: np.ndarray,
    extrinsic: np.ndarray,
    smallest: np.ndarray,
    sums: np.ndarray,
    columns: np.ndarray,
    shifts: np.ndarray,
    start: int,
    stop: int,
    lifting: int,
) -> None:
    """One row of the base graph, `lifting` checks at once; they are on different bits."""
    least, second, third, sign = smallest[0], smallest[1], smallest[2], smallest[3]
    others, but_least, but_second = sums[0], sums[1], sums[2]
    zero, one = np.float32(0), np.float32(1)
    least[:], second[:], third[:], sign[:] = _ENDLESS, _ENDLESS, _ENDLESS, _NORMALISATION
    for entry in range(start, stop):
        base, shift = columns[entry] * lifting, shifts[entry]
        mine, message = extrinsic[entry - start], messages[entry]
        for i in range(lifting - shift):
            mine[i] = beliefs[base + shift + i] - message[i]
        for i in range(shift):
            mine[lifting - shift + i] = beliefs[base + i] - message[lifting - shift + i]
        for i in range(lifting):
            value = mine[i]
            size = abs(value)
            larger = least[i] if least[i] > size else size
            largest = second[i] if second[i] > larger else larger
            third[i] = third[i] if third[i] < largest else largest
            second[i] = second[i] if second[i] < larger else larger
            least[i] = least[i] if least[i] < size else size
            sign[i] *= -one if value < zero else one
    for i in range(lifting):
        others[i] = _of_sum(least[i], second[i])
        but_least[i] = _of_sum(second[i], third[i])
        but_second[i] = _of_sum(least[i], third[i])
    for entry in range(start, stop):
        base, shift = columns[entry] * lifting, shifts[entry]
        mine, message = extrinsic[entry - start], messages[entry]
        for i in range(lifting):
            value = mine[i]
            own = abs(value)
            size = but_second[i] if own == second[i] else others[i]
            size = but_least[i] if own == least[i] else size
            message[i] = size * (-sign[i] if value < zero else sign[i])
            mine[i] = value + message[i]
        for i in range(lifting - shift):
            beliefs[base + shift + i] = mine[i]
        for i in range(shift):
            beliefs[base + i] = mine[lifting - shift + i]


@_compiled
def crc24(data: np.ndarray, table: np.ndarray) -> np.uint32:
    """The register of a 24-bit CRC after the bytes `data`, uint8, from zero."""
    register = np.uint32(0)
    for i in range(len(data)):
        register = ((register << np.uint32(8)) & np.uint32(0xFFFFFF)) ^ table[
            (register >> np.uint32(16)) ^ data[i]
        ]
    return register
