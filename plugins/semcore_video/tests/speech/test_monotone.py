"""Durations of consecutive phones: they sum to the total, and have the best score."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from semcore_video.speech.monotone import durations_by_viterbi


def test_durations_that_the_moments_tell_are_found() -> None:
    true = np.array([3, 9, 4, 12, 2])
    scores = np.full((true.sum(), len(true)), -5.0)
    scores[np.arange(true.sum()), np.repeat(np.arange(len(true)), true)] = 0.0
    np.testing.assert_array_equal(durations_by_viterbi(scores, np.full(5, 6.0), 0.5, 40), true)


def test_without_a_word_from_the_moments_they_are_the_usual_ones() -> None:
    usual = np.array([4.0, 8.0, 12.0, 6.0])
    np.testing.assert_array_equal(durations_by_viterbi(np.zeros((30, 4)), usual, 0.5, 40), usual)


@pytest.mark.parametrize("seed", range(4))
def test_no_other_durations_are_likelier(seed: int) -> None:
    """Compared with all divisions of nine steps among three phones."""
    rng = np.random.default_rng(seed)
    scores, usual = rng.normal(size=(9, 3)), rng.uniform(1, 5, 3)

    def likely(durations: tuple[int, ...]) -> float:
        owner = np.repeat(np.arange(3), durations)
        pace = -np.square(np.log(np.array(durations) / usual) / 0.4) / 2
        return float(scores[np.arange(9), owner].sum() + pace.sum())

    ways = [way for way in itertools.product(range(1, 8), repeat=3) if sum(way) == 9]
    assert tuple(durations_by_viterbi(scores, usual, 0.4, 40).tolist()) == max(ways, key=likely)


def test_time_is_filled_however_much_or_little_there_is() -> None:
    for count, phones in ((5, 5), (200, 2), (7, 1)):
        found = durations_by_viterbi(np.zeros((count, phones)), np.full(phones, 8.0), 0.5, 10)
        assert found.sum() == count and found.min() >= 1
    with pytest.raises(ValueError, match="3 phones do not fit into 2 time steps"):
        durations_by_viterbi(np.zeros((2, 3)), np.ones(3), 0.5, 10)
