"""How the mini models are wrapped; the networks themselves are stood in for, so that this holds
whatever they learnt."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from semcore import ComponentError, KnowledgeBase, Picture, Rng, RunError, Sample, Semantics, Text
from semcore.testing import run_laws
from semcore_image.captioning.mini import MiniCaptionEncoder
from semcore_image.generation.mini import MiniDiffusionGenerator
from semcore_image.selection.clip_score import ClipScoreSelector
from semcore_image.streams import LONGEST

EMPTY = KnowledgeBase()


class Captioner:
    def caption(self, images: torch.Tensor, prompt: str | None = None) -> list[str]:
        assert images.dtype == torch.float32 and images.shape[1:] == (3, 32, 32)
        assert 0 <= images.min() and images.max() <= 1
        return [f"{prompt or 'mean'} {image.mean():.2f}" for image in images]


class Painter:
    """Pictures that show all that went into them: the noise as pattern, text, start and strength as
    brightness."""

    latent_shape = (8, 8, 8)
    asked: list[dict] = []

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        return images.mean((1, 2, 3), keepdim=True).expand(-1, *self.latent_shape)

    def sample(self, text, noise, steps=20, guidance=None, start=None, strength=0.7):
        assert noise.shape == (len(text), *self.latent_shape) and noise.dtype == torch.float32
        assert start is None or start.shape == noise.shape
        self.asked.append(
            {
                "text": text,
                "steps": steps,
                "guidance": guidance,
                "start": start,
                "strength": strength,
            }
        )
        picture = torch.nn.functional.interpolate(noise[:, :3] * 0.1, scale_factor=4) + 0.3
        brightness = torch.tensor([len(words) / 100 for words in text])[:, None, None, None]
        return (picture + brightness + (0 if start is None else 0.2 * start[:, :1, :1, :1])).clamp(
            0, 1
        )


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    Painter.asked = []
    made = {"mini-caption": Captioner(), "mini-diffusion": Painter()}
    monkeypatch.setattr("semcore_image.models.weights.load_mini", lambda name, _=None: made[name])


def said(key: str, caption: str | None, user: str = "") -> Semantics:
    return Semantics(key, {} if caption is None else {"caption": Text(caption)}, user)


def images(candidates) -> list[np.ndarray]:
    return [sample.image for one in candidates for sample in one.samples]


class TestMiniCaption:
    def test_one_caption_for_each_picture_of_any_size(self, picture: np.ndarray):
        samples = [
            Sample("a", "alice", image=picture),
            Sample("b", image=np.zeros((32, 32, 3), np.uint8)),
        ]
        sent = MiniCaptionEncoder().encode(samples, EMPTY)
        assert [(one.key, one.user) for one in sent] == [("a", "alice"), ("b", "")]
        assert sent[1].text("caption") == "mean 0.00" and sent[0].text("caption") != "mean 0.00"
        assert {
            name: type(stream) for name, stream in sent[0].streams.items()
        } == MiniCaptionEncoder().streams

    def test_the_prompt_is_passed_on(self, picture: np.ndarray):
        (sent,) = MiniCaptionEncoder(prompt="what is it?").encode(
            [Sample("a", image=picture)], EMPTY
        )
        assert (sent.text("caption") or "").startswith("what is it?")

    def test_a_sample_without_a_picture_is_refused(self):
        with pytest.raises(
            ComponentError, match="MiniCaptionEncoder needs pictures, but sample 'x' has none"
        ):
            MiniCaptionEncoder().encode([Sample("x", text="words")], EMPTY)


class TestMiniDiffusion:
    @pytest.mark.parametrize("count", [1, 3, 130])
    def test_as_many_as_asked_for_whatever_was_lost(self, count: int):
        batch = [said("a", "a ship"), said("b", None), said("c", "\udcff\x00 sh?p" * 50)]
        drawn = MiniDiffusionGenerator(candidates=count).generate(batch, EMPTY, Rng(1))
        for got, one in zip(batch, drawn, strict=True):
            assert len(one.samples) == count
            assert all(sample.id == got.key for sample in one.samples)
        assert all(
            pixels.shape == (32, 32, 3) and pixels.dtype == np.uint8 for pixels in images(drawn)
        )
        assert max(len(call["text"]) for call in Painter.asked) <= 64
        assert "\udcff" not in Painter.asked[-1]["text"][0]

    def test_of_an_endless_caption_the_beginning_is_read(self):
        MiniDiffusionGenerator().generate([said("a", "a ship " * 200_000)], EMPTY, Rng(1))
        assert Painter.asked[-1]["text"] == [("a ship " * 200_000)[:LONGEST]]

    def test_a_picture_depends_on_its_own_address_alone(self):
        generator = MiniDiffusionGenerator(candidates=2)
        batch = [said("a", "a ship"), said("b", "a ship"), said("c", "a bird")]
        together = images(generator.generate(batch, EMPTY, Rng(1)))
        alone = [
            pixels for one in batch for pixels in images(generator.generate([one], EMPTY, Rng(1)))
        ]
        assert all(np.array_equal(x, y) for x, y in zip(together, alone, strict=True))
        assert not any(np.array_equal(together[0], other) for other in together[1:])
        more = images(MiniDiffusionGenerator(candidates=5).generate(batch[:1], EMPTY, Rng(1)))
        assert np.array_equal(more[0], together[0]) and np.array_equal(more[1], together[1])
        assert not np.array_equal(
            images(generator.generate(batch[:1], EMPTY, Rng(2)))[0], together[0]
        )

    def test_settings_reach_the_network(self):
        MiniDiffusionGenerator(steps=7, guidance=2.5).generate([said("a", "a ship")], EMPTY, Rng(1))
        (call,) = Painter.asked
        assert (call["steps"], call["guidance"], call["text"], call["start"]) == (
            7,
            2.5,
            ["a ship"],
            None,
        )

    def test_the_newest_picture_of_the_user_guides(self):
        old, new = (Picture(np.full((40, 60, 3), value, np.uint8)) for value in (0, 255))
        kb = KnowledgeBase().add("alice", old).add("alice", new).add("bob", old)
        batch = [
            said("a", "a ship", "alice"),
            said("b", "a ship", "bob"),
            said("c", "a ship", "carol"),
        ]
        MiniDiffusionGenerator(start="reference", strength=0.4, candidates=2).generate(
            batch, kb, Rng(1)
        )
        alice, bob, carol = Painter.asked
        assert (alice["start"] == 1).all() and (bob["start"] == 0).all() and carol["start"] is None
        assert alice["strength"] == 0.4
        Painter.asked.clear()
        MiniDiffusionGenerator().generate(batch[:1], kb, Rng(1))
        assert Painter.asked[0]["start"] is None

    def test_another_size_is_resampled(self):
        drawn = MiniDiffusionGenerator(size=(48, 64)).generate([said("a", "a ship")], EMPTY, Rng(1))
        assert images(drawn)[0].shape == (48, 64, 3)

    @pytest.mark.parametrize(
        "bad",
        [{"candidates": 0}, {"steps": 0}, {"strength": 0.0}, {"strength": 1.1}, {"start": "x"}],
    )
    def test_a_bad_value_is_refused_by_name(self, bad: dict):
        with pytest.raises(ComponentError, match=next(iter(bad))):
            MiniDiffusionGenerator(**bad)


@pytest.mark.parametrize(
    "component",
    [
        MiniCaptionEncoder(),
        MiniDiffusionGenerator(candidates=3),
        MiniDiffusionGenerator(start="reference", size=(40, 24)),
    ],
    ids=str,
)
def test_the_laws_of_the_kit(component):
    assert not [
        f"{one.law.name}: {one.message}" for one in run_laws(component) if one.result == "broken"
    ]


def test_the_network_is_asked_when_that_is_allowed_and_only_then(
    attempts: list[object], tmp_path: Path
):
    """The other half of `local_files_only`: it is this setting that decides, and not whether there
    is a network."""
    pixels = np.zeros((8, 8, 3), np.uint8)
    settings = {"model": "ViT-B-32", "cache_dir": str(tmp_path)}
    with pytest.raises(RunError, match="the network was not asked"):
        ClipScoreSelector(**settings).clip.images([pixels])
    assert not attempts
    with pytest.raises(RunError, match="whether the network can be reached"):
        ClipScoreSelector(**settings, local_files_only=False).clip.images([pixels])
    assert attempts


def test_libraries_of_models_tell_nobody_that_they_are_used():
    """In a process of its own: the setting is read when a library is imported."""
    check = (
        "import semcore.models.pretrained, huggingface_hub.constants as hub; assert "
        "hub.HF_HUB_DISABLE_TELEMETRY"
    )
    clean = {
        name: value
        for name, value in os.environ.items()
        if "TELEMETRY" not in name and name != "DO_NOT_TRACK"
    }
    subprocess.run([sys.executable, "-c", check], check=True, env=clean, timeout=900)
