"""Identity depends on the content of the files that components read; incomplete weights are
rejected."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from semcore import Features, KnowledgeBase, Rng, RunError, Semantics, digest
from semcore.testing.internals import retrain
from semcore_video.face import detector
from semcore_video.face.real3d import FOLDER, NEEDED, Real3DPortrait
from semcore_video.jscc.components import DeepWiVeGenerator
from semcore_video.metrics.arcface import ArcFaceCSIM
from semcore_video.metrics.syncnet import LSED
from semcore_video.speech.encoder import Speech
from semcore_video.speech.generator import EspeakVoice
from semcore_video.speech.lip_timing import LipTiming
from semcore_video.speech.visemes import table
from semcore_video.speech.vocoders import MEL, HifiGan
from semcore_video.transports.temporal import TemporalMotion, TemporalText
from semcore_video.weights import SHIPPED


def test_alignments_count_with_what_they_say_and_not_with_when_they_were_written(
    tmp_path: Path,
) -> None:
    file = tmp_path / "somebody.TextGrid"
    file.write_text("one")
    found = digest(Speech(textgrids=str(tmp_path)))
    os.utime(file, (1, 1))
    assert digest(Speech(textgrids=str(tmp_path))) == found
    file.write_text("two")
    os.utime(file, (1, 1))
    assert digest(Speech(textgrids=str(tmp_path))) != found


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("deepwive", lambda folder: DeepWiVeGenerator(weights=folder)),
        ("temporal-motion", lambda folder: TemporalMotion(weights=folder)),
        ("temporal-text", lambda folder: TemporalText(weights=folder)),
        ("visemes", lambda folder: LipTiming(EspeakVoice(), visemes=folder)),
    ],
)
def test_trained_again_they_are_other_ones(tmp_path: Path, name: str, make: Any) -> None:
    folder = Path(shutil.copytree(SHIPPED / name, tmp_path / "weights"))
    found = digest(make(str(folder)))
    assert digest(make(str(folder))) == found
    retrain(folder / "model.safetensors")
    assert digest(make(str(folder))) != found


@pytest.mark.parametrize(
    "make", [lambda file: ArcFaceCSIM(weights=file), lambda file: LSED(weights=file)]
)
def test_the_weights_of_a_judge_count_with_their_content(tmp_path: Path, make: Any) -> None:
    file = tmp_path / "judge.safetensors"
    file.write_bytes(b"one")
    known, found = file.stat(), digest(make(str(file)))
    file.write_bytes(b"two")
    os.utime(file, ns=(known.st_atime_ns, known.st_mtime_ns))
    assert digest(make(str(file))) != found


def test_models_that_the_environment_names_count_with_their_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "face.task").write_bytes(b"one")
    monkeypatch.setenv(detector.LANDMARKER, str(tmp_path / "face.task"))
    found = detector.named_models()
    (tmp_path / "face.task").write_bytes(b"two")
    assert detector.named_models() != found and detector.named_models()[0][0] == "face.task"


def test_a_program_elsewhere_counts_with_its_source_and_its_checkpoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    portrait = Real3DPortrait(EspeakVoice())
    monkeypatch.delenv(FOLDER, raising=False)
    seen = [digest(portrait)]
    monkeypatch.setenv(FOLDER, str(tmp_path))
    for name in NEEDED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"1")
    seen.append(digest(portrait))
    for name in (NEEDED[0], NEEDED[-1]):
        (tmp_path / name).write_bytes(b"2")
        seen.append(digest(portrait))
    (tmp_path / "results.mp4").write_bytes(b"a clip that it made")
    assert digest(portrait) == seen[-1] and len(set(seen)) == 4


def test_numbers_are_read_again_where_they_changed(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SHIPPED / "visemes", tmp_path / "weights"))
    before = table(str(folder))
    retrain(folder / "model.safetensors")
    assert not np.array_equal(table(str(folder)), before)


@pytest.mark.parametrize("damage", ["empty", "cut", "gap"])
def test_weights_with_gaps_are_refused(tmp_path: Path, damage: str) -> None:
    for name in ("visemes", "temporal-text"):
        file = Path(shutil.copytree(SHIPPED / name, tmp_path / name)) / "model.safetensors"
        held = load_file(file)
        if damage == "gap":
            save_file({"another": held[sorted(held)[0]], **dict(sorted(held.items())[1:])}, file)
        else:
            file.write_bytes(b"" if damage == "empty" else file.read_bytes()[:-8])
    with pytest.raises(RunError, match=r"model.safetensors .*semcore train visemes"):
        table(str(tmp_path / "visemes"))
    with pytest.raises(RunError, match=r"model.safetensors .*semcore train temporal"):
        assert TemporalText(weights=str(tmp_path / "temporal-text")).network


def test_a_vocoder_of_which_a_tensor_is_missing_is_refused(tmp_path: Path) -> None:
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
    held = load_file(tmp_path / "model.safetensors")
    gone = next(name for name in sorted(held) if "resblocks" in name)
    save_file(
        {name: value for name, value in held.items() if name != gone},
        tmp_path / "model.safetensors",
        {"format": "pt"},
    )
    got = Semantics("a", {MEL: Features(np.zeros((20, 80), np.float32))})
    with pytest.raises(RunError, match="1 of the tensors of SpeechT5HifiGan are missing"):
        HifiGan(model=str(tmp_path)).generate([got], KnowledgeBase(), Rng())
