"""Recipes of networks on data of no size, each trained in seconds: three pictures of a class, noise
in place of clips and of speech, and cards without measurements."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from semcore import Sample
from semcore.training import NetworkRecipe
from semcore_channels import AWGN
from semcore_image.training import (
    class_diffusion,
    mini_caption,
    mini_classifier,
    mini_clip,
    mini_diffusion,
    mini_vae,
    multisem,
    scene_judge,
)
from semcore_image.training.deepjscc import DeepJSCCRecipe
from semcore_image.training.lamosc import LaMoSCRecipe
from semcore_image.training.learned_codec import CodecRecipe
from semcore_image.training.witt import WITTRecipe
from semcore_video.training import deepsc_s, deepwive, fastspeech, jscc, lip_voice, temporal, voices

EPOCHS = 2
FEW = {"batch_size": 10, "device": "cpu", "dtype": "float32"}
DRAWN = {"steps": 2, "batch_size": 8, "device": "cpu", "dtype": "float32"}
NOISY = {"channel": AWGN(snr_db=10.0)}
Make = Callable[..., NetworkRecipe]
RNG = functools.partial(np.random.default_rng, 3)


def pictures(folder: Path) -> str:
    """A folder of three classes of eight pictures."""
    for number, name in enumerate(("boats", "fire_trucks", "ravens")):
        (folder / name).mkdir(parents=True)
        rng = np.random.default_rng(number)
        for index in range(8):
            pixels = rng.integers(0, 256, (32, 32, 3), np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{index}.png")
    return str(folder)


def makers(data: str) -> dict[str, Make]:
    """A function that makes each recipe, by its name, the quickest first; `data`: folder of
    pictures."""
    few, drawn = {"data": data, **FEW}, {**NOISY, **DRAWN}
    codec = {**few, **NOISY, "epochs": EPOCHS}
    made: dict[str, tuple[Any, dict[str, Any]]] = {
        "deepjscc": (DeepJSCCRecipe, {**codec, "width": 8, "blocks": 1}),
        "temporal": (temporal.TemporalRecipe, {**drawn, "of": "durations", "epochs": EPOCHS}),
        "fastspeech": (fastspeech.MelVoiceRecipe, {**DRAWN, "epochs": EPOCHS}),
        "mini-classifier": (mini_classifier.MiniClassifierRecipe, {**few, "stages": (1, EPOCHS)}),
        "mini-clip": (mini_clip.MiniClipRecipe, {**few, "epochs": EPOCHS, "text_batch_size": 8}),
        "mini-caption": (mini_caption.MiniCaptionRecipe, {**few, "epochs": EPOCHS}),
        "scene-judge": (scene_judge.SceneJudgeRecipe, {**DRAWN, "epochs": EPOCHS}),
        "mini-vae": (mini_vae.MiniVaeRecipe, {**few, "epochs": EPOCHS}),
        "mini-diffusion": (mini_diffusion.MiniDiffusionRecipe, {**few, "epochs": EPOCHS}),
        "class-diffusion": (
            class_diffusion.ClassDiffusionRecipe,
            {**codec, "drawings": 1, "photographs": 6, "passes_at_once": 1, "semantics": True},
        ),
        "multisem": (multisem.MultiSemRecipe, {**codec, "drawings": 1}),
        "witt": (WITTRecipe, {**codec, "widths": (8, 8), "depths": (1, 1), "heads": (2, 2)}),
        "lamosc": (LaMoSCRecipe, {**codec, "width": 8, "blocks": 1}),
        "deepwive": (deepwive.DeepWiVeRecipe, {**drawn, "data": "", "epochs": EPOCHS}),
        "deepsc-s": (deepsc_s.DeepSCSRecipe, {**drawn, "data": "", "epochs": EPOCHS}),
        "lip-voice": (lip_voice.LipVoiceRecipe, {**DRAWN, "epochs": EPOCHS}),
    }
    return {name: functools.partial(cls, **settings) for name, (cls, settings) in made.items()}


def make_quick(patch: pytest.MonkeyPatch) -> None:
    """Leave out what is not training: measurements for cards, clips and synthesis of speech."""
    patch.setattr(scene_judge, "CHECKED", 1)
    for module in (class_diffusion, mini_caption, mini_classifier, mini_clip, scene_judge):
        patch.setattr(module, "evaluate", lambda *given: [])
    for module in (mini_diffusion, mini_vae):
        patch.setattr(module, "evaluate", lambda *given: [])
    patch.setattr(multisem, "evaluate", lambda *given: {})
    patch.setattr(CodecRecipe, "_write", write_codec)
    patch.setattr(temporal, "HELD_OUT", 2)
    patch.setattr(temporal, "rows_of", rows_of)
    patch.setattr(temporal, "MEASURED", ())
    for module in (deepwive, deepsc_s):
        patch.setattr(module, "Clips", NoClips)
    patch.setattr(deepwive, "SIDE", 32)
    patch.setattr(deepsc_s, "sentences", lambda count, rng: [])
    patch.setattr(deepsc_s, "spoken", lambda texts, rng: NoClips("").spoken())
    patch.setattr(jscc, "MEASURED", ())
    patch.setattr(jscc, "data_summary", lambda data: "noise")
    patch.setattr(voices, "HELD_OUT", 2)
    patch.setattr(fastspeech, "cached_examples", lambda out, make: examples(lips=False))
    patch.setattr(lip_voice, "cached_examples", lambda out, make: examples(lips=True))


def write_codec(recipe: Any, out: Path, average: Any, data: str, seconds: float) -> None:
    """The weights of a codec, without a card that measures it."""
    from semcore.training import write_model

    write_model(out, recipe.config(), average, "")


def rows_of(of: str, rng: np.random.Generator) -> list[np.ndarray]:
    """Durations."""
    return [row for row in RNG().integers(2, 30, (8, 6))]


class NoClips:
    """Two clips of noise."""

    def __init__(self, data: str) -> None:
        self.rng = RNG()

    def samples(self) -> list[Sample]:
        return [
            Sample(
                name,
                video=self.rng.integers(0, 256, (15, 48, 48, 3), np.uint8),
                fps=25.0,
                audio=self.rng.uniform(-0.5, 0.5, 20_000).astype(np.float32),
                sample_rate_hz=16_000,
                user=name,
            )
            for name in ("ann", "ben")
        ]

    def spoken(self) -> list[Sample]:
        """Clips in place of sentences, of which the sound alone is used."""
        return self.samples()


def examples(lips: bool) -> Sequence[voices.TrainingExample]:
    """Sentences of four phones in noise."""
    rng, frames = RNG(), 24
    found = []
    for _ in range(6):
        crops = rng.integers(0, 256, (frames // 4 if lips else 0, 24, 32), np.uint8)
        mel = rng.normal(-5, 2, (frames, 80)).astype(np.float32)
        variance = rng.normal(0, 1, (frames, 2)).astype(np.float32)
        phones, durations = np.array([voices.PAUSE, 3, 4, voices.PAUSE]), np.array([6, 6, 6, 6])
        found.append(voices.TrainingExample(phones, durations, 0, mel, variance, crops))
    return found


def weights(folder: Path) -> bytes:
    """What a training wrote."""
    torch.set_num_threads(1)
    return (folder / "model.safetensors").read_bytes()
