"""Payload bits that were sent, compared with what arrived of them."""

from __future__ import annotations

from dataclasses import dataclass

from semcore.types import Bitstream, Stream, Text


@dataclass(frozen=True)
class Bits:
    """Payload bits of a stream: arrived right, arrived wrong, missing (or too many), hidden behind
    a U+FFFD."""

    right: int
    wrong: int
    missing: int
    hidden: int


def compare_bits(sent: Text | Bitstream, arrived: Stream | None) -> Bits:
    """Compare a stream with what arrived of it, from the front; of a lost stream every bit is
    missing.

    A transport can only deliver text, so it puts U+FFFD where a byte was no UTF-8. Of such a byte
    the highest bit is known, it was 1; the others are hidden.
    """
    import numpy as np

    before, after = _bytes(sent), _bytes(arrived)
    if isinstance(arrived, Text) and sent != arrived:
        after = after.replace("\ufffd".encode(), b"\xff")  # a byte that occurs in no UTF-8
    common = min(len(before), len(after))
    one, other = (np.frombuffer(data, np.uint8, common) for data in (before, after))
    known = np.where((other == 0xFF) & isinstance(sent, Text), 0x80, 0xFF).astype(np.uint8)
    seen, wrong = (int(np.unpackbits(bits).sum()) for bits in (known, (one ^ other) & known))
    return Bits(seen - wrong, wrong, 8 * abs(len(before) - len(after)), 8 * common - seen)


def _bytes(stream: Stream | None) -> bytes:
    if isinstance(stream, Text):
        return stream.value.encode("utf-8", "surrogatepass")
    return stream.data if isinstance(stream, Bitstream) else b""
