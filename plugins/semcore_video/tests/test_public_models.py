"""Adapters of public models, with tiny random weights in the published format."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from semcore import (
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
from semcore_video.face import real3d
from semcore_video.face.real3d import Real3DPortrait
from semcore_video.sources.talking_samples import TalkingSamples, portrait_of_astronaut
from semcore_video.speech.fastspeech2 import FastSpeech2
from semcore_video.speech.generator import EspeakVoice
from semcore_video.speech.phones import NAMES, NUMBERS
from semcore_video.speech.streams import DURATIONS, INTERVAL, PHONES, TEXT

pytest.importorskip("mediapipe", reason="pip install 'semcore-video[face]'")
KB = KnowledgeBase()
WORDS = ("SIL", "B", "IH", "N", "SIL")


# ------------------------------------------------------------------------------------- FastSpeech 2


def test_fastspeech_2_says_each_phone_for_as_long_as_it_was_said(fastspeech2: Path) -> None:
    voice = FastSpeech2(model=str(fastspeech2))
    phones = Tokens(np.array([NUMBERS[name] for name in WORDS], np.int64), len(NAMES))
    for lasts in ((20, 10, 12, 9, 30), (5, 40, 12, 9, 3)):
        durations = Features(np.array(lasts, np.float32))
        begin, sound = voice._synthesise(WORDS, np.concatenate([[0.0], np.cumsum(lasts)]) * 0.01)
        assert begin == 0 and len(sound) == sum(lasts) * 160
        got = Semantics("a", {PHONES: phones, DURATIONS: durations}, extent=Extent(50, 25.0))
        sample = voice.generate([got], KB, Rng())[0].samples[0]
        assert (
            sample.sample_rate_hz == 16000
            and sample.audio is not None
            and len(sample.audio) == 32000
        )
        assert (
            sample.audio[: sum(lasts) * 160].std() > 0
            and not sample.audio[sum(lasts) * 160 :].any()
        )


def test_fastspeech_2_fits_a_text_into_its_interval_and_is_silent_without_one(
    fastspeech2: Path,
) -> None:
    voice = FastSpeech2(model=str(fastspeech2))
    text, interval = Text("bin blue at a two now"), Tokens(np.array([50, 220], np.int64), 1000)
    got = Semantics("a", {TEXT: text, INTERVAL: interval}, extent=Extent(75, 25.0))
    sample = voice.generate([got], KB, Rng())[0].samples[0]
    assert (
        sample.audio is not None
        and not sample.audio[:8000].any()
        and not sample.audio[36000:].any()
    )
    assert sample.audio[8000:35000].any()
    nothing = voice.generate([got.only([])], KB, Rng())[0].samples[0]
    assert nothing.audio is not None and len(nothing.audio) == 48000 and not nothing.audio.any()


def test_fastspeech_2_says_what_is_missing(fastspeech2: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="hf download nobody/nothing"):
        FastSpeech2(model="nobody/nothing").generate(
            [Semantics("a", {TEXT: Text("now")})], KB, Rng()
        )
    for file in fastspeech2.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "vocab.json").write_text(json.dumps({"<sos/eos>": 3, "A": 1}))
    with pytest.raises(RunError, match="lacks the phone N"):
        FastSpeech2(model=str(tmp_path)).generate([Semantics("a", {TEXT: Text("now")})], KB, Rng())


# ------------------------------------------------------------------------------------------ ArcFace


def test_arcface_compares_faces_by_weights_that_a_user_names(tmp_path: Path) -> None:
    pytest.importorskip("dlib", reason="pip install 'semcore-video[metrics]'")
    import torch
    from safetensors.torch import save_file

    from semcore_video.face.landmarks import landmarks
    from semcore_video.metrics.arcface import ArcFaceCSIM, aligned
    from semcore_video.metrics.iresnet import IResNet

    torch.manual_seed(1)
    network = IResNet((2, 2, 2, 2))
    save_file(network.state_dict(), tmp_path / "r18.safetensors")
    face = portrait_of_astronaut((256, 256))
    points = landmarks(face[None], "mediapipe")[0]
    assert aligned(face, points).shape == (112, 112, 3)
    metric = ArcFaceCSIM(weights=str(tmp_path / "r18.safetensors"), frames=1)
    video = face[None].repeat(2, 0)
    nothing = Semantics("a", {})

    def value(result: Sample) -> float | None:
        return metric.value(
            Record(Sample("a", video=video, fps=25.0), nothing, nothing, result, Ledger(()), {})
        )

    assert value(Sample("a", video=video, fps=25.0)) == pytest.approx(1.0, abs=1e-6)
    darker = value(Sample("a", video=video // 2, fps=25.0))
    assert darker is not None and darker < 1.0
    assert value(Sample("a")) == 0.0
    with pytest.raises(RunError, match="arcface_torch"):
        ArcFaceCSIM(weights=str(tmp_path / "nothing")).embed(face, points)
    save_file({"conv1.weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(RunError, match="is not an ArcFace backbone"):
        ArcFaceCSIM(weights=str(tmp_path / "other.safetensors")).embed(face, points)


def test_a_turned_face_is_straightened() -> None:
    pytest.importorskip("dlib", reason="pip install 'semcore-video[metrics]'")
    from PIL import Image

    from semcore_video.face.landmarks import landmarks
    from semcore_video.metrics.arcface import aligned

    face = portrait_of_astronaut((256, 256))
    turned = np.asarray(
        Image.fromarray(face).rotate(12, Image.Resampling.BICUBIC, fillcolor=(128, 128, 128))
    )
    one, other = (aligned(seen, landmarks(seen[None], "mediapipe")[0]) for seen in (face, turned))
    apart = np.abs(one.astype(float) - other)[20:100, 20:90].mean()
    assert apart < 0.5 * np.abs(face.astype(float) - turned)[60:200, 60:200].mean()


# ---------------------------------------------------------------------------------- Real3D-Portrait


STAND_IN = """
import argparse, os
import av, numpy as np, soundfile
from PIL import Image
parser = argparse.ArgumentParser()
for name in ("src_img", "drv_aud", "out_name", "out_mode"):
    parser.add_argument("--" + name, required=True)
parser.add_argument("--temperature", type=float)
parser.add_argument("--mouth_amp", type=float)
asked = parser.parse_args()
assert asked.out_mode == "final" and os.environ["PYTHONPATH"] == os.getcwd()
picture = np.asarray(Image.open(asked.src_img).resize((512, 512)))
sound, rate = soundfile.read(asked.drv_aud)
with av.open(asked.out_name, "w") as out:
    video = out.add_stream("libx264", 25)
    video.width = video.height = 512
    video.pix_fmt = "yuv420p"
    for number in range(round(len(sound) / rate * 25)):
        out.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
    out.mux(video.encode())
"""


def _checkout(folder: Path, program: str) -> Path:
    for name in real3d.NEEDED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    (folder / real3d.PROGRAM).write_text(program)
    return folder


def test_real3d_portrait_moves_the_reference_as_the_voice_speaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("av", reason="pip install 'semcore-video[speech]'")
    picture = portrait_of_astronaut((128, 128))
    kb, made = KnowledgeBase({"a": (Picture(picture),)}), Real3DPortrait(voice=EspeakVoice())
    got = Semantics("a/0", {TEXT: Text("bin blue at a two now")}, "a", extent=Extent(60, 30.0))
    monkeypatch.delenv(real3d.FOLDER, raising=False)
    with pytest.raises(RunError, match="set REAL3D_PORTRAIT to a checkout"):
        made.generate([got], kb, Rng())
    monkeypatch.setenv(real3d.FOLDER, str(tmp_path))
    with pytest.raises(
        RunError, match=r"lacks inference/real3d_infer.py, .*mit_b0.pth; the README"
    ):
        made.generate([got], kb, Rng())
    _checkout(tmp_path, STAND_IN)
    monkeypatch.setenv(real3d.PYTHON, sys.executable)
    sample = made.generate([got], kb, Rng())[0].samples[0]
    assert sample.video is not None and sample.video.shape == (60, 128, 128, 3) and sample.fps == 30
    assert np.abs(sample.video[10].astype(float) - picture).mean() < 8
    assert sample.audio is not None and np.abs(sample.audio).max() > 0.05
    assert made.generate([got], KB, Rng())[0].samples[0].video is None, "no reference, no video"
    _checkout(tmp_path, "raise SystemExit('no GPU')")
    with pytest.raises(RunError, match="failed: no GPU"):
        made.generate([got], kb, Rng())


# ------------------------------------------------------------------------------ metrics of pictures


def test_a_metric_of_pictures_is_asked_of_frames() -> None:
    from semcore.metrics import PSNR, SSIM
    from semcore_video.metrics.frames import Frames

    clip = TalkingSamples(limit=1, size=(96, 96)).samples()[0]
    nothing = Semantics(clip.id, {}, clip.user)

    def value(metric: Frames, result: Sample) -> float | None:
        return metric.value(Record(clip, nothing, nothing, result, Ledger(()), {}))

    assert clip.video is not None
    ssim = Frames(of=SSIM())
    assert value(ssim, clip) == pytest.approx(1.0)
    noisy = np.clip(
        clip.video + np.random.default_rng(1).normal(0, 20, clip.video.shape), 0, 255
    ).astype(np.uint8)
    found = value(ssim, Sample(clip.id, clip.user, video=noisy, fps=25.0))
    lost = value(ssim, Sample(clip.id, clip.user))
    assert found is not None and lost is not None and lost < found < 1
    assert (
        ssim.unit == SSIM().unit and ssim.better == SSIM().better and Frames(of=PSNR()).unit == "dB"
    )
    assert ssim.signature != Frames(of=PSNR()).signature != Frames(of=PSNR(), count=3).signature
