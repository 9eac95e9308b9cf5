"""Sentences of GRID, and a synthetic voice that says each phone when it was said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semcore import ComponentError, Extent, Features, Rng, Sample, Semantics, Text, Tokens
from semcore_video.speech.align import align, pronounce
from semcore_video.speech.encoder import CLOCK, Speech
from semcore_video.speech.generator import EspeakVoice
from semcore_video.speech.grid import grid_sentence
from semcore_video.speech.phones import FRAME_S
from semcore_video.speech.stretch import stretched

from ..support.speakers import KB

pytest.importorskip("mediapipe", reason="pip install 'semcore-video[face]'")


def test_grid_spells_its_sentences() -> None:
    assert (
        grid_sentence("bbaf2n") == "bin blue at f two now"
        and grid_sentence("PWIJ3P") == "place white in j three please"
    )
    assert grid_sentence("xxxxxx") is None and grid_sentence("video") is None


def test_sound_is_stretched_to_its_moments_and_keeps_its_pitch() -> None:
    rate = 16000
    tone = np.sin(2 * np.pi * 200 * np.arange(rate) / rate).astype(np.float32)
    longer = stretched(tone, rate, [0.0, 0.5, 1.0], [0.0, 1.0, 1.5])
    assert len(longer) == 1.5 * rate
    spectrum = np.abs(np.fft.rfft(longer[4000:20000] * np.hanning(16000)))
    assert abs(int(spectrum.argmax()) - 200) <= 2
    click = np.zeros(rate, np.float32)
    click[7900:8100] = 1
    moved = stretched(click, rate, [0.0, 0.5, 1.0], [0.0, 0.2, 1.0])
    assert abs(int(np.flatnonzero(np.abs(moved) > 0.5).mean()) / rate - 0.2) < 0.02


def test_a_voice_says_each_phone_when_it_was_said() -> None:
    names = pronounce("bin blue at f two now")
    assert names[:3] == ["B", "IH", "N"]
    interval = Tokens(np.array([80, 230], np.int64), CLOCK)
    streams = {"text": Text("bin blue at f two now"), "interval": interval}
    said = EspeakVoice().generate([Semantics("a", streams, extent=Extent(75, 25.0))], KB, Rng())
    sample = said[0].samples[0]
    found = align(sample.audio, sample.sample_rate_hz, "bin blue at f two now")
    assert found is not None and sum(one.frames for one in found) == 300
    assert (
        abs(found[0].frames * FRAME_S - 0.8) < 0.1 and abs(found[-1].frames * FRAME_S - 0.7) < 0.25
    )
    again = Speech(send="durations").encode(
        [Sample("a", audio=sample.audio, sample_rate_hz=16000, text="bin blue at f two now")], KB
    )
    other = EspeakVoice(voice="en-us+f3").generate(again, KB, Rng())[0].samples[0]
    recognised = align(other.audio, other.sample_rate_hz, "bin blue at f two now")
    ends = [np.cumsum([one.frames for one in phones]) for phones in (found, recognised)]
    assert (
        len(ends[0]) == len(ends[1]) and np.abs(ends[0] - ends[1])[:-1].mean() < 6
    )  # frames of 10 ms


def test_the_same_words_sound_the_same_twice() -> None:
    from semcore_video.speech import espeak

    one, _, _ = espeak.speak(["B", "IH", "N"], "en-us+f3", 50, 160)
    espeak._synthesise.cache_clear()
    two, _, _ = espeak.speak(["B", "IH", "N"], "en-us+f3", 50, 160)
    np.testing.assert_array_equal(one, two)


def test_damaged_streams_are_silence_or_speech_but_no_error() -> None:
    rng = np.random.default_rng(3)
    for streams in (
        {},
        {"text": Text("")},
        {"text": Text("\0xqzt ?? 17")},
        {"phones": Tokens(rng.integers(0, 40, 9), 40)},
        {
            "phones": Tokens(rng.integers(0, 40, 9), 40),
            "durations": Features(rng.integers(0, CLOCK, 5).astype(np.float32)),
        },
        {"text": Text("bin"), "interval": Tokens(np.array([CLOCK - 1, 0]), CLOCK)},
    ):
        sound = (
            EspeakVoice()
            .generate([Semantics("a", streams, extent=Extent(75, 25.0))], KB, Rng())[0]
            .samples[0]
            .audio
        )
        assert sound.shape == (48000,) and np.isfinite(sound).all() and np.abs(sound).max() <= 1


def test_missing_words_are_an_error() -> None:
    with pytest.raises(ComponentError, match="needs the words of sample 'a'.*`grid` spells them"):
        Speech().encode([Sample("a", audio=np.zeros(1600, np.float32), sample_rate_hz=16000)], KB)


def test_missing_words_are_recognised(clip: Sample) -> None:
    deaf = replace(clip, text=None)
    with pytest.raises(ComponentError, match="words: grid"):
        Speech().encode([deaf], KB)
    recognised = Speech(words="grid").encode([deaf], KB)[0].streams["text"].value
    assert len(set(recognised.split()) & set(clip.text.split())) >= 4
    silent = replace(deaf, audio=np.zeros_like(clip.audio))
    assert set(Speech(words="grid", send="durations").encode([silent], KB)[0].streams) == {
        "phones",
        "durations",
    }
