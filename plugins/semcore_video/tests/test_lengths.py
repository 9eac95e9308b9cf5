"""A result has the length of its source: the same frame rate, to one frame and to 20 ms of
sound."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from semcore import (
    Candidates,
    Extent,
    Features,
    Generator,
    KnowledgeBase,
    Picture,
    Rng,
    Sample,
    Semantics,
    Text,
    Tokens,
)
from semcore.testing.internals import cell_session
from semcore_video.face.generator import MeshWarp
from semcore_video.jscc.components import DeepSCSEncoder, DeepSCSGenerator
from semcore_video.resampling import interpolated, nearest_frames
from semcore_video.speech.encoder import Speech, clock
from semcore_video.speech.generator import EspeakVoice
from semcore_video.speech.lip_timing import LipTiming
from semcore_video.speech.mel_voices import LIPS, FastSpeech, LipVoice, MelVoiced
from semcore_video.speech.streams import DURATIONS, INTERVAL, PHONES, TEXT
from semcore_video.speech.talking_head import TalkingHead
from semcore_video.speech.viseme_motion import VisemeMotion
from semcore_video.video_codec import VideoDecoder, VideoEncoder

pytest.importorskip("mediapipe", reason="pip install 'semcore-video[face]'")
GREY = Picture(np.full((32, 32, 3), 128, np.uint8))
KB = KnowledgeBase({"a": (GREY,)})
LENGTHS = (0.5, 1.234, 3.0, 8.0, 11.7, 60.0)
RATES = (10.0, 24000 / 1001, 25.0, 30.0, 60.0)
WORDS = "bin blue at f two now"


class Quick(Generator):
    """A fast vocoder: silence of the length of the spectrogram."""

    accepts = {"mel": (Features,)}

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        lengths = [max(len(one.streams["mel"].values) - 1, 0) * 160 for one in batch]  # type: ignore[union-attr]
        sounds = [np.zeros(length, np.float32) for length in lengths]
        return [
            Candidates([Sample(one.key, one.user, audio=sound, sample_rate_hz=16000)])
            for one, sound in zip(batch, sounds, strict=True)
        ]


VOICES = {
    "espeak": EspeakVoice(sample_rate_hz=22050),
    "lip-timing": LipTiming(voice=EspeakVoice()),
    "fastspeech": FastSpeech(vocoder=Quick()),
    "lip-voice": LipVoice(vocoder=Quick()),
}


def granted(length_s: float, fps: float, sound: bool = True) -> Extent:
    frames = max(round(length_s * fps), 1)
    return Extent(
        frames, fps, (32, 32), round(frames / fps * 44100) if sound else 0, 44100 if sound else 0
    )


def as_long(sample: Sample, extent: Extent) -> None:
    if sample.video is not None:
        assert (len(sample.video), sample.fps) == (extent.frames, extent.fps)
    if sample.audio is not None:
        assert abs(len(sample.audio) / sample.sample_rate_hz - extent.sound_s) < 0.02
    assert sample.video is not None or sample.audio is not None


def arrived(extent: Extent, way: str) -> Semantics:
    """The received streams of a sentence spoken in the middle of a clip."""
    first, last = round(20 * extent.sound_s), round(80 * extent.sound_s)
    interval = Tokens(np.array([first, last]), clock(round(100 * extent.sound_s)))
    motion = Features(np.zeros((extent.frames, 12), np.float32))
    durations = np.array([first, *np.full(6, (last - first) // 6)], np.float32)
    streams = {
        "v2a": {TEXT: Text(WORDS), INTERVAL: interval, "motion": motion},
        "a2v": {
            PHONES: Tokens(np.array([0, 3, 5, 7, 9, 11, 13]), 40),
            DURATIONS: Features(durations),
        },
        "lost": {},
    }[way]
    return Semantics("a/0", streams, "a", extent=extent)


@pytest.mark.parametrize("length_s", LENGTHS)
@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize("sound", [True, False], ids=["sound", "silent"])
def test_either_half_and_both_together(length_s: float, fps: float, sound: bool) -> None:
    """Audio from video and video from audio; MediaPipe finds no face in grey, so nothing is
    drawn."""
    extent = granted(length_s, fps, sound)
    voice = VOICES["lip-timing" if length_s < 10 else "espeak"]
    for way in ("v2a", "lost"):
        as_long(
            TalkingHead(renderer=MeshWarp(), voice=voice)
            .generate([arrived(extent, way)], KB, Rng())[0]
            .samples[0],
            extent,
        )
    seen = VisemeMotion(renderer=MeshWarp())
    assert seen.motion(arrived(extent, "a2v")).shape == (extent.frames, 12)
    head = TalkingHead(renderer=seen, voice=EspeakVoice(sample_rate_hz=8000))
    as_long(head.generate([arrived(extent, "a2v")], KB, Rng())[0].samples[0], extent)


@pytest.mark.parametrize("name", VOICES)
@pytest.mark.parametrize(
    ("length_s", "fps"), [(0.5, 60.0), (3.0, 25.0), (12.0, 10.0), (60.0, 30.0)]
)
@pytest.mark.default_cases(4)
def test_every_voice(name: str, length_s: float, fps: float) -> None:
    extent = granted(length_s, fps)
    for way in ("v2a", "a2v", "lost"):
        if way == "a2v" and not {PHONES, DURATIONS} <= VOICES[name].accepts.keys():
            continue
        got = arrived(extent, way)
        as_long(VOICES[name].generate([got], KB, Rng())[0].samples[0], extent)
        unknown = Semantics(got.key, got.streams, got.user)  # nobody says how long it is
        made = VOICES[name].generate([unknown], KB, Rng())[0].samples[0]
        assert made.audio is not None and len(made.audio) / made.sample_rate_hz < 65


def test_lips_come_at_the_rate_that_the_network_learnt() -> None:
    """The network receives the same lips from videos at 25, 30 and 60 frames per second."""
    y = np.linspace(0, 2 * np.pi, 60)
    moving = (128 + 100 * np.sin(y)[:, None, None]) * np.ones((60, 24, 32), np.float32)
    one, other = interpolated(moving, 25), interpolated(interpolated(moving, 30), 25)
    assert one.shape == (25, 24, 32) and np.abs(one - other).max() < 8
    assert (nearest_frames(np.arange(50), 25) == np.arange(50)[1::2]).all() and len(
        nearest_frames(np.arange(50), 61)
    ) == 61
    assert MelVoiced.__abstractmethods__ and LIPS == "lips"


@pytest.mark.parametrize("codec", ["h264", "h265"])
@pytest.mark.parametrize(
    ("frames", "fps", "size"),
    [(5, 10.0, (32, 48)), (31, 60.0, (33, 47)), (90, 30000 / 1001, (48, 32))],
)
def test_conventional_video(codec: str, frames: int, fps: float, size: tuple[int, int]) -> None:
    video = np.random.default_rng(1).integers(0, 255, (frames, *size, 3)).astype(np.uint8)
    sample = Sample("a/0", "a", video=video, fps=fps)
    [sent] = VideoEncoder(codec=codec, preset="veryfast").encode([sample], KB)
    got = Semantics(sent.key, sent.streams, sent.user, extent=Extent.of(sample))
    made = VideoDecoder(codec=codec).generate([got], KB, Rng())[0].samples[0]
    assert made.video.shape == video.shape and made.fps == fps


@pytest.mark.parametrize("length_s", [0.5, 3.0, 20.0])
@pytest.mark.default_cases(2)
def test_sound_by_a_network(length_s: float) -> None:
    sample = Sample(
        "a/0", "a", audio=np.zeros(round(length_s * 44100), np.float32), sample_rate_hz=44100
    )
    [sent] = DeepSCSEncoder().encode([sample], KB)
    got = Semantics(sent.key, sent.streams, sent.user, extent=Extent.of(sample))
    as_long(DeepSCSGenerator().generate([got], KB, Rng())[0].samples[0], Extent.of(sample))


@pytest.mark.parametrize("length_s", [3.0, 9.9, 10.5, 60.0])
def test_speech_of_any_length_has_its_moments(length_s: float) -> None:
    audio = np.zeros(round(length_s * 16000), np.float32)
    [got] = Speech().encode([Sample("a", audio=audio, sample_rate_hz=16000, text=WORDS)], KB)
    interval = got.streams[INTERVAL]
    assert (
        isinstance(interval, Tokens)
        and 0 <= interval.values[0] < interval.values[1] <= 100 * length_s
    )
    assert interval.vocabulary == (1024 if length_s < 10 else 2048 if length_s < 20 else 8192)


RUN = """
semcore: 1
source: {{use: av-clips, path: {path}, face: false, size: [34, 64]}}
encoder: {encoder}
transport:
  "*": {{use: ldpc, rate: 1/2, modulation: 16qam, feature_bits: 6, codec: {{use: jpeg}}}}
channel: {{use: awgn, snr_db: 30}}
generator: {generator}
kb: {{use: always}}
"""
WAYS = {
    "codec": ("{use: video-codec, codec: h264}", "{use: video-codec, codec: h264}"),
    "a2v": (
        "{use: speech, send: durations}",
        "{use: talking-head, renderer: {use: viseme-motion, renderer: {use: mesh-warp}}, voice: "
        "{use: espeak}}",
    ),
    "v2a": (
        "{use: audiovisual, video: {use: face-motion}, audio: {use: speech}}",
        "{use: talking-head, renderer: {use: mesh-warp}, voice: {use: lip-timing, voice: {use: "
        "espeak}}}",
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.default_cases(1)
def test_files_of_any_length_and_rate_through_a_run(tmp_path: Path, way: str) -> None:
    from semcore.testing.internals import Cache, load

    from .support.files import greys, tone, write

    for length_s, fps, with_sound in (
        (0.5, 60.0, True),
        (3.6, 30.0, True),
        (1.5, 10.0, True),
        (2.0, 25.0, False),
    ):
        frames = greys(round(length_s * fps), 34, 64)
        sound = tone(length_s, 0.3) if with_sound else None
        place = write(tmp_path / f"{round(fps)}.mkv", frames, fps, sound, form="matroska")
        place.with_suffix(".txt").write_text(WORDS)
    (tmp_path / "pipeline.yaml").write_text(
        RUN.format(path=tmp_path, encoder=WAYS[way][0], generator=WAYS[way][1])
    )
    experiment = load(tmp_path / "pipeline.yaml")
    cell = experiment.cells[0]
    samples = experiment.resolve(cell).source.samples()
    found = 0
    for segment in cell_session(experiment, cell, samples, Cache(tmp_path / "cache")):
        for source, result in zip(segment.samples, segment.outcome.results, strict=True):
            assert source.video is not None and result.video is not None
            assert result.video.shape == source.video.shape and result.fps == source.fps
            if way != "codec":
                as_long(result, Extent.of(source))
            found += 1
    assert found == 4
