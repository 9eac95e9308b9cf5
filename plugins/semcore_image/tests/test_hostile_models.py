"""Models that mean harm: pickles, code, and configurations that ask for code. None of it is run, and the error says why."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from semcore import KnowledgeBase, Rng, RunError, Semantics, Text
from semcore_image.llava import LlavaCaption
from semcore_image.selectors import ClipScoreSelector
from semcore_image.stable_diffusion import StableDiffusion

PIXELS = np.zeros((32, 32, 3), np.uint8)
BATCH = [Semantics("a", {"caption": Text("a bird")})]

pytestmark = pytest.mark.usefixtures("no_network")


def use_llava(folder: Path) -> None:
    LlavaCaption(model=str(folder), max_new_tokens=2).describe(PIXELS)


def use_diffusion(folder: Path) -> None:
    StableDiffusion(model=str(folder), steps=1).generate(BATCH, KnowledgeBase(), Rng(1))


def use_clip(folder: Path) -> None:
    ClipScoreSelector(model=str(folder)).clip.images([PIXELS])
    ClipScoreSelector(model=str(folder)).clip.texts(["a bird"])


USES: dict[str, Callable[[Path], None]] = {"llava": use_llava, "diffusion": use_diffusion, "clip": use_clip}


class Trap:
    """A pickle that makes a file when it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.fixture
def sprung(tmp_path: Path) -> Path:
    """The file that there must not be in the end."""
    return tmp_path / "sprung"


@pytest.fixture
def model(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Path]:
    """A copy of a tiny model that works."""

    def copied(name: str) -> Path:
        return Path(shutil.copytree(request.getfixturevalue(name), tmp_path / name))

    return copied


def code(sprung: Path) -> str:
    return f"open({str(sprung)!r}, 'w').close()\nclass Harm:\n    pass\n"


def change(file: Path, **values: Any) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


def test_the_trap_springs(sprung: Path) -> None:
    pickle.loads(pickle.dumps(Trap(sprung)))
    assert sprung.exists()


@pytest.mark.parametrize("write", ["torch", "pickle"])
@pytest.mark.parametrize(
    ("name", "weights", "pickled"),
    [
        ("llava", "model.safetensors", "pytorch_model.bin"),
        ("diffusion", "unet/diffusion_pytorch_model.safetensors", "unet/diffusion_pytorch_model.bin"),
        ("diffusion", "text_encoder/model.safetensors", "text_encoder/pytorch_model.bin"),
        ("clip", "open_clip_model.safetensors", "open_clip_pytorch_model.bin"),
        ("clip", "open_clip_model.safetensors", "open_clip_model.pt"),
    ],
)
def test_pickled_weights_are_refused(model: Any, sprung: Path, name: str, weights: str, pickled: str, write: str) -> None:
    folder = model(name)
    (folder / weights).unlink()
    if write == "torch":
        torch.save(Trap(sprung), folder / pickled)
    else:
        (folder / pickled).write_bytes(pickle.dumps(Trap(sprung)))
    with pytest.raises(RunError, match="safetensors"):
        USES[name](folder)
    assert not sprung.exists()


def test_a_pickle_beside_safetensors_is_not_taken_for_them(model: Any, sprung: Path) -> None:
    """open_clip would prefer the pickle of this name to safetensors of that."""
    folder = model("clip")
    (folder / "open_clip_model.safetensors").rename(folder / "other.safetensors")
    torch.save(Trap(sprung), folder / "open_clip_pytorch_model.bin")
    with pytest.raises(RunError, match="pickled weights are not loaded"):
        use_clip(folder)
    assert not sprung.exists()


@pytest.mark.parametrize("name", USES)
def test_pickles_beside_the_weights_are_left_alone(model: Any, sprung: Path, name: str) -> None:
    folder = model(name)
    for file in [*folder.rglob("*.safetensors")]:
        torch.save(Trap(sprung), file.with_name({"model": "pytorch_model"}.get(file.stem, file.stem) + ".bin"))
    USES[name](folder)
    assert not sprung.exists()


@pytest.mark.parametrize("name", USES)
def test_weights_that_are_no_weights_are_one_clear_error(model: Any, name: str) -> None:
    folder = model(name)
    for file in folder.rglob("*.safetensors"):
        file.write_bytes(pickle.dumps(Trap(folder)))
    with pytest.raises(RunError, match="cannot be loaded"):
        USES[name](folder)


@pytest.mark.parametrize("kind", ["model", "processor", "unknown model"])
def test_code_of_a_transformers_model_is_not_run(model: Any, sprung: Path, kind: str) -> None:
    """Nor is the user asked whether it may be run, which a run in the background could not answer."""
    folder = model("llava")
    (folder / "harm.py").write_text(code(sprung))
    known = {"auto_map": {"AutoConfig": "harm.Harm", "AutoModelForImageTextToText": "harm.Harm", "AutoProcessor": "harm.Harm"}}
    if kind == "processor":
        change(folder / "processor_config.json", **known)
        change(folder / "tokenizer_config.json", auto_map={"AutoTokenizer": ["harm.Harm", None]})
    else:
        change(folder / "config.json", **known, **({"model_type": "harm"} if kind == "unknown model" else {}))
    try:
        use_llava(folder)
    except RunError as error:
        assert "contains custom code" in str(error)
    assert not sprung.exists()


@pytest.mark.parametrize("kind", ["pipeline", "component", "module"])
def test_code_of_a_diffusers_model_is_not_run(model: Any, sprung: Path, kind: str) -> None:
    folder = model("diffusion")
    (folder / "harm.py").write_text(code(sprung))
    (folder / "unet" / "harm.py").write_text(code(sprung))
    if kind == "pipeline":
        change(folder / "model_index.json", _class_name=["harm", "Harm"])
    else:
        change(folder / "model_index.json", unet=["harm" if kind == "component" else "this", "Harm"])
    with pytest.raises(RunError, match="cannot be loaded"):
        use_diffusion(folder)
    assert not sprung.exists()


def test_code_of_an_open_clip_model_is_not_run(model: Any, sprung: Path) -> None:
    folder = model("clip")
    config = json.loads((folder / "open_clip_config.json").read_text())
    config["model_cfg"]["text_cfg"] |= {"hf_tokenizer_name": "x", "tokenizer_kwargs": {"trust_remote_code": True}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    (folder / "harm.py").write_text(code(sprung))
    (folder / "tokenizer_config.json").write_text(json.dumps({"auto_map": {"AutoTokenizer": ["harm.Harm", None]}}))
    with pytest.raises(RunError, match="wants code to be run"):
        use_clip(folder)
    assert not sprung.exists()


def test_an_open_clip_model_that_names_others_does_not_fetch_them(model: Any) -> None:
    folder = model("clip")
    config = json.loads((folder / "open_clip_config.json").read_text())
    config["model_cfg"]["text_cfg"] |= {"hf_model_name": "nobody/nothing", "hf_tokenizer_name": "nobody/nothing"}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    with pytest.raises(RunError, match="cannot be loaded"):
        use_clip(folder)


def test_weights_of_another_shape_are_refused(model: Any) -> None:
    folder = model("clip")
    save_file({"logit_scale": torch.zeros(3)}, folder / "open_clip_model.safetensors")
    with pytest.raises(RunError, match="cannot be loaded"):
        use_clip(folder)
