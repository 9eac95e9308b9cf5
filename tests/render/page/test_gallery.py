"""What the page shows of single samples and of configurations."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import semcore
from semcore.render.page.configuration import Varied, common
from semcore.render.page.gallery import LONGEST, compare, thinned, visible
from semcore.render.page.gallery import _pieces as gallery_pieces
from semcore.runs.damage import damages


def test_the_gallery_compares_streams_and_not_their_summaries() -> None:
    sent = semcore.Semantics("k",
                             {"p": semcore.Bitstream(bytes(1228)), "q": semcore.Bitstream(bytes(4)),
                                   "t": semcore.Tokens(np.arange(5), 9),
                              "f": semcore.Features(np.ones((2, 2), np.float32)),
                                   "c": semcore.Text("a")})  # fmt: skip
    there = semcore.Semantics("k", {
        "p": semcore.Bitstream(bytes(1289)), "q": semcore.Bitstream(bytes(4)),
        "c": semcore.Text("b"), "t": semcore.Tokens(np.array([0, 1, 2, 4, 4]), 9),
        "f": semcore.Features(np.full((2, 2), 1.5, np.float32)),
    })  # fmt: skip
    assert damages(sent, there) == {
        "p": "1228 bytes sent, 1289 arrived, the first 1228 are the same",
        "q": "",
        "t": "1 of 5 tokens differ",
        "f": "error energy 0.25 of the signal's",
    }
    row = {
        "sent": {"p": "[Bitstream 1228 bytes]"},
        "arrived": {"p": "[Bitstream 1289 bytes]"},
        "differs": damages(sent, there),
    }
    pieces = gallery_pieces(row, "p", row["sent"]["p"])
    assert pieces[0] == ("same", "[Bitstream 1289 bytes]"), "no sign of a summary is marked"
    assert pieces[-1] == ("wrong", "1228 bytes sent, 1289 arrived, the first 1228 are the same")
    assert compare("x" * 400, "x" * 399 + "y")[-1] == ("wrong", " … and 100 more, not all as sent")


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_comparison_shows_exactly_what_arrived(sent: str, arrived: str) -> None:
    pieces = compare(sent, arrived)
    assert "".join(text for kind, text in pieces if kind in ("same", "wrong", "extra")) == visible(
        arrived
    )
    assert (sent == arrived) == all(kind == "same" for kind, _ in pieces)


def test_texts_of_one_length_are_compared_place_by_place_and_long_ones_are_cut() -> None:
    assert compare("a brown bird", "a crowm bird") == (
        ("same", "a "), ("wrong", "c"), ("same", "row"), ("wrong", "m"), ("same", " bird")
    )  # fmt: skip
    assert compare("x" * 5000, "x" * 5000) == (
        ("same", "x" * LONGEST),
        ("cut", f" … and {5000 - LONGEST} more"),
    )


@given(st.text())
def test_a_shown_text_holds_no_character_that_acts(text: str) -> None:
    assert len(visible(text)) == len(text)
    assert not re.search(
        "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", visible(text)
    )


@given(st.lists(st.integers(), min_size=1), st.integers(2, 10))
def test_thinning_keeps_the_ends_and_the_order(values: list[int], most: int) -> None:
    kept = thinned(list(enumerate(values)), most)
    assert len(kept) == min(len(values), most)
    assert kept[0] == (0, values[0]) and kept[-1] == (len(values) - 1, values[-1])
    assert kept == sorted(set(kept))


def test_what_configurations_have_in_common_is_kept_and_the_rest_is_marked() -> None:
    one = {"channel": {"use": "awgn", "snr_db": 0, "codec": None}, "seed": 1}
    two = {"channel": {"use": "awgn", "snr_db": 5, "codec": {"use": "x"}}, "seed": 1}
    assert common([one, two]) == {
        "channel": {"use": "awgn", "snr_db": Varied((0, 5)), "codec": Varied((None, {"use": "x"}))},
        "seed": 1,
    }
    assert common([one, one]) == one
