"""Numbers as text: significant digits, separators, and the same form within an interval."""

from __future__ import annotations

import pytest

from semcore.wording.numbers import number, with_interval


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0004, "4.00e-04"),
        (12.3456, "12.35"),
        (999.94, "999.9"),
        (8335.2, "8,335"),
        (9999.6, "10,000"),
        (-25639, "-25,639"),
        (float("inf"), "∞"),
        (None, "–"),
    ],
)
def test_thousands_are_separated_in_every_number(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("mean", "half", "text"),
    [
        (8822.0, 8335.0, "8,822 ±8,335"),
        (12682.0, 3838.0, "12,682 ±3,838"),
        (25.43, 1.31, "25.4 ±1.3"),
    ],
)
def test_a_mean_and_its_interval_have_the_same_separators(
    mean: float, half: float, text: str
) -> None:
    assert with_interval({"mean": mean, "low": mean - half, "high": mean + half}) == text
