"""The docstring of a component: its summary, and a description per field."""

from __future__ import annotations

import inspect
import re

from semcore.component.base import Component


def field_docs(docstring: str | None) -> dict[str, str]:
    """The `Fields:` part of a docstring: name -> description."""
    text = inspect.cleandoc(docstring or "")
    match = re.search(r"^Fields:\n((?:[ ]+.*\n?|\n)*)", text + "\n", re.MULTILINE)
    docs: dict[str, str] = {}
    name = ""
    for line in (match.group(1) if match else "").splitlines():
        found = re.match(r"^ {4}(\w+): (.*)$", line)
        if found:
            name = found.group(1)
            docs[name] = found.group(2)
        elif name and line.strip():
            docs[name] += " " + line.strip()
    return docs


def documentation(cls: type[Component]) -> dict[str, str]:
    """The documentation of each field of a component, inherited ones included."""
    docs: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        docs.update(field_docs(base.__doc__))
    return docs


_ABBREVIATED = re.compile(
    r"\b(eqs?|figs?|secs?|tabs?|chap|app|refs?|vol|pp|ed|eds|e\.g|i\.e|cf|vs|al|approx|resp|incl|(?-i:Nos?))\.$",
    re.IGNORECASE,
)
"""Abbreviations, whose full stop does not end a sentence."""


def summary(docstring: str | None) -> str:
    """The first sentence of a docstring, on one line."""
    return first_sentence(inspect.cleandoc(docstring or "").split("\n\n")[0])


def first_sentence(text: str) -> str:
    """The first sentence of a text, on one line, without the full stop or the colon that ends it.

    The full stop of an abbreviation (eq., Fig., e.g., et al.) does not end it.
    """
    text = " ".join(text.split())
    for end in re.finditer(r"[.:](?=\s|$)", text):
        if not _ABBREVIATED.search(text[: end.end()]):
            text = text[: end.end()]
            break
    return text.rstrip(".:")
