"""The block diagram of a pipeline file as an SVG file of its own: colours and fonts inside, one drawing a workflow."""

from __future__ import annotations

import re
from pathlib import Path

from markupsafe import escape

from semcore.config.experiment import Experiment, alternatives
from semcore.config.setup import Setup
from semcore.render.page.configuration import common, written_paths
from semcore.render.page.diagram import diagram

LIGHT = {
    "page": "#ffffff", "card": "#ffffff", "ink": "#1c2126", "muted": "#626c76", "rule": "#dfe3e7", "lane": "#f1f3f5",
    "accent": "#1f6fb2", "warm": "#b4540a", "good": "#22764f", "channel": "#e9f1f8",
}  # fmt: skip
"""Colours by their name in `diagram.css`; drawing programs know no CSS variables, so they are written in their place."""
MARGIN, TITLE, KEY = 16, 30, 26
"""Around the drawings, and heights of the name of a workflow and of the line that explains the marks, in px."""


def graph(experiment: Experiment) -> str:
    """Draw every workflow that the pipeline file chooses, sweeps over, or lets its planner choose."""
    written = written_paths(experiment.document.values)
    groups: dict[str, list[Setup]] = {}
    for cell in experiment.cells:
        setup = experiment.resolve(cell)
        chosen = {**experiment.values, **experiment.fixed, **cell.settings}.get("workflow") or ""
        groups.setdefault(str(chosen), []).append(setup)
        for other in dict.fromkeys(plan["workflow"] for plan in alternatives(setup) if plan.get("workflow", chosen) != chosen):
            groups.setdefault(str(other), []).append(experiment.resolve(cell, {"workflow": other}))
    drawings = [(name, *_drawing(setups, written)) for name, setups in groups.items()]
    width = max(wide for _, _, wide, _ in drawings) + 2 * MARGIN
    parts, y = [], float(MARGIN)
    for name, body, _, height in drawings:
        if name:
            parts.append(f'<text class="workflow" x="{MARGIN}" y="{y + 16:g}">{escape(name)}</text>')
            y += TITLE
        parts.append(f'<g class="diagram" transform="translate({MARGIN} {y:g})">{body}</g>')
        y += height + MARGIN
    marks = {"swept": "◆ swept", "segment": "◇ changes from segment to segment"}
    used = [text for mark, text in marks.items() if any(f'"setting {mark}"' in body for _, body, _, _ in drawings)]
    if used:
        parts.append(f'<text class="key" x="{MARGIN}" y="{y + 8:g}">{"   ".join(used)}</text>')
        y += KEY
    size = f'width="{width:g}" height="{y:g}" viewBox="0 0 {width:g} {y:g}"'
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<svg xmlns="http://www.w3.org/2000/svg" {size}>'
        f"<title>{escape(experiment.name)}</title>\n<style>\n{_style()}</style>\n"
        f'<rect width="100%" height="100%" fill="{LIGHT["page"]}"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _drawing(setups: list[Setup], written: set[str]) -> tuple[str, float, float]:
    """What is inside the drawing of some cells, and its width and height."""
    streams: dict[str, None] = {}
    changed: set[str] = set()
    for setup in setups:
        link = setup.pipeline
        streams |= dict.fromkeys(
            [*link.encoder.streams, *(link.kb.streams if link.kb else ()), *["plan"] * bool(setup.planner)]
        )
        changed |= {path for overrides in alternatives(setup) for path in overrides}
    svg = diagram(common([setup.config for setup in setups]), list(streams), written, changed)
    found = re.match(r'<svg class="diagram" viewBox="0 0 (\S+) (\S+)"[^>]*>(.*)</svg>\Z', svg, re.DOTALL)
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
