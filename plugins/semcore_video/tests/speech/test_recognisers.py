"""Whisper beyond 30 s and with a given language; the mel bands of HiFi-GAN."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semcore import ComponentError, KnowledgeBase, RunError, Sample
from semcore_video.speech.vocoders import HifiGan
from semcore_video.speech.whisper import Whisper, cut

KB = KnowledgeBase()
RATE = 16_000


def noise(seconds: float) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 0.1, round(seconds * RATE)).astype(np.float32)


def test_a_long_sound_is_cut_where_it_is_quiet() -> None:
    sound = noise(70.0)
    for second in (27.3, 54.0):
        sound[round(second * RATE) : round((second + 0.4) * RATE)] = 0
    parts = cut(sound, 30 * RATE, RATE)
    np.testing.assert_array_equal(np.concatenate(parts), sound)
    ends = np.cumsum([len(part) for part in parts]) / RATE
    assert (
        27.3 < ends[0] < 27.7
        and 54.0 < ends[1] < 54.4
        and all(len(part) <= 30 * RATE for part in parts)
    )


@pytest.mark.parametrize("seconds", [0.0, 0.01, 29.9, 30.0, 30.01, 61.0])
def test_no_part_is_too_long_and_nothing_is_lost(seconds: float) -> None:
    for sound in (noise(seconds), np.zeros(round(seconds * RATE), np.float32)):
        parts = cut(sound, 30 * RATE, RATE)
        np.testing.assert_array_equal(np.concatenate(parts), sound)
        assert all(len(part) <= 30 * RATE for part in parts) and len(parts) == max(
            1, -(-len(sound) // (30 * RATE))
        )


def test_more_than_30_seconds_are_recognised_in_parts(
    whisper: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = Whisper(model=str(whisper), max_new_tokens=4)
    model = encoder._parts[1]
    calls: list[Any] = []
    generate = model.generate
    monkeypatch.setattr(model, "generate", lambda **given: calls.append(given) or generate(**given))
    long, short = (
        Sample("a", audio=noise(seconds), sample_rate_hz=RATE) for seconds in (70.0, 3.0)
    )
    text = encoder.transcribe(long)
    assert len(calls) == 3 and len(text.split()) >= 1
    assert not np.array_equal(calls[0]["input_features"], calls[1]["input_features"])
    assert encoder.transcribe(short) and len(calls) == 4 and "language" not in calls[0]


def test_a_language_reaches_the_model_or_is_refused(
    whisper: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import shutil

    sound = Sample("a", audio=noise(1.0), sample_rate_hz=RATE)
    with pytest.raises(RunError, match="has only one language; set language: null"):
        Whisper(model=str(whisper), language="en").transcribe(sound)
    folder = Path(shutil.copytree(whisper, tmp_path / "many"))
    settings = json.loads((folder / "generation_config.json").read_text())
    del settings["_from_model_config"]  # else what stands here is not read
    settings |= {
        "lang_to_id": {"<|en|>": 3, "<|zh|>": 4},
        "is_multilingual": True,
        "task_to_id": {"transcribe": 5},
    }
    (folder / "generation_config.json").write_text(json.dumps(settings))
    with pytest.raises(RunError, match="does not have 'klingon'; it has en, zh"):
        Whisper(model=str(folder), language="klingon").transcribe(sound)
    for language in ("zh", "Chinese"):
        encoder, asked = Whisper(model=str(folder), language=language, max_new_tokens=2), []
        model = encoder._parts[1]

        def generate(asked: Any = asked, **given: Any) -> Any:
            import torch

            asked.append(given["language"])
            return torch.tensor([[0, 1]])

        monkeypatch.setattr(model, "generate", generate)
        assert encoder.transcribe(sound) and asked == [language.lower()]


def test_the_bands_of_a_vocoder_are_those_it_was_trained_on() -> None:
    """Compared with the spectrum in those bands: the logarithms agree where there is sound."""
    librosa = pytest.importorskip("librosa", reason="pip install 'semcore-video[speech]'")
    from semcore_video.speech.mel import HOP, WINDOW, in_bands, mel_of

    time = np.arange(RATE) / RATE
    voice = (
        sum(np.sin(2 * np.pi * 140 * k * time) / k for k in range(1, 40)).astype(np.float32) * 0.2
    )
    spectrum = np.abs(librosa.stft(voice, n_fft=WINDOW, hop_length=HOP))
    wanted = (
        librosa.filters.mel(sr=RATE, n_fft=WINDOW, n_mels=80, fmin=80.0, fmax=7600.0) @ spectrum
    ).T
    found = in_bands(mel_of(voice), 80, 80.0, 7600.0)
    loud = wanted > wanted.max() * 0.1
    assert np.abs(np.log(found[loud] / wanted[loud])).mean() < 0.15
    naive = np.exp(mel_of(voice))
    assert (
        np.abs(np.log(naive[loud] / wanted[loud])).mean()
        > 2 * np.abs(np.log(found[loud] / wanted[loud])).mean()
    )
    np.testing.assert_allclose(in_bands(mel_of(voice), 80, 0.0, 8000.0), naive, rtol=1e-5)


def test_bands_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ComponentError, match="lowest_hz must be below highest_hz"):
        HifiGan(lowest_hz=7000.0, highest_hz=200.0)
