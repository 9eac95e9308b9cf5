"""Numbers of things in a sentence."""

from __future__ import annotations


def plural(count: int, noun: str) -> str:
    """`1 cell`, `3 cells`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
