"""What a run made of one sample as a figure: frames of clips, or pictures, a row for each cell, the source above."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from semcore.errors import RunError
from semcore.limits import MAX_PIXELS
from semcore.pictures import SMALL, read_picture
from semcore.publish.figure import WIDTHS_IN, files_of, styled
from semcore.publish.rows import RUN, Row, distinct, swept
from semcore.results import metric_title, number, value_of
from semcore.words import said, title

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LABEL_IN = 1.1
"""Width of the words beside the frames."""
TOP_IN, EMPTY_IN = 0.2, 0.5
"""Height of the moments above the frames, and of a row that has none."""


@dataclass(frozen=True, eq=False)
class Strip:
    """One row of the figure.

    Fields:
        label: what varies between the rows, and its value
        frames: uint8 (H, W, 3) each
        moments: when in the clip they are, s; none for a picture
    """

    label: str
    frames: tuple[np.ndarray, ...]
    moments: tuple[float, ...]


def strips(rows: Sequence[Row], sample: str | None, metrics: Sequence[str], count: int) -> tuple[str, list[Strip]]:
    """The name of the sample, and a strip for the source and for each cell.

    Args:
        rows: the cells
        sample: name of a sample, or its number from 0; None: the first
        metrics: whose values of the sample stand beside the frames
        count: frames of a clip, spread evenly

    Raises:
        RunError: there is no such sample or metric, or nothing of it was kept
    """
    name, items = _of_sample(rows, sample)
    paths = [*([RUN] if len(distinct(RUN, rows)) > 1 else []), *swept(rows)]
    found = list[Strip]()
    for row, item in zip(rows, items, strict=True):
        words = [f"{said(row.get(path))} {title(path)[1]}".strip() for path in paths]
        for metric in metrics:
            if metric not in item["metrics"]:
                raise RunError(f"no cell has a metric {metric!r}; there are {', '.join(item['metrics'])}")
            known = row.result["metrics"][metric]
            called = metric_title(metric, known.get("signature", ""))
            words.append(f"{called} {number(value_of(item, metric))} {known.get('unit', '')}".strip())
        if not found and (source := _strip(row, item, "source", "source", count)):
            found.append(source)
        made = _strip(row, item, "result", "\n".join(words), count)
        found.append(made or Strip("\n".join([*words, "(nothing)"]), (), ()))
    if not any(one.frames for one in found):
        raise RunError(f"of sample {name} neither clips nor pictures were kept")
    return name, found


def draw(found: Sequence[Strip], width: str = "page") -> dict[str, bytes]:
    """The files by their ending: `pdf` and `png`."""
    with styled():
        return files_of(_figure(found, width))


def _figure(found: Sequence[Strip], width: str) -> Figure:
    from matplotlib.figure import Figure

    columns = max(len(one.frames) for one in found)
    side = (WIDTHS_IN[width] - LABEL_IN) / columns
    shape = next(one.frames[0].shape for one in found if one.frames)
    tall = side * shape[0] / shape[1]
    heights = [tall if one.frames else EMPTY_IN for one in found]
    whole = TOP_IN + sum(heights)
    figure = Figure(figsize=(WIDTHS_IN[width], whole))
    edges = {"left": LABEL_IN / WIDTHS_IN[width], "right": 1, "bottom": 0, "top": 1 - TOP_IN / whole}
    shape_of = {"height_ratios": heights, "wspace": 0.02, "hspace": 0.02, **edges}
    grid = figure.subplots(len(found), columns, squeeze=False, gridspec_kw=shape_of)
    for cells, strip in zip(grid, found, strict=True):
        for index, axes in enumerate(cells):
            axes.set_axis_off()
            if index < len(strip.frames):
                shown = strip.frames[index]
                axes.imshow(shown, interpolation="nearest" if shown.shape[1] <= SMALL else "antialiased")
        cells[0].text(-0.05, 0.5, strip.label, transform=cells[0].transAxes, ha="right", va="center", fontsize=7)
    moments = next((one.moments for one in found if one.moments), ())
    for axes, moment in zip(grid[0], moments, strict=False):
        axes.set_title(f"{moment:.1f} s", fontsize=7, pad=2)
    return figure


def _of_sample(rows: Sequence[Row], sample: str | None) -> tuple[str, list[Mapping[str, Any]]]:
    """The name of a sample, and what each cell holds of it."""
    every = [{item["sample"]: item for item in row.run.items(dict(row.result))} for row in rows]
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
    """Frames of the clip, or the picture, that a cell kept under a name."""
    if (clip := item.get("clips", {}).get(what)) is not None:
        frames, moments = _frames(row.run.file(row.result, clip), count)
        return Strip(label, frames, moments)
    if (picture := item.get("pictures", {}).get(what)) is None:
        return None
    return Strip(label, (np.asarray(read_picture(io.BytesIO(row.run.file(row.result, picture)), ["PNG"])),), ())


def _frames(data: bytes, count: int) -> tuple[tuple[np.ndarray, ...], tuple[float, ...]]:
    """Frames of a clip, evenly spread, and when they are, s."""
    try:
        import av
    except ImportError as error:
        raise RunError("clips are read by PyAV: pip install av") from error
    with av.open(io.BytesIO(data), "r") as opened:
        fps = float(opened.streams.video[0].average_rate or 25)
        total = sum(1 for _ in opened.decode(video=0))
    # In the middle of equal parts: the first frame is often the reference itself.
    chosen = ((np.arange(count) + 0.5) * total / count).astype(int).tolist()
    kept: dict[int, np.ndarray] = {}
    with av.open(io.BytesIO(data), "r") as opened:
        for at, frame in enumerate(opened.decode(video=0)):
            if frame.width * frame.height > MAX_PIXELS:
                raise ValueError(f"a frame has {frame.width}×{frame.height} pixels, and at most {MAX_PIXELS:,} are read")
            if at in chosen:
                kept[at] = frame.to_ndarray(format="rgb24")
    return tuple(kept[at] for at in chosen), tuple(at / fps for at in chosen)
