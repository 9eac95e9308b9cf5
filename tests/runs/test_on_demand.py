"""Samples read on demand: the same results, and at most one segment of them in memory."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import semcore
from semcore import OnDemand, Sample
from semcore.component.digest import digest
from semcore.errors import ComponentError, RunError
from semcore.planning import session
from semcore.runs.cache import Cache
from semcore.runs.cell import cell_files
from semcore.runs.sources import load
from semcore.types import heads

ALIVE: set[int] = set()
MOST = 0


def grey(number: int) -> Sample:
    """A sample that is counted as long as somebody holds it."""
    global MOST
    sample = Sample(f"s{number}", f"u{number % 2}", image=np.full((8, 8, 3), 10 + number, np.uint8))
    ALIVE.add(id(sample))
    weakref.finalize(sample, ALIVE.discard, id(sample))
    MOST = max(MOST, len(ALIVE))
    return sample


@semcore.register("source", "greys-on-demand")
@dataclass(frozen=True)
class GreysOnDemand(semcore.Source):
    """Grey pictures, read when they are needed."""

    limit: int = 40
    known: bool = False
    eager: bool = False

    def samples(self) -> Sequence[Sample]:
        if self.eager:
            return [grey(number) for number in range(self.limit)]
        named = [(f"s{number}", f"u{number % 2}") for number in range(self.limit)]
        return OnDemand(
            named, grey, [f"grey {number}" for number in range(self.limit)] if self.known else ()
        )


def files(bench: Any, *overrides: str) -> dict[str, bytes]:
    experiment = bench.load(*overrides)
    cell = experiment.cells[0]
    samples = load(experiment.resolve(cell).source)[0]
    return cell_files("id", experiment, cell, samples, Cache(bench.folder / "cache"))


@pytest.mark.parametrize(
    "more", [[], ["planner={use: fixed, overrides: {}}"]], ids=["batches", "by-user"]
)
def test_results_are_those_of_samples_in_memory_and_few_are_held(
    bench: Any, monkeypatch: pytest.MonkeyPatch, more: list[str]
) -> None:
    global MOST
    monkeypatch.setattr(session, "BATCH_VALUES", 3 * 8 * 8 * 3)
    eager = files(bench, "source={use: greys-on-demand, eager: true}", *more)
    ALIVE.clear()
    MOST = 0
    lazy = files(bench, "source={use: greys-on-demand}", *more)
    assert MOST <= 3  # those of one batch alone
    assert eager.keys() == lazy.keys() and all(
        lazy[name] == data for name, data in eager.items() if name != "result.json"
    )


def test_an_equal_digest_whether_samples_are_in_memory_or_not() -> None:
    named = [("s0", "u0"), ("s1", "u1")]
    assert digest(OnDemand(named, grey)) == digest([grey(0), grey(1)]) == digest((grey(0), grey(1)))
    assert digest(OnDemand(named, grey)) != digest(OnDemand(named[:1], grey))


def test_with_digests_of_their_own_samples_are_not_read_to_be_known() -> None:
    def never(number: int) -> Sample:
        raise AssertionError(f"sample {number} was read")

    named = [("s0", "u0"), ("s1", "u1")]
    assert digest(OnDemand(named, never, ("a", "b"))) != digest(OnDemand(named, never, ("a", "c")))
    assert heads(OnDemand(named, never)) == named


def test_parts_and_places() -> None:
    samples = OnDemand(
        [(f"s{number}", f"u{number % 2}") for number in range(5)], grey, tuple("abcde")
    )
    assert [sample.id for sample in samples] == ["s0", "s1", "s2", "s3", "s4"]
    assert samples[-1].id == "s4" and [sample.id for sample in samples[1:4][::2]] == ["s1", "s3"]
    assert samples[1:4].digests == ("b", "c", "d") and len(samples[9:]) == 0
    with pytest.raises(IndexError):
        samples[5]


def test_what_is_read_must_be_what_was_announced() -> None:
    with pytest.raises(ComponentError, match="was read as"):
        OnDemand([("other", "u0")], grey)[0]
    with pytest.raises(ComponentError, match="2 digests"):
        OnDemand([("s0", "u0")], grey, ("a", "b"))


def test_a_run_refuses_names_that_are_given_twice_without_reading() -> None:
    @semcore.register("source", "twice")
    @dataclass(frozen=True)
    class Twice(semcore.Source):
        """The same name twice."""

        def samples(self) -> Sequence[Sample]:
            return OnDemand([("s0", "")] * 2, lambda number: grey(0), ("a", "b"))

    with pytest.raises(RunError, match="two samples the id 's0'"):
        load(Twice())


def test_batches_hold_few_large_samples_and_never_part_those_that_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session, "BATCH_VALUES", 3 * 8 * 8 * 3)
    samples = [grey(number) for number in range(10)]
    assert [len(batch) for batch in session._batches(samples, 64, 1)] == [3, 3, 3, 1]
    assert [len(batch) for batch in session._batches(samples, 64, 4)] == [4, 4, 2]
    assert [len(batch) for batch in session._batches(samples, 2, 1)] == [2] * 5
