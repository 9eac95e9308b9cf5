"""Digests of weights, and checks of folders with weights. Needs no torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from semcore import ComponentError, RunError, file_digest, path_digest
from semcore.models import absent, on_hub, weights_place
from semcore_image.vocabulary import CLASSES

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"
"""Folder of the shipped weights."""

WRITTEN = ("config.json", "*.safetensors")
"""Files that a recipe writes and a network is loaded from."""


def mini_digest(*names: str) -> str:
    """The digest of the shipped weights of these names."""
    return joined(
        [file for name in names for file in sorted((WEIGHTS / name).rglob("*.safetensors"))]
    )


def joined(files: Sequence[Path]) -> str:
    """The first 12 hexadecimal digits of the digest of files, in the given order.

    Raises:
        RunError: `files` is empty, or a file cannot be read
    """
    if not files:
        raise RunError(
            "the weights of a mini model are missing; reinstall semcore-image or train it "
            "(semcore train)"
        )
    return hashlib.blake2b("".join(map(file_digest, files)).encode(), digest_size=6).hexdigest()


def check_written(who: object, field: str, folder: str | None) -> None:
    """Refuse a folder that was not written by a recipe. A name on the hub passes: `not_here` says
    whether it was fetched.

    Raises:
        ComponentError: the folder does not exist, or config.json or model.safetensors is missing
    """
    if folder is None or on_hub(folder):
        return
    place, name = Path(folder).expanduser(), f"{type(who).__name__}.{field}"
    if not place.is_dir():
        inside = f" in {Path.cwd()}" if not place.is_absolute() else ""
        raise ComponentError(
            f"{name}: there is no folder {place}{inside}; name the one that `semcore train` wrote"
        )
    for file in ("config.json", "model.safetensors"):
        if not (place / file).is_file():
            raise ComponentError(
                f"{name}: {place} holds no {file}; name the folder that `semcore train` wrote"
            )


def not_here(field: str, weights: str | None) -> str:
    """Why weights of this setting are not on this machine, for `Component.missing`; "" if they
    are."""
    reason = absent(weights) if weights else ""
    return f"{field}: {reason}" if reason else ""


def classes_of(folder: str | None, shipped: str) -> tuple[int, tuple[str, ...] | None]:
    """The number of classes of weights, and their names if config.json has them.

    Args:
        folder: folder written by a recipe; None: the shipped weights
        shipped: name of the shipped weights
    """
    try:
        place = weights_place(folder) if folder else WEIGHTS / shipped
        classes = json.loads((place / "config.json").read_text(encoding="utf-8"))["classes"]
    except (OSError, ValueError, KeyError, TypeError, RunError):
        return 0, None
    if isinstance(classes, list):
        return len(classes), tuple(map(str, classes))
    return int(classes), None if folder else tuple(sorted(CLASSES))


def written(folder: str) -> str:
    """The digest of the files that a recipe wrote into a folder, or of a model on the hub; "" if
    there are none."""
    if not absent(folder):
        folder = str(weights_place(folder))
    return path_digest(folder, WRITTEN)[:12]
