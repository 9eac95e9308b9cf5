"""Equal content gives equal digests; anything that makes a difference gives another."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import semcore
from semcore.component.digest import digest
from semcore.entrypoints import naming
from semcore.plugins import registry
from semcore.types import Sample, Semantics, Text

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=3)
    | st.binary(max_size=3)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=6,
)


def canonical(value: Any) -> Any:
    """A value that is equal for equal content, types included."""
    if isinstance(value, dict):
        return "map", tuple((key, canonical(value[key])) for key in sorted(value))
    if isinstance(value, (list, tuple)):
        return "list", tuple(map(canonical, value))
    return type(value).__name__, repr(value)


@given(VALUES, VALUES)
def test_digests_are_equal_exactly_when_content_is(one: Any, other: Any) -> None:
    assert (digest(one) == digest(other)) == (canonical(one) == canonical(other))


@given(st.dictionaries(st.text(), st.integers()), st.randoms())
def test_the_order_of_keys_makes_no_difference(value: dict[str, int], dice: Any) -> None:
    items = list(value.items())
    dice.shuffle(items)
    assert digest(dict(items)) == digest(value)


def test_boundaries_count() -> None:
    values: list[Any] = [
        "ab",
        ["a", "b"],
        ["ab", ""],
        [["a"], "b"],
        ["a", ["b"]],
        {"a": "b"},
        b"ab",
        None,
        "",
        [],
        {},
        0,
        False,
        0.0,
        "0",
    ]
    assert len({digest(value) for value in values}) == len(values)
    assert digest("a", "b") != digest("ab") and len(digest()) == 32
    assert digest(0.0) != digest(-0.0) and digest(float("nan")) == digest(float("nan"))


def test_arrays_count_with_type_shape_and_content() -> None:
    base = np.arange(6, dtype=np.uint8)
    others = [
        base.reshape(2, 3),
        base.reshape(3, 2),
        base.astype(np.int8),
        base[::-1],
        base.astype(np.float32),
    ]
    assert len({digest(array) for array in (base, *others)}) == 6
    assert digest(np.arange(12, dtype=np.uint8)[::2]) == digest(np.arange(0, 12, 2, dtype=np.uint8))
    assert digest(np.asfortranarray(base.reshape(2, 3))) == digest(base.reshape(2, 3))


def test_samples_count_with_everything_in_them() -> None:
    image = np.zeros((2, 2, 3), np.uint8)
    other = image.copy()
    other[1, 1, 2] = 1
    samples = [
        Sample("a", image=image),
        Sample("b", image=image),
        Sample("a", image=other),
        Sample("a", "u", image=image),
    ]
    assert len({digest(sample) for sample in samples}) == 4
    assert digest(Sample("a", image=image)) == digest(Sample("a", image=image.copy()))
    assert digest(Semantics("a", {"x": Text("1")})) != digest(Semantics("a", {"y": Text("1")}))


def test_components_count_with_kind_name_version_and_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @dataclass(frozen=True)
    class One(semcore.Selector):
        """One."""

        x: int = 1

        def select(self, candidates: Any, batch: Any, kb: Any) -> Any:
            return []

    @dataclass(frozen=True)
    class Two(One):
        """Two."""

    monkeypatch.setattr(naming, "_local", {})
    registry.register("selector", "one")(One)
    registry.register("selector", "two")(Two)
    assert digest(One()) == digest(One(1)) != digest(One(2))
    assert digest(One()) != digest(Two())
    before = digest(One())
    monkeypatch.setattr(naming, "provider", lambda kind, name: ("pkg", "2.0"))
    assert digest(One()) != before


def test_what_has_no_canonical_form_is_refused() -> None:
    for value in (object(), {1, 2}, Text):
        with pytest.raises(TypeError, match="no canonical form"):
            digest(value)


def test_digests_do_not_depend_on_the_process() -> None:
    code = (
        "from semcore.component.digest import digest; print(digest({'b': [1, 2.5, 'x'], 'a': "
        "None}))"
    )
    for seed in ("1", "2"):
        out = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert out.stdout.strip() == digest({"a": None, "b": [1, 2.5, "x"]})
