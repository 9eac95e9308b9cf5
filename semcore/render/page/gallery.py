"""Pictures and texts of a few samples: what was sent, what arrived, what was made of it."""

from __future__ import annotations

import base64
import difflib
import io
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semcore.analysis.overview import Group, Overview
from semcore.analysis.rows import Row
from semcore.analysis.values import value_of
from semcore.media.pictures import SMALL, open_picture
from semcore.runs.cell import GALLERY
from semcore.wording.numbers import number

COLUMNS = 8
"""Most cells beside each other; of a longer axis some are left out, but not its ends."""
LONGEST = 300
"""Characters of a text that are compared and shown."""
LARGEST = 320
"""Side in pixels above which a picture is shrunk for the page."""

Pieces = tuple[tuple[str, str], ...]
"""(kind, text), where kind is `same`, `wrong`, `extra`, `missing` or `cut`."""


@dataclass(frozen=True)
class Shown:
    """A picture or a clip.

    Fields:
        name: what it is called in the results
        url: the whole file, as a data URL
        crisp: whether its pixels are shown as squares
        clip: whether it is a video
    """

    name: str
    url: str
    crisp: bool
    clip: bool = False


@dataclass(frozen=True)
class StreamText:
    """A stream of a sample at one end.

    Fields:
        name: name of the stream
        pieces: its text; at the receiver compared with what was sent
        intact: whether it passed its check; None without one
        lost: whether it did not arrive
    """

    name: str
    pieces: Pieces
    intact: bool | None = None
    lost: bool = False


@dataclass(frozen=True)
class Arrival:
    """One sample in one cell: `place` of the cell on the axis, `scores` by metric, `plan`."""

    place: str
    pictures: tuple[Shown, ...]
    streams: tuple[StreamText, ...]
    scores: tuple[tuple[str, str], ...]
    plan: str


@dataclass(frozen=True)
class SampleRow:
    """One sample over the cells of a group."""

    sample: str
    source: Shown | None
    sent: tuple[StreamText, ...]
    arrivals: tuple[Arrival, ...]


@dataclass(frozen=True)
class Gallery:
    """A group of cells.

    Fields:
        label: its name
        places: of the cells that are shown, on the axis
        rows: the first samples
        total: number of all samples
        left_out: number of cells that are not shown
    """

    label: str
    places: tuple[str, ...]
    rows: tuple[SampleRow, ...]
    total: int
    left_out: int


def galleries(overview: Overview) -> list[Gallery]:
    """One gallery per group."""
    return [_gallery(overview, group) for group in overview.groups]


def _gallery(overview: Overview, group: Group) -> Gallery:
    cells = thinned(group.rows, COLUMNS)
    items = [cell.items() for cell in cells]
    rows = []
    for index, first in enumerate(items[0][:GALLERY]):
        own = [(cell, of_cell[index]) for cell, of_cell in zip(cells, items, strict=True)]
        sources = (shown for cell, item in own for shown in _pictures(cell, item, ["source"]))
        sent: tuple[StreamText, ...] = ()
        if all(item["sent"] == first["sent"] for _, item in own):
            sent = tuple(StreamText(name, _clipped(text)) for name, text in first["sent"].items())
        arrivals = tuple(_arrival(overview, cell, item) for cell, item in own)
        rows.append(SampleRow(first["sample"], next(sources, None), sent, arrivals))
    places = tuple(map(overview.place, cells))
    return Gallery(group.label, places, tuple(rows), len(items[0]), len(group.rows) - len(cells))


def _arrival(overview: Overview, cell: Row, item: dict[str, Any]) -> Arrival:
    names = [name for name in item.get("pictures", {}) if name != "source"]
    scores = [(name, number(value_of(item, name))) for name in item["metrics"]]
    streams = []
    for name, text in item["sent"].items():
        arrived = name in item["arrived"]
        pieces = _pieces(item, name, text) if arrived else ()
        streams.append(StreamText(name, pieces, item["intact"].get(name), not arrived))
    plan = ", ".join(f"{path}={value}" for path, value in item.get("plan", {}).items())
    pictures = tuple(_pictures(cell, item, names))
    return Arrival(overview.place(cell), pictures, tuple(streams), tuple(scores), plan)


def _pieces(item: Mapping[str, Any], name: str, sent: str) -> Pieces:
    """A stream that arrived.

    A text is compared with what was sent; of another stream its form and the difference are shown.
    """
    arrived = item["arrived"][name]
    if name not in item.get("differs", {}):
        return compare(sent, arrived)
    pieces = _clipped(arrived)
    if differs := item["differs"][name]:
        return (*pieces, ("same", " "), ("wrong", visible(differs[:LONGEST])))
    return pieces


def thinned(values: Sequence[Any], most: int) -> list[Any]:
    """At most `most` of the values, evenly spaced, with the first and the last."""
    if len(values) <= most:
        return list(values)
    return [values[round(i * (len(values) - 1) / (most - 1))] for i in range(most)]


# -------------------------------------------------------------------------------------------- texts


def compare(sent: str, arrived: str) -> Pieces:
    """A text that arrived, in pieces that show which characters are wrong.

    A link changes characters but keeps their number, so texts of equal length are compared
    character by character; others are aligned.
    """
    if len(sent) == len(arrived):
        pairs = zip(sent[:LONGEST], arrived[:LONGEST], strict=True)
        runs: list[tuple[str, str]] = [("same" if a == b else "wrong", b) for a, b in pairs]
    else:
        a, b = sent[:LONGEST], arrived[:LONGEST]
        runs = []
        kinds = {"equal": "same", "replace": "wrong", "insert": "extra", "delete": "missing"}
        matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
        for tag, i0, i1, j0, j1 in matcher.get_opcodes():
            runs.append((kinds[tag], a[i0:i1] if tag == "delete" else b[j0:j1]))
    unseen = _rest(arrived)
    if unseen and sent[LONGEST:] != arrived[LONGEST:]:
        unseen = (("wrong", f"{unseen[0][1]}, not all as sent"),)
    return (*_joined(runs), *unseen)


def _joined(runs: Sequence[tuple[str, str]]) -> Pieces:
    joined: list[tuple[str, str]] = []
    for kind, text in runs:
        if joined and joined[-1][0] == kind:
            joined[-1] = (kind, joined[-1][1] + visible(text))
        else:
            joined.append((kind, visible(text)))
    return tuple(joined)


def _clipped(text: str) -> Pieces:
    return (("same", visible(text[:LONGEST])), *_rest(text))


def _rest(text: str) -> Pieces:
    return (("cut", f" … and {len(text) - LONGEST} more"),) if len(text) > LONGEST else ()


def visible(text: str) -> str:
    """A text with visible signs for control characters, which could reverse or hide text."""
    return "".join(map(_sign, text))


def _sign(character: str) -> str:
    if ord(character) < 0x20:
        return chr(0x2400 + ord(character))
    if character == "\x7f":
        return "\u2421"
    unseen = unicodedata.category(character) in ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp")
    return "\ufffd" if unseen else character


# ----------------------------------------------------------------------------------------- pictures


def _pictures(cell: Row, item: Mapping[str, Any], names: Sequence[str]) -> list[Shown]:
    shown = []
    for name in names:
        picture, clip = item.get("pictures", {}).get(name), item.get("clips", {}).get(name)
        if clip is not None:  # shown in place of its first frame
            url = _data_url("video/mp4", cell.run.file(cell.result, clip))
            shown.append(Shown(name, url, crisp=False, clip=True))
        elif picture is not None:
            shown.append(_shown(name, cell.run.file(cell.result, picture)))
    return shown


def _shown(name: str, data: bytes) -> Shown:
    from PIL import Image

    with open_picture(io.BytesIO(data), ["PNG"]) as image:
        side = max(image.size)
        if side <= LARGEST:
            return Shown(name, _data_url("image/png", data), side <= SMALL)
        image.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=88)
    return Shown(name, _data_url("image/jpeg", buffer.getvalue()), crisp=False)


def _data_url(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
