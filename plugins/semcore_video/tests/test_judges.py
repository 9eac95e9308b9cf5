"""Judges of faces and speech: what they say of the source itself, of nothing, and of what is known to be worse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semcore import KnowledgeBase, Ledger, Rng, Sample, Semantics
from semcore.interfaces import Record
from semcore_video.judges.faces import AKD, CSIM, CentredCSIM, LipCorrelation
from semcore_video.judges.landmarks import landmarks, opening
from semcore_video.judges.speech import PESQ, STOI, EnvelopeCorrelation, SpeechWER
from semcore_video.judges.sync import LipSync, SyncLag, loudness
from semcore_video.speech.encoder import Speech
from semcore_video.speech.generator import EspeakVoice
from semcore_video.speech.recognise import recognised
from semcore_video.talking_samples import TalkingSamples

pytest.importorskip("mediapipe", reason="pip install 'semcore-video[face]'")
pytest.importorskip("dlib", reason="pip install 'semcore-video[judges]'")
METRICS = (AKD(), CSIM(), CentredCSIM(), LipCorrelation(), STOI(), PESQ(), EnvelopeCorrelation())
BEST = (0.0, 1.0, 1.0, 1.0, 1.0, 4.6439, 1.0)


@pytest.fixture(scope="module")
def clip() -> Sample:
    return TalkingSamples(limit=1).samples()[0]


def record(source: Sample, result: Sample) -> Record:
    nothing = Semantics(source.id, {}, source.user)
    return Record(source, nothing, nothing, result, Ledger(()), {})


def test_the_source_itself_is_as_good_as_can_be(clip: Sample) -> None:
    for metric, best in zip(METRICS, BEST, strict=True):
        assert metric.value(record(clip, clip)) == pytest.approx(best, abs=2e-3), metric


def test_what_is_lost_is_worse_than_what_is_poor_and_nothing_is_left_out(clip: Sample) -> None:
    lost = Sample(clip.id, clip.user)
    still = replace(clip, video=np.repeat(clip.video[:1], len(clip.video), 0), audio=0.0 * clip.audio)
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


def test_loudness_of_a_tone_is_that_of_its_energy() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000).astype(np.float32)
    tone[8000:] *= 0.1
    loud = loudness(tone, 16000, 25.0, 25)
    assert loud[5] == pytest.approx(np.log10(0.5), abs=0.01) and loud[20] == pytest.approx(np.log10(0.005), abs=0.01)


@pytest.mark.parametrize("late", [-6, 0, 4])
def test_a_sound_that_is_late_is_found_late(clip: Sample, late: int) -> None:
    lips = opening(landmarks(clip.video, "mediapipe"))
    size = 640
    rng = np.random.default_rng(1)
    wave = np.concatenate([10 ** (4 * (one - lips.min()) / np.ptp(lips)) * 1e-4 * rng.normal(size=size) for one in lips])
    heard = np.roll(wave.astype(np.float32), late * size)
    said = replace(clip, audio=heard, sample_rate_hz=16000)
    assert SyncLag().value(record(clip, said)) == late


def test_a_synthetic_sentence_is_understood() -> None:
    words = "place white by s five again"
    clip = Sample("said", "someone", audio=np.zeros(48000, np.float32), sample_rate_hz=16000, text=words)
    got = Speech(send="durations").encode([clip], KnowledgeBase())
    said = EspeakVoice().generate(got, KnowledgeBase(), Rng())[0].samples[0]
    heard = recognised(said.audio, said.sample_rate_hz)
    assert len(set(heard.split()) & set(words.split())) >= 4
    assert SpeechWER().value(record(clip, said)) <= 0.34
