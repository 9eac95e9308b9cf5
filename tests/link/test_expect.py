"""A plugin that returns the wrong thing is told so by name, before anything trips over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import semcore
from semcore.entrypoints import naming
from semcore.errors import ComponentError
from semcore.interfaces import Record
from semcore.link.expect import expect, expect_each, expect_values
from semcore.statistics.base import Quotient, Statistic
from semcore.statistics.kinds import Mean, Score, Share
from semcore.types import Ledger, Received, Sample, Semantics


@dataclass(frozen=True)
class Sloppy(semcore.ChannelModel):
    """Forgets what a channel returns."""

    def transmit(self, symbols: semcore.Symbols, rng: semcore.Rng) -> Any:
        return symbols.values


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(naming._local, ("channel", "sloppy"), Sloppy)


def test_the_wrong_type_is_named_with_the_mend() -> None:
    with pytest.raises(ComponentError) as caught:
        expect(Sloppy(), np.zeros(3), Received, "end with symbols.received(values, noise_var)")
    assert str(caught.value) == (
        "channel 'sloppy' must return Received, not ndarray: end with symbols.received(values, "
        "noise_var)"
    )


@pytest.mark.parametrize("made", [None, 3, {}, [None], [Sample("a")], (Semantics("a"), 3)])
def test_a_list_of_the_wrong_things(made: Any) -> None:
    with pytest.raises(
        ComponentError, match="channel 'sloppy' must return a list with one Semantics per sample"
    ):
        expect_each(Sloppy(), made, Semantics, ["a"])


def test_too_few_and_too_many() -> None:
    for count in (0, 2):
        with pytest.raises(ComponentError, match=f"returned {count} Semantics for 1 samples"):
            expect_each(Sloppy(), [Semantics("a")] * count, Semantics, ["a"])


def test_what_fits_passes_as_it_is() -> None:
    made = [Semantics("a"), Semantics("b")]
    assert expect_each(Sloppy(), tuple(made), Semantics, "ab") == made


@dataclass(frozen=True)
class Says(semcore.Metric):
    """Says what it is told to say, and declares a kind."""

    said: Any = None
    declared: Any = Score()

    @property
    def statistic(self) -> Statistic:  # type: ignore[override]
        """What is declared."""
        return self.declared

    def measure(self, records: Any) -> Any:
        return self.said


SCORE = Score()


def said(made: Any, kind: Statistic = SCORE) -> list[float | None]:
    record = Record(Sample("a"), Semantics("a"), Semantics("a"), Sample("a"), Ledger(()))
    naming._local["metric", "says"] = Says
    try:
        return expect_values(Says(made, kind), [record, record])
    finally:
        del naming._local["metric", "says"]


@pytest.mark.parametrize("made", [None, 3, 0.5, ["0.5", None], [[0.5], None]])
def test_values_that_are_no_numbers(made: Any) -> None:
    with pytest.raises(
        ComponentError, match="metric 'says' must return a list with one number or None per sample"
    ):
        said(made)


@pytest.mark.parametrize(
    ("made", "kind", "range"),
    [
        ([0.5, 1.4], Score(), "from 0 to 1"),
        ([-0.1, None], Score(), "from 0 to 1"),
        ([Quotient(7, 3), None], Share(), "from 0 to 1"),
        ([101, 3], Share(100.0), "from 0 to 100"),
        ([-1, 3], Mean(0.0), "from 0 to no bound"),
    ],
)
def test_values_beyond_the_range_that_a_metric_declares(
    made: Any, kind: Statistic, range: str
) -> None:
    with pytest.raises(
        ComponentError,
        match="metric 'says' returned .* for sample 'a', but its `statistic` declares values "
        f"{range}",
    ):
        said(made, kind)


def test_too_few_values() -> None:
    with pytest.raises(ComponentError, match="metric 'says' returned 1 values for 2 samples"):
        said([0.5])


def test_numbers_of_any_kind_pass() -> None:
    assert said([np.float32(0.5), None]) == [0.5, None] and said([1 + 1e-9, 0]) == [1 + 1e-9, 0.0]
    assert all(type(one) is float for one in said([np.float32(0.5), 1]))
    parts = said([Quotient(1, 3), np.float64(0.25)], Share())[0]
    assert isinstance(parts, Quotient) and parts.denominator == 3
    assert np.isnan(said([np.nan, 0.5])[0] or 0) and said([np.inf, 0.5], Mean(0.0)) == [np.inf, 0.5]
