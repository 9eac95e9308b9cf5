"""How values are said among others: no two alike, no more than it takes, whatever they are."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from semcore.runs.labels import Labels, distinguish

LOOKUPS = [
    {"use": "lookup", "by": "snr_db", "given": {"workflow": "v2a", "kb.level": "forced"}},
    {"use": "lookup", "by": "snr_db", "given": {"workflow": "v2a", "kb.level": "l2"}},
    {"use": "lookup", "by": "snr_db"},
    {"use": "search"},
]
NESTED = [
    {"use": "a", "codec": {"use": "x", "quality": 1}},
    {"use": "a", "codec": {"use": "x", "quality": 2}},
    {"use": "a", "codec": {"use": "y", "rate": 0.5}},
]


def names(values: list[Any]) -> list[str]:
    say = distinguish(values)
    return [say(value) for value in values]


def test_sections_of_one_component_are_named_by_the_fewest_settings_that_tell_them_apart() -> None:
    assert names(LOOKUPS) == ["lookup (level forced)", "lookup (level l2)", "lookup", "search"]


def test_what_a_section_is_made_of_comes_before_its_settings() -> None:
    assert names(NESTED) == ["a (codec x, quality 1)", "a (codec x, quality 2)", "a (codec y)"]


def test_a_quantity_is_said_with_its_unit() -> None:
    assert names([{"use": "awgn", "snr_db": 3.0}, {"use": "awgn", "snr_db": 9.0}]) == [
        "awgn (SNR 3 dB)",
        "awgn (SNR 9 dB)",
    ]


def test_names_of_cells_take_the_sections_of_their_axis() -> None:
    labels = Labels({"planner": LOOKUPS, "seed": [1, 2]})
    assert labels.of({"planner": LOOKUPS[0], "seed": 2}) == "planner=lookup (level forced) seed=2"
    assert labels.of({"planner": LOOKUPS[3], "seed": 1}) == "planner=search seed=1"
    assert labels.of({}) == "(one cell)"
    assert (
        Labels.among([{"planner": one} for one in LOOKUPS]).of({"planner": LOOKUPS[1]})
        == "planner=lookup (level l2)"
    )


sections = st.dictionaries(st.sampled_from("pqr"), st.integers(0, 2), max_size=3).flatmap(
    lambda settings: st.sampled_from(("one", "other")).map(lambda use: {"use": use, **settings})
)


@given(
    st.lists(sections, min_size=1, max_size=6, unique_by=lambda one: sorted(one.items()).__repr__())
)
def test_no_two_sections_are_said_alike(values: list[dict[str, Any]]) -> None:
    assert len(set(names(values))) == len(values)
