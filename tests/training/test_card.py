"""Model cards begin with front matter, which hubs and their tools read."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from semcore.training.card import FENCE, add_front_matter

ROOT = Path(__file__).parents[2]
CARDS = sorted(ROOT.glob("plugins/*/*/weights/**/README.md"))


def test_a_card_gets_front_matter_once(tmp_path: Path) -> None:
    card = tmp_path / "README.md"
    add_front_matter(card, "mini-clip")
    assert not card.exists()
    card.write_text("# mini-clip\n\nnöise\n", encoding="utf-8")
    add_front_matter(card, "mini-clip")
    text = card.read_text(encoding="utf-8")
    _, head, body = text.split(FENCE, 2)
    assert yaml.safe_load(head) == {
        "library_name": "semcore",
        "tags": ["semantic-communication", "mini-clip"],
    }
    assert body == "# mini-clip\n\nnöise\n"
    add_front_matter(card, "other")
    assert card.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("card", CARDS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_shipped_card_states_the_licence_of_the_weights(card: Path) -> None:
    text = card.read_text(encoding="utf-8")
    assert text.startswith(FENCE)
    head = yaml.safe_load(text.split(FENCE, 2)[1])
    assert head["license"] == "apache-2.0" and head["library_name"] == "semcore"
    assert head["tags"][0] == "semantic-communication"
    assert f"semcore train {head['tags'][1]} " in text


def test_there_are_cards() -> None:
    weights = {path.parent for path in ROOT.glob("plugins/*/*/weights/**/model.safetensors")}
    assert len(weights) > 20 and weights == {card.parent for card in CARDS}
