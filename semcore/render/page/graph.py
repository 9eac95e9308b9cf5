"""The block diagrams of a pipeline file as one SVG file, a drawing per workflow."""

from __future__ import annotations

import re
from pathlib import Path

from markupsafe import escape

from semcore.config.configuration import Configuration, alternatives
from semcore.config.setup import Setup
from semcore.render.page.configuration import common, written_paths
from semcore.render.page.diagram import diagram

LIGHT = {
    "page": "#ffffff", "card": "#ffffff", "ink": "#1c2126", "muted": "#626c76", "rule": "#dfe3e7",
    "lane": "#f1f3f5", "accent": "#1f6fb2", "warm": "#b4540a", "good": "#22764f",
    "channel": "#e9f1f8",
}  # fmt: skip
"""Values for the CSS variables in `diagram.css`, which drawing programs do not support."""
MARGIN, TITLE, KEY = 16, 30, 26
"""Margin around drawings, and heights of a workflow's name and of the key to the marks, in px."""


def graph(configuration: Configuration) -> str:
    """Draw every workflow that is chosen or swept over, or that a planner may choose."""
    written = written_paths(configuration.document.values)
    drawings = [
        (name, *_drawing(setups, written)) for name, setups in _workflows(configuration).items()
    ]
    width = max(wide for _, _, wide, _ in drawings) + 2 * MARGIN
    parts, y = [], float(MARGIN)
    for name, body, _, height in drawings:
        if name:
            place = f'x="{MARGIN}" y="{y + 16:g}"'
            parts.append(f'<text class="workflow" {place}>{escape(name)}</text>')
            y += TITLE
        place = f"translate({MARGIN} {y:g})"
        parts.append(f'<g class="diagram" transform="{place}">{body}</g>')
        y += height + MARGIN
    marks = {"swept": "◆ swept", "segment": "◇ changes from segment to segment"}
    bodies = "".join(body for _, body, _, _ in drawings)
    used = [text for mark, text in marks.items() if f'"setting {mark}"' in bodies]
    if used:
        place = f'x="{MARGIN}" y="{y + 8:g}"'
        parts.append(f'<text class="key" {place}>{"   ".join(used)}</text>')
        y += KEY
    size = f'width="{width:g}" height="{y:g}" viewBox="0 0 {width:g} {y:g}"'
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'
        f"<title>{escape(configuration.name)}</title>",
        f"<style>\n{_style()}</style>",
        f'<rect width="100%" height="100%" fill="{LIGHT["page"]}"/>',
        *parts,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _workflows(configuration: Configuration) -> dict[str, list[Setup]]:
    """The resolved cells by workflow; under "" without one."""
    groups: dict[str, list[Setup]] = {}
    for cell in configuration.cells:
        setup = configuration.resolve(cell)
        settings = {**configuration.values, **configuration.fixed, **cell.settings}
        chosen = settings.get("workflow") or ""
        groups.setdefault(str(chosen), []).append(setup)
        for other in dict.fromkeys(plan.get("workflow", chosen) for plan in alternatives(setup)):
            if other and other != chosen:
                groups.setdefault(str(other), []).append(
                    configuration.resolve(cell, {"workflow": other})
                )
    return groups


def _drawing(setups: list[Setup], written: set[str]) -> tuple[str, float, float]:
    """The content of the drawing of some cells, its width and its height."""
    streams: dict[str, None] = {}
    changed: set[str] = set()
    for setup in setups:
        link = setup.pipeline
        streams |= dict.fromkeys(link.encoder.streams)
        if link.kb:
            streams |= dict.fromkeys(link.kb.streams)
        if setup.planner:
            streams["plan"] = None
        for overrides in alternatives(setup):
            changed |= set(overrides)
    config = common([setup.config for setup in setups])
    svg = diagram(config, list(streams), written, changed)
    pattern = r'<svg class="diagram" viewBox="0 0 (\S+) (\S+)"[^>]*>(.*)</svg>\Z'
    found = re.match(pattern, svg, re.DOTALL)
    assert found is not None
    return found[3], float(found[1]), float(found[2])


def _style() -> str:
    rules = (Path(__file__).parent / "diagram.css").read_text(encoding="utf-8")
    ours = (
        "svg { font-family: Helvetica, Arial, 'Liberation Sans', sans-serif; }\n"
        ".workflow { font-size: 16px; font-weight: 640; fill: var(--ink); }\n"
        ".key { font-size: 12px; fill: var(--muted); }\n"
    )
    return re.sub(r"var\(--(\w+)\)", lambda match: LIGHT[match[1]], ours + rules)
