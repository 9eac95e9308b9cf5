"""Talking heads: invertible geometry, transport, timing of the voice, and the complete link."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semcore import (
    ComponentError,
    Extent,
    Features,
    KnowledgeBase,
    Picture,
    Rng,
    Sample,
    Semantics,
    Text,
    Tokens,
)
from semcore_channels.flat import AWGN
from semcore_channels.transports.analog import Analog
from semcore_video.face.encoder import FaceMotion
from semcore_video.face.generator import MeshWarp
from semcore_video.face.mesh import eye_openness, face_size, lip_opening
from semcore_video.face.motion import NUMBERS, basis
from semcore_video.face.reference import best_reference
from semcore_video.face.tracker import track
from semcore_video.kb.face import FaceKB
from semcore_video.sources.talking_samples import TalkingSamples
from semcore_video.speech.align import align, pronounce
from semcore_video.speech.encoder import CLOCK, Speech
from semcore_video.speech.generator import EspeakVoice
from semcore_video.speech.grid import grid_sentence
from semcore_video.speech.phones import FRAME_S
from semcore_video.speech.stretch import stretched
from semcore_video.speech.viseme_motion import VisemeMotion
from semcore_video.transports.dct import DCT
from semcore_video.transports.spectral import _amplitudes

pytest.importorskip("mediapipe", reason="pip install 'semcore-video[face]'")
KB = KnowledgeBase()


@pytest.fixture(scope="module")
def clip() -> Sample:
    return TalkingSamples(limit=1).samples()[0]


@pytest.fixture(scope="module")
def points(clip: Sample) -> np.ndarray:
    return track(clip.video)


# ----------------------------------------------------------------------------------------------
# motion


def test_numbers_of_points_that_they_made_are_the_numbers(points: np.ndarray) -> None:
    reference = points[best_reference(points)]
    numbers = np.random.default_rng(1).normal(0, 2, (20, NUMBERS)).astype(np.float32)
    found = basis().numbers(basis().points(numbers, reference), reference)
    assert np.abs(found - numbers).max() < 0.6 and np.abs(found - numbers).mean() < 0.08
    assert not basis().numbers(reference[None], reference).round(3).any()


def test_twelve_numbers_hold_what_a_face_does(points: np.ndarray) -> None:
    reference = points[best_reference(points)]
    fitted = basis().points(basis().numbers(points, reference), reference)
    apart = (
        np.linalg.norm(fitted[..., :2] - points[..., :2], axis=-1).mean() / face_size(points).mean()
    )
    still = (
        np.linalg.norm(reference[None, :, :2] - points[..., :2], axis=-1).mean()
        / face_size(points).mean()
    )
    assert apart < 0.006 and apart < still / 3
    assert np.corrcoef(lip_opening(fitted), lip_opening(points))[0, 1] > 0.9
    assert np.corrcoef(eye_openness(fitted), eye_openness(points))[0, 1] > 0.8


def test_the_whole_face_may_move_and_the_numbers_of_its_expression_stay(points: np.ndarray) -> None:
    reference = points[best_reference(points)]
    numbers = basis().numbers(points[:5], reference)
    shifted = basis().numbers(points[:5] + np.array([7.0, -3.0, 0.0], np.float32), reference)
    np.testing.assert_allclose(shifted[:, 6:], numbers[:, 6:], atol=1e-2)
    np.testing.assert_allclose(
        (shifted - numbers)[:, 3:5], [[7, -3]] * 5 / face_size(reference) / 0.003, rtol=1e-2
    )


def test_a_good_reference_has_open_eyes_and_a_shut_mouth(points: np.ndarray) -> None:
    chosen = points[best_reference(points)]
    assert (
        eye_openness(chosen) >= 0.9 * np.median(eye_openness(points))
        and lip_opening(chosen) <= 0.03
    )


def test_the_warped_face_does_what_the_source_did(clip: Sample, points: np.ndarray) -> None:
    kb = KB.add(clip.user, Picture(clip.video[best_reference(points)]))
    got = FaceMotion().encode([clip], kb)[0]
    video = MeshWarp().generate([got], kb, Rng())[0].samples[0].video
    assert video.shape == clip.video.shape
    seen = track(video[::5])
    assert np.corrcoef(lip_opening(seen), lip_opening(points[::5]))[0, 1] > 0.8
    apart = np.linalg.norm(seen[..., :2] - points[::5, :, :2], axis=-1).mean()
    still = np.linalg.norm(
        points[best_reference(points)][None, :, :2] - points[::5, :, :2], axis=-1
    ).mean()
    assert apart < still / 2


def test_without_motion_the_face_is_still_and_without_a_reference_there_is_none(
    clip: Sample,
) -> None:
    kb = KB.add(clip.user, Picture(clip.video[0]))
    nothing = Semantics(clip.id, {}, clip.user, extent=Extent(3, 25.0))
    still = MeshWarp().generate([nothing], kb, Rng())[0].samples[0]
    assert (still.video == clip.video[0]).all() and len(still.video) == 3
    assert (
        MeshWarp().generate([Semantics(clip.id, {}, clip.user)], KB, Rng())[0].samples[0].video
        is None
    )


def test_a_reference_is_sent_once_and_again_when_the_face_has_turned(clip: Sample) -> None:
    policy = FaceKB()
    [first] = policy.update(KB, [clip])
    kb = policy.apply(KB, [first])
    assert first.streams and not policy.update(kb, [clip])[0].streams
    assert (
        not FaceKB(level="l0", rotation_deg=0.0)
        .update(KB.add(clip.user, Picture(clip.video[40])), [clip])[0]
        .streams
    )
    assert (
        FaceKB(rotation_deg=0.0)
        .update(KB.add(clip.user, Picture(clip.video[40])), [clip])[0]
        .streams
    )


def test_every_level_asks_what_the_one_below_asks_and_more(clip: Sample) -> None:
    here, darker = clip.video[0], (clip.video[0] * 0.4).astype(np.uint8)
    cases = {
        "the same": here,
        "darker": darker,
        "turned": clip.video[40],
        "nobody": np.full_like(here, 128),
    }
    strict = {"rotation_deg": 0.1}
    for name, held in cases.items():
        sent = [
            FaceKB(level=level, **strict).needed(here, [held])
            for level in ("l0", "l1", "l2", "forced")
        ]
        first = {"the same": 3, "darker": 1, "turned": 2, "nobody": 0}[
            name
        ]  # the level that notices; those above do, too
        assert sent == [level >= first for level in range(4)], (name, sent)
    assert FaceKB(level="l0").needed(here, [])


def stranger(number: int) -> np.ndarray:
    """A small face of "Labeled Faces in the Wild" from scikit-image, enlarged: uint8 (320, 320,
    3)."""
    from PIL import Image
    from skimage.data import lfw_subset

    small = Image.fromarray((255 * lfw_subset()[number]).astype(np.uint8)).convert("RGB")
    return np.pad(
        np.asarray(small.resize((200, 200), Image.Resampling.BICUBIC)),
        ((60, 60), (60, 60), (0, 0)),
        "edge",
    )


def test_a_stranger_is_another_person(clip: Sample) -> None:
    policy = FaceKB(level="l0")
    assert not policy.needed(clip.video[0], [clip.video[30]])
    assert not policy.needed(clip.video[0], [(clip.video[30] * 0.6).astype(np.uint8)])
    assert FaceKB(level="l0", similarity=1.0).needed(clip.video[0], [clip.video[30]])
    for number in (0, 18, 54):
        assert policy.needed(stranger(number), [clip.video[30]]) and policy.needed(
            clip.video[0], [stranger(number)]
        )
    assert policy.needed(stranger(0), [stranger(18)]) and not policy.needed(
        stranger(18), [stranger(18)]
    )


def test_pictures_without_a_face_do_no_harm() -> None:
    grey = Sample("grey", "nobody", video=np.full((4, 64, 64, 3), 128, np.uint8), fps=25.0)
    kb = KB.add("nobody", Picture(grey.video[0]))
    got = FaceMotion().encode([grey], kb)[0]
    assert not got.streams["motion"].values.any()
    assert (MeshWarp().generate([got], kb, Rng())[0].samples[0].video == 128).all()


# ---------------------------------------------------------------------------------------------- dct


def motion(seed: int = 1) -> Features:
    """Slowly varying numbers: float32 (75, 12)."""
    rng = np.random.default_rng(seed)
    steps = (
        np.fft.irfft(
            rng.normal(size=(38, 12)) / (1 + np.arange(38)[:, None] / 3) ** 1.2, 75, axis=0
        )
        * 20
    )
    return Features(steps.astype(np.float32))


def error(transport: Any, snr_db: float) -> float:
    channel, sent = AWGN(snr_db=snr_db), [motion(seed) for seed in range(8)]
    ready = transport.adapted_to(channel)
    symbols = ready.send(
        [Semantics(str(at), {"motion": one}) for at, one in enumerate(sent)], Rng(1)
    )
    arrived = ready.receive(channel.transmit(symbols, Rng(1)))
    pairs = zip(sent, arrived, strict=True)
    return float(
        np.mean([np.square(one.values - got.streams["motion"].values).mean() for one, got in pairs])
    )


def test_dct_beats_plain_numbers_with_fewer_symbols_and_gains_with_the_snr() -> None:
    curve = [error(DCT(), snr) for snr in (-5.0, 0.0, 5.0, 10.0, 20.0)]
    assert all(later < earlier for earlier, later in zip(curve, curve[1:], strict=False)), curve
    assert curve[0] < np.mean(
        [np.square(motion(seed).values).mean() for seed in range(8)]
    )  # better than to say nothing
    assert curve[2] < error(Analog(), 5.0)  # which takes 450 channel uses
    layout = DCT().send([Semantics("a", {"motion": motion()})], Rng()).layout
    assert layout.lengths == (332,) and dict(layout.spans[0].uses) == {"header": 32, "data": 300}


@pytest.mark.parametrize("noise", [1e-3, 0.1, 1.0, 10.0])
def test_amplitudes_are_those_of_the_least_error_for_the_power(noise: float) -> None:
    deviations = np.sort(np.random.default_rng(2).exponential(size=40))[::-1]
    best = _amplitudes(deviations, noise, len(deviations) / 2)
    power = np.square(best * deviations)
    assert power.sum() == pytest.approx(len(deviations) / 2)

    def left(powers: np.ndarray) -> float:
        return float((np.square(deviations) * noise / (powers + noise)).sum())

    for _ in range(200):  # no other way to share the power does better
        other = np.random.default_rng(_).dirichlet(np.ones(40)) * power.sum()
        mixed = 0.9 * power + 0.1 * other
        assert left(power) <= left(mixed) + 1e-9


# ----------------------------------------------------------------------------------------------
# speech


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


# ---------------------------------------------------------------------------------------------- the
# whole


@pytest.mark.docs
def test_the_example_brings_back_a_moving_speaking_face(tmp_path: Path) -> None:
    import av

    from semcore.analysis import read_run
    from semcore.commands import main

    example = Path(__file__).resolve().parents[4] / "examples" / "av_v2a.yaml"
    with pytest.raises(SystemExit) as ended:
        main(
            [
                "run",
                str(example),
                "channel.block_snr_db=12",
                "--limit",
                "1",
                "--out",
                str(tmp_path / "run"),
            ]
        )
    assert ended.value.code == 0
    [result] = read_run(tmp_path / "run").results
    uses = {(one["stream"], one["kind"]): one["channel_uses"] for one in result["ledger"]}
    assert uses["motion", "data"] == 300 and uses["motion", "header"] == 32
    assert result["metrics"]["bler"]["mean"] == 0 and any(
        stream == "reference" for stream, _ in uses
    )
    [row] = read_run(tmp_path / "run").items(result)
    for name in ("source", "result"):
        with av.open(str(tmp_path / "run" / "cells" / result["id"] / row["clips"][name])) as clip:
            assert (
                clip.streams.video[0].frames == 75
                and abs(clip.streams.audio[0].duration / 48000 - 3) < 0.1
            )
    page = (tmp_path / "run" / "report.html").read_text()
    assert (
        page.count('<video src="data:video/mp4;base64,') == 2 and "media-src data:" in page
    )  # both side by side


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


# ----------------------------------------------------------------------------------------------
# video from audio


def test_phones_that_arrived_move_the_lips_as_they_moved(clip: Sample, points: np.ndarray) -> None:
    kb = KB.add(clip.user, Picture(clip.video[best_reference(points)]))
    got = replace(Speech(send="durations").encode([clip], kb)[0], extent=Extent.of(clip))
    video = VisemeMotion(renderer=MeshWarp()).generate([got], kb, Rng())[0].samples[0].video
    assert video.shape == clip.video.shape
    assert np.corrcoef(lip_opening(track(video)), lip_opening(points))[0, 1] > 0.4


def test_without_phones_the_face_is_still() -> None:
    motion = VisemeMotion(renderer=MeshWarp()).motion(
        Semantics("clip", {}, "someone", extent=Extent(20, 25.0))
    )
    assert motion.shape == (20, NUMBERS) and not motion[:, :6].any()
    assert (motion == motion[0]).all()


def test_a_renderer_that_draws_no_motion_is_refused() -> None:
    with pytest.raises(ComponentError, match="mesh-warp"):
        VisemeMotion(renderer=EspeakVoice())
