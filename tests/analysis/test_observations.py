"""Observations about a run: each holds by the samples, and chance is not praised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import semcore
from semcore.analysis.evidence import verdict
from semcore.analysis.findings import observe
from semcore.analysis.overview import Overview, overview
from semcore.render.page.curves import drawings
from semcore.runs.conventions import SNR
from semcore.runs.results import Run, read_run
from semcore.statistics.kinds import Mean


def fake(
    values: Mapping[str, Mapping[float, tuple[float, float]]], better: str = "higher", **more: Any
) -> Overview:
    """A run of one metric: workflow -> SNR -> (mean, half of the interval)."""
    results = [
        {
            "id": f"{name}{x}", "settings": {"workflow": name, "channel.snr_db": x}, "n": 40,
            "report": {}, "config": {},
            "metrics": {"m": {"mean": mean, "low": mean - half, "high": mean + half, "n": 40,
                              "unit": "", "better": better, "signature": more.get(name, "M"),
                              "cost": False, "exact": 0, "joint": None,
                              "statistic": Mean().described}},
        }
        for name, line in values.items() for x, (mean, half) in line.items()
    ]  # fmt: skip
    xs = sorted({x for line in values.values() for x in line})
    info = {
        "name": "nowhere",
        "axes": {"workflow": list(values), "channel.snr_db": xs},
        "cells": [],
    }
    run = Run(Path("nowhere"), info, results, [])
    object.__setattr__(run, "items", lambda cell: [])
    return overview(run)


def say(values: Any, better: str = "higher", **more: Any) -> str:
    return " ".join(f"[{one.verdict}] {one.text}" for one in observe(fake(values, better, **more)))


def test_lines_that_cross_are_told_with_the_places_where_each_is_better() -> None:
    text = say({"a": {0: (5, 1), 2: (5, 1), 4: (5, 1)}, "b": {0: (1, 1), 2: (5.5, 1), 4: (9, 1)}})
    assert "a is better than b at 0 dB" in text and "b is better at 4 dB" in text
    assert "at 2 dB no difference is clear" in text and "cross near 1.78 dB" in text


def test_overlapping_intervals_support_nothing() -> None:
    text = say({"a": {0: (5, 2), 2: (6, 2)}, "b": {0: (4, 2), 2: (5, 2)}})
    assert "is better" not in text and "[clear]" not in text
    assert "at 0, 2 dB no difference is clear" in text and "no two points differ clearly" in text


def test_a_metric_that_reaches_its_maximum_and_stays_is_told_from_where() -> None:
    line = {0: (0.1, 0.01), 2: (0.8, 0.1), 4: (1.0, 0.0), 6: (1.0, 0.0)}
    assert "its maximum, 1, holds from 4 dB on" in say({"a": line, "b": line})
    assert "equal at 0 to 6 dB" in say({"a": line, "b": line})


def lined(
    write_run: Any,
    values: Mapping[str, Mapping[float, Sequence[float | None]]],
    metric: str = "m",
    **more: Any,
) -> str:
    """Observations of a run: line -> SNR -> samples' values; `items`: line -> more per row."""
    items = more.pop("items", {})
    cells = [
        {"settings": {"workflow": name, "channel.snr_db": x}, "metrics": {metric: list(some)},
         "items": [items.get(name, {})] * len(some), **more}
        for name, line in values.items() for x, some in line.items()
    ]  # fmt: skip
    run = read_run(write_run(cells))
    return " ".join(f"[{one.verdict}] {one.text}" for one in observe(overview(run)))


ALL, NONE = {"sent": {"x": "a"}, "arrived": {"x": "a"}}, {"sent": {"x": "a"}, "arrived": {}}


def test_silence_is_not_praised(write_run: Any) -> None:
    """Whoever lost everything sent less, and is better in nothing, whatever the values say."""
    few, many = (
        {0: [10.0, 11.0] * 6, 5: [10.0, 11.0] * 6},
        {0: [20.0, 21.0] * 6, 5: [20.0, 21.0] * 6},
    )
    for cost in ((), ("m",)):
        text = lined(
            write_run,
            {"quiet": few, "loud": many},
            better="lower",
            cost=cost,
            items={"quiet": NONE, "loud": ALL},
        )
        assert (
            "is better" not in text
            and "costs less" not in text
            and "nothing of quiet arrived" in text
        )
        text = lined(
            write_run,
            {"quiet": few, "loud": many},
            better="lower",
            cost=cost,
            items={"quiet": ALL, "loud": ALL},
        )
        assert (
            "quiet costs less than loud at 0, 5 dB"
            if cost
            else "quiet is better than loud at 0, 5 dB"
        ) in text
    half = {"sent": {"x": "a", "y": "b"}, "arrived": {"x": "a", "y": "c"}, "intact": {"y": False}}
    text = lined(
        write_run,
        {"quiet": few, "loud": many},
        better="lower",
        cost=("m",),
        items={"quiet": half, "loud": ALL},
    )
    assert "costs less than" not in text and "less of it arrived" in text
    some = {x: [30.0, 31.0, 32.0, *[None] * 9] for x in (0, 5)}
    assert "is better" not in lined(
        write_run, {"some": some, "every": few}, items={"some": ALL, "every": ALL}
    )


def test_nothing_wrong_in_three_samples_is_no_minimum_that_holds(write_run: Any) -> None:
    for values in ({0: [1.0] * 3, 2: [0.0] * 3, 4: [0.0] * 3}, {0: [0.0] * 3, 2: [0.0] * 3}):
        text = lined(
            write_run, {"a": values, "b": values}, better="lower", statistics={"m": semcore.Share()}
        )
        assert "holds" not in text and "minimum" not in text and "[clear]" not in text
    text = lined(write_run, {"a": {0: [1.0] * 40, 2: [0.0] * 40, 4: [0.0] * 40},
                             "b": {0: [1.0] * 40}}, better="lower",
                 statistics={"m": semcore.Share()})  # fmt: skip
    assert "a: its minimum, 0, holds from 2 dB on, over 40 samples (95 %: at most 0.0881)" in text


def test_better_is_said_where_the_same_samples_carry_it(write_run: Any) -> None:
    """Pictures differ more among themselves than two codecs do on each; three decide nothing."""
    base = list(np.random.default_rng(1).uniform(10, 40, 12))
    wobble = np.random.default_rng(2).uniform(0.5, 1.5, 12)
    more = [one + float(other) for one, other in zip(base, wobble, strict=True)]
    text = lined(write_run, {"a": {0: base, 5: base}, "b": {0: more, 5: base}})
    assert (
        "b is better than a at 0 dB (95 %, over the same samples); they are equal at 5 dB" in text
    )
    text = lined(write_run, {"a": {0: [1.0, 0.0, 0.0], 5: [0.0] * 3},
                             "b": {0: [0.0] * 3, 5: [0.0] * 3}}, better="lower",
                 statistics={"m": semcore.Share()})  # fmt: skip
    assert "is better" not in text


def test_what_differs_by_chance_is_rarely_called_better(write_run: Any) -> None:
    rng = np.random.default_rng(3)
    said = 0
    for _ in range(40):
        values = {name: {float(x): list(rng.normal(30, 4, 12)) for x in range(6)} for name in "ab"}
        said += "is better" in lined(write_run, values)
    assert said <= 6, "5 % of sentences, whatever the number of their places"


def test_ten_observations_are_enough_and_warnings_come_first(write_run: Any) -> None:
    rng = np.random.default_rng(4)
    cells = [
        {"settings": {"workflow": str(i), "channel.snr_db": x},
         "metrics": {f"m{k}": list(rng.normal(i * 3 + x, 1, 4)) for k in range(5)}}
        for i in range(5) for x in (0, 5, 9)
    ]  # fmt: skip
    run = read_run(write_run(cells))
    found = observe(overview(run))
    assert (
        len(found) == 10
        and found[0].verdict == "warning"
        and "Only 4 samples per cell" in found[0].text
    )
    assert {one.subject for one in found[1:]} == {f"m{k}" for k in range(5)}, (
        "every metric has its turn"
    )


def test_a_quality_that_falls_with_the_snr_is_a_warning() -> None:
    assert "[warning] a: worse at 2 dB" in say(
        {"a": {0: (9, 1), 2: (5, 1)}, "b": {0: (9, 1), 2: (9, 1)}}
    )
    assert "worse at" not in say(
        {"a": {0: (9, 1), 2: (5, 1)}, "b": {0: (9, 1), 2: (9, 1)}}, "lower"
    )


def test_different_signatures_are_neither_compared_nor_connected() -> None:
    values = {"a": {0: (9, 1), 2: (9, 1)}, "b": {0: (1, 1), 2: (1, 1)}}
    text = say(values, b="M2")
    assert "is better" not in text and "not measured in the same way" in text
    found = fake(values, b="M2")
    assert [line.label for line in found.chart.of("m")] == ["a", "b"]
    [drawing] = drawings(found)
    assert "Measured in different ways: a as M; b as M2; not connected." in drawing.notes


def test_another_convention_for_the_snr_is_neither_compared_nor_connected() -> None:
    found = fake({"a": {0: (9, 1), 2: (9, 1)}, "b": {0: (1, 1), 2: (1, 1)}})
    for result in found.run.results:
        result["conventions"] = {
            "snr": SNR["snr_db" if result["settings"]["workflow"] == "a" else "block_snr_db"]
        }
    text = " ".join(one.text for one in observe(found))
    assert "is better" not in text and "not measured in the same way" in text
    found.run.results[1]["conventions"] = {"snr": SNR["block_snr_db"]}
    assert [len(line.points) for line in overview(found.run).chart.of("m")] == [1, 1, 2]


@given(
    *[st.tuples(st.floats(-1e3, 1e3), st.floats(0, 10)) for _ in range(2)],
    st.sampled_from(["higher", "lower"]),
)
def test_a_verdict_turns_around_with_its_sides(
    p: tuple[float, float], q: tuple[float, float], better: str
) -> None:
    one, other = ({"mean": m, "low": m - h, "high": m + h, "better": better} for m, h in (p, q))
    assert verdict(other, one) == {"a": "b", "b": "a"}.get(verdict(one, other), verdict(one, other))
