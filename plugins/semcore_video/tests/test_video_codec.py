"""Conventional video coding: reconstruction, budget, no encoder metadata, and robustness to
damage."""

from __future__ import annotations

import numpy as np
import pytest

from semcore import Bitstream, Extent, KnowledgeBase, Rng, Sample, Semantics
from semcore_video.video_codec import VideoDecoder, VideoEncoder, coded_size

pytest.importorskip("av", reason="pip install 'semcore-video[av]'")
KB = KnowledgeBase()
CODECS = ("h264", "h265")
GRANTED = Extent(10, 25.0, (64, 64))


def clip(frames: int = 10, side: int = 64) -> Sample:
    """A moving square over a gradient."""
    video = np.tile(
        np.linspace(0, 200, side).astype(np.uint8)[None, None, :, None], (frames, side, 1, 3)
    )
    for index in range(frames):
        video[index, 20:40, 5 + 2 * index : 25 + 2 * index] = 255, 40, 40
    return Sample("clip", "someone", video=video, fps=25.0)


def coded(sample: Sample, **settings: object) -> bytes:
    return VideoEncoder(**settings).encode([sample], KB)[0].streams["video"].data


def decoded(data: bytes, codec: str, extent: Extent = GRANTED) -> Sample:
    got = Semantics("clip", {"video": Bitstream(data)}, "someone", extent=extent)
    return VideoDecoder(codec=codec).generate([got], KB, Rng())[0].samples[0]


@pytest.mark.parametrize("codec", CODECS)
def test_a_video_comes_back_and_the_better_the_more_bytes(codec: str) -> None:
    sample = clip()
    errors, sizes = [], []
    for crf in (10, 25, 45):
        data = coded(sample, codec=codec, crf=crf)
        result = decoded(data, codec)
        assert result.video.shape == sample.video.shape and result.fps == 25.0
        errors.append(np.square(result.video.astype(float) - sample.video).mean())
        sizes.append(len(data))
    assert errors == sorted(errors) and sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("codec", CODECS)
def test_a_budget_is_kept_and_used(codec: str) -> None:
    sample = clip()
    free = len(coded(sample, codec=codec, crf=20))
    budget = 2 * free // 3
    fitted = coded(sample, codec=codec, crf=0, most_bytes=budget)
    assert free / 3 < len(fitted) <= budget
    assert coded(sample, codec=codec, most_bytes=10) == b""
    assert decoded(b"", codec).video is None


@pytest.mark.parametrize("codec", CODECS)
def test_encoders_do_not_tell_of_themselves(codec: str) -> None:
    data = coded(clip(), codec=codec)
    assert b"x26" not in data and len(data) < 1500


@pytest.mark.parametrize("codec", CODECS)
def test_damage_costs_frames_and_never_an_error(codec: str) -> None:
    data, rng = coded(clip(), codec=codec), np.random.default_rng(1)
    for _ in range(30):
        hurt = np.frombuffer(data, np.uint8).copy()
        hurt[rng.integers(0, len(hurt), 5)] ^= 1 << rng.integers(0, 8, 5).astype(np.uint8)
        video = decoded(hurt.tobytes()[: rng.integers(1, len(hurt))], codec).video
        assert video is None or video.shape == (10, 64, 64, 3)


@pytest.mark.parametrize("codec", CODECS)
def test_frames_of_another_size_are_damage(codec: str) -> None:
    assert decoded(coded(clip(side=128), codec=codec), codec).video is None


def moving(height: int, width: int, frames: int) -> np.ndarray:
    """Moving gradients."""
    y, x = np.mgrid[:height, :width]
    shown = [
        np.stack([(x + 3 * at) % 256, (2 * y) % 256, (x + y) % 256], -1) for at in range(frames)
    ]
    return np.stack(shown).astype(np.uint8)


SIZES = [
    (64, 64),
    (97, 161),
    (96, 160),
    (144, 176),
    (288, 352),
    (288, 360),
    (224, 224),
    (240, 321),
    (480, 720),
    (300, 300),
    (256, 272),
    (16, 16),
    (2, 5),
    (32, 48),
    (18, 200),
    (480, 854),
    (320, 180),
]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_every_frame_of_any_size_comes_back_over_a_link_without_errors(
    codec: str, size: tuple[int, int]
) -> None:
    sample = Sample("a", video=moving(*size, 4), fps=30.0)
    result = decoded(coded(sample, codec=codec, crf=14), codec, Extent.of(sample))
    assert result.video.shape == sample.video.shape and result.fps == 30.0
    each = np.square(result.video.astype(float) - sample.video).mean((1, 2, 3))
    assert (10 * np.log10(255**2 / each) > 19).all()  # chroma of half the resolution


@pytest.mark.slow
@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(
    "size",
    [(720, 1280), (1280, 720), (1080, 1920), (480, 640)],
    ids=lambda size: f"{size[0]}x{size[1]}",
)
def test_large_frames_come_back_too(codec: str, size: tuple[int, int]) -> None:
    sample = Sample("a", video=moving(*size, 3), fps=50.0)
    result = decoded(
        coded(sample, codec=codec, crf=20, preset="veryfast"), codec, Extent.of(sample)
    )
    assert result.video.shape == sample.video.shape
    assert np.square(result.video.astype(float) - sample.video).mean() < 1000


def test_no_frame_is_coded_that_x265_writes_beyond_its_memory_for() -> None:
    """It does for frames narrower than 64 pixels, and the process crashes later, or not."""
    for size in ((1, 1), (16, 16), (33, 47), (64, 48), (18, 200)):
        height, width = coded_size("h265", size)
        assert min(height, width) >= 64 and not height % 2 and not width % 2
    assert coded_size("h264", (33, 47)) == (34, 48) and coded_size("h265", (97, 161)) == (98, 162)


@pytest.mark.parametrize("codec", CODECS)
def test_where_nobody_says_how_large_it_is_the_stream_says_it(codec: str) -> None:
    sample = clip()
    result = decoded(coded(sample, codec=codec), codec, Extent())
    assert result.video.shape == sample.video.shape and result.fps == 25.0


@pytest.mark.parametrize("codec", CODECS)
def test_frames_that_are_missing_at_the_end_repeat_the_last_one(codec: str) -> None:
    result = decoded(coded(clip(), codec=codec), codec, Extent(14, 10.0, (64, 64)))
    assert len(result.video) == 14 and result.fps == 10.0
    assert (result.video[10:] == result.video[9]).all()
