"""Scenes: what is drawn by lot, where it stands, and what the pictures show."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from semcore.testing import conformance
from semcore_image.scenes.drawing import PAINTS, picture
from semcore_image.scenes.shapes import SHAPES
from semcore_image.scenes.world import (
    BACKGROUNDS,
    COLOURS,
    COUNTS,
    HIDDEN,
    KINDS,
    PLACES,
    SIZES,
    TIMES,
    Group,
    block_of,
    cell,
    drawn,
    fits,
)
from semcore_image.sources.scenes import Scenes

test_conformance = conformance(Scenes(limit=3))

DRAWN = [drawn(np.random.default_rng(number)) for number in range(300)]


def test_every_choice_occurs():
    mains = [one.main for one in DRAWN]
    assert {one.kind for one in mains} == set(KINDS) and len(KINDS) >= 30
    assert {one.colour for one in mains} == set(COLOURS)
    assert {one.place for one in mains} == set(PLACES)
    assert {one.count for one in mains} == set(COUNTS)
    assert {one.size for one in mains} == set(SIZES)
    assert {(one.background, one.time) for one in DRAWN} == set(
        itertools.product(BACKGROUNDS, TIMES)
    )


def test_groups_do_not_touch_and_the_main_objects_are_the_largest():
    for one in DRAWN:
        assert fits(one)
        sides = [block_of(group).side for group in one.groups]
        assert all(side < sides[0] for side in sides[1:])
        assert len({group.kind for group in one.groups}) == len(one.groups)


def test_no_object_has_the_colour_of_the_background():
    for one in DRAWN:
        assert not {group.colour for group in one.groups} & HIDDEN[one.background]


@pytest.mark.parametrize("place", PLACES)
def test_a_group_stands_in_its_cell_wherever_it_is_shifted(place: str):
    row, column = cell(place)
    for count, size, dx, dy in itertools.product(COUNTS, SIZES, (-1.5, 1.5), (-1.5, 1.5)):
        block = block_of(Group("cat", "red", count, size, place), (dx, dy))
        left, top, right, bottom = block.box
        assert min(left, top) >= 0.5 and max(right, bottom) <= 63.5
        assert int((left + right) / 2 // (64 / 3)) == column
        assert int((top + bottom) / 2 // (64 / 3)) == row


def test_where_the_relation_says_the_others_are():
    for one in DRAWN:
        if one.other is None:
            assert one.relation == ""
            continue
        (row, column), (far_row, far_column) = cell(one.main.place), cell(one.other.place)
        assert {
            "above": row < far_row and column == far_column,
            "below": row > far_row and column == far_column,
            "to the left of": column < far_column and row == far_row,
            "to the right of": column > far_column and row == far_row,
        }[one.relation]


@pytest.mark.parametrize("kind", KINDS)
def test_an_object_has_its_colour(kind: str):
    """The colour that changes most where an object is painted is the asked one."""
    for colour in COLOURS:
        shown = dataclasses.replace(
            DRAWN[0],
            main=Group(kind, colour, 1, "large"),
            background="grey sky",
            time="day",
            relation="",
            other=None,
            accent=None,
        )
        pixels = picture(shown, np.random.default_rng(5))[18:46, 18:46].reshape(-1, 3).astype(int)
        near = np.abs(pixels - np.array(PAINTS[colour])).max(1) < 40
        assert near.mean() > 0.04, colour


def test_kinds_differ():
    """Silhouettes of two kinds differ in at least a sixth of the pixels of either."""
    grounds = {}
    for kind in SHAPES:
        shown = dataclasses.replace(
            DRAWN[0], main=Group(kind, "red", 1, "large"), background="snow", time="day"
        )
        shown = dataclasses.replace(shown, relation="", other=None, accent=None)
        pixels = np.mean([picture(shown, np.random.default_rng(n)) for n in range(4)], axis=0)
        grounds[kind] = pixels[18:46, 18:46]
    for one, two in itertools.combinations(SHAPES, 2):
        assert (np.abs(grounds[one] - grounds[two]).max(-1) > 40).mean() > 0.1, (one, two)


class TestSource:
    def test_a_picture_does_not_depend_on_limit_or_offset(self):
        (third,) = Scenes(limit=1, offset=2).samples()
        other = Scenes(limit=5).samples()[2]
        assert third.id == other.id and third.text == other.text
        assert np.array_equal(third.image, other.image)

    def test_seeds_give_other_scenes(self):
        texts = [{one.text for one in Scenes(limit=10, seed=seed).samples()} for seed in (1, 2)]
        assert not texts[0] & texts[1]

    @pytest.mark.parametrize("size", [(64, 64), (96, 160), (200, 128)])
    def test_size(self, size: tuple[int, int]):
        for sample in Scenes(limit=3, size=size).samples():
            assert sample.image.shape == (*size, 3) and sample.image.std() > 5

    def test_the_same_scene_in_more_pixels(self):
        """Apart from edges and noise, a larger picture reduces to the smaller one."""
        for small, large in zip(
            Scenes(limit=5).samples(), Scenes(limit=5, size=(128, 128)).samples(), strict=True
        ):
            reduced = large.image.reshape(64, 2, 64, 2, 3).mean((1, 3))
            assert small.text == large.text
            assert np.median(np.abs(reduced - small.image)) < 4
