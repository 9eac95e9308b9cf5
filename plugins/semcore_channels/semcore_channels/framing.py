"""A payload as a frame that its receiver can check: length, payload, CRC.

[length in bytes, LEB128, 1-5 bytes] [payload] [CRC24A of both, 3 bytes]
"""

from __future__ import annotations

import functools

CRC_BYTES = 3
MAX_HEADER_BYTES = 5
"""Enough for a payload of 32 GB; a damaged header cannot ask for more."""
_CRC24A = 0x864CFB


@functools.cache
def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        register = byte << 16
        for _ in range(8):
            register = register << 1 ^ (_CRC24A if register & 0x800000 else 0)
        table.append(register & 0xFFFFFF)
    return tuple(table)


def crc24a(data: bytes) -> int:
    """gCRC24A of TS 38.212, 5.1, register initially zero."""
    table, register = _crc_table(), 0
    for byte in data:
        register = (register << 8 & 0xFFFFFF) ^ table[register >> 16 ^ byte]
    return register


def header(length: int) -> bytes:
    """`length` in unsigned LEB128, the shortest form."""
    parts = [length >> shift & 0x7F for shift in range(0, max(length.bit_length(), 1), 7)]
    return bytes([part | 0x80 for part in parts[:-1]] + parts[-1:])


def frame(payload: bytes) -> bytes:
    """The frame of `payload`."""
    checked = header(len(payload)) + payload
    return checked + crc24a(checked).to_bytes(CRC_BYTES, "big")


def frame_bytes(length: int) -> int:
    """Bytes of the frame of a payload of `length` bytes."""
    return len(header(length)) + length + CRC_BYTES


def unframe(data: bytes) -> bytes | None:
    """The payload of the frame that `data` begins with, or None if its header or its CRC is wrong."""
    length = 0
    for place, byte in enumerate(data[:MAX_HEADER_BYTES]):
        length |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            break
    else:
        return None
    start = place + 1
    stop = start + length
    check = data[stop : stop + CRC_BYTES]
    whole = data[:start] == header(length) and len(check) == CRC_BYTES
    return data[start:stop] if whole and crc24a(data[:stop]) == int.from_bytes(check, "big") else None


def salvage(data: bytes, length: int) -> bytes:
    """`length` bytes from where the payload of a damaged frame begins; the header is not believed."""
    start = len(header(length))
    return data[start : start + length]
