"""A model is known by what its files hold, or by the commit on the hub that is loaded, and results
say which."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from semcore import KnowledgeBase, RunError, Sample, digest, named_files
from semcore.commands import component
from semcore.testing.internals import built_from, provenance, retrain, stands_on
from semcore_image.captioning.llava import LlavaCaption
from semcore_image.jscc.transport import DeepJSCC
from semcore_image.mmsemcom.generator import ClassDiffusionGenerator
from semcore_image.models.weights import WEIGHTS
from semcore_image.selection.clip_score import ClipScoreSelector

pytestmark = pytest.mark.usefixtures("no_network")

FIRST, SECOND = "1" * 40, "2" * 40
PICTURE = Sample("a", image=np.random.default_rng(1).integers(0, 256, (40, 40, 3), dtype=np.uint8))


@pytest.fixture
def hub(tmp_path: Path, llava: Path) -> Path:
    """The cache of a hub with two snapshots of a model, of which the first is `main`."""
    folder = tmp_path / "hub" / "models--someone--llava"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(FIRST)
    for commit in (FIRST, SECOND):
        shutil.copytree(llava, folder / "snapshots" / commit)
    retrain(folder / "snapshots" / SECOND / "model.safetensors")
    return tmp_path / "hub"


def captions(encoder: LlavaCaption) -> str | None:
    return encoder.encode([PICTURE], KnowledgeBase())[0].text("caption")


def test_a_model_on_the_hub_is_known_by_the_commit_that_is_loaded(hub: Path, llava: Path) -> None:
    encoder = LlavaCaption(model="someone/llava", cache_dir=str(hub), max_new_tokens=5)
    assert encoder.identity() == {"commit": FIRST} and encoder.hub["revision"] == FIRST
    said = captions(encoder)
    assert said == captions(LlavaCaption(model=str(llava), max_new_tokens=5))
    (hub / "models--someone--llava" / "refs" / "main").write_text(SECOND)
    newer = replace(encoder)
    assert newer.identity() == {"commit": SECOND} and digest(newer) != digest(encoder)
    assert captions(newer) != said == captions(encoder)  # what is loaded stays what the result says
    pinned = replace(encoder, revision=FIRST)
    assert pinned.identity() == {"commit": FIRST} and captions(pinned) == said
    assert LlavaCaption(model="someone/else", cache_dir=str(hub)).identity() is None


def test_a_result_names_the_commit_and_the_digest_of_a_folder(hub: Path, llava: Path) -> None:
    encoders = [
        LlavaCaption(model="someone/llava", cache_dir=str(hub)),
        LlavaCaption(model=str(llava)),
    ]
    found = provenance(encoders)
    entries = [entry for entry in found["components"] if entry["name"] == "llava-caption"]
    assert {"commit": FIRST} in [entry.get("content") for entry in entries]
    assert named_files(encoders[1]) in [entry.get("files") for entry in entries]
    assert any(f"commit {FIRST}" in line for line in built_from([found])["encoder llava-caption"])
    assert (
        any(f"commit {FIRST}" in line for line in stands_on([found]))
        and "transformers" in found["libraries"]
    )


def test_a_folder_that_holds_another_model_by_now_is_another_one(
    llava: Path, clip: Path, tmp_path: Path
) -> None:
    for number, (origin, weights, make) in enumerate(
        [
            (llava, "model.safetensors", lambda folder: LlavaCaption(model=folder)),
            (clip, "open_clip_model.safetensors", lambda folder: ClipScoreSelector(model=folder)),
            (
                WEIGHTS / "deepjscc-6",
                "model.safetensors",
                lambda folder: DeepJSCC(cbr=1 / 6, weights=folder),
            ),
            (
                WEIGHTS / "class-diffusion",
                "model.safetensors",
                lambda folder: ClassDiffusionGenerator(weights=folder),
            ),
        ]
    ):
        folder = Path(shutil.copytree(origin, tmp_path / str(number)))
        before = digest(make(str(folder)))
        assert digest(make(str(folder))) == before
        (folder / "README.md").write_text("another card")
        assert digest(make(str(folder))) == before
        retrain(folder / weights)
        assert digest(make(str(folder))) != before, origin


def test_within_a_process_other_weights_are_loaded_too(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(WEIGHTS / "class-diffusion", tmp_path / "weights"))
    from semcore_image.mmsemcom.sampling import load

    one = load(str(folder))
    assert load(str(folder)) is one
    retrain(folder / "model.safetensors")
    assert load(str(folder)) is not one


@pytest.mark.parametrize("damage", ["empty", "cut", "gap", "other", "config"])
def test_weights_of_a_recipe_with_gaps_are_refused(tmp_path: Path, damage: str) -> None:
    folder = Path(shutil.copytree(WEIGHTS / "deepjscc-6", tmp_path / "weights"))
    file = folder / "model.safetensors"
    held = load_file(file)
    gone = sorted(held)[0]
    match damage:
        case "empty":
            file.write_bytes(b"")
        case "cut":
            file.write_bytes(file.read_bytes()[:-10])
        case "gap":
            save_file({name: value for name, value in held.items() if name != gone}, file)
        case "other":
            save_file({**held, gone: held[gone][:1]}, file)
        case "config":
            (folder / "config.json").write_text("{}")
    wanted: dict[str, Any] = {"use": "deepjscc", "cbr": "1/6", "weights": str(folder)}
    with pytest.raises(
        RunError, match="config.json" if damage == "config" else "model.safetensors"
    ):
        assert component("transport", wanted, "test").network
