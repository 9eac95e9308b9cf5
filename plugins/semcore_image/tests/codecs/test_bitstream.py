"""The conventional link, both ends."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from semcore import Bitstream, ComponentError, Extent, KnowledgeBase, Rng, Sample, Semantics, Text
from semcore_image.codecs.bitstream import BitstreamEncoder, BitstreamGenerator
from semcore_image.codecs.hevc import HevcIntra
from semcore_image.codecs.jpeg import Jpeg
from semcore_image.codecs.picture import PictureGenerator
from semcore_image.codecs.png import Png
from semcore_image.codecs.raw import Raw
from semcore_image.codecs.webp import WebP

EMPTY = KnowledgeBase()


@pytest.mark.parametrize("codec", [Raw(), Png(), WebP(lossless=True)], ids=str)
def test_a_perfect_channel_gives_back_the_picture(codec, picture: np.ndarray):
    samples = [Sample("a", "alice", image=picture), Sample("b", image=picture[::-1].copy())]
    sent = BitstreamEncoder(codec=codec).encode(samples, EMPTY)
    got = BitstreamGenerator(codec=codec, size=picture.shape[:2]).generate(sent, EMPTY, Rng())
    for sample, one in zip(samples, got, strict=True):
        (result,) = one.samples
        assert (result.id, result.user) == (sample.id, sample.user)
        assert np.array_equal(result.image, sample.image)


def test_it_sends_one_bitstream_as_it_says(picture: np.ndarray):
    encoder = BitstreamEncoder(codec=Jpeg())
    (sent,) = encoder.encode([Sample("a", image=picture)], EMPTY)
    assert {name: type(stream) for name, stream in sent.streams.items()} == encoder.streams


@pytest.mark.parametrize("codec", [Raw(), Png(), Jpeg(), WebP(), HevcIntra()], ids=str)
@pytest.mark.parametrize(
    "streams", [{}, {"picture": Bitstream(b"")}, {"caption": Text("a bird")}], ids=str
)
def test_what_is_lost_is_grey(codec, streams: dict):
    (one,) = BitstreamGenerator(codec=codec, size=(20, 30)).generate(
        [Semantics("a", streams)], EMPTY, Rng()
    )
    assert len(one.samples) == 1 and one.samples[0].image.shape == (20, 30, 3)
    assert (one.samples[0].image == 128).all()


def test_without_a_size_the_bytes_tell_it(picture: np.ndarray):
    generator = BitstreamGenerator(codec=Png())
    got = generator.generate(
        [Semantics("a", {"picture": Bitstream(Png().encode(picture))}), Semantics("b")],
        EMPTY,
        Rng(),
    )
    assert [one.samples[0].image.shape for one in got] == [picture.shape, (32, 32, 3)]


def test_raw_needs_a_size():
    with pytest.raises(ComponentError, match="size"):
        BitstreamGenerator(codec=Raw())


def test_a_sample_without_a_picture_is_refused():
    with pytest.raises(
        ComponentError, match="BitstreamEncoder needs pictures, but sample 'x' has none"
    ):
        BitstreamEncoder(codec=Png()).encode([Sample("x", text="words")], EMPTY)


def test_the_grant_tells_the_size_of_a_picture_however_large_it_is(monkeypatch):
    """Without it a picture of more pixels than a receiver believes was grey, and a lost one 32 by
    32."""
    monkeypatch.setattr("semcore_image.codecs.base.MAX_RECEIVED_PIXELS", 100)
    picture = np.full((24, 40, 3), 77, np.uint8)
    generator, sample = BitstreamGenerator(codec=Png()), Sample("a", image=picture)
    (sent,) = BitstreamEncoder(Png()).encode([sample], EMPTY)
    granted = dataclasses.replace(sent, extent=Extent.of(sample))
    assert np.array_equal(shown(generator, granted), picture)
    assert shown(generator, dataclasses.replace(granted, streams={})).shape == (24, 40, 3)
    assert (shown(generator, sent) == 128).all()  # the size is not in the grant
    assert shown(PictureGenerator(), dataclasses.replace(granted, streams={})).shape == (24, 40, 3)


def shown(generator, got) -> np.ndarray:
    return generator.generate([got], EMPTY, Rng())[0].samples[0].image
