"""Texts of models and servers as reasons and messages show them: one line, cut, without secrets."""

from __future__ import annotations

from semcore.wording.redaction import printable, redact

LONGEST_REASON = 300
"""Longest excerpt, characters."""


def short(text: str) -> str:
    """A text on one line, cut, without secrets and without what a terminal would obey."""
    line = " ".join(printable(redact(text)).split())  # whole: of half a secret nobody could tell that it is one
    return line if len(line) <= LONGEST_REASON else line[: LONGEST_REASON - 3] + "..."
