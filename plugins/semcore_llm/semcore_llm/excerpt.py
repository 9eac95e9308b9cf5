"""Excerpts of texts from models and servers, for reasons and messages."""

from __future__ import annotations

from semcore import printable, redact

LONGEST_REASON = 300
"""Longest excerpt, characters."""


def short(text: str) -> str:
    """The text on one line, cut to `LONGEST_REASON`, without secrets and control characters."""
    line = " ".join(
        printable(redact(text)).split()
    )  # before cutting: half a secret would not be recognised
    return line if len(line) <= LONGEST_REASON else line[: LONGEST_REASON - 3] + "..."
