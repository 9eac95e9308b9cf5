"""A run as one page that needs no other file: what it shows, in which order."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jinja2
import yaml
from markupsafe import Markup

from semcore.analysis.findings import observe
from semcore.analysis.ledger import LedgerLine, LedgerSum, ledger
from semcore.analysis.overview import Overview, overview
from semcore.analysis.timeline import timeline
from semcore.config.document import MAX_BYTES, parse
from semcore.errors import ConfigError, RunError
from semcore.render.page.configuration import Varied, by_workflow, common, written_paths
from semcore.render.page.curves import Drawing, drawings, over_segments
from semcore.render.page.diagram import diagram
from semcore.render.page.gallery import galleries
from semcore.render.palette import COLOURS, colour, strength
from semcore.render.text import gaps, left_out, table
from semcore.runs import files
from semcore.runs.labels import format_value
from semcore.runs.provenance import built_from
from semcore.runs.results import Run, read_run, readable
from semcore.storage import signed, write
from semcore.wording.numbers import number
from semcore.wording.plural import plural
from semcore.wording.redaction import redact

LIBRARIES = ("torch", "numpy", "scipy", "matplotlib", "pillow", "torchmetrics")
"""Libraries shown with their versions, if they are installed."""


def write_report(folder: Path) -> Path:
    """Write `report.html` into the folder of a run.

    Raises:
        RunError: the folder is not a run, or a file of it is damaged
    """
    return _written(read_run(folder), "report.html")


def write_cell(run: Run, number: int) -> Path:
    """Write `cell-NUMBER.html` into the folder of a run: the report of one cell alone.

    Raises:
        RunError: a file of the cell is damaged
    """
    result = run.results[number]
    info = {
        **run.info,
        "cells": [cell for cell in run.info["cells"] if cell["id"] == result["id"]],
        "axes": {},
    }
    alone = replace(run, info=info, results=[{**result, "settings": {}}], failures=[])
    return _written(alone, f"cell-{number}.html")


def _written(run: Run, name: str) -> Path:
    path = run.folder / name
    with readable(run.folder):
        page = render(run)
    write(path, signed(redact(page).encode("utf-8", "replace")))
    return path


def render(run: Run) -> str:
    """The page as HTML."""
    found = overview(run)
    header, rows = table(run)
    missing = _missing(run)
    return (
        _environment()
        .get_template("template.html")
        .render(
            run=run,
            version=run.info["semcore"],
            summary=_summary(run, missing),
            intervals=_intervals(found),
            snr_meaning=found.snr_meaning,
            diagrams=_diagrams(run),
            drawings=drawings(found),
            empty=[name for name in run.metrics if name not in found.chart.metrics],
            header=header,
            rows=list(zip(rows, run.results, strict=True)),
            missing=missing,
            left_out=left_out(run.results),
            lacking=gaps(run.results),
            ledger=[(one, _coloured(one)) for one in ledger(found)],
            galleries=galleries(found),
            sessions=[
                (run.labels.of(result["settings"]), segments, _plan_costs(segments))
                for result in run.results
                if (segments := result["segments"])
            ],
            timelines=_timelines(found),
            observations=observe(found),
            genies=sorted({name for result in run.results for name in result["genie"]}),
            dishonest=_dishonest(found),
            configs=[
                (name, _yaml(common([result["config"] for result in group])))
                for name, group in by_workflow(run.results).items()
            ],
            written=_file(run),
            conventions=_distinct(run, "conventions"),
            packages=_distinct(run, "packages"),
            components=list(built_from(run.results).items()),
            libraries=_distinct(run, "libraries"),
            signatures=_signatures(run),
            seeds=list(dict.fromkeys(result["config"]["seed"] for result in run.results)),
            software=_software(),
            cells=[(run.labels.of(cell["settings"]), cell["id"]) for cell in run.info["cells"]],
        )
    )


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,  # what came over a channel is hostile input
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    environment.filters["format_value"] = format_value
    environment.filters["thousands"] = lambda value: f"{value:,}".replace(",", "\u202f")
    return environment


def _coloured(account: LedgerSum) -> list[tuple[LedgerLine, str, float]]:
    """The lines of a ledger with colour and opacity: a colour per stream, a shade per kind."""
    ranks: dict[str, int] = {}
    found = []
    for line in account.lines:
        rank = ranks.get(line.stream, 0)
        ranks[line.stream] = rank + 1
        found.append((line, colour(list(ranks).index(line.stream)), strength(rank)))
    return found


def _dishonest(found: Overview) -> list[str]:
    """The groups of which every cell uses a genie, and other such cells; none if all cells do."""
    if all(result["genie"] for result in found.run.results):
        return []
    names: list[str] = []
    for group in found.groups:
        genies = [row for row in group.rows if row.result["genie"]]
        if group.label and len(genies) == len(group.rows):
            names.append(group.label)
        else:
            names += map(found.name, genies)
    return names


def _timelines(found: Overview) -> tuple[list[Drawing], str]:
    """Sessions over their segments, or why they are not drawn."""
    rows = [row for group in found.groups for row in group.rows]
    sessions = [row for row in rows if len(row.result["segments"]) > 1]
    if not sessions:
        return [], ""
    try:
        chart = timeline(sessions)
    except RunError as error:  # one failed cell, such as that of the oracle, must not fail the page
        return [], f"Not drawn: {error}."
    if len(chart.labels) > len(COLOURS):
        return [], "Not drawn: too many lines to distinguish; semcore timeline draws them."
    return over_segments(chart), ""


def _summary(run: Run, missing: Sequence[Mapping[str, str]]) -> str:
    """The run in one line: cells, samples, version, state."""
    total, done = len(run.info["cells"]), len(run.results)
    counts = sorted({result["n"] for result in run.results})
    if missing:
        cells = f"{done} of {total} cells"
    else:
        cells = plural(total, "cell")
    samples = "no samples"
    if counts:
        span = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else f"{counts[0]}"
        samples = f"{span} sample" if counts == [1] else f"{span} samples"
    each = " each" if done > 1 else ""
    state = "nothing failed"
    if run.failures:
        state = f"{len(run.failures)} failed"
    elif missing:
        state = "not finished yet"
    return f"{cells} · {samples}{each} · semcore {run.info['semcore']} · {state}"


def _missing(run: Run) -> list[dict[str, str]]:
    """Cells without a result: settings, id and the reason, in the order of the grid."""
    done = {result["id"] for result in run.results}
    labels = run.labels
    reasons = {labels.of(one["settings"]): one["reason"] for one in run.failures}
    cells = []
    for cell in run.info["cells"]:
        if cell["id"] not in done:
            settings = labels.of(cell["settings"])
            reason = reasons.get(settings, "not computed yet")
            cells.append({"id": cell["id"], "settings": settings, "reason": reason})
    return cells


def _intervals(found: Overview) -> str:
    """The names of the intervals of the curves."""
    points = [point for line in found.chart.lines for point in line.points]
    return ", ".join(dict.fromkeys(point.y.kind.words for point in points))


def _diagrams(run: Run) -> list[tuple[str, Markup]]:
    """A block diagram per workflow."""
    written = written_paths(_parsed(run))
    diagrams = []
    for name, group in by_workflow(run.results).items():
        streams: dict[str, None] = {}
        changed: set[str] = set()
        for result in group:
            for entry in result["ledger"]:
                if entry["channel_uses"] and entry["stream"] != "frame":
                    streams[entry["stream"]] = None
            for segment in result["segments"]:
                changed |= {*segment["environment"], *segment["in_force"]}
        config = common([result["config"] for result in group])
        diagrams.append((name, diagram(config, list(streams), written, changed)))
    return diagrams


def _file(run: Run) -> str:
    """The pipeline file as written; "" if it is gone."""
    try:
        return files.read(run.folder, "pipeline.yaml", 2 * MAX_BYTES).decode("utf-8", "replace")
    except FileNotFoundError:
        return ""


def _parsed(run: Run) -> Any:
    """The values of the pipeline file; None if it is gone or damaged. They only rank settings."""
    try:
        return parse(_file(run)).values
    except ConfigError:
        return None


def _plan_costs(segments: Sequence[Mapping[str, Any]]) -> str:
    """What planning cost in a session, in total and per segment."""
    totals: dict[str, float] = {}
    for segment in segments:
        for name, value in segment["plan_report"].items():
            totals[name] = totals.get(name, 0.0) + value
    return ", ".join(
        f"{name} {total:g} in all, {total / len(segments):.3g} per segment"
        for name, total in totals.items()
    )


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(Varied, lambda dumper, value: dumper.represent_scalar("!swept", str(value)))


def _yaml(config: Any) -> str:
    return yaml.dump(config, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def _distinct(run: Run, key: str) -> list[tuple[str, list[str]]]:
    """The entries of a mapping in all results, with each value that they take."""
    values: dict[str, dict[str, None]] = {}
    for result in run.results:
        for name, value in result.get(key, {}).items():
            values.setdefault(name, {})[str(value)] = None
    return [(name, list(known)) for name, known in values.items()]


def _signatures(run: Run) -> list[tuple[str, list[str]]]:
    values: dict[str, dict[str, None]] = {name: {} for name in run.metrics}
    for result in run.results:
        for name, entry in result["metrics"].items():
            values[name][entry["signature"]] = None
    return [(name, list(known)) for name, known in values.items()]


def _software() -> list[tuple[str, str]]:
    """Versions of what wrote this page."""
    versions = [("python", platform.python_version()), ("system", platform.platform(terse=True))]
    for name in LIBRARIES:
        try:
            versions.append((name, importlib.metadata.version(name)))
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
