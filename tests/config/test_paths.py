"""Paths of settings, ranges, and any value in any place: read, or refused."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semcore.config.configuration import describe
from semcore.config.document import parse
from semcore.config.paths import flatten, points, read_override, set_path
from semcore.errors import ConfigError

from ..support.pipelines import BENCH, PIPELINE


def test_set_path_changes_a_copy() -> None:
    values = {"a": {"b": [1, {"c": 2}]}, "d": "name"}
    changed = set_path(values, "a.b.1.c", 3)
    assert changed == {"a": {"b": [1, {"c": 3}]}, "d": "name"}
    assert values == {"a": {"b": [1, {"c": 2}]}, "d": "name"}
    assert set_path(values, "d.x", 1)["d"] == {"use": "name", "x": 1}
    assert set_path(values, "e.f.g", 1)["e"] == {"f": {"g": 1}}
    for path, place in {
        "a.b.2": "a.b.2",
        "a.b.1.c.d": "a.b.1.c",
        "a.b.x.y": "a.b.x",
        "a.b.x": "a.b.x",
    }.items():
        with pytest.raises(KeyError) as caught:
            set_path(values, path, 1)
        assert caught.value.args[0] == place


PLAIN = st.recursive(
    st.integers() | st.text("abc", max_size=3),
    lambda inner: st.dictionaries(st.text("abc", min_size=1), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.text("abc", min_size=1), PLAIN))
def test_what_flatten_names_set_path_sets(values: dict[str, Any]) -> None:
    built: dict[str, Any] = {}
    for path, value in flatten(values).items():
        built = set_path(built, path, value) if path else built
    assert built == values


@given(st.floats(-1e6, 1e6), st.integers(1, 500), st.floats(1e-3, 1e3), st.booleans())
def test_a_range_reaches_its_end(start: float, count: int, step: float, down: bool) -> None:
    step = -step if down else step
    found = points(f"{start!r}:{start + (count - 1) * step!r}:{step!r}")
    assert found is not None and abs(len(found) - count) <= (abs(start) > 1e3)
    assert found[0] == pytest.approx(start)


@given(st.text(max_size=40))
def test_any_override_is_read_or_refused(text: str) -> None:
    for candidate in (text, f"channel.snr_db={text}"):
        try:
            read_override(candidate)
        except ConfigError as error:
            assert all(problem.where == candidate for problem in error.problems)


EXAMPLE = (
    (Path(__file__).parent / "errors" / "several_in_reading_order.yaml")
    .read_text()
    .replace("../../support/bench.py", str(BENCH))
)
WORDS = re.findall(r"[\w.-]+|[{}\[\]:,\n]| +", EXAMPLE)


@settings(max_examples=200)
@given(st.integers(0, 2**32))
def test_a_mutated_pipeline_is_fine_or_refused(seed: int) -> None:
    """Words swapped, dropped, doubled or replaced: never anything but ConfigError."""
    dice = random.Random(seed)
    words = list(WORDS)
    for _ in range(dice.randint(1, 5)):
        at = dice.randrange(len(words))
        other = dice.choice(
            [
                *WORDS,
                "",
                "~",
                "[]",
                "{}",
                "[1, a]",
                "{use: 3}",
                "{use: {use: flat}}",
                "1e400",
                "true",
                "0:1",
            ]
        )
        words[at] = dice.choice([other, words[at] + other, other + words[at]])
    try:
        document = parse("".join(words))
        experiment = describe(document)
        experiment.problems()
    except ConfigError as error:
        assert str(error)


@settings(max_examples=100)
@given(st.sampled_from(["source", "encoder", "transport", "channel", "generator", "selector", "kb",
                        "planner", "scenario", "metrics", "workflow", "workflows", "sweep", "hooks",
                        "name", "seed"]),
       st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
                    | st.sampled_from(["flat", "noise", "use", "channel.snr_db"]),
                    lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(st.sampled_from(["use", "a", "segments", "channel.snr_db"]),
                                      inner),
                    max_leaves=6))  # fmt: skip
def test_any_value_of_any_section_is_fine_or_refused(section: str, value: Any) -> None:
    document = parse(PIPELINE)
    document.values[section] = value
    try:
        describe(document).problems()
    except ConfigError as error:
        assert str(error)
