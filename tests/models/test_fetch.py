"""`semcore fetch`, against a hub on this machine."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from semcore.models import fetching
from semcore.models.repository import HubFiles, model_files
from semcore.testing.hub import Hub, Repository, serving, use

from ..support.commands import called

WEIGHTS = save({"a": torch.arange(2000, dtype=torch.float32)})
PIPELINE = """\
semcore: 1
source: {use: samples, limit: 1}
encoder: {use: llava-caption, model: some/captioner}
transport: {use: ldpc}
channel: {use: awgn, snr_db: 12}
generator: {use: mini-diffusion}
metrics: [psnr]
"""


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("SEMCORE_SHELF", str(tmp_path / "shelf"))
    monkeypatch.chdir(tmp_path)
    with serving() as running:
        use(running, str(tmp_path / "cache"), monkeypatch)
        yield running


@pytest.fixture
def captioner(hub: Hub) -> Repository:
    files = {
        "README.md": b"---\nlicense: mit\n---\n# Card",
        "config.json": b'{"model_type": "llava"}',
        "tokenizer.json": b"{}",
        "model.safetensors": WEIGHTS,
        "pytorch_model.bin": b"\x80\x04pickle" * 500,
        "onnx/model.onnx": b"0" * 2000,
    }
    hub.models["some/captioner"] = Repository(files, {"license": "mit"})
    return hub.models["some/captioner"]


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    (tmp_path / "p.yaml").write_text(PIPELINE)
    return tmp_path / "p.yaml"


def test_what_is_used_is_listed_downloaded_and_found_offline(
    hub: Hub, captioner: Repository, pipeline: Path, capsys: Any, tmp_path: Path
) -> None:
    code, printed = called(capsys, "check", pipeline)
    assert code == 2 and f"hint: semcore fetch {pipeline} downloads it" in printed
    code, printed = called(capsys, "fetch", pipeline, "--dry-run")
    assert code == 0 and not (tmp_path / "cache" / "models--some--captioner" / "blobs").exists()
    assert f"commit {captioner.commit[:7]}), licence mit" in printed
    assert "8.1 kB  model.safetensors" in printed and "3 files" in printed
    assert "pytorch_model.bin" not in printed and "onnx" not in printed
    code, printed = called(capsys, "fetch", pipeline, "--yes")
    assert code == 0 and printed.endswith("everything is here\n")
    place = HubFiles("some/captioner").snapshot()
    assert place is not None and place.name == captioner.commit
    assert sorted(one.name for one in place.iterdir()) == [
        "config.json", "model.safetensors", "tokenizer.json",
    ]  # fmt: skip
    assert (place / "model.safetensors").read_bytes() == WEIGHTS
    gets = [one for one in hub.asked if one.startswith("GET some/")]
    code, printed = called(capsys, "fetch", pipeline)
    assert code == 0 and printed.endswith("everything is here\n") and "here  config.json" in printed
    assert [one for one in hub.asked if one.startswith("GET some/")] == gets
    assert called(capsys, "check", pipeline)[0] == 0


def test_nobody_is_asked_where_nobody_is(
    captioner: Repository, pipeline: Path, capsys: Any
) -> None:
    code, printed = called(capsys, "fetch", pipeline)
    assert code == 2 and "add --yes" in printed


def test_several_pipelines_and_settings(
    hub: Hub, captioner: Repository, pipeline: Path, capsys: Any, tmp_path: Path
) -> None:
    captioner.revisions = ("main", "v2")
    other = tmp_path / "other.yaml"
    other.write_text(PIPELINE.replace("some/captioner", "some/captioner, revision: v2"))
    code, printed = called(capsys, "fetch", pipeline, other, "channel.snr_db=3", "--yes")
    assert code == 0 and "revision main" in printed and "revision v2" in printed
    assert called(capsys, "check", other)[0] == 0


def test_everything_that_cannot_be_had_is_named_at_once(
    hub: Hub,
    captioner: Repository,
    pipeline: Path,
    capsys: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    captioner.gated = True
    text = pipeline.read_text().replace("mini-diffusion", "stable-diffusion, model: some/drawer")
    pipeline.write_text(text.replace("[psnr]", "[lpips]"))
    monkeypatch.setenv("TORCH_HOME", str(pipeline.parent))
    code, printed = called(capsys, "fetch", pipeline, "encoder.revision=v9", "--yes")
    assert code == 1 and "some/captioner has no revision 'v9'" in printed
    assert "some/drawer is not on http://127.0.0.1" in printed and "or it is private" in printed
    assert "not downloaded: the weights of alex are not on this machine" in printed
    pipeline.write_text(PIPELINE)
    code, printed = called(capsys, "fetch", pipeline, "--yes")
    assert code == 2 and "is gated: accept its terms at http://127.0.0.1" in printed
    assert "licence mit, gated" in printed


def test_a_model_of_pickles_is_not_downloaded(
    captioner: Repository, pipeline: Path, capsys: Any
) -> None:
    del captioner.files["model.safetensors"]
    code, printed = called(capsys, "fetch", pipeline, "--yes")
    assert code == 1 and "holds no weights as safetensors" in printed and "refs/pr/" in printed


def test_a_download_that_breaks_off_goes_on(
    captioner: Repository, pipeline: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    captioner.cut["model.safetensors"] = 50
    code, printed = called(capsys, "fetch", pipeline, "--yes")
    assert code == 2 and "the download of model.safetensors broke off" in printed
    assert "run the command again, which goes on where it stopped" in printed
    captioner.cut.clear()
    code, printed = called(capsys, "fetch", pipeline, "--yes")
    assert code == 0 and "everything is here" in printed
    place = HubFiles("some/captioner").snapshot()
    assert place is not None and (place / "model.safetensors").read_bytes() == WEIGHTS


def test_damaged_bytes_are_removed(captioner: Repository, pipeline: Path, capsys: Any) -> None:
    captioner.replaced["model.safetensors"] = WEIGHTS[:-1] + b"\x07"
    code, printed = called(capsys, "fetch", pipeline, "--yes")
    assert code == 2 and "model.safetensors is damaged" in printed
    captioner.replaced.clear()
    assert called(capsys, "fetch", pipeline, "--yes")[0] == 0


def test_a_full_disk_is_noticed_before(
    captioner: Repository, pipeline: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage._replace(free=1000))
    code, printed = called(capsys, "fetch", pipeline, "--yes")
    assert code == 2 and "0.0 GB are free there" in printed and "HF_HOME" in printed


def test_a_disk_that_fills_up_is_named(
    captioner: Repository, pipeline: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    import huggingface_hub

    def full(*arguments: Any, **settings: Any) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", full)
    code, printed = called(capsys, "fetch", pipeline, "--yes")
    assert code == 2 and "No space left on device: make room" in printed


def test_without_a_network_what_is_here_is_enough(
    hub: Hub, captioner: Repository, pipeline: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    assert called(capsys, "fetch", pipeline, "--yes")[0] == 0
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    code, printed = called(capsys, "fetch", pipeline)
    assert code == 0 and "some/captioner  here; not compared" in printed
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    code, printed = called(capsys, "fetch", pipeline, "encoder.model=some/other")
    assert code == 1 and "the environment variable HF_HUB_OFFLINE is set" in printed


def test_a_part_of_the_weights_that_is_absent_is_noticed(tmp_path: Path) -> None:
    from semcore_image.captioning.llava import LlavaCaption

    place = tmp_path / "models--a--b" / "snapshots" / ("c" * 40)
    place.mkdir(parents=True)
    (tmp_path / "models--a--b" / "refs").mkdir()
    (tmp_path / "models--a--b" / "refs" / "main").write_text("c" * 40)
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (place / "model.safetensors.index.json").write_text(json.dumps(index))
    (place / "model-1.safetensors").touch()
    told = LlavaCaption(model="a/b", cache_dir=str(tmp_path)).missing()
    assert "model-2.safetensors is not on this machine" in told
    (place / "model-2.safetensors").touch()
    assert not LlavaCaption(model="a/b", cache_dir=str(tmp_path)).missing()


@pytest.mark.parametrize(
    ("names", "variant", "used"),
    [
        ("config.json model.safetensors pytorch_model.bin", None, "config.json model.safetensors"),
        ("model.safetensors model.fp16.safetensors", None, "model.safetensors"),
        ("model.safetensors model.fp16.safetensors", "fp16", "model.fp16.safetensors"),
        ("model.safetensors", "fp16", "model.safetensors"),
        ("odd.safetensors merges.txt", None, "odd.safetensors merges.txt"),
        ("consolidated.safetensors model.safetensors", None, "model.safetensors"),
        (
            "model-1-of-2.safetensors model-2-of-2.safetensors model.safetensors.index.json "
            "model.safetensors.index.fp16.json pytorch_model.bin.index.json",
            None,
            "model-1-of-2.safetensors model-2-of-2.safetensors model.safetensors.index.json",
        ),
        ("onnx/model.safetensors config.json", None, "config.json"),
    ],
)
def test_the_files_that_a_library_loads(names: str, variant: str | None, used: str) -> None:
    found = model_files(names.split(), lambda name: "", variant)
    assert sorted(found) == sorted(used.split())


def test_the_files_of_a_pipeline_of_diffusers(tmp_path: Path) -> None:
    from semcore_image.generation.stable_diffusion import StableDiffusion

    index = {"_class_name": "X", "unet": ["diffusers", "U"], "safety_checker": ["a", "b"]}
    index["image_encoder"] = [None, None]
    names = [
        "model_index.json", "v1-5-pruned.safetensors", "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors", "unet/diffusion_pytorch_model.fp16.safetensors",
        "unet/diffusion_pytorch_model.bin", "safety_checker/model.safetensors",
        "image_encoder/model.safetensors",
    ]  # fmt: skip
    found = StableDiffusion(safety_checker=None, variant="fp16").files_used(
        names, lambda name: json.dumps(index)
    )
    assert sorted(found) == [
        "model_index.json", "unet/config.json", "unet/diffusion_pytorch_model.fp16.safetensors",
    ]  # fmt: skip


def test_names_of_all_files_are_remembered(hub: Hub, captioner: Repository) -> None:
    wanted = HubFiles("some/captioner")
    assert fetching.names_of(wanted) == []
    fetching.download(fetching.listing(wanted))
    assert fetching.names_of(wanted) == sorted(captioner.files)
