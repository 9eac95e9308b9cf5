"""Laws of all recipes that train networks: their common settings act, and a training that was
interrupted goes on to the same weights."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from semcore import RunError
from semcore.entrypoints import naming
from semcore.plugins import registry
from semcore.testing.placement import ELSEWHERE, elsewhere
from semcore.training import NetworkRecipe, network
from semcore.training.checkpoints import Watched
from semcore_video.training import deepsc_s
from tests.conformance.tiny_recipes import EPOCHS, Make, make_quick, makers, pictures, weights

NAMES = tuple(makers(""))
OF_AN_AUTHOR = {"picture-codec"}
"""Recipes that need a component which no package has; they share the loop of the others."""


@dataclass
class Trained:
    """Recipes, and what each has trained without an interruption."""

    folder: Path
    known: dict[str, Make]
    done: dict[str, bytes] = field(default_factory=dict)

    def whole(self, name: str) -> bytes:
        """The weights of a whole training."""
        if name not in self.done:
            self.known[name]().train(self.folder / name)
            self.done[name] = weights(self.folder / name)
        return self.done[name]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        make_quick(patch)
        yield Trained(folder, makers(pictures(folder / "pictures")))


def test_every_recipe_of_a_network_is_tried_here() -> None:
    found = {
        name
        for name in naming.names("recipe")
        if issubclass(registry.load("recipe", name), NetworkRecipe)
    }
    assert found - OF_AN_AUTHOR == set(NAMES)


@pytest.mark.default_cases(3)
@pytest.mark.parametrize("name", NAMES)
def test_a_training_goes_on_to_the_weights_of_one_that_was_not_interrupted(
    name: str, trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, descend, epochs = trained.whole(name), network.descend, network.Training._epoch

    def interrupted(*given: Any) -> Any:
        raise KeyboardInterrupt

    def epoch(self: Any, recipe: Any, average: Any, number: int) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(network, "descend", interrupted if number == 1 else descend)
            return epochs(self, recipe, average, number)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(network.Training, "_epoch", epoch)
        trained.known[name]().train(tmp_path)
    assert not (tmp_path / "model.safetensors").exists()
    torch.manual_seed(99)  # another process draws other numbers
    trained.known[name]().train(tmp_path)
    assert weights(tmp_path) == whole


@pytest.mark.default_cases(3)
@pytest.mark.parametrize("name", NAMES)
def test_a_training_ends_early_with_the_weights_of_the_best_epoch(
    name: str, trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Watched, "best", lambda self, history: 1 if history else 0)
    recipe = trained.known[name](early_stop=1, **longer(name))
    recipe.train(tmp_path)
    judged = curve(tmp_path, recipe.watches)
    assert len(judged) == 2, "the third epoch is not run"
    assert judged[0] != judged[1]
    assert weights(tmp_path) != trained.whole(name)


def curve(folder: Path, name: str) -> list[float]:
    """The values of each epoch by which it is judged."""
    with open(folder / "validation.csv", encoding="utf-8") as file:
        values = [float(row[name]) for row in csv.DictReader(file)]
    assert all(map(math.isfinite, values))
    return values


def longer(name: str) -> dict[str, Any]:
    return {"stages": (1, EPOCHS, 3)} if name == "mini-classifier" else {"epochs": 3}


@pytest.mark.default_cases(3)
@pytest.mark.parametrize("name", NAMES)
def test_dtype_is_that_of_the_arithmetic(name: str, trained: Trained, tmp_path: Path) -> None:
    whole, recipe = trained.whole(name), trained.known[name](dtype="bfloat16")
    recipe.train(tmp_path)
    assert weights(tmp_path) != whole and len(curve(tmp_path, recipe.watches)) == EPOCHS


@pytest.mark.default_cases(3)
@pytest.mark.parametrize("name", NAMES)
def test_compile_translates_networks(
    name: str, trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self: asked.append(self))
    monkeypatch.setattr(torch, "compile", lambda function: asked.append(function) or function)
    trained.known[name](compile=True).train(tmp_path)
    assert asked and weights(tmp_path) == trained.whole(name)


@pytest.mark.default_cases(3)
@pytest.mark.parametrize("name", NAMES)
def test_any_number_of_workers_gives_the_same_weights(
    name: str, trained: Trained, tmp_path: Path
) -> None:
    trained.known[name](workers=2).train(tmp_path)
    assert weights(tmp_path) == trained.whole(name)


@pytest.mark.default_cases(3)
@pytest.mark.parametrize("name", NAMES)
def test_a_training_step_mixes_no_devices(
    name: str, trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # torch.stft transposes in place, which changes the form of no placed tensor
    monkeypatch.setattr(
        deepsc_s, "_spectral", lambda found, true, size: (found - true).abs().mean()
    )
    recipe = trained.known[name](**one_epoch(name))
    monkeypatch.setitem(recipe.__dict__, "place", ELSEWHERE)
    with elsewhere():
        recipe.train(tmp_path)
    assert (tmp_path / "model.safetensors").is_file()


def one_epoch(name: str) -> dict[str, Any]:
    return {"stages": (1,)} if name == "mini-classifier" else {"epochs": 1}


@pytest.mark.parametrize("name", NAMES)
def test_a_device_that_is_not_there_is_named(name: str, trained: Trained, tmp_path: Path) -> None:
    if torch.cuda.device_count() > 99:
        pytest.skip("this machine has that many")
    with pytest.raises(RunError, match=r"device is cuda:99"):
        trained.known[name](device="cuda:99").train(tmp_path)
