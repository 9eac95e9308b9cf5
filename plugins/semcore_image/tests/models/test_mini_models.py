"""Shapes, determinism and independence of the batch, on random weights; the cards' claims where
data are at hand."""

from __future__ import annotations

import os
import re

import pytest
import torch

from semcore_image.models.mini_caption import MAX_ANSWER_WORDS, CaptionDecoder, MiniCaption
from semcore_image.models.mini_classifier import MiniClassifier
from semcore_image.models.mini_clip import MiniClip
from semcore_image.models.mini_diffusion import MiniDiffusion, MiniVae, build_unet
from semcore_image.models.weights import WEIGHTS, load_mini
from semcore_image.training import mini_caption as caption
from semcore_image.training import mini_classifier as classifier
from semcore_image.training import mini_clip as clip
from semcore_image.training import mini_diffusion as diffusion
from semcore_image.training import mini_vae as vae
from semcore_image.training.data import Split, load_split
from semcore_image.vocabulary import CLASSES


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    return torch.rand(5, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def mini_clip() -> MiniClip:
    torch.manual_seed(0)
    return MiniClip(widths=(8, 16, 32)).eval()


@pytest.fixture(scope="module")
def mini_diffusion(mini_clip: MiniClip) -> MiniDiffusion:
    torch.manual_seed(0)
    small = {**diffusion.SETTINGS, "block_out_channels": [32, 32]}
    return MiniDiffusion(mini_clip, MiniVae(**vae.SETTINGS), build_unet(small), guidance=3.0).eval()


def test_clip(mini_clip: MiniClip, pictures: torch.Tensor) -> None:
    images, texts = (
        mini_clip.encode_image(pictures),
        mini_clip.encode_text(["a bird", "", "a brwon b\x07rd"]),
    )
    assert images.shape == (5, 128)
    assert texts.shape == (3, 128)
    torch.testing.assert_close(images.norm(dim=1), torch.ones(5))
    torch.testing.assert_close(texts.norm(dim=1), torch.ones(3))
    torch.testing.assert_close(
        mini_clip.encode_image(pictures[2:3]), images[2:3], atol=1e-5, rtol=0
    )
    torch.testing.assert_close(mini_clip.encode_text([""]), texts[1:2], atol=1e-5, rtol=0)
    assert mini_clip.image_map(pictures).shape == (5, 32, 4, 4)


def test_clip_takes_bytes_and_floats(mini_clip: MiniClip, pictures: torch.Tensor) -> None:
    as_bytes = (pictures * 255).round().byte()
    torch.testing.assert_close(
        mini_clip.encode_image(as_bytes), mini_clip.encode_image(as_bytes / 255)
    )


def test_padding_does_not_leak_into_text(mini_clip: MiniClip) -> None:
    tokens, mask = mini_clip.text_tokens(["a bird", "a brown bird on a green background"])
    assert tokens.shape == (2, 64, 128)
    assert mask.sum(1).tolist() == [6, 34]
    assert tokens[0, 6:].eq(0).all()
    alone, _ = mini_clip.text_tokens(["a bird"])
    torch.testing.assert_close(alone, tokens[:1], atol=1e-5, rtol=0)


def test_caption_is_text_whatever_the_batch(mini_clip: MiniClip, pictures: torch.Tensor) -> None:
    torch.manual_seed(0)
    model = MiniCaption(mini_clip, CaptionDecoder(channels=32)).eval()
    for prompt in (None, "what is it?", "words never seen, and more than fit into the prompt"):
        texts = model.caption(pictures, prompt)
        assert [model.caption(p[None], prompt)[0] for p in pictures] == texts
        assert all(len(text.split()) <= MAX_ANSWER_WORDS for text in texts)


def test_classifier(pictures: torch.Tensor) -> None:
    torch.manual_seed(0)
    model = MiniClassifier().eval()
    logits = model.classify(pictures)
    assert logits.shape == (5, len(model.classes))
    torch.testing.assert_close(model.classify(pictures[1:2]), logits[1:2], atol=1e-5, rtol=0)
    torch.testing.assert_close(model.classify(pictures.flip(3)), logits, atol=1e-5, rtol=0)


def test_sampling_depends_on_its_arguments_alone(mini_diffusion: MiniDiffusion) -> None:
    noise = torch.randn(3, *mini_diffusion.latent_shape, generator=torch.Generator().manual_seed(1))
    texts = ["a bird", "a brown dog on a green background", ""]
    torch.manual_seed(5)
    first = mini_diffusion.sample(texts, noise, steps=5)
    torch.manual_seed(6)
    assert torch.equal(mini_diffusion.sample(texts, noise, steps=5), first)
    assert first.shape == (3, 3, 32, 32)
    assert 0 <= first.min() and first.max() <= 1
    alone = torch.cat(
        [mini_diffusion.sample(texts[i : i + 1], noise[i : i + 1], steps=5) for i in range(3)]
    )
    torch.testing.assert_close(alone, first, atol=1e-3, rtol=0)


def test_image_to_image_moves_away_from_the_reference_with_strength(
    mini_diffusion: MiniDiffusion, pictures: torch.Tensor
) -> None:
    start = mini_diffusion.encode(pictures)
    noise = torch.randn(start.shape, generator=torch.Generator().manual_seed(1))
    texts = ["a bird"] * len(pictures)
    decoded = mini_diffusion.vae.decode(start)
    distance = [
        (mini_diffusion.sample(texts, noise, 10, start=start, strength=s) - decoded)
        .square()
        .mean()
        .item()
        for s in (0.0, 0.2, 1.0)
    ]
    assert distance[0] == 0 < distance[1] < distance[2]


def test_noise_of_a_wrong_shape_is_refused(mini_diffusion: MiniDiffusion) -> None:
    with pytest.raises(ValueError, match="expected"):
        mini_diffusion.sample(["a bird"], torch.zeros(2, 8, 8, 8))


def test_unknown_model_names_the_known() -> None:
    with pytest.raises(ValueError, match="mini-clip, mini-caption"):
        load_mini("mini-clap")


@pytest.mark.parametrize(
    "name",
    [
        *("mini-clip", "mini-caption", "mini-diffusion", "mini-diffusion/vae", "mini-classifier"),
        "scene-judge",
    ],
)
def test_what_is_shipped(name: str) -> None:
    files = {
        path.name: path.stat().st_size for path in (WEIGHTS / name).iterdir() if path.is_file()
    }
    assert {"config.json", "model.safetensors", "README.md"} <= files.keys()
    assert max(files.values()) <= 11e6


@pytest.mark.slow
def test_shipped_models_agree_on_a_prompt() -> None:
    """Without data: what mini-diffusion draws for a class, mini-clip, mini-caption and
    mini-classifier recognise."""
    model = load_mini("mini-diffusion")
    prompts = diffusion.class_prompts(2)
    drawn = model.sample(prompts, diffusion.draw_noise(model, len(prompts), 7))
    labels = torch.arange(len(CLASSES)).repeat_interleave(2)
    clip_model = load_mini("mini-clip")
    similar = (
        clip_model.encode_image(drawn) @ clip_model.encode_text([f"a {name}" for name in CLASSES]).T
    )
    named = load_mini("mini-caption").caption(drawn)
    assert load_mini("mini-classifier").classify(drawn).argmax(1).eq(labels).float().mean() >= 0.5
    assert similar.argmax(1).eq(labels).float().mean() >= 0.5
    assert sum(CLASSES[i] in text for i, text in zip(labels.tolist(), named, strict=True)) >= 10


@pytest.fixture(scope="module")
def unseen() -> Split:
    folder = os.environ.get("SEMCORE_CIFAR10")
    if not folder:
        pytest.skip(
            "the cards' claims need the pictures: set SEMCORE_CIFAR10 to the folder of CIFAR-10"
        )
    return load_split(folder, "test")


def stated(name: str, measure: str) -> float:
    """The percentage that the model card gives for `measure`."""
    card = (WEIGHTS / name / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"\| {re.escape(measure)}.*?\| ([0-9.]+)", card)
    assert found, f"the card of {name} says nothing of {measure!r}"
    return float(found.group(1))


def first(scores: list[tuple[str, str]]) -> tuple[str, float]:
    name, value = scores[0]
    return name.split(" (n =")[0], float(re.sub(r"[^0-9.].*", "", value))


@pytest.mark.parametrize("name", ["mini-clip", "mini-caption", "mini-classifier"])
def test_cards_tell_the_truth(name: str, unseen: Split) -> None:
    model = load_mini(name)
    evaluate = {
        "mini-clip": lambda: clip.evaluate(model, unseen, 1),
        "mini-caption": lambda: caption.evaluate(model, unseen),
    }
    measure, value = first(evaluate.get(name, lambda: classifier.evaluate(model, unseen))())
    assert value == pytest.approx(
        stated(name, measure), abs=1.0
    )  # the full test split has twice the pictures of the card's
