"""Captioners other than LLaVA."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from semcore import RunError, Sample
from semcore_image.captioning.llava import LlavaCaption

from ..support.drawn import EMPTY
from ..support.tokenizers import WORDS, word_tokenizer

pytestmark = pytest.mark.usefixtures("no_network")
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
            words = word_tokenizer(WORDS)
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
            words = word_tokenizer(WORDS, "<image>")
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
                    images, words, word_tokenizer(WORDS), num_query_tokens=4
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
