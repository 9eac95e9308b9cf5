"""One cell: send its samples through its pipeline and measure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from semcore import steps
from semcore.component.digest import digest
from semcore.config.configuration import Cell, Configuration
from semcore.config.metric_names import metric_names
from semcore.config.setup import Setup
from semcore.interfaces import Metric, Record
from semcore.link.expect import expect_values
from semcore.link.pipeline import Pipeline, Transmission
from semcore.media.clips import mp4
from semcore.planning.session import Segment, in_words, remember, run_session
from semcore.planning.simulator import Judge
from semcore.rng import Rng
from semcore.runs.cache import Cache, cached
from semcore.runs.conventions import conventions
from semcore.runs.damage import damages
from semcore.runs.found import counted, lacking
from semcore.runs.provenance import provenance
from semcore.statistics.base import Quotient
from semcore.storage import content_digest, sealed
from semcore.tensors import device
from semcore.types import Ledger, Picture, Sample, Semantics, Term, left_out_of, utility
from semcore.wording.redaction import redact

GALLERY = 12
"""Samples per cell whose pictures are kept for the report."""


def cell_session(
    configuration: Configuration,
    cell: Cell,
    samples: Sequence[Sample],
    cache: Cache,
    used: Callable[[Setup], None] = lambda setup: None,
) -> Iterator[Segment]:
    """Send `samples` through the cell's pipeline, segment by segment.

    Args:
        used: called with the cell's setup first, and then with that of each plan and environment
    """
    resolve, pipelines = configuration.resolve, dict[str, Pipeline]()
    setup = resolve(cell)
    used(setup)

    def build(overrides: Mapping[str, Any]) -> Pipeline:
        key = json.dumps(dict(overrides), sort_keys=True)
        if key not in pipelines:
            under = resolve(cell, overrides) if overrides else setup
            used(under)
            pipelines[key] = cached(under.pipeline, cache)
        return pipelines[key]

    terms = setup.scenarios[0].utility
    return run_session(
        build,
        samples,
        Rng(setup.seed),
        setup.planner,
        setup.scenarios,
        batch_size=setup.batch_size,
        space=setup.space,
        judge=_judge(setup.metrics, terms) if terms else None,
        cached=lambda key, compute: cache.each(
            "trial", [digest("trial", key, setup.metrics)], lambda at: [compute()]
        )[0],
    )


def cell_files(
    identity: str, configuration: Configuration, cell: Cell, samples: Sequence[Sample], cache: Cache
) -> dict[str, bytes]:
    """Send samples through a cell's pipeline and measure them, segment by segment: no more than one
    is in memory.

    Returns:
        what the cell leaves behind, by file name: pictures, clips, `items.jsonl`, and last
            `result.json`, which holds the
        digests of the others and marks the cell done
    """
    setups: list[Setup] = []
    kept = _Kept()
    for segment in cell_session(configuration, cell, samples, cache, setups.append):
        kept.add(setups[0], segment)
        del segment  # before the next one is made
    setup = setups[0]
    files = dict(kept.files)
    files["items.jsonl"] = redact(
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept.rows)
    ).encode()
    result = {
        "id": identity,
        "n": len(kept.rows),
        "device": str(device()),
        **_left_out(samples),
        "metrics": {
            name: _summary(metric, kept.values[name])
            for name, metric in zip(metric_names(setup.metrics), setup.metrics, strict=True)
        },
        "ledger": _accounts(kept.ledgers),
        "report": _mean_report(kept.reports),
        **lacking(kept.rows),
        "segments": kept.segments if setup.planner or setup.pipeline.kb else [],
        "conventions": conventions(setup.pipeline.channel),
        "genie": sorted(frozenset[str]().union(*(used.genies for used in setups))),
        "packages": dict(
            sorted(
                {
                    name: version for used in setups for name, version in used.packages.items()
                }.items()
            )
        ),
        **provenance(part for used in setups for part in used.parts),
        "config": setup.config,
        "files": {name: content_digest(data) for name, data in files.items()},
    }
    return {**files, "result.json": sealed(result)}


def _left_out(samples: Sequence[Sample]) -> dict[str, Any]:
    """How many samples the source left out because they cannot be read, and the first of them with
    the reasons."""
    found = left_out_of(samples)
    return (
        {"left_out": {"count": len(found), "first": [list(one) for one in found[:GALLERY]]}}
        if found
        else {}
    )


@dataclass
class _Kept:
    """What is kept of the segments of a cell.

    Fields:
        rows: one per sample
        values: name of a metric -> its values, one per sample
        ledgers: one per segment
        reports: what the channel said, one per sample
        segments: what a planner may know of each segment, and what metrics say
        files: pictures and clips of the first samples
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    values: dict[str, list[float | None]] = field(default_factory=dict)
    ledgers: list[Ledger] = field(default_factory=list)
    reports: list[Mapping[str, float]] = field(default_factory=list)
    segments: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)

    def add(self, setup: Setup, segment: Segment) -> None:
        """Measure a segment."""
        records = _records(segment.samples, segment.outcome)
        named = dict(zip(metric_names(setup.metrics), setup.metrics, strict=True))
        with steps.stage("measure", len(named), "metrics"):
            found = {
                name: expect_values(named[name], records)
                for name in steps.each(list(named), "metrics")
            }
        for name, values in found.items():
            self.values.setdefault(name, []).extend(values)
        measured = [
            {name: values[index] for name, values in found.items()} for index in range(len(records))
        ]
        for record, metrics in zip(records, measured, strict=True):
            row = {
                **_row(record, segment, metrics),
                **counted(record, setup.pipeline.encoder, named),
            }
            if len(self.rows) < GALLERY:
                self._show(setup, record, row)
            self.rows.append(row)
            self.reports.append(record.report)
        self.ledgers.append(segment.outcome.delivery.ledger)
        self.segments.append(_told(setup.metrics, segment, found))

    def _show(self, setup: Setup, record: Record, row: dict[str, Any]) -> None:
        """Keep the pictures and clips of a sample, and name them in its row."""
        index, views = len(self.rows), setup.pipeline.encoder.views(record.source)
        for name, pixels in {**_pictures(record), **views}.items():
            path = f"pictures/{index:03d}-{_file_name(redact(name))}.png"
            self.files[path] = png(pixels)
            row.setdefault("pictures", {})[name] = path
        for name, sample in (("source", record.source), ("result", record.result)):
            if (clip := mp4(sample)) is not None:
                path = f"clips/{redact(f'{index:03d}-{name}.mp4')}"
                self.files[path] = clip
                row.setdefault("clips", {})[name] = path


def png(pixels: Any) -> bytes:
    """uint8 (H, W, 3) as the bytes of a PNG file."""
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _judge(metrics: Sequence[Metric], terms: Sequence[Term]) -> Judge:
    """Measures what a utility is made of, and nothing else."""
    wanted = {term.metric for term in terms}
    chosen = [
        (name, metric)
        for name, metric in zip(metric_names(metrics), metrics, strict=True)
        if name in wanted
    ]

    def judge(samples: Sequence[Sample], outcome: Transmission) -> dict[str, float | None]:
        records = _records(samples, outcome)
        return {
            name: metric.statistic.level(expect_values(metric, records)) for name, metric in chosen
        }

    return judge


def _records(samples: Sequence[Sample], outcome: Transmission) -> list[Record]:
    return [
        Record(
            sample,
            sent,
            arrived,
            result,
            Ledger(
                tuple(
                    entry for entry in outcome.delivery.ledger.entries if entry.sample == sample.id
                )
            ),
            outcome.delivery.report.get(sample.id, {}),
        )
        for sample, sent, arrived, result in zip(
            samples, outcome.sent, outcome.delivery.arrived, outcome.results, strict=True
        )
    ]


def _row(record: Record, segment: Segment, metrics: Mapping[str, float | None]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "sample": record.source.id,
        "metrics": {name: _finite(value) for name, value in metrics.items()},
        "channel_uses": record.ledger.uses(),
        "sent": _in_words(record.sent),
        "arrived": _in_words(record.arrived),
        "intact": dict(record.arrived.intact),
        "differs": damages(record.sent, record.arrived),
        "report": {name: _finite(value) for name, value in record.report.items()},
    }
    if parts := {
        name: (one.numerator, one.denominator)
        for name, one in metrics.items()
        if isinstance(one, Quotient)
    }:
        row["parts"] = parts
    if exact := [name for name, value in metrics.items() if value == math.inf]:
        row["exact"] = exact
    if segment.in_force:
        row["plan"] = dict(segment.in_force)
    return row


def _in_words(semantics: Semantics) -> dict[str, str]:
    return {name: in_words(stream) for name, stream in semantics.streams.items()}


def _file_name(name: str) -> str:
    """A redacted name without what has a meaning in paths; the brackets of a redaction stay."""
    return re.sub(r"[^\w.:\[\]-]+", "-", name)


def _pictures(record: Record) -> dict[str, Any]:
    found = {"source": _picture(record.source), "result": _picture(record.result)}
    for name, stream in record.arrived.streams.items():
        if isinstance(stream, Picture):
            found[name] = stream.pixels
    return {name: pixels for name, pixels in found.items() if pixels is not None}


def _picture(sample: Sample) -> Any:
    """A sample's picture, or the first frame of its video."""
    return sample.image if sample.image is not None or sample.video is None else sample.video[0]


def _summary(metric: Metric, values: Sequence[float | None]) -> dict[str, Any]:
    return {
        **asdict(metric.statistic.of(values)),
        "unit": metric.unit,
        "better": metric.better,
        "cost": metric.cost,
        "statistic": metric.statistic.described,
        "signature": metric.signature,
    }


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value


def _accounts(ledgers: Sequence[Ledger]) -> list[dict[str, Any]]:
    """Channel uses and bits by stream and kind, over all samples."""
    totals: dict[tuple[str, str], list[int]] = {}
    for ledger in ledgers:
        for entry in ledger.entries:
            line = totals.setdefault((entry.stream, entry.kind), [0, 0])
            line[0] += entry.uses
            line[1] += entry.bits
    return [
        {"stream": stream, "kind": kind, "channel_uses": uses, "bits": bits}
        for (stream, kind), (uses, bits) in totals.items()
    ]


def _mean_report(reports: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for report in reports for name in report)
    means = {}
    for name in names:
        values = [report[name] for report in reports if name in report]
        if all(map(math.isfinite, values)):
            means[name] = math.fsum(values) / len(values)
    return means


def _told(
    metrics: Sequence[Metric], segment: Segment, found: Mapping[str, Sequence[float | None]]
) -> dict[str, Any]:
    """What is recorded of a segment: what a planner may know, and values of metrics."""
    kinds = {name: metric.statistic for name, metric in zip(found, metrics, strict=True)}
    means = {name: kinds[name].mean(values) for name, values in found.items()}
    levels = {name: kinds[name].level(values) for name, values in found.items()}
    updates = sum(
        entry.bits
        for entry in segment.outcome.delivery.ledger.entries
        if entry.stream == "update" and entry.kind == "feedback"
    )
    worth = utility(segment.scenario.utility, levels)
    return {**remember(segment), "metrics": means, "worth": worth, "updates": updates}
