"""Trained voices, phone timing from lips, and their metrics; public models with tiny random
weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from semcore import (
    ComponentError,
    Extent,
    Features,
    KnowledgeBase,
    Ledger,
    Picture,
    Record,
    Rng,
    RunError,
    Sample,
    Semantics,
    Text,
    Tokens,
)
from semcore_video.face.encoder import MOTION
from semcore_video.face.generator import MeshWarp
from semcore_video.face.keypoints import FaceKeypoints, KeypointWarp
from semcore_video.face.mesh import lip_opening
from semcore_video.face.tracker import track
from semcore_video.metrics.lip_fit import LipFit, LipFitLag
from semcore_video.metrics.speech import RATE_HZ
from semcore_video.metrics.syncnet import LSEC, LSED, build
from semcore_video.sources.talking_samples import TalkingSamples
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
from semcore_video.speech.vocoders import MEL, GriffinLim, HifiGan
from semcore_video.speech.whisper import Whisper

pytest.importorskip("mediapipe", reason="pip install 'semcore-video[face]'")
KB = KnowledgeBase()
WORDS = "bin blue at f two now"


@pytest.fixture(scope="module")
def clip() -> Sample:
    return TalkingSamples(limit=1).samples()[0]


@pytest.fixture(scope="module")
def spoken(clip: Sample) -> Semantics:
    return replace(Speech(send="durations").encode([clip], KB)[0], extent=Extent.of(clip))


def said(generator: object, got: Semantics) -> np.ndarray:
    audio = generator.generate([got], KB, Rng())[0].samples[0].audio  # type: ignore[attr-defined]
    assert isinstance(audio, np.ndarray)
    return audio


# ---------------------------------------------------------------------------------------------- mel
# spectrograms


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


# ----------------------------------------------------------------------------------------------
# audio from video


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


# ---------------------------------------------------------------------------------------------- key
# points


def test_key_points_move_a_face_as_it_moved(clip: Sample) -> None:
    kb = KB.add(clip.user, Picture(clip.video[0]))
    sent = FaceKeypoints().encode([clip], kb)[0]
    assert sent.streams["keypoints"].form == (75, 42)
    video = KeypointWarp().generate([sent], kb, Rng())[0].samples[0].video
    assert np.corrcoef(lip_opening(track(video)), lip_opening(track(clip.video)))[0, 1] > 0.8


# ----------------------------------------------------------------------------------------------
# synchronisation


def record(sample: Sample) -> Record:
    nothing = Semantics(sample.id, {})
    return Record(sample, nothing, nothing, sample, Ledger())


def test_sound_that_is_late_is_found_out(clip: Sample) -> None:
    pytest.importorskip("dlib", reason="pip install 'semcore-video[metrics]'")
    late = replace(clip, audio=np.roll(clip.audio, round(0.2 * RATE_HZ)))
    there, then = LipFit().measure([record(clip), record(late)])
    assert there > then + 0.1
    first, second = LipFitLag().measure([record(clip), record(late)])
    assert abs(first) <= 2 and abs(second - 5) <= 2
    assert LipFit().measure([record(replace(clip, audio=None, sample_rate_hz=None))]) == [None]


def test_syncnet_judges_with_the_weights_that_a_user_names(clip: Sample, tmp_path: Path) -> None:
    pytest.importorskip("python_speech_features", reason="pip install 'semcore-video[metrics]'")
    pytest.importorskip("dlib", reason="pip install 'semcore-video[metrics]'")
    from safetensors.torch import save_file

    short = replace(clip, video=clip.video[:12], audio=clip.audio[: 12 * 640])
    torch.manual_seed(1)
    save_file(build().state_dict(), tmp_path / "syncnet.safetensors")
    name = str(tmp_path / "syncnet.safetensors")
    (distance,), (confidence,) = (
        LSED(weights=name).measure([record(short)]),
        LSEC(weights=name).measure([record(short)]),
    )
    assert distance > 0 and confidence >= 0
    # Sound that is missing is silence, and a video of another frame rate is seen as long as it
    # lasts.
    silent = replace(short, audio=np.concatenate([short.audio[:4000], 0 * short.audio[4000:]]))
    assert LSED(weights=name).measure([record(replace(short, audio=short.audio[:4000]))]) == LSED(
        weights=name
    ).measure([record(silent)])
    doubled = replace(short, video=short.video.repeat(2, 0), fps=50.0)
    assert LSED(weights=name).measure([record(doubled)]) == [pytest.approx(distance, rel=0.02)]
    with pytest.raises(RunError, match=r"syncnet_v2\.model"):
        LSED(weights=str(tmp_path / "nothing")).measure([record(short)])
    (tmp_path / "other.safetensors").write_bytes(b"nothing")
    with pytest.raises(RunError, match="does not contain its weights"):
        LSEC(weights=str(tmp_path / "other.safetensors")).measure([record(short)])


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


# ----------------------------------------------------------------------------------------------
# public models


def test_hifi_gan_is_loaded_from_a_folder(tmp_path: Path) -> None:
    from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig

    config = SpeechT5HifiGanConfig(
        model_in_dim=80,
        upsample_initial_channel=16,
        upsample_rates=[4, 4, 4, 4],
        upsample_kernel_sizes=[8, 8, 8, 8],
        resblock_kernel_sizes=[3],
        resblock_dilation_sizes=[[1]],
        sampling_rate=16000,
    )
    SpeechT5HifiGan(config).save_pretrained(tmp_path)
    got = Semantics("a", {MEL: Features(np.zeros((101, 80), np.float32))})
    sample = HifiGan(model=str(tmp_path)).generate([got], KB, Rng())[0].samples[0]
    assert (
        sample.sample_rate_hz == 16000
        and len(sample.audio) == 63 * 256
        and np.abs(sample.audio).max() <= 1
    )
    with pytest.raises(RunError, match="hf download"):
        HifiGan(model="nobody/nothing").generate([got], KB, Rng())


def test_moonshine_hears_what_is_said(clip: Sample) -> None:
    """A plain sentence by a synthetic voice; some words may be missed."""
    pytest.importorskip("moonshine_voice", reason="pip install 'semcore-video[asr]'")
    from semcore_video.speech.align import pronounce
    from semcore_video.speech.espeak import speak
    from semcore_video.speech.moonshine import Moonshine

    said = (
        "the people of this country want to know what the president will do about the weather "
        "tomorrow"
    )
    wave, rate_hz, _ = speak(pronounce(said), "en-us", 50, 150)
    spoken = replace(clip, audio=wave, sample_rate_hz=rate_hz)
    [sent] = Moonshine().encode([spoken], KB)
    recognised = (sent.text("text") or "").lower().replace(".", "").replace(",", "").split()
    assert len(set(recognised) & set(said.split())) >= len(set(said.split())) / 2
    assert Moonshine().encode([spoken], KB)[0].streams == sent.streams
    nothing = replace(clip, audio=np.zeros(16000, np.float32), sample_rate_hz=16000)
    assert Moonshine().encode([nothing], KB)[0].text("text") == ""
    with pytest.raises(ComponentError, match="recognises sound"):
        Moonshine().encode([replace(clip, audio=None)], KB)


def test_whisper_hears_words_for_the_aligner(tmp_path: Path, clip: Sample) -> None:
    from transformers import (
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperProcessor,
        WhisperTokenizer,
    )

    letters = {chr(code): code - 97 for code in range(97, 123)}
    (tmp_path / "vocab.json").write_text(__import__("json").dumps({**letters, "<|endoftext|>": 26}))
    (tmp_path / "merges.txt").write_text("#version: 0.2\n")
    (tmp_path / "normalizer.json").write_text("{}")
    tokenizer = WhisperTokenizer(
        str(tmp_path / "vocab.json"),
        str(tmp_path / "merges.txt"),
        str(tmp_path / "normalizer.json"),
    )
    WhisperProcessor(WhisperFeatureExtractor(feature_size=16), tokenizer).save_pretrained(tmp_path)
    config = WhisperConfig(
        vocab_size=27,
        num_mel_bins=16,
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        decoder_start_token_id=0,
        eos_token_id=26,
        pad_token_id=26,
        bos_token_id=26,
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )
    torch.manual_seed(0)
    model = WhisperForConditionalGeneration(config)
    model.generation_config.forced_decoder_ids = None
    model.save_pretrained(tmp_path)
    whisper = Whisper(model=str(tmp_path), max_new_tokens=4)
    words = whisper.encode([clip], KB)[0].text("text")
    assert isinstance(words, str) and words == whisper.encode([clip], KB)[0].text("text")
    assert Speech(recogniser=whisper, send="words").encode([clip], KB)[0].text("text") == words
    with pytest.raises(ComponentError, match="one of"):
        Speech(recogniser=whisper, words="grid")
    with pytest.raises(RunError, match="hf download"):
        Whisper(model="nobody/nothing").encode([clip], KB)


# ----------------------------------------------------------------------------------------------
# alignments of others

TEXTGRID = """File type = "ooTextFile"
Object class = "TextGrid"

0
3
<exists>
2
"IntervalTier"
"words"
0
3
3
0
0.6
""
0.6
1.1
"bin"
1.1
3
""
"IntervalTier"
"phones"
0
3
5
0
0.6
""
0.6
0.7
"B"
0.7
0.95
"IH1"
0.95
1.1
"N"
1.1
3
"spn"
"""


def test_the_alignment_of_a_whole_clip_is_not_that_of_its_segment(
    clip: Sample, tmp_path: Path
) -> None:
    pytest.importorskip("praatio", reason="pip install 'semcore-video[speech]'")
    (tmp_path / "astronaut.TextGrid").write_text(TEXTGRID)
    part = replace(clip, audio=clip.audio[:16000])
    with pytest.raises(
        ComponentError,
        match=r"astronaut\.TextGrid lasts 3\.00 s, and the sound of sample .* 1\.00 s",
    ):
        Speech(textgrids=str(tmp_path)).encode([part], KB)


def test_alignments_of_the_montreal_aligner_are_imported(clip: Sample, tmp_path: Path) -> None:
    pytest.importorskip("praatio", reason="pip install 'semcore-video[speech]'")
    (tmp_path / "astronaut.TextGrid").write_text(TEXTGRID)
    sent = Speech(send="durations", textgrids=str(tmp_path)).encode([clip], KB)[0].streams
    assert sent["phones"].values.tolist() == [
        NUMBERS[name] for name in (SILENCE, "B", "IH", "N", SILENCE)
    ]
    assert sent["durations"].values.tolist() == [60, 10, 25, 15, 190]
    both = Speech(textgrids=str(tmp_path)).encode([clip], KB)[0]
    assert both.text("text") == "bin" and both.streams["interval"].values.tolist() == [60, 110]
    for encoding in ("utf-8-sig", "utf-16"):
        (tmp_path / "astronaut.TextGrid").write_bytes(TEXTGRID.encode(encoding))
        assert Speech(send="durations", textgrids=str(tmp_path)).encode([clip], KB)[0].streams[
            "phones"
        ].form == (5, 40)
    (tmp_path / "astronaut.TextGrid").write_bytes(
        TEXTGRID.replace('"bin"', '"b\xefn"').encode("latin-1")
    )
    with pytest.raises(
        ComponentError,
        match=r"astronaut.TextGrid is not UTF-8 text: byte 0xEF at position \d+ \(line \d+\)",
    ):
        Speech(textgrids=str(tmp_path)).encode([clip], KB)
    with pytest.raises(ComponentError, match="nobody.TextGrid"):
        Speech(textgrids=str(tmp_path)).encode([replace(clip, user="nobody")], KB)
    (tmp_path / "astronaut.TextGrid").write_text("words")
    with pytest.raises(ComponentError, match="tiers"):
        Speech(textgrids=str(tmp_path)).encode([clip], KB)
