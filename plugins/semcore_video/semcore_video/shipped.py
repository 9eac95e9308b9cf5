"""Numbers that a recipe wrote: those that come with the package, or a user's own."""

from __future__ import annotations

import hashlib
from pathlib import Path

SHIPPED = Path(__file__).resolve().parent / "weights"


def weights_file(name: str, folder: str | None = None) -> Path:
    """Where the numbers of a recipe are kept: in `folder`, or in the package if it is None."""
    return (Path(folder).expanduser() if folder else SHIPPED / name) / "model.safetensors"


def digest(name: str, folder: str | None = None) -> str:
    """The digest of numbers; "" where the folder has none."""
    place = weights_file(name, folder)
    return hashlib.sha256(place.read_bytes()).hexdigest()[:12] if place.exists() else ""
