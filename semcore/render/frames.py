"""One sample in a run as a figure: frames of clips, or pictures, of the source and of each cell."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from semcore.analysis.rows import RUN, Row, distinct, swept
from semcore.analysis.values import value_of
from semcore.entrypoints.extras import extra
from semcore.errors import RunError
from semcore.limits import MAX_PIXELS
from semcore.media.pictures import SMALL, read_picture
from semcore.render.paper import PAGE_IN, WIDTHS_IN, files_of, plain_text, styled
from semcore.render.text import metric_title
from semcore.runs.labels import format_value, title
from semcore.wording.numbers import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LABEL_IN = 1.1
"""Width of the labels beside the frames."""
TOP_IN, EMPTY_IN = 0.2, 0.5
"""Heights of the times above the frames, and of a row without frames."""
TILES = {"column": 2, "page": 4}
"""Pictures beside each other."""
LETTERS_PER_IN, LINE_IN = 17, 0.125
"""Width of letters and height of lines of the labels above pictures."""


@dataclass(frozen=True, eq=False)
class Strip:
    """One row of the figure.

    Fields:
        label: the values of what varies between the rows
        frames: uint8 (H, W, 3) each
        moments: times of the frames in the clip, in s; empty for a picture
    """

    label: str
    frames: tuple[np.ndarray, ...]
    moments: tuple[float, ...]


def strips(
    rows: Sequence[Row], sample: str | None, metrics: Sequence[str], count: int
) -> tuple[str, list[Strip]]:
    """A strip of the source and of each cell.

    Args:
        rows: the cells
        sample: name of a sample, or its number from 0; None: the first
        metrics: shown with their values for the sample
        count: number of frames of a clip, evenly spaced

    Returns:
        the name of the sample, and the strips

    Raises:
        RunError: no such sample or metric, or no picture or clip of the sample was kept
    """
    name, items = _of_sample(rows, sample)
    paths = swept(rows)
    if len(distinct(RUN, rows)) > 1:
        paths = [RUN, *paths]
    found = list[Strip]()
    for row, item in zip(rows, items, strict=True):
        texts = [f"{format_value(row.get(path))} {title(path)[1]}".strip() for path in paths]
        texts += [_score(row, item, metric) for metric in metrics]
        if not found and (source := _strip(row, item, "source", "source", count)):
            found.append(source)
        strip = _strip(row, item, "result", "\n".join(texts), count)
        found.append(strip or Strip("\n".join([*texts, "(nothing)"]), (), ()))
    if not any(strip.frames for strip in found):
        raise RunError(f"of sample {name} neither clips nor pictures were kept")
    return name, found


def _score(row: Row, item: Mapping[str, Any], metric: str) -> str:
    """The value of a metric for a sample, with name and unit."""
    if metric not in item["metrics"]:
        known = ", ".join(item["metrics"])
        raise RunError(f"no cell has a metric {metric!r}; there are {known}")
    entry = row.result["metrics"][metric]
    name = metric_title(metric, entry.get("signature", ""))
    return f"{name} {number(value_of(item, metric))} {entry.get('unit', '')}".strip()


def draw(found: Sequence[Strip], width: str = "page") -> dict[str, bytes]:
    """The files of the figure by their endings (`paper.files_of`)."""
    with styled():
        return files_of(pages_of(found, width))


def pages_of(found: Sequence[Strip], width: str = "page") -> Iterator[Figure]:
    """The figure in parts that fit a printed page each; call it within `styled`.

    Clips are rows of frames with their labels beside, pictures are tiles with their labels above.
    """
    columns, width_in = max(len(one.frames) for one in found), WIDTHS_IN[width]
    tall = max(one.frames[0].shape[0] / one.frames[0].shape[1] for one in found if one.frames)
    if columns > 1:
        tall = min(tall * (width_in - LABEL_IN) / columns, PAGE_IN / 3)
        heights = [tall if one.frames else EMPTY_IN for one in found]
        for some in _fitting(found, heights, PAGE_IN - TOP_IN):
            yield _rows(some, columns, width_in, tall)
        return
    beside = min(TILES[width], len(found))
    side = width_in / beside
    labels = [_wrapped(one.label, int(side * LETTERS_PER_IN)) for one in found]
    above = LINE_IN * (1 + max(label.count("\n") + 1 for label in labels))
    tall = min(tall * side, PAGE_IN / 2 - above)
    most = beside * max(1, int(PAGE_IN / (tall + above)))
    for start in range(0, len(found), most):
        part = slice(start, start + most)
        yield _tiles(found[part], labels[part], beside, width_in, (tall, above))


def _wrapped(label: str, letters: int) -> str:
    lines = []
    for line in label.split("\n"):
        lines += textwrap.wrap(line, letters)
    return "\n".join(lines)


def _fitting(
    found: Sequence[Strip], heights: Sequence[float], most: float
) -> Iterator[list[Strip]]:
    """The strips in groups that fit a page."""
    group, whole = list[Strip](), 0.0
    for strip, height in zip(found, heights, strict=True):
        if group and whole + height > most:
            yield group
            group, whole = [], 0.0
        group.append(strip)
        whole += height
    yield group


def _rows(found: Sequence[Strip], columns: int, width_in: float, tall: float) -> Figure:
    from matplotlib.figure import Figure

    heights = [tall if one.frames else EMPTY_IN for one in found]
    whole = TOP_IN + sum(heights)
    figure = Figure(figsize=(width_in, whole))
    edges = {"left": LABEL_IN / width_in, "right": 1, "bottom": 0, "top": 1 - TOP_IN / whole}
    shape_of = {"height_ratios": heights, "wspace": 0.02, "hspace": 0.02, **edges}
    grid = figure.subplots(len(found), columns, squeeze=False, gridspec_kw=shape_of)
    for cells, strip in zip(grid, found, strict=True):
        for index, axes in enumerate(cells):
            _show(axes, strip.frames[index] if index < len(strip.frames) else None)
        place = {"transform": cells[0].transAxes, "ha": "right", "va": "center"}
        cells[0].text(-0.05, 0.5, plain_text(strip.label), fontsize=7, **place)
    moments = next((one.moments for one in found if one.moments), ())
    for axes, moment in zip(grid[0], moments, strict=False):
        axes.set_title(f"{moment:.1f} s", fontsize=7, pad=2)
    return figure


def _tiles(
    found: Sequence[Strip],
    labels: Sequence[str],
    beside: int,
    width_in: float,
    heights_in: tuple[float, float],
) -> Figure:
    """Pictures as tiles; `heights_in`: of a picture, and of the label above it."""
    from matplotlib.figure import Figure

    rows, (tall, above) = -(-len(found) // beside), heights_in
    whole = rows * (tall + above)
    figure = Figure(figsize=(width_in, whole))
    edges = {"left": 0.01, "right": 0.99, "bottom": 0, "top": 1 - above / whole}
    grid = figure.subplots(
        rows, beside, squeeze=False, gridspec_kw={"wspace": 0.04, "hspace": above / tall, **edges}
    )
    for index, axes in enumerate(grid.flat):
        _show(axes, found[index].frames[0] if index < len(found) and found[index].frames else None)
        if index < len(found):
            axes.set_title(plain_text(labels[index]), fontsize=7, pad=2)
    return figure


def _show(axes: Axes, pixels: np.ndarray | None) -> None:
    axes.set_axis_off()
    if pixels is not None:
        axes.imshow(pixels, interpolation="nearest" if pixels.shape[1] <= SMALL else "antialiased")


def _of_sample(rows: Sequence[Row], sample: str | None) -> tuple[str, list[Mapping[str, Any]]]:
    """The name of a sample, and its item in each cell."""
    every = [{item["sample"]: item for item in row.items()} for row in rows]
    shared = [name for name in every[0] if all(name in items for items in every)]
    if not shared:
        raise RunError("the cells have no sample in common; choose among them with --where")
    wanted = shared[0] if sample is None else sample
    if wanted not in shared and wanted.isdecimal() and int(wanted) < len(shared):
        wanted = shared[int(wanted)]
    if wanted not in shared:
        raise RunError(f"the cells have no sample {sample!r}; there are {', '.join(shared[:8])}")
    return wanted, [items[wanted] for items in every]


def _strip(row: Row, item: Mapping[str, Any], what: str, label: str, count: int) -> Strip | None:
    """Frames of the clip, or the picture, that a cell kept as `what`."""
    if (clip := item.get("clips", {}).get(what)) is not None:
        frames, moments = _frames(row.run.file(row.result, clip), count)
        return Strip(label, frames, moments)
    if (picture := item.get("pictures", {}).get(what)) is None:
        return None
    still = read_picture(io.BytesIO(row.run.file(row.result, picture)), ["PNG"])
    return Strip(label, (np.asarray(still),), ())


def _frames(data: bytes, count: int) -> tuple[tuple[np.ndarray, ...], tuple[float, ...]]:
    """Frames of a clip, evenly spaced, and their times in s."""
    with extra("semcore[av]", "clips are read by PyAV"):
        import av
    with av.open(io.BytesIO(data), "r") as opened:
        fps = float(opened.streams.video[0].average_rate or 25)
        total = sum(1 for _ in opened.decode(video=0))
    # From the middle of equal parts: the first frame is often the reference itself.
    chosen = ((np.arange(count) + 0.5) * total / count).astype(int).tolist()
    kept: dict[int, np.ndarray] = {}
    with av.open(io.BytesIO(data), "r") as opened:
        for at, frame in enumerate(opened.decode(video=0)):
            if frame.width * frame.height > MAX_PIXELS:
                size = f"{frame.width}×{frame.height} pixels"
                raise ValueError(f"a frame has {size}, and at most {MAX_PIXELS:,} are read")
            if at in chosen:
                kept[at] = frame.to_ndarray(format="rgb24")
    return tuple(kept[at] for at in chosen), tuple(at / fps for at in chosen)
