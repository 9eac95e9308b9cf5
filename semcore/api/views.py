"""Plots, frames and tables that a notebook shows, and that can be saved."""

from __future__ import annotations

import base64
import functools
import html
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from semcore.analysis.chart import Chart
from semcore.analysis.table import Table
from semcore.render import caption, csv
from semcore.render import table as text
from semcore.storage import write_output
from semcore.wording.plural import plural

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from semcore.render.frames import Strip


@dataclass(frozen=True, eq=False)
class ResultPlot:
    """A plot; a notebook shows it.

    Fields:
        chart: the numbers that are drawn
        width: `column` or `page` of an IEEE paper
        scale: of the y axis
    """

    chart: Chart
    width: str = "column"
    scale: str = "auto"

    def figure(self) -> Figure:
        """A figure of matplotlib, to be changed and saved."""
        from semcore.render.figure import figure_of
        from semcore.render.paper import styled

        with styled():
            return figure_of(self.chart, self.width, self.scale)

    @functools.cached_property
    def caption(self) -> str:
        """What it shows, how many samples are behind it, and what its numbers mean."""
        return caption.of_figure(self.chart, self.scale)

    @property
    def csv(self) -> str:
        """The numbers that are drawn."""
        return csv.of_chart(self.chart)

    def files(self) -> dict[str, bytes]:
        """Its files by ending: PDF, PNG, its numbers as CSV and its caption as text."""
        from semcore.render.figure import draw

        return {
            **draw(self.chart, self.width, self.scale),
            "csv": self.csv.encode(),
            "txt": f"{self.caption}\n".encode(),
        }

    def save(self, path: str | os.PathLike[str]) -> list[Path]:
        """Write the plot as PDF and PNG, its numbers as CSV and its caption as text.

        Args:
            path: of the files, without ending or with one of theirs

        Returns:
            the files
        """
        return _save(self.files(), Path(path))

    def __repr__(self) -> str:
        return f"<plot of {', '.join(self.chart.metrics)} over {self.chart.x}>"

    def _repr_png_(self) -> bytes:
        from semcore.render.figure import draw

        return draw(self.chart, self.width, self.scale)["png"]


@dataclass(frozen=True, eq=False)
class ResultFrames:
    """One sample in every cell, with its source; a notebook shows it.

    Fields:
        sample: its name
        strips: the source, then what each cell delivered: labels, frames uint8 (H, W, 3), and
            their times in s
        width: `column` or `page` of an IEEE paper
    """

    sample: str
    strips: Sequence[Strip]
    width: str = "page"

    def files(self) -> dict[str, bytes]:
        """Its files by ending: PDF, and a PNG per page."""
        from semcore.render.frames import draw

        return draw(self.strips, self.width)

    def save(self, path: str | os.PathLike[str]) -> list[Path]:
        """Write it as PDF and PNG; `path` as in `ResultPlot.save`."""
        return _save(self.files(), Path(path))

    def __repr__(self) -> str:
        return f"<sample {self.sample}: source and {plural(len(self.strips) - 1, 'cell')}>"

    def _repr_html_(self) -> str:
        pages = (data for ending, data in self.files().items() if ending.endswith("png"))
        return "".join(
            f'<img alt="{html.escape(self.sample)}" style="max-width:100%" '
            f'src="data:image/png;base64,{base64.b64encode(page).decode()}">'
            for page in pages
        )


def _save(files: Mapping[str, bytes], base: Path) -> list[Path]:
    """Write files by ending; one of the endings may stand at the end of `base`."""
    if base.suffix.removeprefix(".") in files:
        base = base.with_suffix("")
    written = [base.with_name(f"{base.name}.{ending}") for ending in files]
    for one, data in zip(written, files.values(), strict=True):
        write_output(one, data)
    return written


@dataclass(frozen=True, eq=False)
class ResultTable:
    """A table with 95 % intervals; a notebook shows it, `print` writes Markdown.

    Fields:
        table: its content
    """

    table: Table

    def __str__(self) -> str:
        return text.as_markdown(self.table)

    __repr__ = __str__

    def latex(self, label: str = "results") -> str:
        """LaTeX for the package booktabs, with caption and label."""
        return text.as_latex(self.table, label)

    @property
    def csv(self) -> str:
        """The same as CSV, with all digits."""
        return csv.of_table(self.table)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it as Markdown (.md), LaTeX (.tex) or CSV (.csv)."""
        path = Path(path)
        written = {".tex": lambda: self.latex(path.stem), ".csv": lambda: self.csv}
        write_output(path, written.get(path.suffix, lambda: str(self))().encode())
        return path

    def _repr_html_(self) -> str:
        return text.as_html(self.table)
