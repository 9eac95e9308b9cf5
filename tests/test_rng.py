"""Random numbers have an address: whoever draws them, when, and beside whom makes no difference."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from semcore.rng import Rng

NAMES = st.lists(st.text(max_size=4), max_size=4)


@given(st.integers(0, 2**64), NAMES, NAMES)
def test_an_address_is_its_parts_in_order(seed: int, one: list[str], other: list[str]) -> None:
    assert Rng(seed).at(*one).at(*other) == Rng(seed).at(*one, *other)
    if one != other and "\x1f" not in "".join(one + other):
        assert Rng(seed).at(*one).integer() != Rng(seed).at(*other).integer()


def test_addresses_are_the_same_on_every_machine_and_in_every_process() -> None:
    assert Rng(2024).at("channel", "kodim01").integer() == 4733480276169652548
    assert 0 <= Rng(0).integer() < 2**63
    assert Rng(1).at(2, "x") == Rng(1, ("2", "x"))


def test_an_address_cannot_be_read() -> None:
    """A receiver's component sees neither seed nor path of its Rng, nor the pseudonym's key."""
    rng = Rng(2024, ("generator",)).alias({"4f2a": "airplane-01"}).at("4f2a")
    seen = [repr(rng), str(rng), f"{rng!r}", *map(repr, (getattr(rng, name) for name in dir(rng)))]
    assert not any(word in text for word in ("airplane", "generator", "2024") for text in seen)
    assert not hasattr(rng, "seed") and not hasattr(rng, "path") and not hasattr(rng, "__dict__")
    for attempt in (lambda: pickle.dumps(rng), lambda: vars(rng), lambda: dataclasses.fields(rng)):  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            attempt()
    assert copy.deepcopy(rng) is rng
    with pytest.raises(AttributeError):
        rng.path = ("mine",)  # type: ignore[attr-defined]


@given(st.integers(0, 2**64), NAMES)
def test_an_alias_leads_where_its_key_does_and_nothing_else_changes(
    seed: int, below: list[str]
) -> None:
    rng = Rng(seed, ("stage",))
    known = rng.alias({"one": "1", "two": "b"})
    assert known.at("x", "one", *below) == rng.at("x", "1", *below)
    assert known.at("one+two", *below) == rng.at("1+b", *below)
    assert known.at("three", *below) == rng.at("three", *below)
    assert known.root() == rng.root() == Rng(seed)


def test_drawing_changes_neither_the_address_nor_any_global_state() -> None:
    before = (
        random.getstate(),
        np.random.get_state()[1].tolist(),
        torch.random.get_rng_state().tolist(),
    )
    rng = Rng(7).at("x")
    first = (
        rng.numpy().standard_normal(3),
        torch.randn(3, generator=rng.torch()),
        rng.complex_normal(("a",), (3,)),
    )
    again = (
        rng.numpy().standard_normal(3),
        torch.randn(3, generator=rng.torch()),
        rng.complex_normal(("a",), (3,)),
    )
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
    assert before == (
        random.getstate(),
        np.random.get_state()[1].tolist(),
        torch.random.get_rng_state().tolist(),
    )


@given(
    st.lists(st.tuples(st.text(max_size=3), st.integers(0, 40)), min_size=1, max_size=6),
    st.integers(0, 60),
    st.randoms(),
)
def test_a_row_depends_on_nothing_but_its_key(
    rows: list[tuple[str, int]], width: int, dice: random.Random
) -> None:
    rng = Rng(3)
    keys, lengths = tuple(key for key, _ in rows), tuple(length for _, length in rows)
    whole = rng.complex_normal(keys, lengths, width)
    assert whole.dtype == torch.complex64 and whole.shape == (len(rows), max(width, *lengths))
    order = list(range(len(rows)))
    dice.shuffle(order)
    shuffled = rng.complex_normal(
        tuple(keys[i] for i in order), tuple(lengths[i] for i in order), width
    )
    assert torch.equal(shuffled, whole[order])
    for row, (key, length) in enumerate(rows):
        assert torch.equal(rng.complex_normal((key,), (length,))[0], whole[row, :length])
        assert not whole[row, length:].any()


def test_the_numbers_are_circular_gaussian_of_unit_variance_and_rows_are_independent() -> None:
    one, other = Rng(5).complex_normal(("a", "b"), (20_000, 20_000)).numpy().astype(complex)
    for part in (one.real, one.imag):
        assert stats.kstest(part * np.sqrt(2), "norm").pvalue > 1e-3
    assert abs(np.mean(np.abs(one) ** 2) - 1) < 4 / np.sqrt(20_000)
    for product in (one * other.conj(), one * other, one * one):
        assert abs(np.mean(product)) < 4 * np.sqrt(2 / 20_000)
