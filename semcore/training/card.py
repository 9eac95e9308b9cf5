"""The head of a model card, by which a hub and its tools know a model."""

from __future__ import annotations

from pathlib import Path

import yaml

FENCE = "---\n"


def add_front_matter(card: Path, recipe: str) -> None:
    """Put YAML front matter in front of a model card that has none.

    A licence is not among it: that of the weights depends on the data, and is for their owner to
    state.

    Args:
        card: the file; nothing happens if it is not there
        recipe: the name of the recipe that wrote it
    """
    if not card.is_file() or (text := card.read_text(encoding="utf-8")).startswith(FENCE):
        return
    head = {"library_name": "semcore", "tags": ["semantic-communication", recipe]}
    card.write_text(
        f"{FENCE}{yaml.safe_dump(head, sort_keys=False)}{FENCE}{text}", encoding="utf-8"
    )
