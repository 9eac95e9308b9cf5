"""The laws of a picture codec."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from semcore.interfaces import Codec
from semcore.limits import MAX_RECEIVED_PIXELS
from semcore.testing.examples import picture
from semcore.testing.hostile import bombs, damaged, grown_bytes
from semcore.testing.law import Given, LawBroken, NotApplicable, require

SIZES = ((32, 32), (17, 40), (64, 48))
MOST_MEMORY = 512 * 2**20
"""Bytes that a decoder may take for hostile input: a picture at the limit, and some copies of
it."""


def use(codec: Codec, given: Given) -> Any:
    """Bytes of some pictures, and what they decode to."""
    coded = [codec.encode(picture(*size)) for size in SIZES]
    return coded, [codec.decode(data, size) for data, size in zip(coded, SIZES, strict=True)]


def a_picture_comes_back(codec: Codec, given: Given) -> None:
    """What was encoded decodes to a picture of its size that is nearer to it than a grey one."""
    for size in SIZES:
        source = picture(*size)
        data = codec.encode(source)
        require(isinstance(data, bytes), f"encode returns {type(data).__name__}, not bytes")
        got = codec.decode(data, size)
        if got is None or not _is_picture(got, size):
            raise LawBroken(f"a picture {size} comes back as {_shape(got)}")
        error, grey = (np.mean((source.astype(float) - one) ** 2) for one in (got, source.mean()))
        require(
            error < grey,
            f"a picture {size} comes back no nearer (MSE {error:.0f}) than a grey one ({grey:.0f})",
        )


def a_lossless_codec_keeps_every_pixel(codec: Codec, given: Given) -> None:
    """A codec that calls itself `lossless` (class attribute or setting) gives back every pixel."""
    if not getattr(codec, "lossless", False):
        raise NotApplicable("it does not call itself `lossless`")
    for size in SIZES:
        source = picture(*size)
        got = codec.decode(codec.encode(source), size)
        require(
            got is not None and np.array_equal(got, source), f"pixels of a picture {size} change"
        )


def hostile_bytes_do_no_harm(codec: Codec, given: Given) -> None:
    """Damaged, cut and random bytes never raise: they give nothing, or a picture, of the given size
    if one is given."""
    good, rng = codec.encode(picture(32, 32)), np.random.default_rng(0)
    hostile = [
        b"",
        b"\0",
        rng.bytes(500),
        good[: len(good) // 2],
        good[:20],
        good + rng.bytes(50),
        good[::-1],
    ]
    for data in (*hostile, *(damaged(good, rng) for _ in range(80))):
        for size in (None, (32, 32), (8, 24)):
            _try(codec, data, size, f"bytes {data[:12]!r}...")


def bombs_are_not_unpacked(codec: Codec, given: Given) -> None:
    """Bytes that claim to be a huge picture, or unpack to a lot, give no more than the limit, and
    take no more memory."""
    for name, data in bombs().items():
        for size in (None, (32, 32)):
            grown = grown_bytes(partial(_try, codec, data, size, name))
            require(
                grown < MOST_MEMORY,
                f"a {name} ({len(data)} bytes) takes {grown / 1e6:,.0f} MB of memory",
            )


LAWS = (
    a_picture_comes_back,
    a_lossless_codec_keeps_every_pixel,
    hostile_bytes_do_no_harm,
    bombs_are_not_unpacked,
)


def _try(codec: Codec, data: bytes, size: tuple[int, int] | None, what: str) -> None:
    try:
        got = codec.decode(data, size)
    except Exception as error:
        raise LawBroken(f"{what} of size {size} raise {type(error).__name__}: {error}") from error
    require(
        got is None or _is_picture(got, size),
        f"{what} give {_shape(got)}, and {size} was asked for",
    )
    within = got is None or got.shape[0] * got.shape[1] <= MAX_RECEIVED_PIXELS
    require(within, f"{what} give {_shape(got)}: more than {MAX_RECEIVED_PIXELS:,} pixels")


def _is_picture(got: Any, size: tuple[int, int] | None) -> bool:
    if (
        not isinstance(got, np.ndarray)
        or got.dtype != np.uint8
        or got.ndim != 3
        or got.shape[2] != 3
    ):
        return False
    return size is None or got.shape[:2] == size


def _shape(got: Any) -> str:
    return f"{got.dtype} {got.shape}" if isinstance(got, np.ndarray) else repr(got)
