"""What is kept within a process: the newest, each computed once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from semcore.memo import LRU


def test_the_newest_are_kept_and_computed_once() -> None:
    known, computed = LRU[int](2), []

    def value(key: str) -> int:
        return known.of(key, lambda: computed.append(key) or len(computed))

    assert [value(key) for key in "aabba"] == [1, 1, 2, 2, 1]
    assert value("c") == 3 and value("b") == 2, "the oldest made room"
    assert value("a") == 4
    known.clear()
    assert value("c") == 5


def test_what_failed_is_asked_again() -> None:
    known = LRU[int](2)
    with pytest.raises(ZeroDivisionError):
        known.of("a", lambda: 1 // 0)
    assert known.of("a", lambda: 7) == 7


def test_threads_compute_a_value_once() -> None:
    known, computed = LRU[int](4), []
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda number: known.of(str(number % 4), lambda: computed.append(number) or number),
                range(200),
            )
        )
    assert len(computed) == 4
