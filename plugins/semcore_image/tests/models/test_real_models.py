"""The adapters of the real models, on tiny random ones that are saved to a folder and loaded
without a network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from semcore import (
    Candidates,
    ComponentError,
    KnowledgeBase,
    Picture,
    Rng,
    RunError,
    Sample,
    Semantics,
    Text,
)
from semcore.testing import run_laws
from semcore_image.captioning.llava import LlavaCaption
from semcore_image.generation.stable_diffusion import StableDiffusion
from semcore_image.metrics.clip import ClipImage, ClipScore
from semcore_image.selection.clip_score import ClipScoreSelector

pytestmark = pytest.mark.usefixtures("no_network")

EMPTY = KnowledgeBase()


def said(key: str, caption: str | None) -> Semantics:
    return Semantics(key, {} if caption is None else {"caption": Text(caption)})


def pictures(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(9)
    return [
        rng.integers(0, 256, (rng.integers(20, 60), rng.integers(20, 60), 3), dtype=np.uint8)
        for _ in range(count)
    ]


class TestLlava:
    def test_captions_are_words_of_the_vocabulary_without_the_question(
        self, llava: Path, words: list[str]
    ):
        encoder = LlavaCaption(model=str(llava), prompt="describe", max_new_tokens=5)
        samples = [
            Sample(str(index), "alice", image=pixels) for index, pixels in enumerate(pictures(3))
        ]
        sent = encoder.encode(samples, EMPTY)
        assert [(one.key, one.user) for one in sent] == [(sample.id, "alice") for sample in samples]
        captions = [one.text("caption") or "" for one in sent]
        assert all(
            set(caption.split()) <= set(words) and len(caption.split()) <= 5 for caption in captions
        )
        assert not any(caption.startswith("USER") for caption in captions)
        assert len(set(captions)) > 1, "the captions do not depend on the picture"

    def test_a_caption_depends_on_its_picture_alone(self, llava: Path):
        encoder = LlavaCaption(model=str(llava), max_new_tokens=4)
        samples = [Sample(str(index), image=pixels) for index, pixels in enumerate(pictures(3))]
        together = [one.text("caption") for one in encoder.encode(samples, EMPTY)]
        alone = [encoder.encode([sample], EMPTY)[0].text("caption") for sample in reversed(samples)]
        assert together == alone[::-1]

    @pytest.mark.parametrize("prompt", [None, "describe"])
    def test_the_prompt_is_asked_beside_the_picture(self, llava: Path, prompt: str | None):
        encoder = LlavaCaption(model=str(llava), prompt=prompt)
        question = encoder._question(encoder._parts[0])
        assert question == f"USER : <image> {'describe ' if prompt else ''}ASSISTANT :"

    def test_a_plain_captioner_needs_no_template(self, blip: Path, words: list[str]):
        encoder = LlavaCaption(model=str(blip), prompt=None, max_new_tokens=4)
        caption = encoder.describe(pictures(1)[0])
        assert set(caption.split()) <= {word.lower() for word in words} | {"[UNK]"}
        begun = LlavaCaption(model=str(blip), prompt="a brown bird", max_new_tokens=4).describe(
            pictures(1)[0]
        )
        assert begun.startswith("a brown bird")

    def test_a_sample_without_a_picture_is_refused(self, llava: Path):
        with pytest.raises(
            ComponentError, match="LlavaCaption needs pictures, but sample 'x' has none"
        ):
            LlavaCaption(model=str(llava)).encode([Sample("x", text="words")], EMPTY)


class TestStableDiffusion:
    def test_as_many_as_asked_for_whatever_was_lost(self, diffusion: Path):
        generator = StableDiffusion(model=str(diffusion), steps=2, candidates=3, chunk=2)
        batch = [said("a", "a bird"), said("b", None), said("c", "\udcff b\x00rd " * 40)]
        drawn = generator.generate(batch, EMPTY, Rng(1))
        assert [len(one.samples) for one in drawn] == [3, 3, 3]
        for one, got in zip(drawn, batch, strict=True):
            assert all(
                sample.id == got.key and sample.image.shape == (16, 16, 3) for sample in one.samples
            )

    def test_a_picture_depends_on_its_own_address_alone(self, diffusion: Path):
        generator = StableDiffusion(model=str(diffusion), steps=2, candidates=2)
        batch = [said("a", "a bird"), said("b", "a ship")]
        together = generator.generate(batch, EMPTY, Rng(1))
        again = [generator.generate([one], EMPTY, Rng(1))[0] for one in reversed(batch)][::-1]
        for one, other in zip(together, again, strict=True):
            assert all(
                np.array_equal(x.image, y.image)
                for x, y in zip(one.samples, other.samples, strict=True)
            )
        assert not np.array_equal(together[0].samples[0].image, together[0].samples[1].image)
        other_seed = generator.generate(batch[:1], EMPTY, Rng(2))[0]
        assert not np.array_equal(together[0].samples[0].image, other_seed.samples[0].image)

    def test_the_global_random_state_stays(self, diffusion: Path):
        before = torch.random.get_rng_state(), np.random.get_state()[1].copy()
        StableDiffusion(model=str(diffusion), steps=1).generate(
            [said("a", "a bird")], EMPTY, Rng(1)
        )
        assert torch.equal(before[0], torch.random.get_rng_state())
        assert np.array_equal(before[1], np.random.get_state()[1])

    def test_a_reference_guides_the_drawing(self, diffusion: Path):
        old, new = (Picture(np.full((40, 30, 3), value, np.uint8)) for value in (0, 255))
        kb = KnowledgeBase().add("", old).add("", new)
        generator = StableDiffusion(
            model=str(diffusion), steps=10, strength=0.2, start="reference", size=(16, 24)
        )
        guided = generator.generate([said("a", "a bird")], kb, Rng(1))[0].samples[0].image
        assert guided.shape == (16, 24, 3)
        newest = (
            generator.generate([said("a", "a bird")], KnowledgeBase().add("", new), Rng(1))[0]
            .samples[0]
            .image
        )
        assert np.array_equal(guided, newest)
        elsewhere = KnowledgeBase().add("bob", new)
        free = generator.generate([said("a", "a bird")], elsewhere, Rng(1))[0].samples[0].image
        plain = StableDiffusion(model=str(diffusion), steps=10, size=(16, 24))
        assert np.array_equal(
            free, plain.generate([said("a", "a bird")], kb, Rng(1))[0].samples[0].image
        )
        assert not np.array_equal(guided, free)

    @pytest.mark.parametrize(
        ("settings", "field"),
        [
            ({"size": (20, 16)}, "size"),
            ({"start": "reference", "strength": 0.1, "steps": 5}, "strength"),
        ],
    )
    def test_settings_that_make_no_sense_are_refused(self, settings: dict, field: str):
        with pytest.raises(ComponentError, match=field):
            StableDiffusion(**settings)


class TestOpenClip:
    def test_encodes_to_unit_length(self, clip: Path):
        model = ClipScoreSelector(model=str(clip)).clip
        for rows in (model.images(pictures(3)), model.texts(["a bird", ""])):
            assert rows.dtype == np.float32 and np.allclose(
                np.linalg.norm(rows, axis=1), 1, atol=1e-5
            )

    def test_picks_the_nearest_whatever_the_order(self, clip: Path):
        selector = ClipScoreSelector(model=str(clip))
        samples = tuple(Sample("a", image=pixels) for pixels in pictures(5))
        scores = (
            selector.clip.images([s.image for s in samples]) @ selector.clip.texts(["a bird"])[0]
        )
        for order in (samples, samples[::-1], samples[2:] + samples[:2]):
            (kept,) = selector.select([Candidates(order)], [said("a", "a bird")], EMPTY)
            assert kept is samples[int(scores.argmax())]

    def test_the_digest_follows_the_weights(self, clip: Path, tmp_path: Path):
        from safetensors.torch import load_file, save_file

        weights = load_file(clip / "open_clip_model.safetensors")
        weights["logit_scale"] += 1
        save_file(weights, tmp_path / "open_clip_model.safetensors")
        (tmp_path / "open_clip_config.json").write_text(
            (clip / "open_clip_config.json").read_text()
        )
        one, other = (
            ClipScoreSelector(model=str(folder)).clip.digest for folder in (clip, tmp_path)
        )
        assert one != other and len(one) == 12

    def test_an_unknown_name_says_what_there_is(self):
        with pytest.raises(RunError, match="its tags are .*openai"):
            ClipScoreSelector(model="ViT-B-32", pretrained="nonesuch").clip.images(pictures(1))


@pytest.mark.parametrize(
    ("component", "use"),
    [
        (LlavaCaption(cache_dir="/nonexistent"), lambda c: c.describe(pictures(1)[0])),
        (
            StableDiffusion(cache_dir="/nonexistent"),
            lambda c: c.generate([said("a", "b")], EMPTY, Rng()),
        ),
        (
            ClipScoreSelector(model="ViT-B-32", cache_dir="/nonexistent"),
            lambda c: c.clip.images(pictures(1)),
        ),
    ],
    ids=["llava", "stable-diffusion", "open-clip"],
)
def test_a_missing_model_is_one_clear_error_and_no_download(component, use):
    with pytest.raises(
        RunError, match=r"cannot be loaded: .*not asked: .*hf download .*local_files_only: false"
    ):
        use(component)
    assert not Path("/nonexistent").exists()


@pytest.mark.slow
def test_the_laws_of_the_kit(llava: Path, diffusion: Path, clip: Path):
    for component in (
        LlavaCaption(model=str(llava), max_new_tokens=3),
        StableDiffusion(model=str(diffusion), steps=2, candidates=2),
        StableDiffusion(
            model=str(diffusion), steps=4, strength=0.5, start="reference", size=(24, 16)
        ),
        ClipScoreSelector(model=str(clip)),
        ClipScore(model=str(clip)),
        ClipImage(model=str(clip)),
    ):
        broken = [
            f"{one.law.name}: {one.message}"
            for one in run_laws(component)
            if one.result == "broken"
        ]
        assert not broken, component
