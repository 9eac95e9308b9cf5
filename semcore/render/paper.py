"""Figures for print: the sizes and fonts of IEEE papers, PDF and PNG files.

No TeX: text is set in STIX, which ships with matplotlib and matches Times. The bytes of a file
depend on its figures alone.
"""

from __future__ import annotations

import functools
import io
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTHS_IN = {"column": 3.5, "page": 7.16}
"""Widths of a column and of a page of IEEE Transactions, in inches."""
PAGE_IN = 9.6
"""Height of a page of IEEE Transactions, in inches; no figure is taller."""
DPI = 300
STYLE: dict[Any, Any] = {
    "font.family": ["STIXGeneral", "DejaVu Sans"],
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "axes.linewidth": 0.6,
    "grid.linewidth": 0.4,
    "lines.linewidth": 1.1,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "pdf.fonttype": 42,  # TrueType, whole glyphs: journals refuse Type 3
    "mathtext.fontset": "stix",
    "axes.formatter.limits": (-3, 4),
    "axes.formatter.use_mathtext": True,
}


@contextmanager
def styled() -> Iterator[None]:
    """Set the style of printed figures within the context; fonts log errors only."""
    import matplotlib

    fonts = [logging.getLogger(name) for name in ("matplotlib.font_manager", "fontTools.subset")]
    levels = [logger.level for logger in fonts]
    try:
        for logger in fonts:
            logger.setLevel(logging.ERROR)
        with matplotlib.rc_context(STYLE):
            yield
    finally:
        for logger, level in zip(fonts, levels, strict=True):
            logger.setLevel(level)


def files_of(pages: Iterable[Figure]) -> dict[str, bytes]:
    """The files of a figure by their endings; call it within `styled`.

    Returns:
        one PDF of all pages (`pdf`) and a PNG per page (`png`, `2.png`, `3.png`, ...)
    """
    from matplotlib.backends.backend_pdf import PdfPages

    pdf, files = io.BytesIO(), dict[str, bytes]()
    no_dates = {"CreationDate": None, "Creator": None, "Producer": None}
    with PdfPages(pdf, metadata=no_dates) as book:
        for number, page in enumerate(pages, 1):
            book.savefig(page)
            png = io.BytesIO()
            page.savefig(png, format="png", dpi=DPI, metadata={"Software": None})
            files["png" if number == 1 else f"{number}.png"] = png.getvalue()
    return {"pdf": pdf.getvalue(), **files}


def printable_text(text: str) -> str:
    """Text for a figure, with U+FFFD for characters that its fonts lack.

    Fonts of the machine would be used for those, and the bytes would depend on them.
    """
    known = _glyphs()
    return plain_text("".join(c if ord(c) in known or c == "\n" else "\ufffd" for c in text))


def plain_text(text: str) -> str:
    """Text for matplotlib, which would read mathematics between dollar signs."""
    return text.replace("$", r"\$")


@functools.cache
def _glyphs() -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    fonts = [get_font(findfont(name)) for name in STYLE["font.family"]]
    return frozenset(code for font in fonts for code in font.get_charmap())
