"""What flows between stages checks itself, and accounts are exact."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from semcore.errors import ComponentError
from semcore.types import (
    Bitstream,
    Candidates,
    Entry,
    Features,
    KnowledgeBase,
    Layout,
    Ledger,
    Picture,
    Sample,
    Semantics,
    Span,
    Symbols,
    Text,
    Tokens,
    apportion,
)

IMAGE = np.zeros((4, 5, 3), np.uint8)
VIDEO = np.zeros((2, 4, 5, 3), np.uint8)
SOUND = np.zeros(100, np.float32)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sample("a", image=IMAGE.astype(float)), "Sample.image must be uint8, not float64"),
        (lambda: Sample("a", image=[[1]]), "Sample.image must be uint8, not list"),
        (
            lambda: Sample("a", image=IMAGE[..., :1]),
            r"Sample.image must have shape \(H, W, 3\), not \(4, 5, 1\)",
        ),
        (lambda: Sample("a", image=IMAGE[0]), r"must have shape \(H, W, 3\)"),
        (lambda: Sample("a", video=VIDEO), "needs fps > 0"),
        (lambda: Sample("a", video=VIDEO, fps=0.0), "needs fps > 0"),
        (lambda: Sample("a", video=IMAGE, fps=25.0), r"must have shape \(T, H, W, 3\)"),
        (lambda: Sample("a", audio=SOUND), "needs sample_rate_hz > 0"),
        (
            lambda: Sample("a", audio=SOUND.astype(float), sample_rate_hz=8000),
            "must be float32, not float64",
        ),
        (
            lambda: Sample("a", audio=np.float32([0, np.nan]), sample_rate_hz=8000),
            "sound with values that are not finite",
        ),
        (
            lambda: Sample("a", audio=np.float32([np.inf, 0]), sample_rate_hz=8000),
            "sound with values that are not finite",
        ),
        (lambda: Sample("a", audio=SOUND[None], sample_rate_hz=8000), r"must have shape \(S\)"),
        (lambda: Text(b"x"), "Text.value must be str, not bytes"),
        (lambda: Bitstream("x"), "Bitstream.data must be bytes, not str"),
        (lambda: Bitstream(bytearray(b"x")), "must be bytes, not bytearray"),
        (lambda: Tokens(np.array([0, 5]), 5), r"must lie in 0\.\.4"),
        (lambda: Tokens(np.array([-1]), 5), r"must lie in 0\.\.4"),
        (lambda: Tokens(np.array([0], np.int32), 5), "must be int64"),
        (lambda: Features(np.zeros(3)), "must be float32"),
        (lambda: Picture(VIDEO), r"must have shape \(H, W, 3\)"),
        (lambda: Semantics("a", {"x": "text"}), "stream 'x' is a str"),
        (lambda: Candidates(()), "at least one candidate"),
        (lambda: Span(0, 0, 5, 0, "x", Text, uses={"data": 3}), "do not sum to its 5 columns"),
    ],
)
def test_what_is_wrong_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ComponentError, match=message):
        make()


def layout(
    lengths: tuple[int, ...], spans: tuple[Span, ...] = (), samples: int | None = None
) -> Layout:
    keys = tuple(f"k{row}" for row in range(len(lengths)))
    senders = tuple((f"s{i}", "") for i in range(len(lengths) if samples is None else samples))
    return Layout(lengths, spans, keys, senders)


def test_symbols_and_what_is_received_of_them_are_checked() -> None:
    values = torch.zeros(2, 5, dtype=torch.complex64)
    with pytest.raises(ComponentError, match="complex64"):
        Symbols(values.to(torch.complex128), layout((5, 3)))
    with pytest.raises(ComponentError, match="2 rows, but its layout describes 1"):
        Symbols(values, layout((5,)))
    with pytest.raises(ComponentError, match="a row of 6 symbols exceeds the 5 columns"):
        Symbols(values, layout((6, 3)))
    symbols = Symbols(values, layout((5, 3)))
    received = symbols.received(values, 0.5)
    assert received.noise_var.shape == (2, 5) and received.overhead == ({}, {}) == received.report
    with pytest.raises(ComponentError, match="one entry per row"):
        symbols.received(values, 0.5, overhead=[{}])
    with pytest.raises(ComponentError, match="Received.values must have shape"):
        symbols.received(values[:1], 0.5)


def test_everything_is_frozen() -> None:
    for one in (Sample("a"), Text("x"), Semantics("a"), Ledger(), KnowledgeBase()):
        with pytest.raises(FrozenInstanceError):
            setattr(one, next(iter(vars(one))), None)
    kb = KnowledgeBase()
    assert kb.add("u", Text("x")).of("u") == (Text("x"),) and kb.of("u") == ()


def test_source_values_and_bits() -> None:
    assert (
        Sample("a", image=IMAGE).source_values == 60 and Sample("a", image=IMAGE).source_bits == 480
    )
    both = Sample("a", video=VIDEO, fps=25.0, audio=SOUND, sample_rate_hz=8000)
    assert both.source_values == 220 and both.source_bits == 120 * 8 + 100 * 16
    assert Sample("a", text="é").source_bits == 16 and Sample("a", text="é").source_values == 0


def test_semantics_without_what_was_lost() -> None:
    sent = Semantics("a", {"x": Text("1"), "y": Bitstream(b"2")}, "u", {"x": False, "y": True})
    assert sent.text("x") == "1" and sent.text("y") is None and sent.text("z") is None
    part = sent.only(["y", "z"])
    assert (
        dict(part.streams) == {"y": Bitstream(b"2")}
        and dict(part.intact) == {"y": True}
        and part.user == "u"
    )
    assert part.arrived() and not sent.arrived() and not Semantics("a").arrived()
    lost = Semantics(
        "a", {"x": Text("1")}, "u", {"x": True, "y": False}
    )  # y was erased because its check failed
    assert (
        not lost.arrived()
        and lost.only(["x"]).arrived()
        and lost.only(["y"]).intact == {"y": False}
    )
    spans = (Span(0, 0, 2, 0, "x", Text), Span(1, 0, 2, 1, "x", Text))
    got = layout((2, 2), spans).semantics({(0, "x"): (Text("1"), True), (1, "x"): (None, False)})
    assert [dict(one.streams) for one in got] == [{"x": Text("1")}, {}]
    assert [dict(one.intact) for one in got] == [{"x": True}, {"x": False}]


@given(st.integers(0, 10**9), st.lists(st.integers(0, 1000), max_size=20))
def test_shares_sum_exactly_and_are_fair(total: int, weights: list[int]) -> None:
    shares = apportion(total, weights)
    assert len(shares) == len(weights) and all(
        isinstance(share, int) and share >= 0 for share in shares
    )
    if sum(weights):
        assert sum(shares) == total
        assert all(
            abs(share - total * weight / sum(weights)) < 1 + 1e-6 * total
            for share, weight in zip(shares, weights, strict=True)
        )
    else:
        assert not any(shares)


ENTRIES = st.builds(
    Entry,
    st.sampled_from("ab"),
    st.sampled_from("xy"),
    st.sampled_from(["data", "crc"]),
    st.integers(0, 99),
    st.integers(0, 99),
)
LEDGERS = st.builds(lambda entries: Ledger(tuple(entries)), st.lists(ENTRIES, max_size=8))


@given(LEDGERS, LEDGERS)
def test_ledgers_add_up(one: Ledger, other: Ledger) -> None:
    both = one + other
    for query in (
        {},
        {"sample": "a"},
        {"stream": "x"},
        {"kind": "crc"},
        {"sample": "b", "stream": "y", "kind": "data"},
    ):
        assert both.uses(**query) == one.uses(**query) + other.uses(**query)
        assert both.bits(**query) == one.bits(**query) + other.bits(**query)
    assert both.uses() == both.uses("a") + both.uses("b")
    assert (one + Ledger()) == one == (Ledger() + one)


@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(0, 20)), min_size=1, max_size=6),
    st.integers(0, 50),
)
def test_a_ledger_counts_every_use_once(samples: list[tuple[int, int]], pilots: int) -> None:
    """Two rows that samples share in turn; a row's channel uses are shared out to the last."""
    spans, ends = [], [0, 0]
    for index, (uses, bits) in enumerate(samples):
        row = index % 2
        spans.append(
            Span(row, ends[row], ends[row] + uses, index, "x", Text, bits={"data": bits, "crc": 8})
        )
        ends[row] += uses
    symbols = Symbols(
        torch.zeros(2, max(ends), dtype=torch.complex64),
        layout((ends[0], ends[1]), tuple(spans), len(samples)),
    )
    overhead = [{"pilots": pilots}, {"pilots": 2 * pilots if len(samples) > 1 else 0}]
    ledger = Ledger.of(symbols.received(symbols.values, 1.0, overhead=overhead))
    spent = pilots + (2 * pilots if len(samples) > 1 else 0)
    assert ledger.uses() == sum(ends) + spent
    assert ledger.uses(kind="pilots") == ledger.uses(stream="frame") == spent
    assert ledger.bits() == sum(bits + 8 for _, bits in samples)
    assert [ledger.uses(f"s{i}", "x") for i in range(len(samples))] == [uses for uses, _ in samples]
