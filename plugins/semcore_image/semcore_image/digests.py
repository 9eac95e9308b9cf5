"""What identifies weights: digests of the files that hold them. Needs no torch."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from semcore.errors import RunError


@cache
def mini_digest(*names: str) -> str:
    """The digest of the weights of shipped mini models."""
    return sha256(
        [file for name in names for file in sorted((Path(__file__).parent / "weights" / name).rglob("*.safetensors"))]
    )


def sha256(files: Sequence[Path]) -> str:
    """The first 12 hexadecimal digits of the SHA-256 of files, one behind the other."""
    if not files:
        raise RunError("the weights of a mini model are missing; reinstall semcore-image or train it (semcore train)")
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
