"""A run as one page that needs nothing but itself: what is on it, and in which order."""

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
from semcore.analysis.rows import rows_of
from semcore.analysis.timeline import timeline
from semcore.config.document import MAX_BYTES, parse
from semcore.errors import ConfigError, RunError
from semcore.redaction import redact
from semcore.render.page.curves import COLOURS, Figure, figures, over_segments
from semcore.render.page.diagram import diagram
from semcore.render.page.gallery import galleries
from semcore.render.page.ledger import accounts
from semcore.render.page.lines import Lines, Varied, common, lines, workflows, written_paths
from semcore.runs import files
from semcore.runs.found import in_words
from semcore.runs.labels import said
from semcore.runs.provenance import built_from
from semcore.runs.results import Run, left_out, number, read_run, readable, table
from semcore.runs.storage import signed, write

LIBRARIES = ("torch", "numpy", "scipy", "matplotlib", "pillow", "torchmetrics")
"""Shown with their versions, if they are installed."""


def write_report(folder: Path) -> Path:
    """Write `report.html` into the folder of a run.

    Raises:
        RunError: the folder does not hold a run, or a file of it is damaged
    """
    return _written(read_run(folder), "report.html")


def write_cell(run: Run, number: int) -> Path:
    """Write `cell-NUMBER.html` into the folder of a run: the report of one cell alone, all its clips and pictures large.

    Raises:
        RunError: a file of the cell is damaged
    """
    result = run.results[number]
    cells = [cell for cell in run.info["cells"] if cell["id"] == result["id"]]
    alone = replace(run, info={**run.info, "cells": cells, "axes": {}}, results=[{**result, "settings": {}}], failures=[])
    return _written(alone, f"cell-{number}.html")


def _written(run: Run, name: str) -> Path:
    path = run.folder / name
    with readable(run.folder):
        page = render(run)
    write(path, signed(redact(page).encode("utf-8", "replace")))
    return path


def render(run: Run) -> str:
    """The page."""
    arranged = lines(run)
    drawn = figures(run.metrics, arranged)
    header, rows = table(run)
    missing = _missing(run)
    return _environment().get_template("template.html").render(
        run=run,
        version=run.info["semcore"],
        summary=_summary(run, missing),
        lines=arranged,
        diagrams=_diagrams(run),
        figures=drawn,
        empty=[name for name in run.metrics if name not in {figure.metric for figure in drawn}],
        header=header,
        rows=list(zip(rows, run.results, strict=True)),
        missing=missing,
        left_out=left_out(run.results),
        lacking=in_words(run.results),
        accounts=accounts(run, arranged),
        galleries=galleries(run, arranged),
        sessions=[
            (arranged.name(result), result["segments"], _deciding(result["segments"]))
            for result in run.results
            if result["segments"]
        ],
        timelines=_timelines(run),
        observations=observe(run, arranged),
        genies=sorted({name for result in run.results for name in result["genie"]}),
        dishonest=_dishonest(run, arranged),
        configs=[(name, _yaml(common([result["config"] for result in group]))) for name, group in workflows(run).items()],
        written=_file(run),
        conventions=_distinct(run, "conventions"),
        packages=_distinct(run, "packages"),
        components=list(built_from(run.results).items()),
        libraries=_distinct(run, "libraries"),
        signatures=_signatures(run),
        seeds=list(dict.fromkeys(result["config"]["seed"] for result in run.results)),
        software=_software(),
    )  # fmt: skip


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,  # what came over a channel is hostile input
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    environment.filters["said"] = said
    environment.filters["thousands"] = lambda value: f"{value:,}".replace(",", "\u202f")
    return environment


def _dishonest(run: Run, arranged: Lines) -> list[str]:
    """The lines of which every cell uses a genie, and other such cells by name; none if all cells do."""
    if all(result["genie"] for result in run.results):
        return []
    found: list[str] = []
    for line in arranged.lines:
        genies = [cell for cell in line.cells if cell["genie"]]
        found += [line.label] if line.label and len(genies) == len(line.cells) else map(arranged.name, genies)
    return found


def _timelines(run: Run) -> tuple[list[Figure], str]:
    """Sessions over their segments, where there are not too many to be told apart; else why not."""
    sessions = [row for row in rows_of([run]) if len(row.result["segments"]) > 1]
    if not sessions:
        return [], ""
    try:
        chart = timeline(sessions)
    except RunError as error:  # a cell that failed, the oracle's say, must not take the page with it
        return [], f"Not drawn: {error}."
    few = len({line.label for line in chart.lines}) <= len(COLOURS)
    return (over_segments(chart), "") if few else ([], "Not drawn: too many to be told apart; semcore timeline draws them.")


def _summary(run: Run, missing: Sequence[Mapping[str, str]]) -> str:
    total = len(run.info["cells"])
    counts = sorted({result["n"] for result in run.results})
    samples = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else f"{counts[0]}" if counts else "no"
    done = f"{len(run.results)} of {total} cells" if missing else f"{total} cell{'s' if total > 1 else ''}"
    each = " each" if len(run.results) > 1 else ""
    state = f"{len(run.failures)} failed" if run.failures else "not finished yet" if missing else "nothing failed"
    return f"{done} · {samples} sample{'' if counts == [1] else 's'}{each} · semcore {run.info['semcore']} · {state}"


def _missing(run: Run) -> list[dict[str, str]]:
    """Cells without a result: settings, id and what became of them, in the order of the grid."""
    done = {result["id"] for result in run.results}
    labels = run.labels
    reasons = {labels.of(one["settings"]): one["reason"] for one in run.failures}
    return [
        {"id": cell["id"], "settings": labels.of(cell["settings"]),
         "reason": reasons.get(labels.of(cell["settings"]), "not computed yet")}
        for cell in run.info["cells"] if cell["id"] not in done
    ]  # fmt: skip


def _diagrams(run: Run) -> list[tuple[str, Markup]]:
    written = written_paths(_parsed(run))
    found = []
    for name, group in workflows(run).items():
        posts = [post for result in group for post in result["ledger"]]
        streams = dict.fromkeys(post["stream"] for post in posts if post["channel_uses"] and post["stream"] != "frame")
        changed = {path for result in group for one in result["segments"] for path in (*one["environment"], *one["in_force"])}
        config = common([result["config"] for result in group])
        found.append((name, diagram(config, list(streams), written, changed)))
    return found


def _file(run: Run) -> str:
    try:
        return files.read(run.folder, "pipeline.yaml", 2 * MAX_BYTES).decode("utf-8", "replace")
    except FileNotFoundError:
        return ""


def _parsed(run: Run) -> Any:
    """The pipeline file as values; None if it is gone or was changed into something else. It only ranks settings."""
    try:
        return parse(_file(run)).values
    except ConfigError:
        return None


def _deciding(segments: Sequence[Mapping[str, Any]]) -> str:
    """What the planner's decisions of a session took in all, and spread over its segments."""
    totals: dict[str, float] = {}
    for segment in segments:
        for name, value in segment["plan_report"].items():
            totals[name] = totals.get(name, 0.0) + value
    return ", ".join(f"{name} {total:g} in all, {total / len(segments):.3g} a segment" for name, total in totals.items())


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(Varied, lambda dumper, value: dumper.represent_scalar("!swept", str(value)))


def _yaml(config: Any) -> str:
    return yaml.dump(config, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def _distinct(run: Run, key: str) -> list[tuple[str, list[str]]]:
    """Every entry of a mapping that all results have, with each value that it takes."""
    held = [result.get(key, {}) for result in run.results]
    names = dict.fromkeys(name for one in held for name in one)
    return [(name, list(dict.fromkeys(str(one[name]) for one in held if name in one))) for name in names]


def _signatures(run: Run) -> list[tuple[str, list[str]]]:
    return [
        (name, list(dict.fromkeys(r["metrics"][name]["signature"] for r in run.results if name in r["metrics"])))
        for name in run.metrics
    ]


def _software() -> list[tuple[str, str]]:
    """Versions of what wrote this page."""
    found = [("python", platform.python_version()), ("system", platform.platform(terse=True))]
    for name in LIBRARIES:
        try:
            found.append((name, importlib.metadata.version(name)))
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
