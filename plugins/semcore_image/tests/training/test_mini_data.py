"""Colour names, captions and the damage done to text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from semcore import RunError
from semcore_image.models.mini_clip import text_to_bytes
from semcore_image.training.data import is_true, load_split, mentioned, name_colours
from semcore_image.training.noise import KINDS, corrupt
from semcore_image.vocabulary import CLASSES, COLOURS, TEMPLATES, caption

PAINT = {
    "black": (10, 10, 10),
    "white": (250, 250, 250),
    "grey": (128, 128, 128),
    "brown": (120, 80, 40),
    "red": (220, 20, 20),
    "orange": (250, 140, 10),
    "yellow": (240, 220, 30),
    "green": (30, 160, 40),
    "blue": (30, 60, 220),
    "purple": (150, 30, 180),
}


def painted(colour: str, background: str) -> np.ndarray:
    picture = np.empty((32, 32, 3), np.uint8)
    picture[:] = PAINT[background]
    picture[7:25, 7:25] = PAINT[colour]
    return picture


def test_every_colour_is_named_in_the_centre_and_on_the_border() -> None:
    pairs = [(a, b) for a in COLOURS for b in COLOURS]
    named = name_colours(np.stack([painted(a, b) for a, b in pairs]))
    assert [(COLOURS[a], COLOURS[b]) for a, b in named.tolist()] == pairs


def test_colour_names_survive_pixel_noise() -> None:
    rng = np.random.default_rng(0)
    clean = np.stack([painted(a, b) for a, b in zip(COLOURS, reversed(COLOURS), strict=True)])
    noisy = np.clip(clean + rng.normal(0, 6, clean.shape), 0, 255).astype(np.uint8)
    assert (name_colours(noisy) == name_colours(clean)).all()


def test_captions_use_the_right_articles() -> None:
    facts = (CLASSES.index("airplane"), COLOURS.index("orange"), COLOURS.index("grey"))
    assert caption(facts) == "an orange airplane on a grey background"
    assert caption(facts, "{a} {class}") == "an airplane"


def test_a_caption_is_true_of_what_it_mentions_only() -> None:
    facts = torch.tensor([[2, 3, 6], [2, 4, 6], [1, 3, 6]])
    templates = torch.tensor(
        [0, TEMPLATES.index("{a} {class}"), TEMPLATES.index("{a} {colour} {class}")]
    )
    truth = is_true(mentioned(facts, templates), facts)
    assert truth.tolist() == [[True, True, False], [False, True, False], [False, False, True]]


@pytest.mark.parametrize("kind", KINDS)
def test_damage_rate(kind: str) -> None:
    text = "a brown bird on a green background " * 300
    assert corrupt(text, 0.0, np.random.default_rng(1)) == text
    damaged = corrupt(text, 0.1, np.random.default_rng(1), (kind,))
    tolerance = 4 * (0.1 * 0.9 / len(text)) ** 0.5
    if kind == "delete":
        share = 1 - len(damaged) / len(text)
    elif kind == "insert":
        share = len(damaged) / len(text) - 1
    else:
        assert len(damaged) == len(text)
        wrong = [(ord(x), ord(y)) for x, y in zip(text, damaged, strict=True) if x != y]
        share = len(wrong) / len(text)
        if kind == "flip":
            assert all((x ^ y).bit_count() == 1 for x, y in wrong)
    assert abs(share - 0.1) < tolerance


def test_damage_depends_on_the_generator_alone() -> None:
    text = "a brown bird on a green background"
    first, second, other = (corrupt(text, 0.3, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == second != other


def test_text_as_bytes() -> None:
    ids = text_to_bytes(["", "Bird", "x" * 100, "\0€é"])
    assert ids.shape == (4, 64)
    assert ids[0].eq(0).all()
    assert ids[1, :5].tolist() == [*b"bird", 0]
    assert ids[2].eq(ord("x")).all()
    assert ids[3, :4].tolist() == [26, 26, 0xE9, 0]


def test_folder_of_classes(tmp_path: Path) -> None:
    for name in CLASSES:
        folder = tmp_path / "train" / name
        folder.mkdir(parents=True)
        Image.fromarray(painted("red", "blue")).save(folder / "0.png")
    split = load_split(tmp_path, "train")
    assert split.images.shape == (10, 3, 32, 32)
    assert split.images.dtype == torch.uint8
    assert split.labels.tolist() == list(range(10))
    assert caption(split.facts[2].tolist()) == "a red bird on a blue background"


def test_missing_data_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cifar-10-batches-py"):
        load_split(tmp_path, "train")
