"""Codecs: what goes in comes out, and nothing that a channel makes of the bytes brings a receiver
down."""

from __future__ import annotations

import functools
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from semcore import ComponentError, Rng
from semcore.media import MAX_RECEIVED_PIXELS
from semcore_image.codecs.hevc import HevcIntra
from semcore_image.codecs.jpeg import Jpeg
from semcore_image.codecs.png import Png
from semcore_image.codecs.raw import Raw
from semcore_image.codecs.webp import WebP

LOSSLESS = [Raw(), Png(), WebP(lossless=True)]
LOSSY = [
    Jpeg(quality=90),
    Jpeg(quality=90, subsampling="4:4:4"),
    WebP(quality=90),
    HevcIntra(quality=80),
]
FILES = [codec for codec in LOSSLESS + LOSSY if not isinstance(codec, Raw)]
EVERY = pytest.mark.parametrize("codec", LOSSLESS + LOSSY, ids=str)
EVERY_FILE = pytest.mark.parametrize("codec", FILES, ids=str)


def is_picture(pixels: np.ndarray | None, size: tuple[int, int] | None = None) -> bool:
    if pixels is None:
        return True
    right_form = pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3
    return right_form and (
        pixels.shape[:2] == size if size else pixels.size <= 3 * MAX_RECEIVED_PIXELS
    )


def damaged(data: bytes, kind: str, rng: np.random.Generator) -> bytes:
    """Bytes as a bad channel leaves them."""
    values = np.frombuffer(data, np.uint8).copy()
    if kind == "bit":
        values[rng.integers(values.size)] ^= 1 << rng.integers(8)
    elif kind == "burst":
        start = rng.integers(values.size)
        values[start : start + 40] = rng.integers(0, 256, values[start : start + 40].size)
    elif kind == "noise":
        values ^= np.packbits(rng.random(8 * values.size) < 0.01)
    elif kind == "cut":
        values = values[: rng.integers(values.size)]
    elif kind == "hole":
        start = rng.integers(values.size)
        values = np.delete(values, slice(start, start + rng.integers(1, 200)))
    elif kind == "more":
        values = np.concatenate([values, rng.integers(0, 256, 100, dtype=np.uint8)])
    return values.tobytes()


@pytest.mark.parametrize("codec", LOSSLESS, ids=str)
def test_a_lossless_codec_gives_back_every_pixel(codec, picture: np.ndarray):
    assert np.array_equal(codec.decode(codec.encode(picture), picture.shape[:2]), picture)


@pytest.mark.parametrize("codec", LOSSY, ids=str)
def test_a_lossy_codec_stays_close_and_saves_bytes(codec, picture: np.ndarray):
    data = codec.encode(picture)
    assert len(data) < picture.size
    error = codec.decode(data, picture.shape[:2]).astype(float) - picture
    assert np.sqrt((error**2).mean()) < 12


@pytest.mark.parametrize("codec", [Jpeg, WebP, HevcIntra])
def test_more_quality_costs_more_bytes_and_errs_less(codec, picture: np.ndarray):
    coded = [codec(quality=quality).encode(picture) for quality in (10, 50, 95)]
    errors = [
        np.square(codec().decode(data, picture.shape[:2]).astype(float) - picture).mean()
        for data in coded
    ]
    assert len(coded[0]) < len(coded[1]) < len(coded[2])
    assert errors[0] > errors[1] > errors[2]


def test_full_chroma_keeps_coloured_edges(picture: np.ndarray):
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::2, 0], stripes[:, 1::2, 2] = 255, 255
    for codec in (Jpeg, HevcIntra):
        name = "subsampling" if codec is Jpeg else "chroma"
        full, half = (codec(quality=95, **{name: sampling}) for sampling in ("4:4:4", "4:2:0"))
        error = [
            np.square(c.decode(c.encode(stripes)).astype(float) - stripes).mean()
            for c in (full, half)
        ]
        assert error[0] < 0.1 * error[1]


@EVERY
@pytest.mark.parametrize("shape", [(1, 1), (1, 17), (33, 7), (16, 16)])
def test_any_size(codec, shape: tuple[int, int]):
    pixels = Rng(3).at(shape).numpy().integers(0, 256, (*shape, 3), dtype=np.uint8)
    assert codec.decode(codec.encode(pixels), shape).shape == pixels.shape


@EVERY
@pytest.mark.parametrize("kind", ["bit", "burst", "noise", "cut", "hole", "more"])
def test_damaged_bytes_give_a_picture_or_nothing(codec, kind: str, picture: np.ndarray):
    data, rng = codec.encode(picture), Rng(5).at(codec, kind).numpy()
    for _ in range(40):
        wrong = damaged(data, kind, rng)
        assert is_picture(codec.decode(wrong, picture.shape[:2]), picture.shape[:2])
        assert is_picture(codec.decode(wrong))


@EVERY
@settings(max_examples=40)
@given(data=st.binary(max_size=300))
def test_arbitrary_bytes_give_a_picture_or_nothing(codec, data: bytes):
    assert is_picture(codec.decode(data, (8, 8)), (8, 8))
    assert is_picture(codec.decode(data))


@EVERY_FILE
@settings(max_examples=40)
@given(tail=st.binary(max_size=200), kept=st.integers(4, 60))
def test_a_true_beginning_with_any_continuation(codec, tail: bytes, kept: int):
    assert is_picture(codec.decode(stripes_in(codec)[:kept] + tail))


@functools.cache
def stripes_in(codec) -> bytes:
    return codec.encode(np.tile(np.arange(0, 240, 8, dtype=np.uint8)[:, None, None], (1, 20, 3)))


@EVERY_FILE
def test_a_picture_of_another_size_than_the_session_s_is_damage(codec, picture: np.ndarray):
    assert codec.decode(codec.encode(picture), (picture.shape[0], picture.shape[1] + 1)) is None


@EVERY_FILE
def test_another_format_is_not_decoded(codec, picture: np.ndarray):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "BMP")
    assert codec.decode(file.getvalue()) is None


def test_a_bomb_is_refused_before_it_is_unpacked():
    file = io.BytesIO()
    Image.new("1", (6000, 6000)).save(file, "PNG")  # 5 kB that hold 36 megapixels
    assert len(file.getvalue()) < 10_000
    assert Png().decode(file.getvalue()) is None
    assert is_picture(Png().decode(file.getvalue(), (8, 8)))


def test_raw_keeps_an_error_where_it_happened(picture: np.ndarray):
    data = bytearray(Raw().encode(picture))
    data[100] ^= 0xFF
    wrong = np.argwhere((Raw().decode(bytes(data), picture.shape[:2]) != picture).ravel())
    assert wrong.tolist() == [[100]]


def test_raw_fills_what_is_missing_with_grey_and_drops_what_is_too_much(picture: np.ndarray):
    data, size = Raw().encode(picture), picture.shape[:2]
    short = Raw().decode(data[:-50], size).ravel()
    assert np.array_equal(short[:-50], picture.ravel()[:-50]) and (short[-50:] == 128).all()
    assert np.array_equal(Raw().decode(data + b"more", size), picture)
    assert Raw().decode(data) is None and Raw().decode(b"", size) is None


def test_a_jpeg_that_is_cut_off_keeps_its_upper_part(picture: np.ndarray):
    codec, size = Jpeg(quality=90), picture.shape[:2]
    data = codec.encode(picture)
    whole, half = codec.decode(data, size), codec.decode(data[: len(data) * 6 // 10], size)
    assert np.array_equal(half[:8], whole[:8])
    assert not np.array_equal(half[-8:], whole[-8:])
    assert (half[-8:] == half[-1, -1]).all(), "what never arrived has one colour"


def test_a_format_s_longest_side_is_told():
    with pytest.raises(ComponentError, match="WEBP allows at most 16383 pixels per side"):
        WebP().encode(np.zeros((1, 16384, 3), np.uint8))


@pytest.mark.parametrize(
    ("codec", "bad"),
    [
        (Jpeg, {"quality": 101}),
        (Jpeg, {"subsampling": "4:1:1"}),
        (WebP, {"quality": -1}),
        (HevcIntra, {"chroma": "4:0:0"}),
    ],
)
def test_a_bad_value_is_refused_by_name(codec, bad: dict):
    with pytest.raises(ComponentError, match=next(iter(bad))):
        codec(**bad)
