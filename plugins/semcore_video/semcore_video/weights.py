"""Weights written by recipes: those shipped with the package, or a user's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from semcore import RunError, path_digest
from semcore.models import fill_weights, read_tensors

SHIPPED = Path(__file__).resolve().parent / "weights"


def weights_file(name: str, folder: str | None = None) -> Path:
    """The path of the weights of a recipe: in `folder`, or in the package if that is None."""
    return (Path(folder).expanduser() if folder else SHIPPED / name) / "model.safetensors"


def digest(name: str, folder: str | None = None) -> str:
    """Digest of weights and their configuration; "" if the folder has none."""
    return path_digest(weights_file(name, folder).parent, ("config.json", "model.safetensors"))[:12]


def arrays(name: str, folder: str | None, name_of_array: str, command: str) -> Any:
    """One array of the weights, as stored.

    Raises:
        RunError: the folder does not contain it; `command` writes it
    """
    file = weights_file(name, folder)
    tensors = read_tensors(file, f"`semcore train {command}` writes it")
    if name_of_array not in tensors:
        raise RunError(
            f"{file} lacks the tensor {name_of_array!r}: `semcore train {command}` writes it"
        )
    return tensors[name_of_array].clone().numpy()  # the loaded tensor is a view of the file


def network(build: Callable[..., Any], name: str, folder: str | None, command: str) -> Any:
    """`build(**config)` with the weights of a recipe, in float32, in inference mode.

    Raises:
        RunError: the folder contains none; `command` writes them
    """
    file = weights_file(name, folder)
    config, remedy = file.parent / "config.json", f"`semcore train {command}` writes it"
    if not config.exists():
        raise RunError(f"{config} is missing: {remedy}")
    try:
        built = build(**json.loads(config.read_text()))
    except (TypeError, ValueError, KeyError, RuntimeError) as error:
        raise RunError(
            f"{config} does not describe a network of this kind: {error}; {remedy}"
        ) from error
    return fill_weights(built, file, remedy).float().eval().requires_grad_(False)
