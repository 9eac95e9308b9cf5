"""Plots and tables that a notebook shows, and that can be saved."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from semcore.analysis.chart import Chart
from semcore.analysis.table import Table
from semcore.render import caption, csv
from semcore.render import table as text
from semcore.storage import write_output

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
        files, base = self.files(), Path(path)
        if base.suffix.removeprefix(".") in files:
            base = base.with_suffix("")
        written = [base.with_name(f"{base.name}.{ending}") for ending in files]
        for one, data in zip(written, files.values(), strict=True):
            write_output(one, data)
        return written

    def _repr_png_(self) -> bytes:
        from semcore.render.figure import draw

        return draw(self.chart, self.width, self.scale)["png"]


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
