"""Intervals fit their kind: they keep to the range, cover as stated, and have no hole at 0."""

from __future__ import annotations

import math
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from semcore.statistics.base import KINDS, Quotient, Statistic, statistic_of
from semcore.statistics.intervals import Estimate
from semcore.statistics.kinds import Decibels, Mean, Ratio, Score, Share

ONE = (
    Share(),
    Share(100.0),
    Score(-1.0, 1.0),
    Mean(0.0),
    Ratio(0.0, whole=1.0),
    Ratio(0.0),
    Decibels(),
)


def ends(found: Estimate) -> tuple[float, float]:
    assert found.low is not None and found.high is not None
    return found.low, found.high


@pytest.mark.parametrize(("wrong", "of"), [(0, 3), (3, 3), (1, 3), (0, 20), (7, 20), (0, 1)])
def test_the_interval_of_a_share_is_clopper_pearsons(wrong: int, of: int) -> None:
    found = Share().of([1.0] * wrong + [0.0] * (of - wrong))
    expected = stats.binomtest(wrong, of).proportion_ci(0.95, "exact")
    assert (found.n, found.mean) == (of, pytest.approx(wrong / of))
    assert ends(found) == (pytest.approx(expected.low), pytest.approx(expected.high))
    per_cent = Share(100.0).of([100.0] * wrong + [0.0] * (of - wrong))
    assert ends(per_cent) == (pytest.approx(100 * expected.low), pytest.approx(100 * expected.high))


def test_bits_of_a_sample_are_no_independent_trials() -> None:
    """0 wrong bits of 3000 in 3 samples say what 0 of 3 samples say; so do 3 lost ones."""
    assert ends(Share().of([Quotient(0, 1000)] * 3)) == (0.0, pytest.approx(0.7076, abs=1e-4))
    low, high = ends(Share().of([Quotient(500, 1000)] * 3))
    assert low < 0.1 and high > 0.9
    spread = Share().of([Quotient(wrong, 1000) for wrong in (10, 11, 9, 10, 12, 8, 10, 11, 9, 10)])
    assert ends(spread)[1] - ends(spread)[0] < 0.01, (
        "ten samples that are alike say more than ten bits"
    )


def test_a_share_is_that_of_all_trials() -> None:
    assert Share().of([Quotient(10, 100), Quotient(0, 900)]).mean == pytest.approx(0.01)
    assert Ratio(whole=1.0).of([Quotient(1, 2), Quotient(0, 8)]).mean == pytest.approx(0.1)


values_of = {
    "share": st.integers(0, 8).map(lambda wrong: Quotient(wrong, 8)),
    "score": st.floats(-1, 1),
    "mean": st.floats(0, 1e6),
    "ratio": st.tuples(st.integers(0, 9), st.integers(1, 9)).map(lambda both: Quotient(*both)),
    "decibels": st.floats(-10, 90) | st.just(math.inf),
}


@pytest.mark.parametrize("kind", ONE, ids=lambda kind: str(kind))
@given(data=st.data())
def test_no_interval_leaves_the_range_or_is_not_a_number(
    kind: Statistic, data: st.DataObject
) -> None:
    strategy = (
        values_of[kind.kind]
        if not (isinstance(kind, Share) and kind.whole == 100)
        else st.sampled_from([0.0, 100.0])
    )
    values = data.draw(st.lists(strategy, min_size=1, max_size=6))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = kind.of(values)
        apart = kind.difference(values, values[::-1])
    least, most = kind.range
    for estimate in (found, apart):
        for value in (estimate.mean, estimate.low, estimate.high):
            assert value is None or math.isfinite(value)
        if estimate.low is not None and estimate.high is not None and estimate.mean is not None:
            assert estimate.low - 1e-9 <= estimate.mean <= estimate.high + 1e-9
    if found.low is not None and found.high is not None:
        assert (least is None or found.low >= least) and (most is None or found.high <= most)
    assert kind.mean(values) == pytest.approx(found.mean)
    assert (level := kind.level(values)) is not None and math.isfinite(level)


def coverage(
    kind: Statistic, truth: float, draw: Callable[[], list[float]], runs: int = 150
) -> float:
    found = [ends(kind.of(draw())) for _ in range(runs)]
    return float(np.mean([low <= truth <= high for low, high in found]))


@pytest.mark.parametrize("n", [3, 6, 20])
def test_intervals_cover_as_often_as_they_say(n: int) -> None:
    rng = np.random.default_rng(n)

    def bits(rates: np.ndarray) -> list[float]:
        return [Quotient(int(rng.binomial(500, rate)), 500) for rate in rates]

    def words() -> list[float]:
        return [
            Quotient(int(rng.binomial(count, 0.2)), int(count)) for count in rng.integers(3, 12, n)
        ]

    assert coverage(Share(), 0.1, lambda: [float(rng.random() < 0.1) for _ in range(n)]) >= 0.95
    assert coverage(Share(), 0.05, lambda: bits(0.5 * (rng.random(n) < 0.1))) >= 0.95, (
        "whole samples are lost"
    )
    assert coverage(Share(), 0.02, lambda: bits(np.full(n, 0.02))) >= 0.93
    assert coverage(Share(), 1 / 11, lambda: bits(rng.beta(0.5, 5, n))) >= 0.88
    assert coverage(Score(0.0, 1.0), 5 / 7, lambda: list(rng.beta(5, 2, n))) >= 0.9
    assert coverage(Ratio(whole=1.0), 0.2, words) >= 0.9


def test_equal_values_are_no_error() -> None:
    for kind in (Score(-1.0, 1.0), Mean(0.0)):
        for n in (2, 3, 30):
            assert kind.of([0.25] * n) == Estimate(n, 0.25, 0.25, 0.25)
    for n in range(2, 12):
        found = Ratio().of([0.1 + 0.2] * n)
        assert (
            found.low is not None
            and found.high is not None
            and found.low <= (found.mean or 0) <= found.high
        )
    assert ends(Ratio(whole=1.0).of([Quotient(0, 6)] * 3))[1] == pytest.approx(0.7076, abs=1e-4)
    assert Ratio().of([Quotient(0, 6)] * 3) == Estimate(3, 0.0), (
        "nothing says how great the rate may be"
    )


def test_a_bootstrap_depends_on_the_values_alone() -> None:
    values = [0.1, 0.5, 0.9, 0.7]
    assert Score().of(values) == Score().of(values)


def test_exact_pictures_are_no_decibels_of_the_mean() -> None:
    found = Decibels().of([math.inf, 30.0, 40.0])
    assert (found.n, found.mean, found.exact) == (2, 35.0, 1)
    assert found.joint == pytest.approx(-10 * math.log10((1e-3 + 1e-4) / 3))
    assert Decibels().of([math.inf] * 3) == Estimate(0, None, exact=3)
    assert Decibels().level([math.inf, 30.0]) > 30.0  # type: ignore[operator]


def test_differences_are_paired() -> None:
    rng = np.random.default_rng(1)
    one = list(rng.uniform(0.2, 0.8, 10))
    other = [value + 0.01 + 0.001 * float(rng.standard_normal()) for value in one]
    low, high = ends(Score().difference(other, one))
    assert 0 < low < 0.01 < high < 0.02
    assert ends(Share().difference([1.0] * 3, [0.0] * 3))[0] < 0, "three samples decide nothing"
    assert ends(Share().difference([1.0] * 12, [0.0] * 12))[0] > 0
    assert ends(Share().difference([0.0] * 3, [0.0] * 3)) == (
        pytest.approx(-0.768, abs=1e-3),
        pytest.approx(0.768, abs=1e-3),
    )


def test_a_share_without_difference_is_rarely_called_one() -> None:
    rng = np.random.default_rng(2)

    def draw() -> list[float]:
        return [float(rng.random() < 0.3) for _ in range(15)]

    found = [ends(Share().difference(draw(), draw())) for _ in range(200)]
    assert np.mean([not low <= 0 <= high for low, high in found]) <= 0.05


@pytest.mark.parametrize("kind", ONE, ids=lambda kind: str(kind))
def test_results_hold_the_kind(kind: Statistic) -> None:
    assert statistic_of(kind.described) == kind and kind.kind in KINDS


@pytest.mark.parametrize("described", [
    {}, {"kind": "other"}, {"kind": "share", "whole": 0}, {"kind": "share"},
    {"kind": "score", "low": "x", "high": 1},
    {"kind": "ratio", "low": 0, "high": None, "whole": -1},
    {"kind": "mean", "low": math.inf, "high": None}, {"kind": []},
])  # fmt: skip
def test_a_kind_that_is_none_is_refused(described: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        statistic_of(described)


def test_a_quotient_is_its_value_and_keeps_its_parts() -> None:
    value = Quotient(3, 8)
    assert value == 0.375 and (value.numerator, value.denominator) == (3.0, 8.0)
    again = pickle.loads(pickle.dumps(value))
    assert again == value and (again.numerator, again.denominator) == (3.0, 8.0)
