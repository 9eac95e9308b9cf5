"""What identifies weights: digests of the files that hold them. Needs no torch."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from semcore.content import file_digest, fingerprint
from semcore.errors import RunError

WRITTEN = ("config.json", "*.safetensors")
"""What a recipe writes and a network is made of."""


def mini_digest(*names: str) -> str:
    """The digest of the weights of shipped mini models."""
    return joined(
        [file for name in names for file in sorted((Path(__file__).parent / "weights" / name).rglob("*.safetensors"))]
    )


def joined(files: Sequence[Path]) -> str:
    """The first 12 hexadecimal digits of a digest of files, in their order.

    Raises:
        RunError: there are none, or one cannot be read
    """
    if not files:
        raise RunError("the weights of a mini model are missing; reinstall semcore-image or train it (semcore train)")
    return hashlib.blake2b("".join(map(file_digest, files)).encode(), digest_size=6).hexdigest()


def written(folder: str) -> str:
    """The digest of what a recipe wrote into a folder; "" if nothing is there."""
    return fingerprint(folder, WRITTEN)[:12]
