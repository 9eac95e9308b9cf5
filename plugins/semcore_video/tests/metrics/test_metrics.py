"""Metrics of faces and speech: of the source itself, of what is missing, and of known faults."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semcore import KnowledgeBase, Metric, Rng, Sample
from semcore.metrics import SSIM
from semcore_video.face.landmarks import landmarks, opening
from semcore_video.metrics.faces import AKD, CSIM, CentredCSIM, FramePSNR, LipCorrelation
from semcore_video.metrics.frames import Frames
from semcore_video.metrics.lip_fit import LipFit, LipFitLag, audio_features
from semcore_video.metrics.pairs import paired
from semcore_video.metrics.speech import PESQ, STOI, EnvelopeCorrelation, SpeechWER
from semcore_video.metrics.sync import LipSync, SyncLag, loudness
from semcore_video.speech.encoder import Speech
from semcore_video.speech.generator import EspeakVoice
from semcore_video.speech.recognise import recognise_grid

from ..support.speakers import cut, record

pytest.importorskip("mediapipe", reason="pip install 'semcore-video[face]'")
pytest.importorskip("dlib", reason="pip install 'semcore-video[metrics]'")
METRICS = (AKD(), CSIM(), CentredCSIM(), LipCorrelation(), STOI(), PESQ(), EnvelopeCorrelation())
BEST = (0.0, 1.0, 1.0, 1.0, 1.0, 4.6439, 1.0)


def test_the_source_itself_is_as_good_as_can_be(clip: Sample) -> None:
    for metric, best in zip(METRICS, BEST, strict=True):
        assert metric.value(record(clip, clip)) == pytest.approx(best, abs=2e-3), metric


def test_what_is_lost_is_worse_than_what_is_poor_and_nothing_is_left_out(clip: Sample) -> None:
    lost = Sample(clip.id, clip.user)
    still = replace(
        clip, video=np.repeat(clip.video[:1], len(clip.video), 0), audio=0.0 * clip.audio
    )
    for metric in METRICS:
        worse, poor, best = (metric.value(record(clip, one)) for one in (lost, still, clip))
        sign = -1 if metric.better == "lower" else 1
        assert sign * worse <= sign * poor + 1e-9 and sign * poor < sign * best + 1e-9, metric
    assert SpeechWER().value(record(clip, lost)) == 1.0


def test_what_has_no_face_or_no_sound_has_no_value() -> None:
    grey = Sample("grey", "nobody", video=np.full((4, 64, 64, 3), 128, np.uint8), fps=25.0)
    for metric in (*METRICS, SpeechWER(), LipSync(), SyncLag()):
        assert metric.value(record(grey, grey)) is None, metric


def test_a_face_that_is_moved_by_four_pixels_is_four_pixels_away(clip: Sample) -> None:
    part = replace(clip, video=clip.video[:6], audio=None, sample_rate_hz=None)
    moved = replace(part, video=np.roll(part.video, 4, axis=2))
    assert AKD().value(record(part, moved)) == pytest.approx(4, abs=0.4)


def test_landmarks_do_not_depend_on_what_was_looked_at_before(clip: Sample) -> None:
    for detector in ("mediapipe", "dlib"):
        again = landmarks(clip.video[:10].copy(), detector)
        assert (again == landmarks(clip.video[:10], detector)).all()
        assert np.isfinite(opening(again)).all()


def test_sound_that_is_shorter_than_the_picture_is_silent_then(clip: Sample) -> None:
    first, silent = clip.audio[:20000], np.concatenate([clip.audio[:20000], 0 * clip.audio[20000:]])
    for of in (audio_features, loudness):
        np.testing.assert_allclose(
            of(first, 16000, 25.0, 75), of(silent, 16000, 25.0, 75), atol=0.05
        )


def test_loudness_of_a_tone_is_that_of_its_energy() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000).astype(np.float32)
    tone[8000:] *= 0.1
    loud = loudness(tone, 16000, 25.0, 25)
    assert loud[5] == pytest.approx(np.log10(0.5), abs=0.01) and loud[20] == pytest.approx(
        np.log10(0.005), abs=0.01
    )


@pytest.mark.parametrize("late", [-6, 0, 4])
def test_a_sound_that_is_late_is_found_late(clip: Sample, late: int) -> None:
    lips = opening(landmarks(clip.video, "mediapipe"))
    size = 640
    rng = np.random.default_rng(1)
    wave = np.concatenate(
        [
            10 ** (4 * (one - lips.min()) / np.ptp(lips)) * 1e-4 * rng.normal(size=size)
            for one in lips
        ]
    )
    recognised = np.roll(wave.astype(np.float32), late * size)
    said = replace(clip, audio=recognised, sample_rate_hz=16000)
    assert SyncLag().value(record(clip, said)) == late


def test_a_synthetic_sentence_is_understood() -> None:
    words = "place white by s five again"
    clip = Sample(
        "said", "someone", audio=np.zeros(48000, np.float32), sample_rate_hz=16000, text=words
    )
    got = Speech(send="durations").encode([clip], KnowledgeBase())
    said = EspeakVoice().generate(got, KnowledgeBase(), Rng())[0].samples[0]
    recognised = recognise_grid(said.audio, said.sample_rate_hz)
    assert len(set(recognised.split()) & set(words.split())) >= 4
    assert SpeechWER().value(record(clip, said)) <= 0.34


@pytest.mark.parametrize(
    "metric", [*METRICS, FramePSNR(), Frames(of=SSIM())], ids=lambda one: type(one).__name__
)
def test_what_is_missing_and_what_is_too_much_counts(clip: Sample, metric: Metric) -> None:
    """A part of a clip scores lower than the whole, a smaller part lower still, as does an extended
    clip."""
    sign = -1 if metric.better == "lower" else 1
    values = [
        sign * metric.value(record(clip, cut(clip, share))) for share in (1 / 75, 1 / 3, 1.0, 1.5)
    ]
    assert (
        values[0] < values[2]
        and values[1] < values[2]
        and values[3] < values[2] - 0.01 * abs(values[3])
    ), values
    assert values[0] <= values[1] + 0.15 * abs(values[1])


def test_one_frame_is_not_a_video(clip: Sample) -> None:
    lost, first = Sample(clip.id, clip.user), replace(clip, video=clip.video[:1])
    worst = AKD().value(record(clip, lost))
    assert AKD().value(record(clip, first)) == pytest.approx(worst * 74 / 75, rel=0.02)
    assert FramePSNR().value(record(clip, first)) < 15
    assert LipCorrelation().value(record(clip, first)) == 0.0


def test_frames_are_compared_that_are_seen_at_the_same_time(clip: Sample) -> None:
    """A result at another frame rate is slightly displaced in time, not another video."""
    slower = replace(clip, video=clip.video[::2], fps=12.5)
    assert AKD().value(record(clip, slower)) < 0.5 and AKD().judged(record(clip, slower)) == (
        75,
        75,
    )
    pair = paired(record(clip, slower))
    assert (pair.result_index == np.arange(75) // 2).all()
    assert (paired(record(slower, clip)).result_index == 1 + 2 * np.arange(38))[:37].all()


def test_a_result_of_another_size_is_brought_to_that_of_the_source(clip: Sample) -> None:
    part = replace(clip, video=clip.video[:5])
    half = replace(part, video=part.video[:, ::2, ::2])
    assert AKD().value(record(part, half)) < 2 and FramePSNR().value(record(part, half)) > 20


def test_the_row_says_how_many_frames_were_judged(clip: Sample) -> None:
    grey = np.full_like(clip.video[:5], 128)
    part = replace(clip, video=np.concatenate([clip.video[:5], grey, grey]))
    for metric in (AKD(), AKD(detector="dlib"), LipCorrelation()):
        assert metric.judged(record(part, part)) == (5, 15), metric
        assert metric.judged(record(part, Sample("lost"))) == (5, 15)
    assert CSIM(frames=15).judged(record(part, part)) == (5, 15)
    assert (
        LipSync().judged(record(clip, part)) == (5, 15)
        and LipSync().value(record(clip, part)) is None
    )
    assert AKD().value(record(part, part)) == pytest.approx(0, abs=1e-6)
    assert (
        AKD().value(record(part, replace(part, video=np.concatenate([part.video, part.video])))) > 5
    )
    assert FramePSNR().judged(record(part, part)) is None, "it looks at every frame"


@pytest.mark.parametrize("seconds", [0.001, 0.02, 0.1, 0.2, 0.3, 0.4])
def test_a_sound_too_short_to_be_judged_has_no_value(clip: Sample, seconds: float) -> None:
    """Regardless of the result; and no metric fails."""
    start, length = 16000, max(round(seconds * 16000), 1)
    rate = clip.sample_rate_hz
    audio = clip.audio[start * rate // 16000 :][: max(length * rate // 16000, 1)]
    short = replace(clip, audio=audio, video=clip.video[: max(round(seconds * 25), 1)])
    for result in (short, Sample("lost"), replace(short, audio=audio[:1]), clip):
        judged = record(short, result)
        assert STOI().value(judged) is None
        assert PESQ().value(judged) is None or seconds > 0.25
        assert EnvelopeCorrelation().value(judged) is None or seconds >= 0.1
        for metric in (LipSync(), SyncLag(), LipFit(), LipFitLag()):
            assert metric.value(record(short, short)) is None
        SpeechWER().value(judged)


def test_a_pause_has_no_intelligibility_and_no_quality(clip: Sample) -> None:
    quiet = 1e-4 * np.random.default_rng(1).standard_normal(16000).astype(np.float32)
    for sound in (
        np.zeros(16000, np.float32),
        np.pad(clip.audio[20000:21000], (0, 15000)),
        0.0 * quiet,
    ):
        pause = Sample("pause", audio=sound, sample_rate_hz=16000)
        assert STOI().value(record(pause, pause)) is None
    for metric in (STOI(), PESQ(), EnvelopeCorrelation()):
        assert metric.value(record(replace(clip, audio=0 * clip.audio), clip)) is None


def test_what_arrived_does_not_decide_which_samples_are_in_a_mean(clip: Sample) -> None:
    for metric, worst in ((STOI(), 0.0), (PESQ(), 1.0)):
        for result in (
            Sample("lost"),
            replace(clip, audio=0 * clip.audio),
            replace(clip, audio=clip.audio[:1]),
        ):
            assert metric.value(record(clip, result)) == pytest.approx(worst, abs=0.05)
