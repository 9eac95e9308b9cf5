"""Streams as bytes, and bytes, perhaps damaged, as streams."""

from __future__ import annotations

import struct

import numpy as np

from semcore.errors import ComponentError
from semcore.interfaces import Codec
from semcore.types import Bitstream, Features, Picture, Span, Stream, Text, Tokens

_NOT_UTF8 = dict.fromkeys(range(0xDC80, 0xDD00), "\ufffd")


RANGE = struct.Struct("<ff")
"""The least and the largest of some numbers."""


def to_bytes(stream: Stream, codec: Codec | None, feature_bits: int | None = None) -> bytes:
    """The bytes of a stream: UTF-8 of a text, tokens of fixed width packed, a picture by its codec.

    Features are quantised: their least and largest value as float32, then each value as one of 2^feature_bits even steps.

    Raises:
        ComponentError: features without `feature_bits`, or not finite, or a picture without a codec
    """
    match stream:
        case Text():
            return stream.value.encode("utf-8", errors="replace")  # lone surrogates have no UTF-8
        case Bitstream():
            return stream.data
        case Tokens():
            places = np.arange(_width(stream.vocabulary))[::-1]
            return np.packbits(stream.values[:, None] >> places & 1).tobytes()
        case Features() if feature_bits is not None:
            if not np.isfinite(stream.values).all():
                raise ComponentError("ldpc sends finite numbers, and these are not")
            low, high = (float(end(stream.values)) if stream.values.size else 0.0 for end in (np.min, np.max))
            steps = np.round((stream.values.ravel().astype(np.float64) - low) / max(high - low, 1e-30) * (2**feature_bits - 1))
            return RANGE.pack(low, high) + to_bytes(Tokens(steps.astype(np.int64), 2**feature_bits), None)
        case Picture() if codec is not None:
            return codec.encode(stream.pixels)
        case Picture():
            raise ComponentError(
                "ldpc cannot send a picture without a codec: set its `codec`, for example `codec: {use: jpeg}`"
            )
    raise ComponentError(f"ldpc sends bytes, and {type(stream).__name__} has none: set its `feature_bits`, or use `analog`")


def from_bytes(span: Span, data: bytes, codec: Codec | None, feature_bits: int | None = None) -> Stream | None:
    """The stream of `span` from bytes that may be damaged; None if nothing can be made of them.

    Every byte that is not UTF-8 becomes one U+FFFD, so that what follows keeps its place; tokens that are missing
    become 0, and those outside the vocabulary its last.
    """
    if span.type is Text:
        return Text(data.decode("utf-8", errors="surrogateescape").translate(_NOT_UTF8))
    if span.type is Bitstream:
        return Bitstream(data)
    if span.type is Features and feature_bits is not None:
        head, count = data[: RANGE.size].ljust(RANGE.size, b"\0"), int(np.prod(span.form))
        low, high = (float(np.nan_to_num(one)) for one in RANGE.unpack(head))
        steps = _tokens(data[RANGE.size :], count, 2**feature_bits)
        values = low + (high - low) / (2**feature_bits - 1) * steps
        return Features(np.nan_to_num(values).astype(np.float32).reshape(span.form))
    if span.type is Tokens:
        count, vocabulary = span.form
        return Tokens(_tokens(data, count, vocabulary), vocabulary)
    if span.type is Picture and codec is not None:
        height, width, _ = span.form
        pixels = codec.decode(data, (height, width))
        return None if pixels is None else Picture(pixels)
    raise ComponentError(f"ldpc was given a {span.type.__name__} stream to receive, which it cannot have sent")


def _tokens(data: bytes, count: int, vocabulary: int) -> np.ndarray:
    """Tokens of fixed width out of bytes, int64 (count,)."""
    width = _width(vocabulary)
    whole = data.ljust(-(-count * width // 8), b"\0")
    bits = np.unpackbits(np.frombuffer(whole, np.uint8))[: count * width].reshape(count, width)
    values = (bits.astype(np.int64) << np.arange(width)[::-1]).sum(axis=1)
    return np.minimum(values, vocabulary - 1)


def _width(vocabulary: int) -> int:
    """Bits of a token."""
    return max((vocabulary - 1).bit_length(), 1)
