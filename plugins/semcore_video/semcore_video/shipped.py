"""Numbers that a recipe wrote: those that come with the package, or a user's own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from semcore.errors import RunError

SHIPPED = Path(__file__).resolve().parent / "weights"


def weights_file(name: str, folder: str | None = None) -> Path:
    """Where the numbers of a recipe are kept: in `folder`, or in the package if it is None."""
    return (Path(folder).expanduser() if folder else SHIPPED / name) / "model.safetensors"


def digest(name: str, folder: str | None = None) -> str:
    """The digest of numbers; "" where the folder has none."""
    place = weights_file(name, folder)
    return hashlib.sha256(place.read_bytes()).hexdigest()[:12] if place.exists() else ""


def network(build: Callable[..., Any], name: str, folder: str | None, command: str) -> Any:
    """`build(**config)` with the weights that a recipe wrote, in float32, ready for inference.

    Raises:
        RunError: the folder holds none; `command` writes them
    """
    from safetensors.torch import load_file

    file = weights_file(name, folder)
    config = file.parent / "config.json"
    if not config.exists():
        raise RunError(f"{config} is missing: `semcore train {command}` writes it")
    built = build(**json.loads(config.read_text()))
    built.load_state_dict(load_file(file))
    return built.float().eval().requires_grad_(False)
