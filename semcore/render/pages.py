"""Figures as files: PDF and PNG, a page each that no printed one is too small for. The bytes depend on the figures alone."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 300
PAGE_IN = 9.6
"""Height of a printed page of IEEE Transactions, in inches: no page of ours is taller."""


def files_of(pages: Iterator[Figure]) -> dict[str, bytes]:
    """Pages as one PDF (`pdf`) and a PNG each (`png`, `2.png`, `3.png`, ...), by their endings; the caller sets the style."""
    from matplotlib.backends.backend_pdf import PdfPages

    buffer, files = io.BytesIO(), dict[str, bytes]()
    with PdfPages(buffer, metadata={"CreationDate": None, "Creator": None, "Producer": None}) as pdf:
        for number, page in enumerate(pages, 1):
            pdf.savefig(page)
            files["png" if number == 1 else f"{number}.png"] = _saved(page, "png", dpi=DPI, metadata={"Software": None})
    return {"pdf": buffer.getvalue(), **files}


def _saved(figure: Figure, kind: str, **how: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, **how)
    return buffer.getvalue()
