"""Whatever a run holds ends in a line, and reading it takes little memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semcore import storage
from semcore.runs import files
from semcore.storage import content_digest

from ...support.strangers import among, call, cell_of, rewrite, rewrite_items


def raw(path: Path, old: bytes, new: bytes) -> None:
    """Override the text of a sealed file, with a digest that fits: what no `json.dumps` writes."""
    tail = len(storage._END % storage._EMPTY.encode())
    body = path.read_bytes()[:-tail]
    assert old in body
    body = body.replace(old, new, 1)
    path.write_bytes(
        body + storage._END % content_digest(body + storage._END % storage._EMPTY.encode()).encode()
    )


def in_result(**parts: Any) -> Callable[[Path], None]:
    return lambda run: rewrite(cell_of(run) / "result.json", lambda result: result.update(parts))


def in_metric(**parts: Any) -> Callable[[Path], None]:
    return lambda run: rewrite(
        cell_of(run) / "result.json", lambda result: result["metrics"]["grey-error"].update(parts)
    )


def in_info(**parts: Any) -> Callable[[Path], None]:
    return lambda run: rewrite(run / "run.json", lambda info: info.update(parts))


def in_item(**parts: Any) -> Callable[[Path], None]:
    return lambda run: rewrite_items(cell_of(run), lambda row: row.update(parts))


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


def in_text(old: bytes, new: bytes) -> Callable[[Path], None]:
    return lambda run: raw(cell_of(run) / "result.json", old, new)


HOSTILE: dict[str, Callable[[Path], None]] = {
    "name is a mapping": in_info(name={"a": 1}),
    "axes are a list": in_info(axes=[]),
    "cells are numbers": in_info(cells=[1]),
    "cells are gone": in_info(cells=None),
    "axis is text": in_info(axes={"channel.snr_db": "abc"}),
    "settings of no axis": lambda run: rewrite(
        run / "run.json", lambda info: info["cells"][0].update(settings={"x": 1})
    ),
    "metrics are a list": in_result(metrics=[1]),
    "metrics hold text": in_result(metrics={"grey-error": "x"}),
    "mean is text": in_metric(mean="12"),
    "mean is true": in_metric(mean=True),
    "unit is a number": in_metric(unit=3),
    "n is negative": in_metric(n=-1),
    "n is huge": in_metric(n=10**299),
    "mean is huge": in_metric(mean=1.7e308, high=1.7e308),
    "interval is turned round": in_metric(low=9.0, high=-9.0),
    "segments are lists": in_result(segments=[[[]]]),
    "segments are empty": in_result(segments=[{}]),
    "config is text": in_result(config="x"),
    "config is deep": in_result(config={"seed": 1, "channel": nested(45)}),
    "config is too deep": in_result(config={"seed": 1, "channel": nested(90)}),
    "seed is text": in_result(config={"seed": "x"}),
    "packages are a list": in_result(packages=["x"]),
    "ledger is text": in_result(ledger=["x"]),
    "genie is a number": in_result(genie=3),
    "conventions are lists": in_result(conventions={"snr": []}),
    "files are a list": in_result(files=["x"]),
    "not a number": in_text(b'"n": 3', b'"n": NaN'),
    "infinity": in_text(b'"n": 3', b'"n": -Infinity'),
    "beyond a float": in_text(b'"n": 3', b'"n": 1e999'),
    "a number of 5000 digits": in_text(b'"n": 3', b'"n": 1' + b"0" * 5000),
    "half a character": in_text(b'"n": 3', b'"n": 3, "x": "\\ud800"'),
    "deep brackets": in_text(b'"n": 3', b'"n": ' + b"[" * 99999),
    "row without metrics": in_item(metrics=None),
    "row of numbers": in_item(sample=3),
    "sent is a list": in_item(sent=["x"]),
    "intact is text": in_item(intact={"caption": "yes"}),
    "uses are text": in_item(channel_uses="many"),
    "pictures are a list": in_item(pictures=["source"]),
    "formula": in_item(sample="$\\frac{1}{$"),
    "page": in_item(sample="</script><script>alert(1)</script>"),
    "picture is none": in_item(pictures={"source": "items.jsonl", "result": "items.jsonl"}),
    "clip is none": in_item(clips={"source": "items.jsonl", "result": "items.jsonl"}),
}


@pytest.mark.parametrize(
    "how",
    [pytest.param(how, marks=pytest.mark.slow if at % 2 else ()) for at, how in enumerate(HOSTILE)],
)
@pytest.mark.default_cases(6)
def test_whatever_a_run_holds_ends_in_a_line(
    run: Path, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    HOSTILE[how](run)
    for command in among(
        run, "report", "table", "frames", "export", "diff", "cite", "merge", "verify", "play"
    ):
        code, told = call(command, capsys)
        assert len(told) < 20_000 and (code != 2 or len(told) < 1500), told[:500]
    page = run / "report.html"
    assert not page.exists() or b"<script>alert" not in page.read_bytes()


def test_reading_a_small_file_of_a_run_takes_little_memory(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    tracemalloc.start()
    try:
        assert files.read(tmp_path, "a") == b"content"
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()
