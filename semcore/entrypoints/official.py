"""Names that semcore's own packages bring, installed or not."""

from __future__ import annotations

import functools
import json
from pathlib import Path

TABLE = Path(__file__).with_name("official.json")
"""Package -> kind -> names, from the manifests; `make docs` writes it."""


@functools.cache
def _table() -> dict[str, dict[str, list[str]]]:
    return json.loads(TABLE.read_text(encoding="utf-8"))


def packages(kind: str, name: str) -> list[str]:
    """The official packages that have a name; several if each has a component of that name."""
    return [package for package, kinds in _table().items() if name in kinds.get(kind, ())]
