"""What a law is, and how one is broken."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from semcore.errors import RunError
from semcore.types import Sample, Semantics


class LawBroken(AssertionError):
    """A component does not keep a law; the message says where and what it should have been."""


class NotApplicable(Exception):
    """A law has nothing to say about this component; the message says why."""


def require(holds: object, message: str) -> None:
    """Break the law with `message` unless `holds`. Not `assert`, which `python -O` leaves out."""
    if not holds:
        raise LawBroken(message)


@dataclass(frozen=True, eq=False)
class Given:
    """What a component is tried on.

    Fields:
        samples: what encoders, knowledge-base policies and metrics are given
        batch: what arrived, for generators and selectors; what is sent, for transports
        use: puts a component to use (every method of its interface, on the above) and returns what
            came out
    """

    samples: tuple[Sample, ...]
    batch: tuple[Semantics, ...]
    use: Callable[[Any], Any]


Check = Callable[[Any, Given], None]
"""A law as it is written: a function of a component and what it is tried on, which raises
`LawBroken` or `NotApplicable`."""


@dataclass(frozen=True)
class Law:
    """A law of one component.

    Fields:
        name: what it is called
        doc: what it says
        check: tries it; raises `LawBroken`, or `NotApplicable`, or whatever the component raises
    """

    name: str
    doc: str
    check: Callable[[], None]

    @classmethod
    def of(cls, check: Check, component: Any, given: Callable[[], Given]) -> Law:
        """The law `check` of `component`; `given` makes what it is tried on."""
        name = getattr(check, "__name__", "law").replace("_", "-")

        def tried() -> None:
            try:
                check(component, given())
            except RunError as error:
                if unusable := _unusable(component, given()):
                    raise NotApplicable(unusable) from error
                raise

        return cls(name, inspect.getdoc(check) or "", tried)


def _unusable(component: Any, given: Given) -> str:
    """Why a component cannot be put to use on this machine at all (its weights are not here, say),
    or ""."""
    try:
        given.use(component)
    except RunError as error:
        return str(error)
    return ""


@dataclass(frozen=True)
class Verdict:
    """What became of a law.

    Fields:
        law: the law
        result: whether it holds
        message: how it is broken, or why it does not apply
    """

    law: Law
    result: Literal["holds", "broken", "not applicable"]
    message: str = ""
