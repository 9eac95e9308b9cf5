"""The colours, markers and dashes of lines: the same in figures and on the page."""

from __future__ import annotations

from typing import Any

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#767676", "#e69f00", "#56b4e9")
"""Distinguishable with any colour vision (Okabe and Ito, without yellow and with grey for black).

They contrast with paper, and with a light and a dark page.
"""
MARKERS = "os^Dv<P>X*"
DASHES: tuple[Any, ...] = (
    "-",
    (0, (5, 1.5)),
    (0, (5, 1.5, 1, 1.5)),
    (0, (1.2, 1.2)),
    (0, (8, 2)),
    (0, (5, 1.5, 1, 1.5, 1, 1.5)),
)
"""With the markers they distinguish lines without any colour."""
STRENGTHS = (1.0, 0.68, 0.46, 0.3, 0.2)
"""Opacities of parts of one colour, the largest part first."""


def colour(index: int) -> str:
    """The colour of the line with an index; colours repeat."""
    return COLOURS[index % len(COLOURS)]


def strength(rank: int) -> float:
    """The opacity of the part with a rank."""
    return STRENGTHS[min(rank, len(STRENGTHS) - 1)]


def line_style(index: int, of: int) -> dict[str, Any]:
    """The style of one of several lines, as arguments of `Axes.plot`.

    Later lines have smaller markers, so that lines that coincide stay visible.
    """
    return {
        "color": colour(index),
        "marker": MARKERS[index % len(MARKERS)],
        "linestyle": DASHES[index % len(DASHES)],
        "markersize": 5.2 - 2.0 * index / max(of - 1, 1),
        "markerfacecolor": "white" if index % 2 else colour(index),
    }
