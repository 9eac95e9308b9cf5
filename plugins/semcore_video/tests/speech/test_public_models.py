"""Public speech models, tiny and of random weights: a vocoder and recognisers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from semcore import ComponentError, Features, Rng, RunError, Sample, Semantics
from semcore_video.speech.encoder import Speech
from semcore_video.speech.vocoders import MEL, HifiGan
from semcore_video.speech.whisper import Whisper

from ..support.speakers import KB

pytest.importorskip("mediapipe", reason="pip install 'semcore-video[face]'")


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
