"""A metric's signature changes with the meaning of its values, recorded here by version."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import semcore
from semcore import KnowledgeBase, Sample, Semantics, Text
from semcore.interfaces import Metric, Record
from semcore.plugins import registry
from semcore.types import Ledger

TABLE = Path(__file__).parent / "metric_versions.json"
"""Metric with its settings and its version -> its values of `RECORDS`, and their mean."""
RATE = 16000


@dataclass(frozen=True)
class Hears(semcore.SemanticEncoder):
    """A recogniser that hears the first words of what is said by its length."""

    streams = {"text": Text}

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        said = "bin blue at f two now".split()
        return [
            Semantics(one.id, {"text": Text(" ".join(said[: len(one.audio) // 8000]))})
            for one in samples
            if one.audio is not None
        ]


def picture(seed: int, height: int = 40, width: int = 60) -> np.ndarray:
    rng = np.random.default_rng(seed)
    waves = rng.uniform(0.05, 0.4, (3, 2))
    rows, columns = np.mgrid[:height, :width]
    values = [128 + 100 * np.sin(a * rows + b * columns) for a, b in waves]
    return np.stack(values, -1).clip(0, 255).astype(np.uint8)


def noisy(pixels: np.ndarray, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(-20, 21, pixels.shape)
    return (pixels.astype(int) + noise).clip(0, 255).astype(np.uint8)


def clip(seed: int, frames: int, fps: float, speech_s: float, noise: int | None = None) -> Sample:
    video = np.stack([picture(seed + index // 2) for index in range(frames)])
    time = np.arange(round(speech_s * RATE)) / RATE
    carrier = np.random.default_rng(seed).standard_normal(len(time))
    audio = 0.1 * carrier * (1 + np.sin(2 * np.pi * (2 + seed) * time))
    if noise is not None:
        video = noisy(video, noise)
        audio = audio + 0.05 * np.random.default_rng(noise).standard_normal(len(time))
    return Sample(
        f"c{seed}", video=video, fps=fps, audio=audio.astype(np.float32), sample_rate_hz=RATE,
        text=" ".join("bin blue at f two now".split()[:seed]),
    )  # fmt: skip


def record(source: Sample, result: Sample, sent: str = "", arrived: str | None = None) -> Record:
    there = Semantics(source.id, {} if arrived is None else {"caption": Text(arrived)})
    text = Semantics(source.id, {"caption": Text(sent)} if sent else {})
    return Record(source, text, there, result, Ledger(()))


RECORDS = [
    record(
        Sample("p", image=picture(1)),
        Sample("p", image=noisy(picture(1), 2)),
        "a red car",
        "a rd car",
    ),
    record(
        Sample("p", image=picture(3)), Sample("p", image=picture(4, 20, 30)), "a ship", "a ship"
    ),
    record(Sample("p", image=picture(5)), Sample("p"), "two dogs"),
    record(clip(1, 10, 10.0, 1.0), clip(1, 10, 10.0, 1.0, noise=7)),
    record(clip(2, 10, 10.0, 2.0), clip(2, 16, 20.0, 1.5, noise=8)),
    record(clip(3, 6, 10.0, 1.0), clip(3, 12, 10.0, 2.0)),
    record(clip(4, 6, 10.0, 1.0), Sample("c4")),
]
METRICS: dict[str, dict[str, object]] = {
    "psnr": {}, "mse": {}, "ssim": {}, "ssim valid": {"border": "valid"}, "ms-ssim": {},
    "ms-ssim valid": {"border": "valid"}, "char-accuracy": {}, "frame-psnr": {},
    "envelope-correlation": {}, "speech-wer": {"recogniser": Hears()},
    "speech-wer source": {"recogniser": Hears(), "of": "source"},
    "stream-error": {"stream": "caption"},
}  # fmt: skip


def measured(metric: Metric) -> dict[str, object]:
    values = metric.measure(RECORDS)
    return {"values": values, "mean": metric.statistic.mean(values)}


@pytest.mark.parametrize("name", METRICS)
def test_values_are_those_that_were_recorded_for_this_version(name: str) -> None:
    metric = registry.load("metric", name.split()[0])(**METRICS[name])
    key = f"{name}|{metric.version}"
    table = json.loads(TABLE.read_text())
    found = measured(metric)
    assert key in table, f"record what version {metric.version} says: {json.dumps({key: found})}"
    numbers = [number for part in (table[key], found) for number in [*part["values"], part["mean"]]]
    before, now = numbers[: len(numbers) // 2], numbers[len(numbers) // 2 :]
    assert [one is None for one in before] == [one is None for one in now]
    known = [(a, b) for a, b in zip(before, now, strict=True) if a is not None]
    assert all(a == pytest.approx(b, rel=1e-5, abs=1e-7) for a, b in known), (
        "what the values mean has changed: raise `version`, which stands in the signature"
    )
    assert f"|{metric.version}" in metric.signature
