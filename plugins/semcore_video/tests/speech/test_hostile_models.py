"""Malicious speech models: pickles, and configurations that request code. None of it is
executed."""

from __future__ import annotations

import pickle
import runpy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from semcore import KnowledgeBase, Rng, RunError, Sample, Semantics, Text
from semcore.testing.internals import Trap, change_json, harmful_module
from semcore_video.speech.fastspeech2 import FastSpeech2
from semcore_video.speech.streams import TEXT
from semcore_video.speech.vocoders import HifiGan
from semcore_video.speech.whisper import Whisper


def use_whisper(folder: Path) -> None:
    sound = np.random.default_rng(1).normal(0, 0.1, 16_000).astype(np.float32)
    Whisper(model=str(folder), max_new_tokens=2).transcribe(
        Sample("a", audio=sound, sample_rate_hz=16_000)
    )


def use_hifigan(folder: Path) -> None:
    HifiGan(model=str(folder)).sound(np.zeros((20, 80), np.float32))


def use_fastspeech2(folder: Path) -> None:
    FastSpeech2(model=str(folder)).generate(
        [Semantics("a", {TEXT: Text("now")})], KnowledgeBase(), Rng(1)
    )


USES: dict[str, Callable[[Path], None]] = {
    "whisper": use_whisper,
    "hifigan": use_hifigan,
    "fastspeech2": use_fastspeech2,
}


@pytest.fixture
def sprung(tmp_path: Path) -> Path:
    """The file that must not exist at the end."""
    return tmp_path / "sprung"


@pytest.fixture(params=USES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def model(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of a tiny model that works."""
    return Path(shutil.copytree(request.getfixturevalue(name), tmp_path / name))


def plant(folder: Path, sprung: Path) -> None:
    for place in (folder / "harm.py", folder / "sub" / "harm.py"):
        place.parent.mkdir(exist_ok=True)
        place.write_text(harmful_module(sprung))


@pytest.mark.parametrize("written", ["torch", "pickle"])
def test_pickled_weights_are_not_opened(model: Path, name: str, sprung: Path, written: str) -> None:
    USES[name](model)
    save = {"torch": torch.save, "pickle": lambda trap, file: file.write_bytes(pickle.dumps(trap))}[
        written
    ]
    save(Trap(sprung), model / "pytorch_model.bin")
    USES[name](model)  # beside the weights it is left alone
    (model / "model.safetensors").unlink()
    with pytest.raises(RunError, match="safetensors"):
        USES[name](model)
    (model / "pytorch_model.bin").rename(model / "model.safetensors")
    with pytest.raises(RunError, match="cannot be loaded"):
        USES[name](model)
    assert not sprung.exists()


CODE = {
    "AutoConfig": "harm.Harm",
    "AutoModel": "harm.Harm",
    "AutoModelForSpeechSeq2Seq": "harm.Harm",
}
SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "code of a model": ("config.json", {"auto_map": CODE, "model_type": "harm"}),
    "code of the hub": (
        "config.json",
        {"auto_map": {"AutoModel": "nobody/nothing--harm.Harm"}, "model_type": "harm"},
    ),
    "trust": ("config.json", {"trust_remote_code": True}),
    "generation": ("generation_config.json", {"custom_generate": "sub"}),
    "a kernel": ("config.json", {"attn_implementation": "nobody/kernel"}),
    "inside": ("config.json", {"vocoder_config": {"more": [{"trust_remote_code": 1}]}}),
    "a processor": (
        "processor_config.json",
        {"auto_map": {"AutoProcessor": "harm.Harm"}, "processor_class": "harm.Harm"},
    ),
}
"""What a configuration file may ask for."""


@pytest.mark.parametrize("what", SETTINGS)
def test_a_configuration_that_asks_for_code_is_refused(
    model: Path, name: str, sprung: Path, what: str
) -> None:
    plant(model, sprung)
    file, values = SETTINGS[what]
    change_json(model / file, **values)
    with pytest.raises(RunError, match="wants"):
        USES[name](model)
    text = (model / file).read_text()
    (model / file).write_text(
        text.replace("trust_", "trust\\u005f").replace("auto_", "auto\\u005f")
    )
    with pytest.raises(RunError, match="wants"):
        USES[name](model)
    assert not sprung.exists()


def test_a_configuration_in_a_linked_folder_is_read_too(
    model: Path, name: str, sprung: Path, tmp_path: Path
) -> None:
    """Folders of the hub's cache are links."""
    plant(model, sprung)
    (tmp_path / "elsewhere").mkdir()
    change_json(tmp_path / "elsewhere" / "config.json", **{"trust_remote_code": True})
    (model / "part").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    with pytest.raises(RunError, match="wants code"):
        USES[name](model)


def test_a_folder_that_holds_itself_is_read_once(model: Path, name: str) -> None:
    (model / "again").symlink_to(model, target_is_directory=True)
    USES[name](model)


@pytest.mark.parametrize("damage", ["a tensor is missing", "cut", "empty", "other shape"])
def test_weights_that_are_not_whole_are_refused(model: Path, name: str, damage: str) -> None:
    file = model / "model.safetensors"
    held, data = load_file(file), file.read_bytes()
    gone = sorted(key for key in held if held[key].ndim > 1)[-1]
    if damage == "a tensor is missing":
        save_file(
            {key: value for key, value in held.items() if key != gone}, file, {"format": "pt"}
        )
    elif damage == "other shape":
        save_file({**held, gone: held[gone][..., :1].contiguous()}, file, {"format": "pt"})
    else:
        file.write_bytes(data[: len(data) // 2] if damage == "cut" else b"")
    with pytest.raises(RunError, match="cannot be loaded"):
        USES[name](model)


def test_no_file_of_a_linked_folder_is_executed(sprung: Path, tmp_path: Path) -> None:
    """Even if a library finds the file."""
    from semcore.models import no_code_from

    (tmp_path / "model").mkdir()
    (tmp_path / "elsewhere").mkdir()
    plant(tmp_path / "elsewhere", sprung)
    (tmp_path / "model" / "part").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    for place in (
        tmp_path / "model" / "part" / "harm.py",
        tmp_path / "elsewhere" / "sub" / "harm.py",
    ):
        with no_code_from(tmp_path / "model"), pytest.raises(RunError, match="wants code"):
            runpy.run_path(str(place))
    assert not sprung.exists()


def test_a_model_may_be_made_of_links(model: Path, name: str, tmp_path: Path) -> None:
    """As `ln -s` and the hub's cache make them."""
    linked = tmp_path / "linked"
    linked.mkdir()
    for file in model.iterdir():
        (linked / file.name).symlink_to(file)
    USES[name](linked)
