"""The 24-bit cyclic redundancy checks of TS 38.212, 5.1; registers are initially zero."""

from __future__ import annotations

import functools
from typing import Literal

import numpy as np

CRC_BYTES = 3
_POLYNOMIALS = {"A": 0x864CFB, "B": 0x800063}


@functools.cache
def _table(polynomial: int) -> np.ndarray:
    table = np.zeros(256, np.uint32)
    for byte in range(256):
        register = byte << 16
        for _ in range(8):
            register = register << 1 ^ (polynomial | 0x1000000 if register & 0x800000 else 0)
        table[byte] = register & 0xFFFFFF
    return table


def crc24(data: bytes | np.ndarray, kind: Literal["A", "B"] = "A") -> int:
    """gCRC24A or gCRC24B of bytes."""
    table = _table(_POLYNOMIALS[kind])
    given = np.frombuffer(data, np.uint8) if isinstance(data, bytes) else data
    try:
        from semcore_channels.coding.compiled import crc24 as compiled
    except ImportError:
        known, register = table.tolist(), 0
        for byte in given.tolist():
            register = (register << 8 & 0xFFFFFF) ^ known[register >> 16 ^ byte]
        return register
    return int(compiled(given, table))


def crc24b_bits(blocks: np.ndarray) -> np.ndarray:
    """gCRC24B of each row of bits: uint8 (blocks, n) -> uint8 (blocks, 24)."""
    front = np.zeros((len(blocks), -blocks.shape[1] % 8), np.uint8)
    packed = np.packbits(np.concatenate((front, blocks), 1), axis=1)
    checks = np.array([crc24(row, "B") for row in packed], np.uint32)
    return ((checks[:, None] >> np.arange(23, -1, -1, dtype=np.uint32)) & 1).astype(np.uint8)
