"""Captions of scenes say what the description says, both ways."""

from __future__ import annotations

import numpy as np
import pytest

from semcore_image.scenes.grammar import (
    MAIN,
    WHERE,
    WORDINGS,
    WORDS,
    answer,
    caption,
    corrected,
    distance,
    parse,
    phrase,
    plural,
)
from semcore_image.scenes.world import KINDS, Description, Group, beyond, drawn
from semcore_image.sources.scenes import Scenes
from semcore_image.training.noise import corrupt

DRAWN = [drawn(np.random.default_rng(number)) for number in range(200)]
BIRDS = Description(
    Group("bird", "red", 2, "medium", "at the top"),
    "grey sky",
    "day",
    "above",
    Group("tree", "green", 1, "small", "at the bottom"),
    Group("boat", "white", 1, "small", "on the left"),
)


def test_the_example():
    text = (
        "two red birds at the top, above a small green tree, under a grey sky, one small white "
        "boat on the left"
    )
    assert caption(BIRDS) == text and parse(text) == BIRDS
    assert answer(BIRDS, WHERE) == (
        "two red birds at the top, a small green tree at the bottom, a small white boat on the left"
    )
    assert answer(BIRDS, MAIN) == "two red birds" and answer(BIRDS, "") == text


@pytest.mark.parametrize("wording", range(len(WORDINGS)))
def test_every_caption_is_read_back(wording: int):
    for one in DRAWN:
        assert parse(caption(one, wording)) == one


def test_the_captions_of_the_source_are_exact():
    source = Scenes(limit=20, seed=7)
    for number, sample in enumerate(source.samples()):
        assert parse(sample.text) == source.description(number)


def test_wordings_differ_and_use_known_words_only():
    for one in DRAWN[:50]:
        texts = [caption(one, number) for number in range(len(WORDINGS))]
        assert len(set(texts)) == len(WORDINGS)
        assert {word for text in texts for word in text.replace(",", "").split()} <= set(WORDS)


def test_articles_and_plurals():
    assert phrase(Group("cat", "orange")) == "an orange cat"
    assert phrase(Group("cat", "orange"), counted=True) == "one orange cat"
    assert phrase(Group("butterfly", "red", 3, "large")) == "three large red butterflies"
    assert len({plural(kind) for kind in KINDS} - set(KINDS)) == len(KINDS) - 1  # fish


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no object"),
        ("a red cat on the left", "no background"),
        ("a cat on the left in a room", "no colour of the cat"),
        ("a red cat in a room", "no place of the cat"),
        ("a red griffin on the left in a room", "'griffin'"),
    ],
)
def test_what_is_missing_is_named(text: str, problem: str):
    with pytest.raises(ValueError, match=problem):
        parse(text)


def test_words_are_corrected_and_sound_ones_stay():
    for one in DRAWN[:20]:
        text = caption(one, 3).replace(",", "")
        assert corrected(text) == text
    assert corrected("twoo rfd birds ?t the topp, abve a smll greentree") == (
        "two red birds at the top above a small green tree"
    )


@pytest.mark.parametrize("seed", range(2))
def test_correction_brings_back_more_than_reading_alone(seed: int):
    rng = np.random.default_rng(seed)
    read = {"alone": 0, "corrected": 0}
    for one in DRAWN[:25]:
        damaged = corrupt(caption(one), 0.02, rng)
        for way, text in (("alone", damaged), ("corrected", corrected(damaged))):
            try:
                read[way] += parse(text) == one
            except ValueError:
                continue
    assert read["corrected"] > read["alone"]


def test_distance_is_a_metric():
    words = WORDS[:12]
    for one in words:
        for two in words:
            assert distance(one, two) == distance(two, one) >= 0
            assert (distance(one, two) == 0) == (one == two)
            for third in words[:4]:
                assert distance(one, two) <= distance(one, third) + distance(third, two)


def test_others_lie_beyond():
    assert beyond("in the middle", "above") == "at the bottom"
    assert beyond("at the top left", "to the left of") == "at the top right"
