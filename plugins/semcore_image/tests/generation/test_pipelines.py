"""Adapters on models of many kinds: pipelines of diffusers without a U-Net, and captioners that are
no LLaVA."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from semcore import ComponentError, KnowledgeBase, Picture, Rng, RunError, Sample, Semantics, Text
from semcore_image.captioning.llava import LlavaCaption
from semcore_image.generation.stable_diffusion import StableDiffusion

pytestmark = pytest.mark.usefixtures("no_network")

EMPTY = KnowledgeBase()
BIRD = [Semantics("a", {"caption": Text("a bird")})]
WORDS = "a brown white bird ship dog on green blue background".split()
KINDS = ("sd3", "flux", "pixart", "sana")


def word_tokenizer(*special: str) -> Any:
    """A tokenizer whose vocabulary is a handful of words."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {
        word: index
        for index, word in enumerate(["<pad>", "<s>", "</s>", "<unk>", *special, *WORDS])
    }
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    names = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, **names, additional_special_tokens=list(special)
    )


def _clip_text(projected: bool) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    config = CLIPTextConfig(
        vocab_size=60,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        projection_dim=32,
        max_position_embeddings=77,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    return (CLIPTextModelWithProjection if projected else CLIPTextModel)(config)


def _t5() -> Any:
    from transformers import T5Config, T5EncoderModel

    return T5EncoderModel(
        T5Config(vocab_size=60, d_model=32, d_kv=8, d_ff=32, num_layers=1, num_heads=2)
    )


def _words(length: int = 77) -> Any:
    tokenizer = word_tokenizer()
    tokenizer.model_max_length = length
    return tokenizer


def _vae(channels: int) -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        block_out_channels=(8, 8),
        latent_channels=channels,
        norm_num_groups=4,
        shift_factor=0.1,
        scaling_factor=1.5,
        use_quant_conv=False,
        use_post_quant_conv=False,
    )


def made(kind: str) -> Any:
    """A pipeline of random weights."""
    import diffusers as d

    torch.manual_seed(5)
    flow = d.FlowMatchEulerDiscreteScheduler()
    if kind == "sd3":
        net = d.SD3Transformer2DModel(
            sample_size=16,
            patch_size=1,
            in_channels=4,
            num_layers=1,
            attention_head_dim=8,
            num_attention_heads=2,
            caption_projection_dim=16,
            joint_attention_dim=64,
            pooled_projection_dim=64,
            out_channels=4,
        )
        encoders = {
            "text_encoder": _clip_text(True),
            "text_encoder_2": _clip_text(True),
            "text_encoder_3": None,
        }
        words = {"tokenizer": _words(), "tokenizer_2": _words(), "tokenizer_3": None}
        return d.StableDiffusion3Pipeline(net, flow, _vae(4), **encoders, **words)
    if kind == "flux":
        net = d.FluxTransformer2DModel(
            patch_size=1,
            in_channels=4,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=32,
            pooled_projection_dim=32,
            axes_dims_rope=[4, 4, 8],
        )
        return d.FluxPipeline(flow, _vae(1), _clip_text(False), _words(), _t5(), _words(), net)
    if kind == "pixart":
        net = d.PixArtTransformer2DModel(
            sample_size=16,
            num_layers=1,
            patch_size=2,
            attention_head_dim=8,
            num_attention_heads=2,
            caption_channels=32,
            in_channels=4,
            cross_attention_dim=16,
            out_channels=8,
            norm_type="ada_norm_single",
        )
        return d.PixArtSigmaPipeline(_words(), _t5(), _vae(4), net, d.DDIMScheduler())
    from transformers import Gemma2Config, Gemma2Model

    net = d.SanaTransformer2DModel(
        patch_size=1,
        in_channels=4,
        out_channels=4,
        num_layers=1,
        num_attention_heads=2,
        attention_head_dim=4,
        num_cross_attention_heads=2,
        cross_attention_head_dim=4,
        cross_attention_dim=8,
        caption_channels=8,
        sample_size=16,
    )
    vae = d.AutoencoderDC(
        in_channels=3,
        latent_channels=4,
        attention_head_dim=2,
        encoder_block_types=("ResBlock", "EfficientViTBlock"),
        decoder_block_types=("ResBlock", "EfficientViTBlock"),
        encoder_block_out_channels=(8, 8),
        decoder_block_out_channels=(8, 8),
        encoder_qkv_multiscales=((), (5,)),
        decoder_qkv_multiscales=((), (5,)),
        encoder_layers_per_block=(1, 1),
        decoder_layers_per_block=(1, 1),
        downsample_block_type="conv",
        upsample_block_type="interpolate",
        decoder_norm_types="rms_norm",
        decoder_act_fns="silu",
    )
    text = Gemma2Model(
        Gemma2Config(
            head_dim=8,
            hidden_size=8,
            intermediate_size=16,
            num_attention_heads=2,
            num_hidden_layers=1,
            num_key_value_heads=2,
            vocab_size=60,
        )
    )
    return d.SanaPipeline(_words(300), text, vae, net, flow)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Saves each kind once."""
    saved: dict[str, Path] = {}

    def folder(kind: str) -> Path:
        if kind not in saved:
            saved[kind] = tmp_path_factory.mktemp(kind)
            made(kind).save_pretrained(saved[kind])
        return saved[kind]

    return folder


def drawn(model: Path, **settings: Any) -> list[np.ndarray]:
    candidates = (
        StableDiffusion(model=str(model), steps=2, **settings)
        .generate(BIRD, EMPTY, Rng(1))[0]
        .samples
    )
    return [one.image for one in candidates if one.image is not None]


@pytest.mark.parametrize("kind", KINDS)
def test_pipelines_without_a_u_net_draw(pipeline: Callable[[str], Path], kind: str) -> None:
    """At their own size, at one that is asked for, height first, and as many as are asked for."""
    (own,) = (
        drawn(pipeline(kind)) if kind != "flux" else drawn(pipeline(kind), size=(32, 32))
    )  # its own is a megapixel
    assert own.shape == (32, 32, 3) and own.dtype == np.uint8
    wide = (32, 64) if kind == "sana" else (32, 48)
    both = drawn(pipeline(kind), size=wide, candidates=2, chunk=2)
    assert [one.shape for one in both] == [(*wide, 3)] * 2 and not np.array_equal(*both)
    assert np.array_equal(drawn(pipeline(kind), size=wide)[0], both[0])


def test_a_size_that_a_pipeline_cannot_draw_is_refused_in_its_words(
    pipeline: Callable[[str], Path],
) -> None:
    with pytest.raises(RunError, match="SanaPipeline refuses the settings: .*divisible by 32"):
        drawn(pipeline("sana"), size=(32, 40))


@pytest.mark.parametrize("kind", KINDS)
def test_a_reference_is_used_or_refused(pipeline: Callable[[str], Path], kind: str) -> None:
    kb = KnowledgeBase().add("", Picture(np.full((40, 30, 3), 200, np.uint8)))
    made = StableDiffusion(
        model=str(pipeline(kind)), steps=4, start="reference", strength=0.5, size=(32, 48)
    )
    if kind in ("pixart", "sana"):
        with pytest.raises(RunError, match="can only start from noise; set start: noise"):
            made.generate(BIRD, kb, Rng(1))
        return
    image = made.generate(BIRD, kb, Rng(1))[0].samples[0].image
    assert image is not None and image.shape == (32, 48, 3)
    assert not np.array_equal(image, drawn(pipeline(kind), size=(32, 48))[0])


def test_a_negative_prompt_that_would_be_ignored_is_refused(
    pipeline: Callable[[str], Path],
) -> None:
    with pytest.raises(RunError, match="negative_prompt: FluxPipeline ignores it"):
        drawn(pipeline("flux"), negative_prompt="red", size=(32, 32))
    assert not np.array_equal(
        drawn(pipeline("sd3"), negative_prompt="red")[0], drawn(pipeline("sd3"))[0]
    )


# ----------------------------------------------------------------------------------------------
# Stable Diffusion's settings


@pytest.fixture
def own(diffusion: Path, tmp_path: Path) -> Path:
    """A copy of a Stable Diffusion that works."""
    return Path(shutil.copytree(diffusion, tmp_path / "own"))


def test_a_folder_may_be_written_from_home(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(own.parent))
    assert np.array_equal(drawn(Path("~/own"))[0], drawn(own)[0])


def test_a_variant_is_what_is_loaded(own: Path) -> None:
    for file in own.rglob("*.safetensors"):
        file.rename(file.with_name(f"{file.stem}.fp16.safetensors"))
    assert len(drawn(own, variant="fp16")) == 1
    with pytest.raises(RunError, match="cannot be loaded"):
        drawn(own)
    with pytest.raises(RunError, match="bf16"):
        drawn(own, variant="bf16")


def test_another_scheduler_takes_the_place_of_the_model_s(own: Path) -> None:
    assert not np.array_equal(drawn(own, scheduler="EulerDiscreteScheduler")[0], drawn(own)[0])
    for strange in ("FlowMatchEulerDiscreteScheduler", "NoSuchScheduler"):
        with pytest.raises(
            RunError,
            match=f"{strange} is not compatible with the model; .*EulerDiscreteScheduler",
        ):
            drawn(own, scheduler=strange)
    for bad in ("euler", "os.system", "../Scheduler"):
        with pytest.raises(ComponentError, match="scheduler must be"):
            StableDiffusion(scheduler=bad)


@pytest.fixture
def checked(own: Path) -> Path:
    """The same with a real, tiny safety checker."""
    from diffusers import StableDiffusionPipeline
    from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
    from transformers import CLIPConfig, CLIPImageProcessor

    small = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
    }
    vision = {**small, "image_size": 28, "patch_size": 14, "projection_dim": 16}
    checker = StableDiffusionSafetyChecker(
        CLIPConfig(text_config=small, vision_config=vision, projection_dim=16)
    )
    with torch.no_grad():
        checker.concept_embeds_weights.fill_(-2.0)
    pipe = StableDiffusionPipeline.from_pretrained(own, safety_checker=None, use_safetensors=True)
    parts = {**pipe.components, "safety_checker": checker}
    parts["feature_extractor"] = CLIPImageProcessor(
        size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}
    )
    StableDiffusionPipeline(**parts).save_pretrained(own)
    return own


def test_a_blackened_picture_is_reported_as_one(checked: Path) -> None:
    with pytest.raises(
        RunError, match="the safety checker of the model blackened candidate 1 of sample 'a'"
    ):
        drawn(checked, candidates=2)
    black = drawn(checked, candidates=2, blackened="keep")
    assert not any(one.any() for one in black)
    free = drawn(checked, candidates=2, safety_checker=None)
    assert all(one.any() for one in free)
    shutil.rmtree(checked / "safety_checker")
    assert np.array_equal(drawn(checked, safety_checker=None)[0], free[0]), (
        "one that is not wanted need not be there"
    )


@pytest.mark.parametrize("part", ["tokenizer", "vae", "scheduler"])
def test_a_part_that_is_missing_is_named(own: Path, part: str) -> None:
    shutil.rmtree(own / part)
    with pytest.raises(
        RunError, match=f"has no folder {part}, where model_index.json expects its "
    ):
        drawn(own)


def test_a_tokenizer_without_words_is_named(own: Path, llava: Path, tmp_path: Path) -> None:
    for file in own.glob("tokenizer/*"):
        if file.name != "tokenizer_config.json":
            file.unlink()
    with pytest.raises(RunError, match="tokenizer holds no tokenizer"):
        drawn(own)
    shutil.copytree(llava, tmp_path / "llava")
    (tmp_path / "llava" / "tokenizer.json").unlink()
    with pytest.raises(RunError, match="holds no tokenizer"):
        LlavaCaption(model=str(tmp_path / "llava")).describe(np.zeros((8, 8, 3), np.uint8))


@pytest.mark.parametrize("stored", [torch.float32, torch.bfloat16, torch.float16])
def test_auto_is_the_device_that_there_is_and_what_is_stored(
    own: Path, llava: Path, tmp_path: Path, stored: Any
) -> None:
    from safetensors.torch import load_file, save_file

    for place in (own, Path(shutil.copytree(llava, tmp_path / "llava"))):
        for file in place.rglob("*.safetensors"):
            tensors = {
                name: one.to(stored) if one.is_floating_point() else one
                for name, one in load_file(file).items()
            }
            save_file(tensors, file, {"format": "pt"})
    expected = (
        torch.float32 if stored == torch.float16 and not torch.cuda.is_available() else stored
    )
    generator = StableDiffusion(model=str(own), device="auto", dtype="auto", steps=1)
    assert generator._from_noise.unet.dtype == expected
    encoder = LlavaCaption(
        model=str(tmp_path / "llava"), device="auto", dtype="auto", max_new_tokens=2
    )
    assert encoder._parts[1].dtype == expected
    assert str(encoder._parts[1].device).startswith(encoder.torch_device)
    encoder.describe(np.zeros((8, 8, 3), np.uint8))


# ----------------------------------------------------------------------------------------------
# captioners


VISION = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": 28,
    "patch_size": 14,
}


@pytest.fixture(scope="module")
def captioner(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """BLIP-2, InstructBLIP and vit-gpt2 of random weights."""
    import transformers as t

    def folder(kind: str) -> Path:
        place = tmp_path_factory.mktemp(kind)
        torch.manual_seed(4)
        images = t.BlipImageProcessor(size={"height": 28, "width": 28})
        if kind == "vit-gpt2":
            words = word_tokenizer()
            config = t.VisionEncoderDecoderConfig.from_encoder_decoder_configs(
                t.ViTConfig(**VISION),
                t.GPT2Config(
                    vocab_size=len(words),
                    n_embd=16,
                    n_layer=1,
                    n_head=2,
                    n_positions=32,
                    bos_token_id=1,
                    eos_token_id=2,
                ),
            )
            config.decoder_start_token_id, config.pad_token_id, config.eos_token_id = 1, 0, 2
            model: Any = t.VisionEncoderDecoderModel(config)
            t.ViTImageProcessor(size={"height": 28, "width": 28}).save_pretrained(place)
            words.save_pretrained(place)
        else:
            words = word_tokenizer("<image>")
            text = t.OPTConfig(
                vocab_size=len(words),
                hidden_size=16,
                num_hidden_layers=1,
                ffn_dim=32,
                num_attention_heads=2,
                word_embed_proj_dim=16,
                bos_token_id=1,
                eos_token_id=2,
                pad_token_id=0,
                max_position_embeddings=128,
            )
            former = {
                "hidden_size": 16,
                "num_hidden_layers": 1,
                "num_attention_heads": 2,
                "intermediate_size": 32,
                "encoder_hidden_size": 16,
                "vocab_size": len(words),
            }
            more: dict[str, Any] = {
                "num_query_tokens": 4,
                "image_token_index": words.convert_tokens_to_ids("<image>"),
            }
            if kind == "blip-2":
                parts = {
                    "vision_config": t.Blip2VisionConfig(**VISION).to_dict(),
                    "qformer_config": former,
                }
                model = t.Blip2ForConditionalGeneration(
                    t.Blip2Config(**parts, text_config=text.to_dict(), **more)
                )
                t.Blip2Processor(images, words, num_query_tokens=4).save_pretrained(place)
            else:
                parts = {
                    "vision_config": t.InstructBlipVisionConfig(
                        **VISION, initializer_range=0.02
                    ).to_dict(),
                    "qformer_config": former,
                }
                model = t.InstructBlipForConditionalGeneration(
                    t.InstructBlipConfig(**parts, text_config=text.to_dict(), **more)
                )
                t.InstructBlipProcessor(
                    images, words, word_tokenizer(), num_query_tokens=4
                ).save_pretrained(place)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(12)
        model.save_pretrained(place)
        return place

    return folder


PIXELS = [
    np.random.default_rng(seed).integers(0, 256, (30 + seed, 40, 3), np.uint8) for seed in range(3)
]


@pytest.mark.parametrize(
    ("kind", "prompt"),
    [
        ("blip-2", "brown bird"),
        ("blip-2", None),
        ("instructblip", "brown bird"),
        ("vit-gpt2", None),
    ],
)
def test_captioners_of_other_kinds_describe(
    captioner: Callable[[str], Path], kind: str, prompt: str | None
) -> None:
    encoder = LlavaCaption(model=str(captioner(kind)), prompt=prompt, max_new_tokens=4)
    samples = [Sample(str(index), image=pixels) for index, pixels in enumerate(PIXELS)]
    captions = [one.text("caption") or "" for one in encoder.encode(samples, EMPTY)]
    assert all(
        set(caption.split()) <= {*WORDS} and len(caption.split()) <= 4 for caption in captions
    )
    assert len(set(captions)) > 1, "the captions do not depend on the picture"


@pytest.mark.parametrize("kind", ["blip-2", "instructblip"])
def test_a_caption_depends_on_picture_and_question_and_on_no_neighbour(
    captioner: Callable[[str], Path], kind: str
) -> None:
    place = str(captioner(kind))
    samples = [Sample(str(index), image=pixels) for index, pixels in enumerate(PIXELS)]

    def captions(**settings: Any) -> list[str | None]:
        encoder = LlavaCaption(model=place, max_new_tokens=6, **settings)
        return [one.text("caption") for one in encoder.encode(samples, EMPTY)]

    asked = [captions(prompt=prompt) for prompt in ("brown bird", "green dog on white")]
    assert asked[0] != asked[1]
    assert (
        captions(prompt="brown bird", chunk=2) == captions(prompt="brown bird", chunk=3) == asked[0]
    )
    assert not any("brown bird green" in (one or "") for one in captions(prompt="brown bird green"))


def test_instructblip_is_given_an_instruction(captioner: Callable[[str], Path]) -> None:
    with pytest.raises(RunError, match="needs an instruction with the picture; set prompt"):
        LlavaCaption(model=str(captioner("instructblip")), prompt=None).describe(PIXELS[0])


def test_vit_gpt2_takes_no_prompt(captioner: Callable[[str], Path]) -> None:
    with pytest.raises(RunError, match="takes no prompt; set prompt: null"):
        LlavaCaption(model=str(captioner("vit-gpt2"))).describe(PIXELS[0])


@pytest.mark.parametrize("name", ["llava", "blip"])
@pytest.mark.parametrize("prompt", ["brown bird", None])
def test_several_pictures_at_a_time_get_the_same_captions(
    request: pytest.FixtureRequest, name: str, prompt: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = [Sample(str(index), image=pixels) for index, pixels in enumerate(PIXELS)]
    settings: dict[str, Any] = {
        "model": str(request.getfixturevalue(name)),
        "prompt": prompt,
        "max_new_tokens": 4,
    }
    alone = LlavaCaption(**settings)
    together, asked = LlavaCaption(**settings, chunk=2), []
    model = together._parts[1]
    generate = model.generate
    monkeypatch.setattr(
        model,
        "generate",
        lambda **given: asked.append(len(given["pixel_values"])) or generate(**given),
    )
    one, other = (
        [sent.text("caption") for sent in encoder.encode(samples, EMPTY)]
        for encoder in (alone, together)
    )
    assert one == other and asked == [2, 1]


def test_a_model_that_describes_nothing_is_refused(llava: Path, tmp_path: Path) -> None:
    shutil.copytree(llava, tmp_path / "other")
    config = json.loads((tmp_path / "other" / "config.json").read_text())
    (tmp_path / "other" / "config.json").write_text(json.dumps({**config, "model_type": "bert"}))
    with pytest.raises(RunError, match="a model of type 'bert' is not an image-to-text model"):
        LlavaCaption(model=str(tmp_path / "other")).describe(PIXELS[0])
