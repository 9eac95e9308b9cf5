"""What is told of fields: defaults can be pasted into a pipeline, types are in a user's words."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge, Lt
from hypothesis import example, given
from hypothesis import strategies as st
from typing_extensions import TypedDict

import semcore
from semcore.component.base import plain, required
from semcore.config.document import parse
from semcore.config.fields import default, description, fields_of, type_name, written
from semcore.entrypoints import naming
from semcore.plugins import registry

INSTALLED = [entry for kind in naming.KINDS for entry in naming.installed(kind)]


def read(text: str) -> Any:
    return parse(f"x: {text}\n", "here").values["x"]


@pytest.mark.parametrize("entry", INSTALLED, ids=lambda entry: f"{entry.kind}:{entry.name}")
def test_every_default_is_shown_as_a_pipeline_would_have_it(entry: naming.PluginEntry) -> None:
    cls = registry.load(entry.kind, entry.name)
    for field, told in zip(dataclasses.fields(cls), fields_of(cls), strict=True):
        assert (told.default is None) == required(field) and told.doc
        if told.default is not None:
            assert read(told.default) == plain(default(field)), field.name


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-99999, 99999)
    | st.text(st.characters(codec="utf-8", exclude_categories=["C"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("ab: 1", min_size=1), inner),
)


@given(VALUES)
@example("")
@example("null")
@example("true")
@example("28e9")
@example("a, b]")
@example("a: b # c")
@example("it's")
@example(["1", 1, None, "~", {"a: b": "{}"}])
def test_what_is_written_is_read_as_it_was(value: Any) -> None:
    assert read(written(value)) == value


def test_numbers_are_short() -> None:
    assert [written(one) for one in (28e9, 0.5, 3e-6, 20.0, 8448)] == [
        "28e9",
        "0.5",
        "3e-6",
        "20",
        "8448",
    ]


class Rung(TypedDict):
    below: float
    set: dict[str, Any]


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (Annotated[float, Ge(0.5e9), Lt(100e9)] | None, "number ≥ 500e6 < 100e9 | null"),
        (tuple[Annotated[int, Ge(1)], ...], "[whole number ≥ 1, ...]"),
        (Literal["ls", "perfect"], "'ls' | 'perfect'"),
        (dict[str, bool], "a mapping: text → true or false"),
        (semcore.Codec | None, "a codec | null"),
        (tuple[Rung, ...], "[{below: number, set: a mapping: text → any value}, ...]"),
    ],
)
def test_a_type_in_words(annotation: Any, words: str) -> None:
    assert type_name(annotation) == words


def test_the_description_ends_where_the_fields_begin() -> None:
    @dataclass(frozen=True)
    class Some(semcore.Source):
        """Says that Fields: matter.

        Fields:
            path: where
        """

        path: str

    assert description(Some) == "Says that Fields: matter."
