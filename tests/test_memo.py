"""What is kept within a process: what was used last, each value computed once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from semcore.memo import LRU


def test_what_was_used_last_is_kept_and_computed_once() -> None:
    known, computed = LRU[int](2), []

    def value(key: object) -> int:
        return known.of(key, lambda: computed.append(key) or len(computed))

    assert [value(key) for key in "aabba"] == [1, 1, 2, 2, 1]
    assert value("c") == 3 and value("a") == 1, "the least recently used made room"
    assert value("b") == 4
    known.clear()
    assert value("c") == 5
    assert value(("c", 0)) == 6 and value(("c", 0)) == 6 and value("c") == 5


def test_sizes_are_bounded_together() -> None:
    known, computed = LRU[str](size=5, size_of=len), []

    def value(text: str) -> str:
        return known.of(text, lambda: computed.append(text) or text)

    for text in ("aa", "bb", "aa", "c", "aa", "bb", "too long", "too long", "aa"):
        assert value(text) == text
    assert computed == ["aa", "bb", "c", "too long", "aa"]
    assert value("bb") == "bb" and computed[-1] == "bb"
    known.clear()
    for text in ("aaa", "bb", "aaa", "bb"):
        value(text)
    assert computed[-2:] == ["aaa", "bb"], "nothing is held of what was forgotten"


def test_a_value_that_does_not_fit_is_replaced() -> None:
    known, computed = LRU[list[int]](size=4, size_of=len), []

    def longer(count: int) -> list[int]:
        def compute() -> list[int]:
            computed.append(count)
            return list(range(count))

        return known.of("a", compute, lambda value: len(value) >= count)[:count]

    assert [longer(count) for count in (2, 1, 3, 2)] == [[0, 1], [0], [0, 1, 2], [0, 1]]
    assert computed == [2, 3]
    known.of("b", lambda: [0])
    assert longer(3) == [0, 1, 2] and computed == [2, 3], "the size of the one replaced is free"


def test_a_value_may_need_others() -> None:
    known = LRU[int](64)

    def fibonacci(number: int) -> int:
        return known.of(
            number, lambda: number if number < 2 else fibonacci(number - 1) + fibonacci(number - 2)
        )

    assert fibonacci(40) == 102_334_155


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
