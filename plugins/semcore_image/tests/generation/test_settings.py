"""Settings of Stable Diffusion, and models in folders of their own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from semcore import ComponentError, RunError
from semcore_image.captioning.llava import LlavaCaption
from semcore_image.generation.stable_diffusion import StableDiffusion

from ..support.drawn import drawn

pytestmark = pytest.mark.usefixtures("no_network")


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
