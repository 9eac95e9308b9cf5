"""How a figure is drawn: scales that fit, nothing clipped, lines apart without colours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from semcore.analysis.chart import chart
from semcore.analysis.rows import read_rows
from semcore.render import figure
from semcore.render.paper import PAGE_IN, styled
from semcore.statistics.base import Statistic
from semcore.statistics.kinds import Mean, Share

from ..support.written_runs import Writer

NASTY = [r"$\frac{1}{", "a_b^c & 50 %", "→ ≤ ±", "abc\u202edef", "long " * 30, "日本語", ""]


@pytest.mark.parametrize(
    "values, kind, scale",
    [
        ((0.5, 0.2, 0.1), Share(), "log"), ((0.0, 0.0, 0.0), Share(), "linear"),
        ((0.5, 0.01, 0.0), Share(), "log"), ((-1.0, 0.1, 10.0), Mean(), "linear"),
        ((0.5, 0.1, 0.01), Mean(), "linear"), ((500.0, 1.0, 0.1), Mean(0.0), "log"),
    ],
)  # fmt: skip
@pytest.mark.default_cases(3)
def test_an_axis_is_logarithmic_only_where_that_shows_more(
    write_run: Writer, values: tuple[float, ...], kind: Statistic, scale: str
) -> None:
    cells = [{"settings": {"channel.snr_db": x}, "metrics": {"ber": [value, value]},
              "config": {"channel": {"snr_db": x}}, "statistics": {"ber": kind}, "better": "lower"}
             for x, value in enumerate(values)]  # fmt: skip
    drawn = chart(read_rows([write_run(cells)]), "channel.snr_db", ["ber"])
    with styled():
        assert figure.figure_of(drawn).axes[0].get_yscale() == scale
        assert figure.figure_of(drawn, asked="linear").axes[0].get_yscale() == "linear"
    assert figure.draw(drawn)["pdf"].startswith(b"%PDF")


def many(write_run: Writer, names: list[str]) -> Path:
    return write_run([{"settings": {"channel.snr_db": x, "workflow": name},
                       "metrics": {"psnr": [i + x, i + x + 1.0]},
                       "config": {"channel": {"snr_db": x}}}
                      for i, name in enumerate(names) for x in (0, 5, 10)])  # fmt: skip


@pytest.mark.parametrize("width", ["column", "page"])
@pytest.mark.parametrize(
    "names",
    [["a", "b"], NASTY, [f"workflow number {i}" for i in range(16)]],
    ids=["few", "nasty", "many"],
)
@pytest.mark.filterwarnings("error")
@pytest.mark.default_cases(2)
def test_nothing_is_clipped_and_the_legend_hides_nothing(
    write_run: Writer, names: list[str], width: str
) -> None:
    drawn = chart(read_rows([many(write_run, names)]), "channel.snr_db", ["psnr"])
    with styled():
        made = figure.figure_of(drawn, width)
        made.draw_without_rendering()
        page = made.bbox
        [legend] = made.legends
        [axes] = made.axes
        box = legend.get_window_extent()
        assert box.y0 >= axes.get_window_extent().y1 - 1
        assert axes.get_window_extent().height > 0.6 * figure.PANEL_IN * made.dpi
        for text in (
            *legend.get_texts(),
            axes.xaxis.label,
            axes.yaxis.label,
            *axes.get_xticklabels(),
            *axes.get_yticklabels(),
        ):
            extent = text.get_window_extent()
            assert (
                page.x0 - 1 <= extent.x0
                and extent.x1 <= page.x1 + 1
                and page.y0 - 1 <= extent.y0
                and extent.y1 <= page.y1 + 1
            )
        assert len(legend.get_texts()) == len(names)


def test_lines_are_told_apart_without_any_colour(write_run: Writer) -> None:
    drawn = chart(
        read_rows([many(write_run, [f"w{i}" for i in range(24)])]), "channel.snr_db", ["psnr"]
    )
    with styled():
        lines, _ = figure.figure_of(drawn, "page").axes[0].get_legend_handles_labels()
    looks = [
        (line.get_marker(), str(line._unscaled_dash_pattern), line.get_markerfacecolor() == "white")
        for line in lines
    ]
    assert len(looks) == 24 == len(set(looks))
    assert len({line.get_color() for line in lines[:7]}) == 7


@pytest.mark.parametrize("width", ["column", "page"])
@pytest.mark.default_cases(1)
def test_many_panels_and_lines_stand_on_pages_of_paper(
    write_run: Writer, width: str, tmp_path: Path
) -> None:
    cells = [
        {
            "settings": {"channel.snr_db": x, "workflow": f"workflow number {i}"},
            "config": {"channel": {"snr_db": x}},
            "metrics": {f"m{k}": [float(i + x + k)] for k in range(10)},
        }
        for i in range(figure.MOST_NAMED + 2)
        for x in (0, 5)
    ]
    drawn = chart(
        read_rows([write_run(cells)]), "channel.snr_db", [f"m{k}" for k in range(10)], ["workflow"]
    )
    with styled():
        pages = list(figure.pages_of(drawn, width))
        assert all(page.get_figheight() <= PAGE_IN for page in pages)
        pages[0].draw_without_rendering()
        [legend] = pages[0].legends
        assert 0.3 < legend.get_window_extent().height / pages[0].dpi <= figure.LEGEND_IN + 0.01
        assert re.fullmatch("… and [0-9]+ more", legend.get_texts()[-1].get_text())
    shown = [axes for page in pages for axes in page.axes if axes.get_visible()]
    assert len(shown) == 10 and len(pages) == (2 if width == "page" else 4)
