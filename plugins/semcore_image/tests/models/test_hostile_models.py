"""Models that mean harm: pickles, code, and configurations that ask for code. None of it is run,
and the error says why."""

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
from safetensors.torch import load_file, save_file

from semcore import KnowledgeBase, Rng, RunError, Semantics, Text
from semcore.testing.internals import Trap, change_json, harmful_module
from semcore_image.captioning.llava import LlavaCaption
from semcore_image.generation.stable_diffusion import StableDiffusion
from semcore_image.selection.clip_score import ClipScoreSelector

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


USES: dict[str, Callable[[Path], None]] = {
    "llava": use_llava,
    "diffusion": use_diffusion,
    "clip": use_clip,
}


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


def test_the_trap_springs(sprung: Path) -> None:
    pickle.loads(pickle.dumps(Trap(sprung)))
    assert sprung.exists()


@pytest.mark.parametrize("write", ["torch", "pickle"])
@pytest.mark.parametrize(
    ("name", "weights", "pickled"),
    [
        ("llava", "model.safetensors", "pytorch_model.bin"),
        (
            "diffusion",
            "unet/diffusion_pytorch_model.safetensors",
            "unet/diffusion_pytorch_model.bin",
        ),
        ("diffusion", "text_encoder/model.safetensors", "text_encoder/pytorch_model.bin"),
        ("clip", "open_clip_model.safetensors", "open_clip_pytorch_model.bin"),
        ("clip", "open_clip_model.safetensors", "open_clip_model.pt"),
    ],
)
def test_pickled_weights_are_refused(
    model: Any, sprung: Path, name: str, weights: str, pickled: str, write: str
) -> None:
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
        torch.save(
            Trap(sprung),
            file.with_name({"model": "pytorch_model"}.get(file.stem, file.stem) + ".bin"),
        )
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
    """Nor is the user asked whether it may be run, which a run in the background could not
    answer."""
    folder = model("llava")
    (folder / "harm.py").write_text(harmful_module(sprung))
    known = {
        "auto_map": {
            "AutoConfig": "harm.Harm",
            "AutoModelForImageTextToText": "harm.Harm",
            "AutoProcessor": "harm.Harm",
        }
    }
    if kind == "processor":
        change_json(folder / "processor_config.json", **known)
        change_json(
            folder / "tokenizer_config.json", auto_map={"AutoTokenizer": ["harm.Harm", None]}
        )
    else:
        change_json(
            folder / "config.json",
            **known,
            **({"model_type": "harm"} if kind == "unknown model" else {}),
        )
    try:
        use_llava(folder)
    except RunError as error:
        assert "contains custom code" in str(error)
    assert not sprung.exists()


@pytest.mark.parametrize("kind", ["pipeline", "component", "module"])
def test_code_of_a_diffusers_model_is_not_run(model: Any, sprung: Path, kind: str) -> None:
    folder = model("diffusion")
    (folder / "harm.py").write_text(harmful_module(sprung))
    (folder / "unet" / "harm.py").write_text(harmful_module(sprung))
    if kind == "pipeline":
        change_json(folder / "model_index.json", _class_name=["harm", "Harm"])
    else:
        change_json(
            folder / "model_index.json", unet=["harm" if kind == "component" else "this", "Harm"]
        )
    with pytest.raises(RunError, match="wants code to be run that came with the model"):
        use_diffusion(folder)
    assert not sprung.exists()


def test_what_a_pipeline_of_diffusers_is_made_of_is_on_a_list(model: Any, sprung: Path) -> None:
    """Also where the file spells the names with escapes: it is the values that count."""
    folder = model("diffusion")
    (folder / "harm.py").write_text(harmful_module(sprung))
    (folder / "None.py").write_text(
        harmful_module(sprung).replace("Harm", "StableDiffusionPipeline")
    )
    index = folder / "model_index.json"
    plain = index.read_text()
    for key, value in {
        "unet": '["h\\u0061rm", "Harm"]',
        "vae": '["subprocess", "Popen"]',
        "scheduler": ('["diffusers", "os.system"]'),
        "_cl\\u0061ss_name": '["harm", "Harm"]',
        "custom_pipeline": '"harm"',
        "trust_remote\\u005fcode": "true",
    }.items():
        index.write_text(plain.rstrip().removesuffix("}") + f', "{key}": {value}}}')
        with pytest.raises(RunError, match="wants code to be run that came with the model"):
            use_diffusion(folder)
    index.write_text(plain)
    change_json(folder / "unet" / "config.json", auto_map={"AutoModel": "harm.Harm"})
    with pytest.raises(RunError, match="wants code to be run that came with the model"):
        use_diffusion(folder)
    assert not sprung.exists()


def _tokenizer_of_its_own(folder: Path, sprung: Path) -> None:
    (folder / "harm.py").write_text(harmful_module(sprung))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"auto_map": {"AutoTokenizer": ["harm.Harm", None]}})
    )


SPELLINGS = [
    '"trust_remote_code": true',
    '"trust_remote\\u005fcode": true',
    '"\\u0074rust_remote_code": 1',
    '"harm": true',
]


@pytest.mark.parametrize("spelt", SPELLINGS)
def test_code_of_an_open_clip_model_is_not_run(model: Any, sprung: Path, spelt: str) -> None:
    folder = model("clip")
    text = (folder / "open_clip_config.json").read_text()
    more = f'"text_cfg": {{"hf_tokenizer_name": "x", "tokenizer_kwargs": {{{spelt}}}, '
    (folder / "open_clip_config.json").write_text(text.replace('"text_cfg": {', more))
    (folder / "harm.py").write_text(harmful_module(sprung))
    with pytest.raises(RunError, match="wants code to be run"):
        use_clip(folder)
    _tokenizer_of_its_own(folder, sprung)
    with pytest.raises(RunError, match="wants code to be run"):
        use_clip(folder)
    assert not sprung.exists()


def test_nobody_is_asked_whether_code_of_an_open_clip_model_may_be_run(
    model: Any, sprung: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its tokenizer is loaded without a word on code: transformers would ask at the terminal."""
    folder = model("clip")
    config = json.loads((folder / "open_clip_config.json").read_text())
    config["model_cfg"]["text_cfg"] |= {"hf_tokenizer_name": "x"}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    _tokenizer_of_its_own(folder, sprung)
    monkeypatch.setattr("builtins.input", lambda *_: "y")
    with pytest.raises(RunError, match="wants code to be run"):
        use_clip(folder)
    change_json(folder / "tokenizer_config.json", tokenizer_class="Harm")
    (folder / "config.json").write_text(
        json.dumps({"model_type": "clip"})
    )  # a model that transformers knows itself
    with pytest.raises(RunError, match="cannot be loaded"):
        use_clip(folder)
    assert not sprung.exists()


@pytest.mark.parametrize(
    ("part", "settings"),
    [
        ("vision_cfg", {"timm_model_name": "local-dir:harm"}),
        ("vision_cfg", {"timm_model_name": "hf-hub:nobody/nothing"}),
        ("vision_cfg", {"timm_model_name": "/harm"}),
        ("text_cfg", {"hf_model_name": "{folder}"}),
        ("text_cfg", {"hf_model_name": "../harm"}),
    ],
)
def test_an_open_clip_model_loads_no_other_folder(
    model: Any, sprung: Path, part: str, settings: dict[str, str]
) -> None:
    folder = model("clip")
    config = json.loads((folder / "open_clip_config.json").read_text())
    config["model_cfg"][part] |= {
        key: value.format(folder=folder) for key, value in settings.items()
    }
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    _tokenizer_of_its_own(folder, sprung)
    (folder / "tokenizer_config.json").unlink()
    with pytest.raises(RunError, match="wants another (model|folder) to be loaded"):
        use_clip(folder)
    assert not sprung.exists()


@pytest.mark.parametrize(
    "name", ["local-dir:{folder}", "hf-hub:nobody/nothing", "{folder}", "no_such_network"]
)
def test_a_backbone_of_timm_is_a_name(tmp_path: Path, sprung: Path, name: str) -> None:
    """A folder of weights of `multisem` may name its backbone."""
    from semcore_image.mmsemcom.networks import load

    model = {
        "architecture": "resnet18",
        "model_args": {"checkpoint_path": str(tmp_path / "pytorch_model.bin")},
    }
    (tmp_path / "config.json").write_text(
        json.dumps({"backbone": {"model": name.format(folder=tmp_path / "timm")}})
    )
    (tmp_path / "timm").mkdir()
    (tmp_path / "timm" / "config.json").write_text(json.dumps(model))
    (tmp_path / "timm" / "pytorch_model.bin").write_bytes(pickle.dumps(Trap(sprung)))
    config = {
        "size": [32, 32],
        "positions": 4,
        "inner": 8,
        "d_image": 8,
        "d_text": 8,
        "d_fusion": 8,
        "heads": 1,
        "classes": 2,
    }
    change_json(tmp_path / "config.json", **config)
    with pytest.raises(RunError, match="not a model of timm"):
        load(str(tmp_path))
    assert not sprung.exists()


def test_an_open_clip_model_that_names_others_does_not_fetch_them(model: Any) -> None:
    folder = model("clip")
    config = json.loads((folder / "open_clip_config.json").read_text())
    config["model_cfg"]["text_cfg"] |= {
        "hf_model_name": "nobody/nothing",
        "hf_tokenizer_name": "nobody/nothing",
    }
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    with pytest.raises(RunError, match="cannot be loaded"):
        use_clip(folder)


def test_weights_of_another_shape_are_refused(model: Any) -> None:
    folder = model("clip")
    save_file({"logit_scale": torch.zeros(3)}, folder / "open_clip_model.safetensors")
    with pytest.raises(RunError, match="cannot be loaded"):
        use_clip(folder)


# ----------------------------------------------------------------------- weights that are not whole

PARTS = [
    ("llava", "model.safetensors"),
    ("diffusion", "unet/diffusion_pytorch_model.safetensors"),
    ("diffusion", "vae/diffusion_pytorch_model.safetensors"),
    ("diffusion", "text_encoder/model.safetensors"),
    ("clip", "open_clip_model.safetensors"),
]


@pytest.mark.parametrize(("name", "weights"), PARTS)
def test_a_model_of_which_a_tensor_is_missing_is_refused(
    model: Any, name: str, weights: str
) -> None:
    """transformers and diffusers would draw it at random, and warn in a log at most."""
    folder = model(name)
    held = load_file(folder / weights)
    gone = sorted(key for key in held if held[key].ndim > 1)[-1]
    save_file(
        {key: value for key, value in held.items() if key != gone},
        folder / weights,
        {"format": "pt"},
    )
    with pytest.raises(RunError, match="cannot be loaded"):
        USES[name](folder)


@pytest.mark.parametrize("damage", ["empty", "cut", "nothing in it"])
@pytest.mark.parametrize(("name", "weights"), PARTS)
def test_a_model_whose_weights_are_cut_off_is_refused(
    model: Any, name: str, weights: str, damage: str
) -> None:
    folder = model(name)
    data = (folder / weights).read_bytes()
    if damage == "nothing in it":
        save_file({}, folder / weights, {"format": "pt"})
    else:
        (folder / weights).write_bytes(data[: len(data) * 2 // 3] if damage == "cut" else b"")
    with pytest.raises(RunError, match="cannot be loaded"):
        USES[name](folder)


def test_outside_of_semcore_the_libraries_load_as_they_always_did(model: Any) -> None:
    """Outside of semcore the libraries do what they always did."""
    from transformers import AutoModelForImageTextToText

    folder = model("llava")
    use_llava(folder)
    held = load_file(folder / "model.safetensors")
    gone = sorted(key for key in held if held[key].ndim > 1)[-1]
    save_file(
        {key: value for key, value in held.items() if key != gone},
        folder / "model.safetensors",
        {"format": "pt"},
    )
    assert AutoModelForImageTextToText.from_pretrained(folder) is not None
