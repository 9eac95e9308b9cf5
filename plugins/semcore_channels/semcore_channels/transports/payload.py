"""Streams as bytes, and bytes, possibly damaged, as streams."""

from __future__ import annotations

import struct

import numpy as np

from semcore import Bitstream, Codec, ComponentError, Features, Picture, Span, Stream, Text, Tokens

_NOT_UTF8 = dict.fromkeys(range(0xDC80, 0xDD00), "\ufffd")


RANGE = struct.Struct("<ff")
"""Smallest and largest value of quantised features."""


def to_bytes(stream: Stream, codec: Codec | None, feature_bits: int | None = None) -> bytes:
    """The bytes of a stream: text as UTF-8, tokens packed at fixed width, a picture by its codec.

    Features are quantised: their smallest and largest value as float32, then each value as one of
    2^feature_bits equidistant levels.

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
            return _quantised(stream.values, feature_bits)
        case Picture() if codec is not None:
            return codec.encode(stream.pixels)
        case Picture():
            raise ComponentError(
                "ldpc cannot send a picture without a codec: "
                "set its `codec`, for example `codec: {use: jpeg}`"
            )
    raise ComponentError(
        f"ldpc sends bytes, and {type(stream).__name__} has none: "
        "set its `feature_bits`, or use `analog`"
    )


def _quantised(values: np.ndarray, bits: int) -> bytes:
    """The range of some values, and their levels."""
    if not np.isfinite(values).all():
        raise ComponentError("ldpc sends finite numbers, and these are not")
    low, high = 0.0, 0.0
    if values.size:
        low, high = float(np.min(values)), float(np.max(values))
    shares = (values.ravel().astype(np.float64) - low) / max(high - low, 1e-30)
    levels = np.round(shares * (2**bits - 1)).astype(np.int64)
    return RANGE.pack(low, high) + to_bytes(Tokens(levels, 2**bits), None)


def from_bytes(
    span: Span, data: bytes, codec: Codec | None, feature_bits: int | None = None
) -> Stream | None:
    """The stream of `span` from bytes that may be damaged; None if they cannot be decoded.

    Each byte that is not UTF-8 becomes one U+FFFD, so that what follows keeps its place; missing
    tokens become 0, and tokens outside the vocabulary its last one.
    """
    if span.type is Text:
        return Text(data.decode("utf-8", errors="surrogateescape").translate(_NOT_UTF8))
    if span.type is Bitstream:
        return Bitstream(data)
    if span.type is Features and feature_bits is not None:
        head, count = data[: RANGE.size].ljust(RANGE.size, b"\0"), int(np.prod(span.form))
        low, high = (float(np.nan_to_num(bound)) for bound in RANGE.unpack(head))
        levels = _tokens(data[RANGE.size :], count, 2**feature_bits)
        values = low + (high - low) / (2**feature_bits - 1) * levels
        return Features(np.nan_to_num(values).astype(np.float32).reshape(span.form))
    if span.type is Tokens:
        count, vocabulary = span.form
        return Tokens(_tokens(data, count, vocabulary), vocabulary)
    if span.type is Picture and codec is not None:
        height, width, _ = span.form
        pixels = codec.decode(data, (height, width))
        return None if pixels is None else Picture(pixels)
    raise ComponentError(
        f"ldpc was given a {span.type.__name__} stream to receive, which it cannot have sent"
    )


def _tokens(data: bytes, count: int, vocabulary: int) -> np.ndarray:
    """Tokens of fixed width from bytes, int64 (count,)."""
    width = _width(vocabulary)
    padded = data.ljust(-(-count * width // 8), b"\0")
    bits = np.unpackbits(np.frombuffer(padded, np.uint8))[: count * width].reshape(count, width)
    values = (bits.astype(np.int64) << np.arange(width)[::-1]).sum(axis=1)
    return np.minimum(values, vocabulary - 1)


def _width(vocabulary: int) -> int:
    """Bits per token."""
    return max((vocabulary - 1).bit_length(), 1)
