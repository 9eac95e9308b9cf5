"""Models not on this machine: `check` names all at once, each at its place, and how to get them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from semcore_image.captioning.llava import LlavaCaption
from semcore_image.generation.stable_diffusion import StableDiffusion
from semcore_image.metrics.lpips import LPIPS
from semcore_llm.planners.local import LocalPlanner
from semcore_video.metrics.arcface import ArcFaceCSIM
from semcore_video.metrics.syncnet import LSED

from ..support.commands import called

PIPELINE = """\
semcore: 1
source: {use: samples, limit: 1}
encoder: {use: llava-caption, cache_dir: CACHE}
transport: {use: ldpc}
channel: {use: awgn, snr_db: 12}
generator: {use: stable-diffusion, model: nobody/drawer, cache_dir: CACHE, revision: v2}
selector: {use: clip-score, model: ViT-B-32, cache_dir: CACHE}
metrics: [psnr]
"""


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    (tmp_path / "cache").mkdir()
    file = tmp_path / "p.yaml"
    file.write_text(PIPELINE.replace("CACHE", str(tmp_path / "cache")))
    return file


@pytest.mark.parametrize("verb", ["check", pytest.param("run", marks=pytest.mark.slow)])
@pytest.mark.slow
def test_all_models_that_are_missing_are_named_at_once(
    pipeline: Path, verb: str, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(pipeline.parent)
    code, told = called(capsys, verb, pipeline)
    assert code == 2 and told.count("error:") == 3
    for place, what in {
        "3:10": "`hf download llava-hf/llava-1.5-7b-hf`",
        "6:43": "`hf download nobody/drawer --revision v2`",
        "7:36": "`hf download timm/vit_base_patch32_clip_224.openai`",
    }.items():
        (line,) = [one for one in told.splitlines() if f"p.yaml:{place}" in one]
        assert what in line and "the network was not asked" in line
    assert not (pipeline.parent / "runs").exists()


@pytest.mark.slow
def test_what_may_be_downloaded_is_not_missing(pipeline: Path, capsys: Any) -> None:
    allowed = [
        f"{section}.local_files_only=false" for section in ("encoder", "generator", "selector")
    ]
    assert called(capsys, "check", pipeline, *allowed)[0] == 0
    code, told = called(capsys, "check", pipeline, *allowed[:2])
    assert code == 2 and told.count("error:") == 1


@pytest.mark.slow
def test_a_name_that_open_clip_does_not_know_says_so(pipeline: Path, capsys: Any) -> None:
    code, told = called(capsys, "check", pipeline, "selector.model=ViT-B-33")
    assert code == 2 and "model 'ViT-B-33' is neither `mini` nor a folder" in told


def snapshot(cache: Path, name: str, *files: str, revision: str = "main") -> None:
    """A model as the hub's client keeps it."""
    place = cache / f"models--{name.replace('/', '--')}"
    for file in files:
        (place / "snapshots" / ("c" * 40) / file).parent.mkdir(parents=True, exist_ok=True)
        (place / "snapshots" / ("c" * 40) / file).write_text("{}")
    (place / "refs").mkdir()
    (place / "refs" / revision).write_text("c" * 40)


def test_a_model_that_is_here_is_found(tmp_path: Path) -> None:
    snapshot(tmp_path, "a/b", "config.json", "model.safetensors", revision="v2")
    assert not LlavaCaption(model="a/b", revision="v2", cache_dir=str(tmp_path)).missing()
    assert not LlavaCaption(model="a/b", revision="c" * 40, cache_dir=str(tmp_path)).missing()
    assert "hf download a/b`" in LlavaCaption(model="a/b", cache_dir=str(tmp_path)).missing()


def test_weights_that_are_pickles_alone_are_not_enough(tmp_path: Path) -> None:
    snapshot(tmp_path, "a/b", "config.json", "pytorch_model.bin")
    told = LlavaCaption(model="a/b", cache_dir=str(tmp_path)).missing()
    assert "holds no weights as safetensors" in told and "refs/pr/NUMBER" in told


@pytest.mark.slow
def test_the_networks_of_lpips_are_looked_for_where_torchvision_keeps_them(
    tmp_path: Path, pipeline: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from torchvision import models

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    weights = {
        "alex": models.AlexNet_Weights,
        "squeeze": models.SqueezeNet1_1_Weights,
        "vgg": models.VGG16_Weights,
    }
    for network, known in weights.items():
        url = known.DEFAULT.url
        file = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
        assert (
            LPIPS(network=network).missing()
            == f"the weights of {network} are not on this machine: fetch {url} to {file}"
        )
    metrics = "metrics=[{use: lpips, network: vgg}, {use: frames, of: {use: lpips}}]"
    code, told = called(capsys, "check", pipeline, metrics)
    assert (
        code == 2
        and told.count("error:") == 5
        and "vgg16-397923af.pth" in told
        and "alexnet-owt-7be5be79.pth" in told
    )
    file.parent.mkdir(parents=True)
    file.touch()
    assert not LPIPS(network="vgg").missing() and LPIPS().missing()


def test_folders_are_looked_into(tmp_path: Path) -> None:
    for name in (str(tmp_path / "none"), "./none", "~/none/such", "a/b/c"):
        assert "there is no folder" in StableDiffusion(model=name).missing()
    (tmp_path / "config.json").write_text("{}")
    assert "holds no weights" in StableDiffusion(model=str(tmp_path)).missing()
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "diffusion_pytorch_model.safetensors").touch()
    assert not StableDiffusion(model=str(tmp_path)).missing()
    (tmp_path / "llm").mkdir()
    (tmp_path / "llm" / "q4.gguf").touch()
    assert not LocalPlanner(model=str(tmp_path / "llm"), gguf="q4.gguf", memory="").missing()


def test_weights_of_judges_are_files(tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").touch()
    for judge in (ArcFaceCSIM, LSED):
        assert "there is no file" in judge(weights=str(tmp_path / "none")).missing()
        assert not judge(weights=str(tmp_path / "w.safetensors")).missing()
