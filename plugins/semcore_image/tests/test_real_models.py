"""The adapters of the real models, on tiny random ones that are saved to a folder and loaded without a network."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from semcore import Candidates, ComponentError, KnowledgeBase, Picture, Rng, RunError, Sample, Semantics, Text
from semcore.testing import run_laws
from semcore_image.llava import LlavaCaption
from semcore_image.metrics import ClipImage, ClipScore
from semcore_image.selectors import ClipScoreSelector
from semcore_image.stable_diffusion import StableDiffusion

pytestmark = pytest.mark.usefixtures("no_network")

WORDS = "a brown and white bird perched on wooden post USER ASSISTANT : describe".split()
EMPTY = KnowledgeBase()


def said(key: str, caption: str | None) -> Semantics:
    return Semantics(key, {} if caption is None else {"caption": Text(caption)})


def word_tokenizer(*special: str):
    """A tokenizer whose vocabulary is a handful of words."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word: index for index, word in enumerate(["<pad>", "<s>", "</s>", "<unk>", *special, *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        additional_special_tokens=list(special),
    )


@pytest.fixture(scope="module")
def llava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LLaVA of about 20,000 parameters with a chat template."""
    from transformers import (
        CLIPImageProcessor,
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )

    folder = tmp_path_factory.mktemp("llava")
    tokenizer = word_tokenizer("<image>")
    vision = CLIPVisionConfig(
        hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2, image_size=28, patch_size=14
    )
    language = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    torch.manual_seed(3)
    model = LlavaForConditionalGeneration(
        LlavaConfig(vision_config=vision, text_config=language, image_token_index=tokenizer.convert_tokens_to_ids("<image>"))
    )
    with torch.no_grad():  # at the usual initial scale every picture gets the same words
        for parameter in model.parameters():
            parameter.mul_(8)
    model.save_pretrained(folder)
    LlavaProcessor(
        CLIPImageProcessor(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}),
        tokenizer,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=(
            "{% for turn in messages %}USER : {% for part in turn['content'] %}"
            "{{ '<image> ' if part['type'] == 'image' else part['text'] + ' ' }}{% endfor %}{% endfor %}ASSISTANT :"
        ),
    ).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def blip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BLIP: a plain captioner without a chat template."""
    from transformers import (
        BertTokenizer,
        BlipConfig,
        BlipForConditionalGeneration,
        BlipImageProcessor,
        BlipProcessor,
        BlipTextConfig,
        BlipVisionConfig,
    )

    folder = tmp_path_factory.mktemp("blip")
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *map(str.lower, WORDS)]))
    tokenizer = BertTokenizer(str(folder / "vocab.txt"))
    text = BlipTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        encoder_hidden_size=16,
        intermediate_size=32,
        projection_dim=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        bos_token_id=2,
        sep_token_id=3,
        eos_token_id=3,
        pad_token_id=0,
    )
    vision = BlipVisionConfig(
        hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, image_size=28, patch_size=14
    )
    torch.manual_seed(4)
    BlipForConditionalGeneration(BlipConfig(text_config=text.to_dict(), vision_config=vision.to_dict())).save_pretrained(
        folder
    )
    BlipProcessor(BlipImageProcessor(size={"height": 28, "width": 28}), tokenizer).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def diffusion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Stable Diffusion that draws 16×16 pictures."""
    from diffusers import AutoencoderKL, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    torch.manual_seed(5)
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    vocabulary = {token: index for index, token in enumerate(["<|startoftext|>", "<|endoftext|>", *letters])}
    vocabulary |= {letter + "</w>": len(vocabulary) + index for index, letter in enumerate(letters)}
    tokenizer = CLIPTokenizer(vocabulary, [], model_max_length=16)
    text = CLIPTextConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=16,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(8, 16),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=16,
        attention_head_dim=2,
        norm_num_groups=4,
    )
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        block_out_channels=(8, 8),
        latent_channels=4,
        norm_num_groups=4,
    )
    folder = tmp_path_factory.mktemp("stable-diffusion")
    StableDiffusionPipeline(
        vae,
        CLIPTextModel(text),
        tokenizer,
        unet,
        PNDMScheduler(skip_prk_steps=True, beta_schedule="scaled_linear", steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIP in the layout that open_clip stores on the hub."""
    import open_clip
    from safetensors.torch import save_file

    settings = {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 16, "patch_size": 16, "head_width": 8},
        "text_cfg": {"context_length": 24, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
    }
    folder = tmp_path_factory.mktemp("clip")
    torch.manual_seed(6)
    save_file(open_clip.CLIP(**settings).state_dict(), folder / "open_clip_model.safetensors")
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": settings, "preprocess_cfg": {}}))
    return folder


def pictures(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(9)
    return [rng.integers(0, 256, (rng.integers(20, 60), rng.integers(20, 60), 3), dtype=np.uint8) for _ in range(count)]


class TestLlava:
    def test_captions_are_words_of_the_vocabulary_without_the_question(self, llava: Path):
        encoder = LlavaCaption(model=str(llava), prompt="describe", max_new_tokens=5)
        samples = [Sample(str(index), "alice", image=pixels) for index, pixels in enumerate(pictures(3))]
        sent = encoder.encode(samples, EMPTY)
        assert [(one.key, one.user) for one in sent] == [(sample.id, "alice") for sample in samples]
        captions = [one.text("caption") or "" for one in sent]
        assert all(set(caption.split()) <= set(WORDS) and len(caption.split()) <= 5 for caption in captions)
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

    def test_a_plain_captioner_needs_no_template(self, blip: Path):
        encoder = LlavaCaption(model=str(blip), prompt=None, max_new_tokens=4)
        caption = encoder.describe(pictures(1)[0])
        assert set(caption.split()) <= {word.lower() for word in WORDS} | {"[UNK]"}
        begun = LlavaCaption(model=str(blip), prompt="a brown bird", max_new_tokens=4).describe(pictures(1)[0])
        assert begun.startswith("a brown bird")

    def test_a_sample_without_a_picture_is_refused(self, llava: Path):
        with pytest.raises(ComponentError, match="LlavaCaption needs pictures, but sample 'x' has none"):
            LlavaCaption(model=str(llava)).encode([Sample("x", text="words")], EMPTY)


class TestStableDiffusion:
    def test_as_many_as_asked_for_whatever_was_lost(self, diffusion: Path):
        generator = StableDiffusion(model=str(diffusion), steps=2, candidates=3, chunk=2)
        batch = [said("a", "a bird"), said("b", None), said("c", "\udcff b\x00rd " * 40)]
        drawn = generator.generate(batch, EMPTY, Rng(1))
        assert [len(one.samples) for one in drawn] == [3, 3, 3]
        for one, got in zip(drawn, batch, strict=True):
            assert all(sample.id == got.key and sample.image.shape == (16, 16, 3) for sample in one.samples)

    def test_a_picture_depends_on_its_own_address_alone(self, diffusion: Path):
        generator = StableDiffusion(model=str(diffusion), steps=2, candidates=2)
        batch = [said("a", "a bird"), said("b", "a ship")]
        together = generator.generate(batch, EMPTY, Rng(1))
        again = [generator.generate([one], EMPTY, Rng(1))[0] for one in reversed(batch)][::-1]
        for one, other in zip(together, again, strict=True):
            assert all(np.array_equal(x.image, y.image) for x, y in zip(one.samples, other.samples, strict=True))
        assert not np.array_equal(together[0].samples[0].image, together[0].samples[1].image)
        other_seed = generator.generate(batch[:1], EMPTY, Rng(2))[0]
        assert not np.array_equal(together[0].samples[0].image, other_seed.samples[0].image)

    def test_the_global_random_state_stays(self, diffusion: Path):
        before = torch.random.get_rng_state(), np.random.get_state()[1].copy()
        StableDiffusion(model=str(diffusion), steps=1).generate([said("a", "a bird")], EMPTY, Rng(1))
        assert torch.equal(before[0], torch.random.get_rng_state())
        assert np.array_equal(before[1], np.random.get_state()[1])

    def test_a_reference_guides_the_drawing(self, diffusion: Path):
        old, new = (Picture(np.full((40, 30, 3), value, np.uint8)) for value in (0, 255))
        kb = KnowledgeBase().add("", old).add("", new)
        generator = StableDiffusion(model=str(diffusion), steps=10, strength=0.2, start="reference", size=(16, 24))
        guided = generator.generate([said("a", "a bird")], kb, Rng(1))[0].samples[0].image
        assert guided.shape == (16, 24, 3)
        newest = generator.generate([said("a", "a bird")], KnowledgeBase().add("", new), Rng(1))[0].samples[0].image
        assert np.array_equal(guided, newest)
        elsewhere = KnowledgeBase().add("bob", new)
        free = generator.generate([said("a", "a bird")], elsewhere, Rng(1))[0].samples[0].image
        plain = StableDiffusion(model=str(diffusion), steps=10, size=(16, 24))
        assert np.array_equal(free, plain.generate([said("a", "a bird")], kb, Rng(1))[0].samples[0].image)
        assert not np.array_equal(guided, free)

    @pytest.mark.parametrize(
        ("settings", "field"),
        [({"size": (20, 16)}, "size"), ({"start": "reference", "strength": 0.1, "steps": 5}, "strength")],
    )
    def test_settings_that_make_no_sense_are_refused(self, settings: dict, field: str):
        with pytest.raises(ComponentError, match=field):
            StableDiffusion(**settings)


class TestOpenClip:
    def test_encodes_to_unit_length(self, clip: Path):
        model = ClipScoreSelector(model=str(clip)).clip
        for rows in (model.images(pictures(3)), model.texts(["a bird", ""])):
            assert rows.dtype == np.float32 and np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)

    def test_picks_the_nearest_whatever_the_order(self, clip: Path):
        selector = ClipScoreSelector(model=str(clip))
        samples = tuple(Sample("a", image=pixels) for pixels in pictures(5))
        scores = selector.clip.images([s.image for s in samples]) @ selector.clip.texts(["a bird"])[0]
        for order in (samples, samples[::-1], samples[2:] + samples[:2]):
            (kept,) = selector.select([Candidates(order)], [said("a", "a bird")], EMPTY)
            assert kept is samples[int(scores.argmax())]

    def test_the_digest_follows_the_weights(self, clip: Path, tmp_path: Path):
        from safetensors.torch import load_file, save_file

        weights = load_file(clip / "open_clip_model.safetensors")
        weights["logit_scale"] += 1
        save_file(weights, tmp_path / "open_clip_model.safetensors")
        (tmp_path / "open_clip_config.json").write_text((clip / "open_clip_config.json").read_text())
        one, other = (ClipScoreSelector(model=str(folder)).clip.digest for folder in (clip, tmp_path))
        assert one != other and len(one) == 12

    def test_pickled_weights_are_refused(self, clip: Path, tmp_path: Path):
        (tmp_path / "open_clip_config.json").write_text((clip / "open_clip_config.json").read_text())
        torch.save({}, tmp_path / "open_clip_pytorch_model.bin")
        with pytest.raises(RunError, match="pickled weights are not loaded"):
            ClipScoreSelector(model=str(tmp_path)).clip.images(pictures(1))

    def test_an_unknown_name_says_what_there_is(self):
        with pytest.raises(RunError, match="its tags are .*openai"):
            ClipScoreSelector(model="ViT-B-32", pretrained="nonesuch").clip.images(pictures(1))


@pytest.mark.parametrize(
    ("component", "use"),
    [
        (LlavaCaption(cache_dir="/nonexistent"), lambda c: c.describe(pictures(1)[0])),
        (StableDiffusion(cache_dir="/nonexistent"), lambda c: c.generate([said("a", "b")], EMPTY, Rng())),
        (ClipScoreSelector(model="ViT-B-32", cache_dir="/nonexistent"), lambda c: c.clip.images(pictures(1))),
    ],
    ids=["llava", "stable-diffusion", "open-clip"],
)
def test_a_missing_model_is_one_clear_error_and_no_download(component, use):
    with pytest.raises(RunError, match=r"cannot be loaded: .*hf download .*local_files_only: false"):
        use(component)
    assert not Path("/nonexistent").exists()


def test_pickled_weights_of_transformers_are_refused(llava: Path, tmp_path: Path):
    for file in llava.iterdir():
        if file.suffix != ".safetensors":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(RunError, match="cannot be loaded"):
        LlavaCaption(model=str(tmp_path)).describe(pictures(1)[0])


def test_the_laws_of_the_kit(llava: Path, diffusion: Path, clip: Path):
    for component in (
        LlavaCaption(model=str(llava), max_new_tokens=3),
        StableDiffusion(model=str(diffusion), steps=2, candidates=2),
        StableDiffusion(model=str(diffusion), steps=4, strength=0.5, start="reference", size=(24, 16)),
        ClipScoreSelector(model=str(clip)),
        ClipScore(model=str(clip)),
        ClipImage(model=str(clip)),
    ):
        broken = [f"{one.law.name}: {one.message}" for one in run_laws(component) if one.result == "broken"]
        assert not broken, component
