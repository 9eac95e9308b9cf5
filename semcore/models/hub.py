"""Weights by folder, file, or name on the Hugging Face hub: `user/name`, `user/name@revision`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from semcore.errors import RunError
from semcore.models.repository import HubFiles, Read

NAME = re.compile(r"(?P<name>[\w.-]+/[\w.-]+?)(@(?P<revision>[\w./-]+))?")


def on_hub(weights: str) -> tuple[str, str | None] | None:
    """Name and revision that a text has on the hub; None if it is a place on this machine, or can
    only be meant as one."""
    found = NAME.fullmatch(weights)
    if found is None or weights.startswith((".", "~")) or Path(weights).exists():
        return None
    return found["name"], found["revision"]


def weights_place(weights: str) -> Path:
    """Where weights lie: a folder or file, or the snapshot of a model on the hub that was fetched.

    Args:
        weights: path, or `user/name@revision`; without a revision, `main`

    Raises:
        RunError: there is no such folder or file, and the model has not been fetched
    """
    if reason := absent(weights):
        raise RunError(reason)
    named = on_hub(weights)
    if named is None:
        return Path(weights).expanduser().absolute()
    return _snapshot(*named)


def absent(weights: str) -> str:
    """Why weights are not on this machine, and how to get them; "" if they are. The network is not
    asked."""
    named = on_hub(weights)
    if named is None:
        place = Path(weights).expanduser()
        inside = f" in {Path.cwd()}" if not place.is_absolute() else ""
        return "" if place.exists() else f"there is no folder {place}{inside}"
    if any(_snapshot(*named).glob("*")):
        return ""
    return (
        f"there is no folder {weights} in {Path.cwd()}, and no model of this name from the hub on "
        f"this machine: name the folder that `semcore train` wrote, or fetch the model with "
        f"`{weights_files(*named).command()}`"
    )


def weights_files(name: str, revision: str | None) -> HubFiles:
    """The files of weights on the hub, as `semcore push` publishes them."""
    return HubFiles(name, "model", revision, None, _published)


def _published(names: Sequence[str], read: Read) -> list[str]:
    """The settings and weights of a repository, also those in its folders."""
    return [
        name for name in names if name.endswith((".safetensors", "config.json")) and name[:1] != "."
    ]


def _snapshot(name: str, revision: str | None) -> Path:
    wanted = weights_files(name, revision)
    return wanted.snapshot() or wanted.folder / "snapshots" / "none"
