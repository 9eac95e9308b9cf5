"""Runs on disk that are written by hand."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from semcore import storage
from semcore.runs.conventions import SNR
from semcore.statistics.base import Quotient
from semcore.statistics.kinds import Mean

Writer = Callable[..., Path]
"""The fixture `write_run`."""


def write_run(folder: Path, cells: Sequence[dict[str, Any]], name: str = "run") -> Path:
    """A run on disk, written by hand.

    Each cell has `settings`, `metrics` (name -> value per sample), and what a test changes:
    `config`, `seed`, `snr`, `signature`, `unit`, `better`, `genie`, `packages`, `statistics` (of
    metrics other than means), `cost` (names of metrics), `items` (more fields of the samples' rows)
    and `result`: parts of the file as they are, None for a missing part.
    """
    axes: dict[str, list[Any]] = {}
    listed = []
    for cell in cells:
        identity = hashlib.blake2b(
            json.dumps([name, cell], sort_keys=True, default=repr).encode(), digest_size=10
        ).hexdigest()
        samples = [f"s{i}" for i in range(len(next(iter(cell["metrics"].values()))))]
        summaries, better = {}, cell.get("better", "higher")
        for metric, values in cell["metrics"].items():
            statistic = cell.get("statistics", {}).get(metric, Mean())
            summaries[metric] = {
                **dataclasses.asdict(statistic.of(values)), "unit": cell.get("unit", ""),
                "better": better.get(metric, "higher") if isinstance(better, Mapping) else better,
                "cost": metric in cell.get("cost", ()), "statistic": statistic.described,
                "signature": cell.get("signature", f"{metric.upper()}|1|"),
            }  # fmt: skip
        result = {
            "id": identity, "n": len(samples), "metrics": summaries, "ledger": [], "report": {},
            "segments": [], "conventions": {"snr": cell.get("snr", SNR["snr_db"]), "cbr": "",
                                            "power": ""},
            "genie": cell.get("genie", []), "packages": cell.get("packages", {"semcore": "0.1.0"}),
            "config": {"channel": {"use": "noise"}, **cell.get("config", {}),
                       "seed": cell.get("seed", 1)},
        }  # fmt: skip
        rows = [
            _row(sample, {metric: values[i] for metric, values in cell["metrics"].items()})
            | cell.get("items", [{}] * len(samples))[i]
            for i, sample in enumerate(samples)
        ]
        result |= cell.get("result", {})
        keep(
            folder / "cells" / identity / "result.json",
            {key: one for key, one in result.items() if one is not None},
        )
        items = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / "cells" / identity / "items.jsonl").write_text(items)
        listed.append({"id": identity, "settings": cell["settings"]})
        for path, value in cell["settings"].items():
            if value not in axes.setdefault(path, []):
                axes[path].append(value)
    info = {
        "name": name,
        "semcore": "0.1.0",
        "software": {"python": "3.11.7"},
        "axes": axes,
        "cells": listed,
    }
    keep(folder / "run.json", info)
    return folder


def _row(sample: str, values: Mapping[str, float | None]) -> dict[str, Any]:
    return {
        "sample": sample,
        "metrics": {
            name: None if value is None or math.isinf(value) else float(value)
            for name, value in values.items()
        },
        "parts": {
            name: (one.numerator, one.denominator)
            for name, one in values.items()
            if isinstance(one, Quotient)
        },
        "exact": [name for name, value in values.items() if value == math.inf],
        "channel_uses": 100,
    }


def keep(path: Path, value: dict[str, Any]) -> None:
    """Write a mapping as a run does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(storage.sealed(value))
