"""Frames: a payload with its length and a CRC.

[length in bytes, LEB128, 1-5 bytes] [payload] [CRC24A of both, 3 bytes]
"""

from __future__ import annotations

from semcore_channels.coding.crc import CRC_BYTES, crc24

MAX_HEADER_BYTES = 5
"""Enough for a payload of 32 GB, and the limit for a damaged header."""


def header(length: int) -> bytes:
    """`length` in unsigned LEB128, the shortest form."""
    parts = [length >> shift & 0x7F for shift in range(0, max(length.bit_length(), 1), 7)]
    return bytes([part | 0x80 for part in parts[:-1]] + parts[-1:])


def frame(payload: bytes) -> bytes:
    """The frame of `payload`."""
    checked = header(len(payload)) + payload
    return checked + crc24(checked).to_bytes(CRC_BYTES, "big")


def frame_bytes(length: int) -> int:
    """Bytes of the frame of a payload of `length` bytes."""
    return len(header(length)) + length + CRC_BYTES


def unframe(data: bytes) -> bytes | None:
    """The payload of the frame at the beginning of `data`; None if its header or CRC is wrong."""
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
    return (
        data[start:stop] if whole and crc24(data[:stop]) == int.from_bytes(check, "big") else None
    )


def salvage(data: bytes, length: int) -> bytes:
    """`length` bytes from the payload of a damaged frame, whose header may be damaged, too."""
    start = len(header(length))
    return data[start : start + length]
