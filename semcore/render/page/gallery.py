"""Pictures and texts of a few samples: what was sent, what came through, what was made of it."""

from __future__ import annotations

import base64
import difflib
import io
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semcore.media.pictures import SMALL, open_picture
from semcore.render.page.lines import Line, Lines
from semcore.runs.cell import GALLERY
from semcore.runs.results import Run, number, value_of

COLUMNS = 8
"""Most values of x beside each other; a longer axis is thinned, its ends stay."""
LONGEST = 300
"""Characters of a text that are compared and shown."""
LARGEST = 320
"""Side in pixels above which a picture is shrunk for the page."""

Pieces = tuple[tuple[str, str], ...]
"""(kind, text) with kind `same`, `wrong`, `extra` or `missing`."""


@dataclass(frozen=True)
class Shown:
    """A picture or a clip. `url`: the whole file, as a data URL; `crisp`: its pixels are to be seen; `clip`: it moves."""

    name: str
    url: str
    crisp: bool
    clip: bool = False


@dataclass(frozen=True)
class Stream:
    """A stream of a sample at one end. `intact`: the verdict of its check, or None; `lost`: it did not arrive."""

    name: str
    pieces: Pieces
    intact: bool | None = None
    lost: bool = False


@dataclass(frozen=True)
class Arrival:
    """One sample in one cell."""

    place: str
    pictures: tuple[Shown, ...]
    streams: tuple[Stream, ...]
    scores: tuple[tuple[str, str], ...]
    plan: str


@dataclass(frozen=True)
class Row:
    """One sample over the cells of a line."""

    sample: str
    source: Shown | None
    sent: tuple[Stream, ...]
    arrivals: tuple[Arrival, ...]


@dataclass(frozen=True)
class Gallery:
    """One line. `total`: samples that it has, of which `rows` shows the first."""

    label: str
    places: tuple[str, ...]
    rows: tuple[Row, ...]
    total: int
    left_out: int


def galleries(run: Run, lines: Lines) -> list[Gallery]:
    """One gallery a line."""
    return [_gallery(run, lines, line) for line in lines.lines]


def _gallery(run: Run, lines: Lines, line: Line) -> Gallery:
    cells = thinned(line.cells, COLUMNS)
    items = [run.items(cell) for cell in cells]
    rows = []
    for index, first in enumerate(items[0][:GALLERY]):
        mine = [(cell, rows_of[index]) for cell, rows_of in zip(cells, items, strict=True)]
        source = next((p for cell, row in mine for p in _pictures(run, cell, row, ("source",))), None)
        alike = all(row["sent"] == first["sent"] for _, row in mine)
        sent = tuple(Stream(name, _clipped(text)) for name, text in first["sent"].items()) if alike else ()
        rows.append(Row(first["sample"], source, sent, tuple(_arrival(run, lines, cell, row) for cell, row in mine)))
    places = tuple(lines.place(cell) for cell in cells)
    return Gallery(line.label, places, tuple(rows), len(items[0]), len(line.cells) - len(cells))


def _arrival(run: Run, lines: Lines, cell: dict[str, Any], row: dict[str, Any]) -> Arrival:
    names = [name for name in row.get("pictures", {}) if name != "source"]
    scores = [(name, number(value_of(row, name))) for name in row["metrics"]]
    streams = tuple(
        Stream(
            name,
            _pieces(row, name, text) if name in row["arrived"] else (),
            row["intact"].get(name),
            name not in row["arrived"],
        )
        for name, text in row["sent"].items()
    )
    plan = ", ".join(f"{path}={value}" for path, value in row.get("plan", {}).items())
    return Arrival(lines.place(cell), tuple(_pictures(run, cell, row, names)), streams, tuple(scores), plan)


def _pieces(row: Mapping[str, Any], name: str, sent: str) -> Pieces:
    """A stream that arrived, in pieces: a text compared with what was sent, another by its form and what differs of it."""
    arrived = row["arrived"][name]
    if name not in row.get("differs", {}):
        return compare(sent, arrived)
    differs = row["differs"][name]
    return (*_clipped(arrived), *((("same", " "), ("wrong", visible(differs[:LONGEST]))) if differs else ()))


def thinned(values: Sequence[Any], most: int) -> list[Any]:
    """At most `most` of the values, evenly spread, with the first and the last."""
    if len(values) <= most:
        return list(values)
    return [values[round(i * (len(values) - 1) / (most - 1))] for i in range(most)]


# ---------------------------------------------------------------------------------------------- texts


def compare(sent: str, arrived: str) -> Pieces:
    """What arrived, in pieces that say which characters are wrong.

    A link changes characters but keeps their number, so texts of one length are compared place by place; others are aligned.
    """
    if len(sent) == len(arrived):
        pairs = zip(sent[:LONGEST], arrived[:LONGEST], strict=True)
        runs: list[tuple[str, str]] = [("same" if a == b else "wrong", b) for a, b in pairs]
    else:
        a, b = sent[:LONGEST], arrived[:LONGEST]
        runs = []
        for tag, i0, i1, j0, j1 in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
            kind = {"equal": "same", "replace": "wrong", "insert": "extra", "delete": "missing"}[tag]
            runs.append((kind, a[i0:i1] if tag == "delete" else b[j0:j1]))
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
    """A text that shows itself only: control characters, which could turn a line around or hide it, become signs."""
    return "".join(map(_sign, text))


def _sign(character: str) -> str:
    if ord(character) < 0x20:
        return chr(0x2400 + ord(character))
    if character == "\x7f":
        return "\u2421"
    return "\ufffd" if unicodedata.category(character) in ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp") else character


# ---------------------------------------------------------------------------------------------- pictures


def _pictures(run: Run, cell: dict[str, Any], row: dict[str, Any], names: Sequence[str]) -> list[Shown]:
    found = []
    for name in names:
        where, clip = row.get("pictures", {}).get(name), row.get("clips", {}).get(name)
        if clip is not None:  # in place of its first frame
            data = run.file(cell, clip)
            found.append(Shown(name, f"data:video/mp4;base64,{base64.b64encode(data).decode()}", False, clip=True))
        elif where is not None:
            found.append(_shown(name, run.file(cell, where)))
    return found


def _shown(name: str, data: bytes) -> Shown:
    from PIL import Image

    with open_picture(io.BytesIO(data), ["PNG"]) as image:
        side = max(image.size)
        if side <= LARGEST:
            return Shown(name, f"data:image/png;base64,{base64.b64encode(data).decode()}", side <= SMALL)
        image.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=88)
    return Shown(name, f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}", False)
