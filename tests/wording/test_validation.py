"""What is wrong with a value: its kind, which decides the hint, and the text made of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge
from pydantic import BeforeValidator, ConfigDict, with_config
from typing_extensions import TypedDict

from semcore.component.base import check_value
from semcore.wording.validation import Kind


@with_config(ConfigDict(extra="forbid"))
class Rung(TypedDict):
    """A mapping with one key."""

    below: float


def refuse(reason: str) -> Any:
    def refused(value: Any) -> Any:
        raise ValueError(reason)

    return BeforeValidator(refused)


@pytest.mark.parametrize(
    ("annotation", "value", "path", "kind", "message"),
    [
        (int, 2.0, (), Kind.WHOLE, "must be a whole number, not 2.0"),
        (int | None, "x", (), Kind.WHOLE, "must be a whole number, not 'x'"),
        (None, 1, (), Kind.NOTHING, "must be nothing, not 1"),
        (float | Literal["auto"], "x", (), Kind.NUMBER, "must be a number or 'auto', not 'x'"),
        (str, 3, (), Kind.TEXT, "must be text, not 3"),
        (Literal["a", "b"], "c", (), Kind.CHOICE, "must be 'a' or 'b', not 'c'"),
        (Annotated[float, Ge(1)], 0.5, (), Kind.BOUND, "must be at least 1, not 0.5"),
        (tuple[float, ...], [1.0, "x"], (1,), Kind.NUMBER, "must be a number, not 'x'"),
        (tuple[int, int], [1], (), Kind.OTHER, "must be a list of 2, not a list of 1"),
        (tuple[Rung, ...], [{}], (0, "below"), Kind.MISSING, "is missing"),
        (tuple[Rung, ...], [{"below": 1.0, "up": 1}], (0, "up"), Kind.UNKNOWN, "is not known here"),
        (Annotated[float, refuse("must be odd")], "x", (), Kind.NUMBER, "must be odd, not 'x'"),
        (Annotated[str, refuse("must be odd")], "x", (), Kind.OTHER, "must be odd, not 'x'"),
        (Annotated[str, refuse("is odd")], "x", (), Kind.STATEMENT, "is odd"),
        (Annotated[str, refuse("no such file")], "x", (), Kind.REASON, "no such file: 'x'"),
    ],
)
def test_a_problem_has_a_kind_and_a_text(
    annotation: Any, value: Any, path: tuple[Any, ...], kind: Kind, message: str
) -> None:
    [problem] = check_value(annotation, value)[1]
    assert (problem.path, problem.kind, problem.message) == (path, kind, message)


def test_choices_are_known_as_values() -> None:
    [problem] = check_value(float | Literal["auto", "none"], "x")[1]
    assert [one.values for one in problem.choices] == [(), ("auto", "none")]
    assert problem.found == "x"
