"""The block diagram of a pipeline as configured, as SVG that takes the colours of the page.

transmitter   source ─ encoder ─ transport ┐
                  planner   kb            channel
receiver    selector ─ generator ─ transport ┘
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup, escape

from semcore.component.base import unit_of
from semcore.render.page.configuration import Varied, common

WIDTH, PAD, COLUMN = 226, 14, 272
"""Widths in px: of a box, around boxes, and from one column to the next."""
HEAD, LINE, TAIL = 46, 17, 12
"""Heights in px: of kind and name in a box, of a setting, and of the space below."""
LABEL = 30
"""Height in px of the name of a lane."""
CHARACTERS = 30
"""Characters of the monospaced font that fit into a box."""
MOST = 5
"""Settings shown per component."""
SIGNS = {"swept": "◆ ", "segment": "◇ "}
"""Signs before settings with these marks."""


@dataclass(frozen=True)
class Setting:
    """A line in a box.

    Fields:
        name: of the setting
        value: as text
        mark: `swept`, `segment` (changes from segment to segment), `title` (a component) or ""
        indent: whether it belongs to the component above it
    """

    name: str
    value: str
    mark: str = ""
    indent: bool = False


@dataclass(frozen=True)
class Box:
    """A block; `muted`: nothing is configured there."""

    kind: str
    name: str
    settings: tuple[Setting, ...] = ()
    muted: bool = False

    @property
    def height(self) -> int:
        """In px."""
        return HEAD + LINE * len(self.settings) + TAIL


def diagram(
    config: Mapping[str, Any],
    streams: Sequence[str],
    written: Collection[str] = (),
    segment: Collection[str] = (),
) -> Markup:
    """Draw a configuration.

    Args:
        config: a resolved configuration, with a `Varied` for every swept setting
        streams: names of the streams that are sent, also by planner and knowledge base
        written: dotted paths of the settings that the pipeline file names; shown before defaults
        segment: dotted paths of the settings that change from segment to segment
    """

    def box(section: str) -> Box:
        name, settings = _component(config[section], section, written, segment)
        return Box(section, name, settings)

    send, receive = _transports(config["transport"], streams, written, segment)
    first = Box("selector", "first candidate", muted=True)
    selector = box("selector") if config.get("selector") else first
    top, bottom = [box("source"), box("encoder"), send], [selector, box("generator"), receive]
    between = {i: box(s) for i, s in enumerate(("planner", "kb")) if config.get(s)}
    return _draw(top, bottom, between, box("channel"))


def _transports(
    transports: Any, streams: Sequence[str], written: Collection[str], segment: Collection[str]
) -> tuple[Box, Box]:
    """Both ends of the transports: a single one names its box, several stand at their streams."""
    transports = transports if isinstance(transports, Mapping) else {"*": transports}
    keys = {stream: stream if stream in transports else "*" for stream in streams}
    keys = keys or {key: key for key in transports}
    built = {}
    for key in keys.values():
        # A transport for all streams is written as `transport: {use: ...}`.
        path = "transport" if key == "*" else f"transport.{key}"
        built[key] = _component(transports.get(key), path, written, segment)
    if len(built) == 1:
        [(name, settings)] = built.values()
        carries = Setting("carries", ", ".join(keys))
        send = Box("transport · send", name, (carries, *settings))
        return send, Box("transport · receive", name, (carries,))
    lines: list[Setting] = []
    for stream, key in keys.items():
        lines.append(Setting(f"{stream} →", built[key][0], "title"))
        lines += [replace(setting, indent=True) for setting in built[key][1][:2] if setting.name]
    names = tuple(Setting(f"{stream} ←", built[key][0], "title") for stream, key in keys.items())
    title = f"{len(keys)} streams"
    return Box("transport · send", title, tuple(lines)), Box("transport · receive", title, names)


def _component(
    value: Any, path: str, written: Collection[str], segment: Collection[str]
) -> tuple[str, tuple[Setting, ...]]:
    """Name and first settings of a component: swept ones, then those of the file, then others."""
    if isinstance(value, Varied):
        parts = [one if isinstance(one, Mapping) else {"use": one} for one in value.values]
        names = dict.fromkeys(str(part.get("use", part)) for part in parts)
        keys = [key for key in parts[0] if key != "use" and all(key in part for part in parts)]
        shared = common([{key: part[key] for key in keys} for part in parts])
        settings = _component(shared, path, written, segment)[1]
        return " | ".join(names), (Setting("", "swept as a whole", "swept"), *settings)
    if not isinstance(value, Mapping):
        return "–", ()
    found: list[tuple[int, Setting]] = []
    for name, setting in _leaves(value):
        here = f"{path}.{name}"
        mark = "segment" if here in segment else ""
        if isinstance(setting, Varied):
            mark = "swept"
        if mark:
            rank = 0
        elif name.endswith(".use"):
            rank = 1
        else:
            rank = 2 if here in written else 3
        if rank < 3 or setting not in (None, "", False, [], {}):
            text = quantity(name, setting)
            found.append((rank, Setting(name.removesuffix(".use"), text, mark)))
    found.sort(key=lambda pair: pair[0])
    shown = [setting for _, setting in found[:MOST]]
    if len(found) > MOST:
        shown[-1] = Setting("", f"and {len(found) - MOST + 1} more")
    return str(value.get("use", "–")), tuple(shown)


def _leaves(component: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Settings of a component and its nested ones by dotted path; `x.use` names the one at x."""
    for name, value in component.items():
        if isinstance(value, Mapping) and "use" in value:
            yield f"{prefix}{name}.use", value["use"]
            yield from _leaves(value, f"{prefix}{name}.")
        elif name != "use":
            yield f"{prefix}{name}", value


def quantity(name: str, value: Any) -> str:
    """The value of a setting with its unit."""
    unit = unit_of(name)
    if isinstance(value, Varied):
        texts = [quantity("", one) for one in value.values]
        if len(texts) > 4:
            return f"{f'{texts[0]} … {texts[-1]} {unit}'.strip()} ({len(texts)})"
        return f"{', '.join(texts)} {unit}".strip()
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {quantity(str(key), one)}" for key, one in value.items())
    if isinstance(value, (list, tuple)):
        return f"{', '.join(quantity('', one) for one in value)} {unit}".strip()
    if isinstance(value, float) and unit == "Hz" and abs(value) >= 1000:
        power = min(3, int(math.log10(abs(value)) // 3))
        return f"{value / 1000**power:g} {' kMG'[power]}Hz"
    if isinstance(value, float):
        digits = ".6g" if abs(value) >= 1 else ".3g"
        return f"{value:{digits}} {unit}".strip()
    return f"{value} {unit}".strip()


# ------------------------------------------------------------------------------------------ drawing


def _draw(
    top: Sequence[Box], bottom: Sequence[Box], between: Mapping[int, Box], channel: Box
) -> Markup:
    upper, lower = (max(box.height for box in row) for row in (top, bottom))
    middle = 52 + max((box.height for box in between.values()), default=0) if between else 34
    second = LABEL + upper + PAD + middle
    total = max(second + LABEL + lower + PAD, channel.height + 2 * PAD)
    left = [PAD + COLUMN * column for column in range(4)]
    band = left[2] + WIDTH + PAD
    first_y, second_y = LABEL, second + LABEL
    parts = [
        _lane(0, band, LABEL + upper + PAD, "transmitter"),
        _lane(second, band, LABEL + lower + PAD, "receiver"),
    ]
    up, down = first_y + upper / 2, second_y + lower / 2
    for column in range(2):
        parts.append(_arrow(left[column] + WIDTH, up, left[column + 1], up))
        parts.append(_arrow(left[column + 1], down, left[column] + WIDTH, down))
    parts += [
        _arrow(left[2] + WIDTH, up, left[3], up),
        _arrow(left[3], down, left[2] + WIDTH, down),
    ]
    for column, box in between.items():
        y = LABEL + upper + PAD + 26
        centre = left[column] + WIDTH / 2
        dashed = "flow dashed"
        # A plan concerns a whole lane, so its arrows end there; a knowledge base belongs to a box.
        reach = PAD if column else 0
        parts.append(_arrow(centre, y, centre, LABEL + upper + PAD - reach, dashed))
        parts.append(
            _arrow(centre, y + box.height, centre, second + (LABEL if column else 0), dashed)
        )
        if column:
            above = left[2] + WIDTH / 2
            parts.append(_path(f"M{left[1] + WIDTH} {y + 24} H{above}", dashed))
            parts.append(_arrow(above, y + 24, above, first_y + upper, dashed))
            parts.append(
                _words(left[1] + WIDTH + 10, y + 42, "updates are one more stream", "note")
            )
        parts.append(_box(box, left[column], y, box.height))
    for row, y, height in ((top, first_y, upper), (bottom, second_y, lower)):
        parts += [_box(box, x, y, height) for box, x in zip(row, left, strict=False)]
    parts.append(_box(channel, left[3], PAD, total - 2 * PAD, "channel"))
    size = f'viewBox="0 0 {left[3] + WIDTH + 2} {total}"'
    return Markup(
        f'<svg class="diagram" {size} role="img" aria-label="Block diagram">{"".join(parts)}</svg>'
    )


def _lane(y: float, width: float, height: float, name: str) -> str:
    size = f'width="{width - 1}" height="{height - 1}"'
    rect = f'<rect class="lane" x="0.5" y="{y + 0.5}" {size} rx="12"/>'
    return rect + _words(PAD, y + 20, name, "lane-name")


def _box(box: Box, x: float, y: float, height: float, extra: str = "") -> str:
    classes = " ".join(filter(None, ("box", extra, "muted" if box.muted else "")))
    size = f'width="{WIDTH}" height="{height}"'
    parts = [f'<g class="{classes}"><rect x="{x}" y="{y}" {size} rx="8"/>']
    inside = y + (height - box.height) / 2 if extra else y
    parts.append(_words(x + 12, inside + 20, box.kind, "kind"))
    parts.append(_words(x + 12, inside + 39, box.name, "name", 26))
    for index, setting in enumerate(box.settings):
        parts.append(_setting(setting, x + 12, inside + HEAD + LINE * (index + 1) - 2))
    return "".join(parts) + "</g>"


def _setting(setting: Setting, x: float, y: float) -> str:
    """A setting, its value cut to the width of the box; the whole text is its tooltip."""
    name, sign = setting.name[:CHARACTERS], SIGNS.get(setting.mark, "")
    gap, indent = " " if name else "", 2 if setting.indent else 0
    room = max(4, CHARACTERS - len(name) - len(gap) - len(sign) - indent)
    value = _cut(setting.value, room)
    place = f'x="{x + 7 * indent}" y="{y}"'
    title = f"<title>{escape(setting.name)} {escape(setting.value)}</title>"
    shown = f'{sign}{escape(name)}{gap}<tspan class="value">{escape(value)}</tspan>'
    return f'<text class="setting {setting.mark}" {place}>{title}{shown}</text>'


def _words(x: float, y: float, words: str, style: str, most: int = 60) -> str:
    title = f"<title>{escape(words)}</title>"
    return f'<text class="{style}" x="{x}" y="{y}">{title}{escape(_cut(words, most))}</text>'


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _path(d: str, style: str = "flow") -> str:
    return f'<path class="{style}" d="{d}"/>'


def _arrow(x1: float, y1: float, x2: float, y2: float, style: str = "flow") -> str:
    """A line along one axis with its head at (x2, y2); without an SVG marker, which needs an id."""
    dx, dy = (x2 > x1) - (x2 < x1), (y2 > y1) - (y2 < y1)
    base_x, base_y = x2 - 8 * dx, y2 - 8 * dy
    head = f"M{x2} {y2} L{base_x - 4 * dy} {base_y - 4 * dx} L{base_x + 4 * dy} {base_y + 4 * dx} Z"
    return _path(f"M{x1} {y1} L{base_x} {base_y}", style) + _path(head, "head")
