"""Hostile input, made on the spot: bytes that lie about themselves, and texts, numbers and streams
that nobody expects."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from semcore.runs import memory
from semcore.types import Bitstream, Features, Picture, Semantics, Stream, Text, Tokens


def bombs() -> dict[str, bytes]:
    """Files of a few bytes or kilobytes that claim, or unpack to, a lot more; a codec of another
    format sees noise."""
    side = 65_500
    squeezed = zlib.compress(bytes(2**25), 9)
    claims = struct.pack("<HH", side, side)
    return {
        "PNG of 900 megapixels": _png(30_000, 30_000),
        "PNG with the largest sides": _png(2**31 - 1, 2**31 - 1),
        "PNG with a long text": _png(8, 8, (b"zTXt", b"k\0\0" + squeezed)),
        "PNG with a long profile": _png(8, 8, (b"iCCP", b"k\0\0" + squeezed)),
        "PNG with more pixels than it says": _png(8, 8, (b"IDAT", squeezed)),
        "PNG of two billion frames": _png(8, 8, (b"acTL", struct.pack(">II", 2**31 - 1, 0))),
        "JPEG of 4 gigapixels": _jpeg(side, side, 0xC0, 1),
        "progressive JPEG of 4 gigapixels": _jpeg(side, side, 0xC2, 1),
        "progressive JPEG of 5,000 scans": _jpeg(4096, 4096, 0xC2, 5_000),
        "WebP of 4 gigapixels": _riff(
            b"VP8X", b"\2\0\0\0" + 2 * struct.pack("<I", side)[:3], b"ANIM", bytes(6)
        ),
        "WebP of 268 megapixels": _riff(
            b"VP8L", b"\x2f" + struct.pack("<I", 0x0FFFFFFF) + bytes(40)
        ),
        "GIF of 4 gigapixels": b"GIF89a"
        + claims
        + bytes(3)
        + b"\x2c"
        + bytes(4)
        + claims
        + b"\0\2\2\x4c\1\0;",
        "BMP of 4 gigapixels": b"BM"
        + struct.pack("<IIIIiiHHIIIIII", 54, 0, 54, 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0),
        "four bytes of two sides": struct.pack(">HH", side, side) + bytes(60),
        "eight bytes of two sides": struct.pack("<II", 2**31 - 1, 2**31 - 1) + bytes(60),
    }


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """`data` as a bad channel, or somebody who means harm, may leave it: flipped bits, noise, cuts,
    doubled and lost parts."""
    values = np.frombuffer(data, np.uint8).copy()
    if not values.size:
        return rng.bytes(int(rng.integers(1, 64)))
    place, length = int(rng.integers(values.size)), int(rng.integers(1, 64))
    match rng.integers(6):
        case 0:
            values[rng.integers(0, values.size, 3)] ^= 1 << rng.integers(0, 8, 3).astype(np.uint8)
        case 1:
            # lengths and sizes become the largest, or none
            values[place : place + 4] = 255 * rng.integers(0, 2)
        case 2:
            values = values[:place]
        case 3:
            values = np.delete(values, slice(place, place + length))
        case 4:
            values = np.insert(values, place, values[place : place + length])
        case _:
            values[place : place + length] = np.frombuffer(rng.bytes(length), np.uint8)[
                : values[place : place + length].size
            ]
    return values.tobytes()


def streams(like: Stream) -> Iterator[Stream]:
    """Streams of the type and form of `like`, with content that nobody expects."""
    rng = np.random.default_rng(0)
    match like:
        case Text():
            yield Text("\ufffd" + like.value[::-1])
            yield Text("\0\x1b[2J\u202e\ud800\udfff\ufffe" + "é\u0301" * 20)
            yield Text("a" * 200_000)
            yield Text("".join(map(chr, rng.integers(33, 0xD000, 20_000))))
        case Bitstream():
            yield Bitstream(bytes(byte ^ 0x55 for byte in like.data[: len(like.data) // 2]))
            yield Bitstream(b"")
            yield Bitstream(rng.bytes(1000))
            yield from (Bitstream(damaged(like.data, rng)) for _ in range(4))
        case Tokens():
            yield Tokens(like.vocabulary - 1 - like.values, like.vocabulary)
            yield Tokens(rng.integers(0, like.vocabulary, like.values.size), like.vocabulary)
        case Features():
            yield Features(-10 * like.values)
            yield Features(np.full_like(like.values, 1e30))
        case Picture():
            yield Picture(255 - like.pixels)
            yield Picture(rng.integers(0, 256, like.pixels.shape, dtype=np.uint8))


def batches(batch: Sequence[Semantics]) -> Iterator[list[Semantics]]:
    """One sample alone, one of its streams made strange: every stream of the first two, in every
    way."""
    for one in batch[:2]:
        for name, stream in one.streams.items():
            for strange in streams(stream):
                yield [replace(one, streams={**one.streams, name: strange})]


def grown_bytes(call: Callable[[], object]) -> int:
    """The most memory that a call takes on top of what the process holds; 0 where the system does
    not tell (Linux does)."""
    try:
        memory.forget_peak()
        held = memory.resident()
    except OSError:
        call()
        return 0
    call()
    return memory.peak() - held


# -------------------------------------------------------------------------------------------- files


def _png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    pixels = (b"IDAT", zlib.compress(bytes(25 * 8)))  # 8 rows of 8 pixels
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        *chunks,
        pixels,
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


def _jpeg(width: int, height: int, start_of_frame: int, scans: int) -> bytes:
    """A grey JPEG; baseline (0xC0) or progressive (0xC2), whose scans hold nothing but the mean of
    the blocks."""

    def segment(marker: int, data: bytes) -> bytes:
        return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data

    tables = segment(0xDB, bytes([0, *[1] * 64])) + b"".join(
        segment(0xC4, bytes([kind, 1, *[0] * 15, 0])) for kind in (0x00, 0x10)
    )
    frame = segment(start_of_frame, struct.pack(">BHHB", 8, height, width, 1) + bytes([1, 0x11, 0]))
    last = 0 if start_of_frame == 0xC2 else 63
    scan = segment(0xDA, bytes([1, 1, 0, 0, last, 0])) + bytes(4)
    return b"\xff\xd8" + tables + frame + scans * scan + b"\xff\xd9"


def _riff(*parts: bytes) -> bytes:
    """A WebP file of chunks: name, data, name, data, ..."""
    chunks = [
        name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)
        for name, data in zip(parts[::2], parts[1::2], strict=True)
    ]
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body
