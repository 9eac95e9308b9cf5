"""Trained voices, and the timing of phones from lips."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from semcore import (
    ComponentError,
    Extent,
    Features,
    Picture,
    Rng,
    RunError,
    Sample,
    Semantics,
    Text,
    Tokens,
)
from semcore_video.face.encoder import MOTION
from semcore_video.face.generator import MeshWarp
from semcore_video.metrics.speech import RATE_HZ
from semcore_video.speech.encoder import CLOCK, Speech
from semcore_video.speech.generator import EspeakVoice
from semcore_video.speech.lip_timing import LipTiming
from semcore_video.speech.mel import HOP, mel_of, sound_of
from semcore_video.speech.mel_voices import FastSpeech, LipVoice
from semcore_video.speech.phones import NUMBERS, SILENCE
from semcore_video.speech.recognise import recognise_grid
from semcore_video.speech.streams import INTERVAL, TEXT
from semcore_video.speech.talking_head import TalkingHead
from semcore_video.speech.visemes import motion_of
from semcore_video.speech.vocoders import GriffinLim

from ..support.speakers import KB, WORDS, said

pytest.importorskip("mediapipe", reason="pip install 'semcore-video[face]'")


def test_a_mel_spectrogram_says_what_a_sound_was(clip: Sample) -> None:
    mel = mel_of(clip.audio)
    assert mel.shape == (len(clip.audio) // HOP + 1, 80)
    again = mel_of(sound_of(mel))
    loud = mel > mel.max() - 6
    assert np.abs(again - mel)[loud].mean() < 0.5


def test_the_trained_voice_says_the_words_when_they_were_said(
    clip: Sample, spoken: Semantics
) -> None:
    audio = said(FastSpeech(vocoder=GriffinLim()), spoken)
    assert audio.dtype == np.float32 and len(audio) == 3 * RATE_HZ and np.abs(audio).max() <= 1
    recognised = recognise_grid(audio, RATE_HZ).split()
    assert sum(a == b for a, b in zip(recognised, WORDS.split(), strict=False)) >= 4
    loud = np.abs(audio).reshape(300, -1).max(1) > 0.05
    assert not loud[:50].any() and loud[70:220].mean() > 0.5  # silence before 0.6 s


def test_without_anything_to_say_there_is_silence() -> None:
    for voice in (FastSpeech(vocoder=GriffinLim()), LipVoice(vocoder=GriffinLim())):
        audio = said(voice, Semantics("a", {}, extent=Extent(75, 25.0)))
        assert len(audio) == 3 * RATE_HZ and np.abs(audio).max() < 0.01


def test_a_voice_needs_a_vocoder() -> None:
    with pytest.raises(ComponentError, match="griffin-lim"):
        FastSpeech(vocoder=EspeakVoice())
    assert GriffinLim().generate([Semantics("a", {})], KB, Rng())[0].samples[0].audio is None


def test_weights_that_are_not_there_are_named(tmp_path: Path, spoken: Semantics) -> None:
    with pytest.raises(RunError, match="semcore train fastspeech"):
        said(FastSpeech(vocoder=GriffinLim(), weights=str(tmp_path)), spoken)


def test_lips_tell_when_phones_are_spoken() -> None:
    """A face animated by visemes: phone starts are found more precisely than by uniform scaling."""
    rng = np.random.default_rng(3)
    names = ["B", "IH", "N", "B", "L", "UW", "AE", "T", "EH", "F", "T", "UW", "N", "AW"]
    found, evenly = [], []
    for _ in range(5):
        durations = rng.integers(5, 22, len(names))
        ends = 60 + np.concatenate([[0], np.cumsum(durations)])
        motion = motion_of(names, ends / 100, 75, 25.0) * 1.3
        there = LipTiming(voice=EspeakVoice()).durations(names, motion, 60, int(ends[-1]))
        assert there.sum() == durations.sum() and (there > 0).all()
        found.append(np.abs(60 + np.cumsum(there) - ends[1:]).mean())
        evenly.append(np.abs(np.linspace(60, ends[-1], len(names) + 1)[1:] - ends[1:]).mean())
    assert np.mean(found) < 0.7 * np.mean(evenly)


def test_the_timing_of_lips_reaches_the_voice() -> None:
    motion = np.zeros((75, 12), np.float32)
    interval = Tokens(np.array([50, 200], np.int64), CLOCK)
    got = Semantics("a", {"text": Text(WORDS), "interval": interval, "motion": Features(motion)})
    timed = LipTiming(voice=EspeakVoice())._timed(got)
    assert timed.streams["phones"].values[0] == NUMBERS[SILENCE]
    assert timed.streams["durations"].values.sum() == 200
    assert LipTiming(voice=EspeakVoice())._timed(got.only(["text"])).streams.keys() == {"text"}


def test_a_voice_sees_the_lips_that_were_rendered(clip: Sample) -> None:
    """Equation 19: other lips give another timing of the same words."""
    kb = KB.add(clip.user, Picture(clip.video[0]))
    head = TalkingHead(renderer=MeshWarp(), voice=LipVoice(vocoder=GriffinLim()))
    assert head.accepts.keys() == {"motion", "text", "interval"}
    interval = Tokens(np.array([60, 230], np.int64), CLOCK)
    motion = Features(np.zeros((75, 12), np.float32))
    streams = {"text": Text(WORDS), "interval": interval, "motion": motion}
    still = Semantics("a", streams, clip.user, extent=Extent.of(clip))
    names = Speech(send="durations").encode([clip], kb)[0].streams["phones"].values
    moved = (
        motion_of(
            [list(NUMBERS)[n] for n in names], np.linspace(0.6, 2.3, len(names) + 1), 75, 25.0
        )
        * 1.5
    )
    moving = replace(still, streams={**still.streams, "motion": Features(moved.astype(np.float32))})
    one, other = (head.generate([got], kb, Rng())[0].samples[0] for got in (still, moving))
    assert one.video.shape == other.video.shape == clip.video.shape
    assert len(one.audio) == 3 * RATE_HZ and np.abs(one.audio - other.audio).max() > 0.01


@pytest.mark.slow
def test_a_text_of_any_length_is_said_as_far_as_there_is_time() -> None:
    """Minutes of words for three seconds of sound: eSpeak NG is called in parts, and the rest is
    dropped."""
    text = Text("bin blue at f two now " * 60)
    still = Features(np.zeros((75, 12), np.float32))
    streams = {TEXT: text, INTERVAL: Tokens(np.array([50, 220]), 1024), MOTION: still}
    got = Semantics("a", streams, extent=Extent(75, 25.0))
    for voice in (EspeakVoice(), LipTiming(voice=EspeakVoice()), LipVoice(vocoder=GriffinLim())):
        sample = voice.generate([got], KB, Rng())[0].samples[0]
        assert sample.audio is not None and sample.sample_rate_hz
        assert len(sample.audio) == 3 * sample.sample_rate_hz and np.abs(sample.audio).max() > 0.02
