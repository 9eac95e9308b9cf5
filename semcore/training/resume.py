"""What a training is: it goes on only in a folder that holds the same recipe, settings, data and
source."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from semcore.component.base import Component, plain
from semcore.component.digest import digest
from semcore.config.paths import flatten
from semcore.config.setup import components_in
from semcore.entrypoints import naming
from semcore.errors import RunError
from semcore.fingerprint import origin
from semcore.fingerprint.named import named_files
from semcore.interfaces import Source
from semcore.storage import write_json

RECORD = "training.json"
"""File in the folder of a training that says what is trained there."""
UNFINISHED = ("checkpoint.json", "lessons.json")
"""Files of a training that goes on; without a record, nobody knows of which."""


def training_of(recipe: Component) -> dict[str, Any]:
    """What decides which weights a recipe makes, as plain values.

    Returns:
        `recipe`; `settings`, the seed among them, without those that change weights by rounding at
        most (`indifferent`: the device, ...); `data`: setting -> digest of the files that it
        names, or of the samples of a source, wherever they lie;
        `source`: the digest of what the recipe and its components do
    """
    files = named_files(recipe)
    sources = {
        one.name: value
        for one in dataclasses.fields(recipe)
        if isinstance(value := getattr(recipe, one.name), Source)
    }
    parts = [(origin.of(type(one)).source, one.identity()) for one in components_in(recipe)]
    left_out = {*files, *getattr(recipe, "indifferent", ())}
    settings = {
        name: _elsewhere(plain(value)) if name in sources else plain(value)
        for name, value in recipe.settings().items()
        if name not in left_out
    }
    files |= {name: digest(source.samples()) for name, source in sources.items()}
    return {
        "recipe": naming.name_of(type(recipe)),
        "settings": settings,
        "data": files,
        "source": digest(parts),
    }


def _elsewhere(source: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a source, without places on this machine: its samples count."""
    return {
        name: value
        for name, value in source.items()
        if not (isinstance(value, str) and value and os.path.exists(os.path.expanduser(value)))
    }


def claim(recipe: Component, out: Path) -> str:
    """Take a folder for a training: note what is trained there, or see that it is the same.

    Returns:
        the digest of the training

    Raises:
        RunError: the folder holds another training; it says how that differs, and what to do
    """
    training = json.loads(json.dumps(training_of(recipe)))
    record = out / RECORD
    try:
        held = json.loads(record.read_text(encoding="utf-8"))
        others = _differences(held, training)
    except FileNotFoundError:
        left = [name for name in UNFINISHED if (out / name).exists()]
        others = [f"{left[0]} does not say of which"] if left else []
    except (OSError, ValueError, AttributeError) as error:
        others = [f"{RECORD} cannot be read: {error}"]
    if others:
        raise RunError(
            f"{out} holds another training ({'; '.join(others)}): name another folder "
            "with --out, or delete this one to begin "
            "from the start"
        )
    write_json(record, training)
    return digest(training)


def under_way(out: Path) -> bool:
    """Whether a folder holds a training that can go on, or is done."""
    return any((out / name).exists() for name in UNFINISHED)


def _differences(held: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """How two trainings differ, in words."""
    if held.get("recipe") != wanted["recipe"]:
        return [f"recipe {held.get('recipe')} there, {wanted['recipe']} now"]
    there, now = flatten(held["settings"]), flatten(wanted["settings"])
    found = [
        f"{path} {there.get(path, 'not set')} there, {now.get(path, 'not set')} now"
        for path in dict.fromkeys([*there, *now])
        if there.get(path) != now.get(path)
    ]
    found += [
        f"{name} holds other files"
        for name in wanted["data"]
        if held["data"].get(name) != wanted["data"][name]
    ]
    if not found and held != wanted:
        found.append("the source of the recipe has changed")
    return found
