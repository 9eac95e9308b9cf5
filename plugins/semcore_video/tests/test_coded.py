"""Conventional video: what is coded comes back, fits, has no words of its encoder in it, and survives damage."""

from __future__ import annotations

import numpy as np
import pytest

from semcore import Bitstream, ComponentError, KnowledgeBase, Rng, Sample, Semantics
from semcore_video.coded import VideoDecoder, VideoEncoder

pytest.importorskip("av", reason="pip install 'semcore-video[av]'")
KB = KnowledgeBase()
CODECS = ("h264", "h265")


def clip(frames: int = 10, side: int = 64) -> Sample:
    """A square that moves over a gradient."""
    video = np.tile(np.linspace(0, 200, side).astype(np.uint8)[None, None, :, None], (frames, side, 1, 3))
    for index in range(frames):
        video[index, 20:40, 5 + 2 * index : 25 + 2 * index] = 255, 40, 40
    return Sample("clip", "someone", video=video, fps=25.0)


def coded(sample: Sample, **settings: object) -> bytes:
    return VideoEncoder(**settings).encode([sample], KB)[0].streams["video"].data


def decoded(data: bytes, codec: str, **settings: object) -> Sample:
    got = Semantics("clip", {"video": Bitstream(data)}, "someone")
    return VideoDecoder(codec=codec, size=(64, 64), frames=10, **settings).generate([got], KB, Rng())[0].samples[0]


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


def test_odd_sides_are_refused() -> None:
    odd = Sample("odd", "someone", video=np.zeros((2, 33, 32, 3), np.uint8), fps=25.0)
    with pytest.raises(ComponentError, match="even sides"):
        coded(odd)
