"""A speaker, and tiny models of random weights in the form in which real ones are published."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from semcore import Extent, KnowledgeBase, Sample, Semantics
from semcore_video.sources.talking_samples import TalkingSamples
from semcore_video.speech.encoder import Speech
from semcore_video.speech.phones import NAMES, SILENCE


@pytest.fixture(scope="session")
def clip() -> Sample:
    """A speaker of the talking samples: 3 s at 25 frames per second, with sound and text."""
    return TalkingSamples(limit=1).samples()[0]


@pytest.fixture(scope="session")
def points(clip: Sample) -> np.ndarray:
    """Points of the face in every frame of the clip."""
    from semcore_video.face.tracker import track

    return track(clip.video)


@pytest.fixture(scope="session")
def spoken(clip: Sample) -> Semantics:
    """What the clip says, phone by phone, as it arrives without error."""
    sent = Speech(send="durations").encode([clip], KnowledgeBase())[0]
    return replace(sent, extent=Extent.of(clip))


@pytest.fixture(scope="module")
def fastspeech2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny model: 16 kHz, a step of 10 ms."""
    import torch
    from transformers import (
        FastSpeech2ConformerConfig,
        FastSpeech2ConformerHifiGanConfig,
        FastSpeech2ConformerWithHifiGan,
        FastSpeech2ConformerWithHifiGanConfig,
    )

    folder = tmp_path_factory.mktemp("fastspeech2")
    phones = [f"{name}1" if name[0] in "AEIOU" else name for name in NAMES if name != SILENCE]
    vocabulary = {
        name: number for number, name in enumerate(["<blank>", "<unk>", ",", *phones, "<sos/eos>"])
    }
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    parts = ("encoder", "decoder", "duration_predictor", "pitch_predictor", "energy_predictor")
    layers = {f"{part}_layers": 1 for part in parts}
    model = FastSpeech2ConformerConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_mel_bins=8,
        encoder_linear_units=16,
        decoder_linear_units=16,
        duration_predictor_channels=16,
        pitch_predictor_channels=16,
        energy_predictor_channels=16,
        speech_decoder_postnet_layers=2,
        speech_decoder_postnet_units=16,
        encoder_num_attention_heads=2,
        decoder_num_attention_heads=2,
        **layers,
    )
    vocoder = FastSpeech2ConformerHifiGanConfig(
        model_in_dim=8,
        sampling_rate=16000,
        upsample_initial_channel=16,
        upsample_rates=[10, 16],
        upsample_kernel_sizes=[20, 32],
        resblock_kernel_sizes=[3],
        resblock_dilation_sizes=[[1]],
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        both = FastSpeech2ConformerWithHifiGanConfig(
            model_config=model.to_dict(), vocoder_config=vocoder.to_dict()
        )
        FastSpeech2ConformerWithHifiGan(both).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Whisper of random weights that outputs letters, with an input of 30 s."""
    import torch
    import transformers as t

    folder = tmp_path_factory.mktemp("whisper")
    letters = {chr(code): code - 97 for code in range(97, 123)}
    (folder / "vocab.json").write_text(json.dumps({**letters, "<|endoftext|>": 26}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    (folder / "normalizer.json").write_text("{}")
    tokenizer = t.WhisperTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), str(folder / "normalizer.json")
    )
    t.WhisperProcessor(t.WhisperFeatureExtractor(feature_size=16), tokenizer).save_pretrained(
        folder
    )
    config = t.WhisperConfig(
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
    model = t.WhisperForConditionalGeneration(config)
    model.generation_config.forced_decoder_ids = None
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def hifigan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny vocoder of random weights."""
    import torch
    from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig

    folder = tmp_path_factory.mktemp("hifigan")
    config = SpeechT5HifiGanConfig(
        model_in_dim=8,
        upsample_initial_channel=16,
        upsample_rates=[10, 16],
        upsample_kernel_sizes=[20, 32],
        resblock_kernel_sizes=[3],
        resblock_dilation_sizes=[[1]],
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        SpeechT5HifiGan(config).save_pretrained(folder)
    return folder
