"""The drawn sample pictures."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from semcore.testing import conformance
from semcore_image.sources.drawings import DRAWINGS
from semcore_image.sources.samples import PALETTES, SamplePictures
from semcore_image.sources.scene import COLOURS

test_conformance = conformance(SamplePictures(limit=3))

SAMPLES = SamplePictures(limit=40).samples()


def test_ids_are_unique_and_classes_come_in_turn():
    assert len({sample.id for sample in SAMPLES}) == 40
    assert [sample.label for sample in SAMPLES[:10]] == sorted(DRAWINGS)
    assert set(Counter(sample.label for sample in SAMPLES).values()) == {4}
    assert all(sample.id.startswith(f"{sample.label}-") for sample in SAMPLES)


def test_a_picture_does_not_depend_on_how_many_are_asked_for():
    for few, many in zip(SamplePictures(limit=13).samples(), SAMPLES, strict=False):
        assert few.id == many.id and few.text == many.text and np.array_equal(few.image, many.image)


def test_seeds_give_other_pictures():
    other = SamplePictures(limit=10, seed=2).samples()
    assert not any(
        np.array_equal(one.image, two.image) for one, two in zip(SAMPLES, other, strict=False)
    )


@pytest.mark.parametrize("size", [(32, 32), (48, 64), (16, 16)])
def test_size(size: tuple[int, int]):
    for sample in SamplePictures(limit=10, size=size).samples():
        assert sample.image.shape == (*size, 3) and sample.image.std() > 10


def test_palettes_leave_a_colour_beside_every_background():
    assert PALETTES.keys() == DRAWINGS.keys()
    for colours, backgrounds in PALETTES.values():
        assert {*colours, *backgrounds} <= COLOURS.keys()
        assert all(set(colours) - {background} for background in backgrounds)


def test_the_caption_names_the_background_that_the_border_shows():
    """Of the named background colours, the border's mean hue is nearest to the caption's, for
    nearly all pictures."""
    names = sorted(
        {background for _, backgrounds in PALETTES.values() for background in backgrounds}
    )
    right = 0
    for sample in SAMPLES:
        pixels = sample.image.astype(float) / 255
        border = np.concatenate(
            [pixels[:3].reshape(-1, 3), pixels[:, :2].reshape(-1, 3), pixels[:, -2:].reshape(-1, 3)]
        )
        colour = np.median(border, axis=0)
        nearest = min(names, key=lambda name: np.square(colour - COLOURS[name]).sum())
        right += nearest == sample.text.split()[-2]
    assert right >= 0.85 * len(SAMPLES)
