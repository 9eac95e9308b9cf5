"""The laws of a recipe. They train it, so they hold for those alone whose class says how in
`test_settings`."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from semcore.interfaces import Recipe
from semcore.testing.law import Given, LawBroken, NotApplicable, require

PICKLES = {".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin"}


def use(recipe: Recipe, given: Given) -> Any:
    """Nothing: training may take hours, and is tried by the laws below."""


def writes_weights_and_a_card(recipe: Recipe, given: Given) -> None:
    """It writes `config.json`, `model.safetensors` and the model card `README.md`, and no
    pickle."""
    with tempfile.TemporaryDirectory(prefix="semcore-") as name:
        out = Path(name)
        _train(recipe, out)
        found = sorted(path.name for path in out.iterdir())
        for wanted in ("config.json", "model.safetensors", "README.md"):
            require(wanted in found, f"it writes no {wanted}, but {', '.join(found) or 'nothing'}")
        _json((out / "config.json").read_bytes(), "config.json")
        stored = (out / "model.safetensors").read_bytes()
        header = _json(
            stored[8 : 8 + int.from_bytes(stored[:8], "little")], "the header of model.safetensors"
        )
        require(header.keys() - {"__metadata__"}, "model.safetensors holds no weights")
        require((out / "README.md").read_text(encoding="utf-8").strip(), "its model card is empty")
        pickles = [path.name for path in out.rglob("*") if path.suffix in PICKLES]
        require(
            not pickles, f"it writes {', '.join(pickles)}: weights and checkpoints are safetensors"
        )


def goes_on_where_it_stopped(recipe: Recipe, given: Given) -> None:
    """The same command again, once the training is over, leaves the weights as they are."""
    with tempfile.TemporaryDirectory(prefix="semcore-") as name:
        weights = Path(name) / "model.safetensors"
        _train(recipe, weights.parent)
        before = weights.read_bytes()
        recipe.train(weights.parent)
        require(
            weights.read_bytes() == before,
            "trained again in the same folder, its weights are others",
        )


LAWS = (writes_weights_and_a_card, goes_on_where_it_stopped)


# ------------------------------------------------------------------------------------------ helpers


def _train(recipe: Recipe, out: Path) -> None:
    if not recipe.test_settings:
        raise NotApplicable(
            "training may take hours: name settings that train in seconds in "
            "`test_settings` of its class"
        )
    recipe.train(out)


def _json(data: bytes, what: str) -> dict[str, Any]:
    try:
        read = json.loads(data)
    except ValueError as error:
        raise LawBroken(f"{what} is not JSON: {error}") from error
    require(isinstance(read, dict), f"{what} is not a mapping")
    return read
