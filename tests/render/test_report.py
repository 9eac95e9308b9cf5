"""The page of a run: self-contained, every number as in the results, no caption can execute."""

from __future__ import annotations

import dataclasses
import html.parser
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import semcore
from semcore.analysis.findings import observe
from semcore.analysis.ledger import ledger
from semcore.analysis.overview import Overview, overview
from semcore.errors import RunError
from semcore.render.page import write_report
from semcore.render.page.configuration import Varied, common
from semcore.render.page.curves import drawings
from semcore.render.page.gallery import LONGEST, compare, thinned, visible
from semcore.render.page.gallery import _pieces as gallery_pieces
from semcore.runs.conventions import SNR
from semcore.runs.damage import damages
from semcore.runs.results import Run, read_run, table, verdict, with_interval
from semcore.statistics.kinds import Mean
from semcore.storage import sealed

HOSTILE = """<script>alert(1)</script><img src=x onerror=alert(2)> " ' & {{ 7*7 }} \u202e end"""


@semcore.register("encoder", "hostile")
@dataclasses.dataclass(frozen=True)
class Hostile(semcore.SemanticEncoder):
    """Says something that a page must not believe, and how bright the picture is."""

    @property
    def streams(self) -> Mapping[str, type[semcore.Stream]]:
        return {"caption": semcore.Text}

    def encode(
        self, samples: Sequence[semcore.Sample], kb: semcore.KnowledgeBase
    ) -> list[semcore.Semantics]:
        return [
            semcore.Semantics(
                one.id, {"caption": semcore.Text(f"{HOSTILE} {one.image.mean():.0f}")}, one.user
            )
            for one in samples
            if one.image is not None
        ]


@semcore.register("selector", "oracle")
@dataclasses.dataclass(frozen=True)
class Oracle(semcore.Selector):
    """Would know the best candidate."""

    genie: ClassVar[bool] = True

    def select(
        self,
        candidates: Sequence[semcore.Candidates],
        batch: Sequence[semcore.Semantics],
        kb: semcore.KnowledgeBase,
    ) -> list[semcore.Sample]:
        return [some.samples[0] for some in candidates]


@semcore.register("kb", "brightest")
@dataclasses.dataclass(frozen=True)
class Brightest(semcore.KBPolicy):
    """Tells the receiver every brightness."""

    @property
    def streams(self) -> Mapping[str, type[semcore.Stream]]:
        return {"brightness": semcore.Bitstream}

    def update(
        self, kb: semcore.KnowledgeBase, samples: Sequence[semcore.Sample]
    ) -> list[semcore.Semantics]:
        return [
            semcore.Semantics(
                one.id,
                {"brightness": semcore.Bitstream(bytes(int(np.mean(one.image)) % 3 + 1))},
                one.user,
            )
            for one in samples
            if one.image is not None
        ]


SWEEP = """
workflow: plain
workflows:
  plain: {}
  hostile: {encoder: {use: hostile}, selector: {use: oracle}}
sweep:
  workflow: [plain, hostile]
  channel.snr_db: [-3, 3, 9, 15]
"""
SESSION = """
planner: {use: alternate, table: [[generator.steps, 10], [transport.repeat, 3]]}
kb: {use: brightest}
"""
SEGMENTS = "scenario: {segments: [{channel.snr_db: 12}, {channel.snr_db: 3}]}\n"


class Page(html.parser.HTMLParser):
    """What a page consists of; refuses tags that do not nest."""

    VOID = frozenset(("meta", "img", "br", "link", "hr"))

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.words: list[str] = []
        self.ids: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data

    @property
    def text(self) -> str:
        return "".join(self.words)


@pytest.fixture
def made(bench: Any) -> Any:
    """Run the bench's pipeline with more lines; return the run, its page and the page's source."""

    def make(more: str = "", *overrides: str) -> tuple[Run, Page, str]:
        bench.text += more
        bench.run(*overrides)
        source = write_report(bench.folder / "out").read_text(encoding="utf-8")
        return read_run(bench.folder / "out"), Page(source), source

    return make


def test_the_page_needs_nothing_but_itself_and_runs_nothing(made: Any) -> None:
    _, page, source = made(SWEEP)
    for tag, attributes in page.tags:
        assert tag not in ("script", "link", "iframe", "object", "embed", "base", "form")
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in ("src", "href", "xlink:href", "data", "action", "poster", "srcset"):
                assert (value or "").startswith(("#", "data:image/")), f"{tag} {name}={value}"
    assert not re.search(r"url\((?!#)|@import|expression\(", source)
    policy = next(
        a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy and policy.startswith("default-src 'none'") and "script" not in policy


def test_ids_are_unique_and_every_reference_inside_leads_somewhere(made: Any) -> None:
    _, page, source = made(SWEEP)
    assert len(set(page.ids)) == len(page.ids)
    wanted = set(re.findall(r'(?:href="#|url\(#)([^")]+)', source))
    assert wanted <= set(page.ids)


def test_hostile_captions_are_shown_and_not_obeyed(made: Any) -> None:
    _, page, source = made(SWEEP)
    assert "<script" not in source and "<img src=x" not in source and "\u202e" not in source
    assert "<script>alert(1)</script>" in page.text  # as words
    assert "{{ 7*7 }}" in page.text


def test_hostile_names_and_reasons_are_shown_and_not_obeyed(made: Any) -> None:
    more = (
        "seed: 1 # <script>\nsweep: {encoder.prefix: ['<b>$x$</b>', '$\\frac{', '--> <script>']}\n"
    )
    run, page, source = made(more)
    assert len(run.results) == 3
    assert "<script" not in source and "<b>$x$" not in source
    assert "<b>$x$</b>" in page.text and "$\\frac{" in page.text


def test_numbers_of_the_table_are_those_of_the_results(made: Any) -> None:
    run, page, _ = made(SWEEP)
    header, _ = table(run)
    shown = {row[-1]: row for row in page.rows if row and re.fullmatch("[0-9a-f]{8}", row[-1])}
    assert len(shown) == len(run.results) == 8
    for cell in run.results:
        row = shown[cell["id"][:8]]
        assert (
            row[0] == cell["settings"]["workflow"]
            and float(row[1]) == cell["settings"]["channel.snr_db"]
        )
        assert row[header.index("n")] == str(cell["n"])
        assert row[header.index("grey-error [grey]")] == with_interval(
            cell["metrics"]["grey-error"]
        )


def test_every_cell_and_every_sample_appears(made: Any) -> None:
    run, page, _ = made(SWEEP)
    for cell in run.info["cells"]:
        assert cell["id"] in page.text
    pictures = [a for tag, a in page.tags if tag == "img"]
    assert len(pictures) == 2 * 3 * (
        1 + 4
    )  # two workflows, three samples, the source and four SNRs
    assert all("crisp" in (a["class"] or "") for a in pictures)
    for sample in ("s0", "s1", "s2"):
        assert page.words.count(sample) == 2


def test_the_ledger_conserves_every_channel_use_and_bit(made: Any) -> None:
    run, page, _ = made(SWEEP + SESSION)
    found = ledger(overview(run))
    assert sum(one.uses for one in found) == sum(
        post["channel_uses"] for c in run.results for post in c["ledger"]
    )
    assert sum(one.bits for one in found) == sum(
        post["bits"] for c in run.results for post in c["ledger"]
    )
    for one in found:
        assert one.agrees and one.uses > 0
        assert (one.uses, one.bits) == (
            sum(line.uses for line in one.lines),
            sum(line.bits for line in one.lines),
        )
        assert sum(line.share for line in one.lines) == pytest.approx(100)
    totals = [row for row in page.rows if row and row[0] == "total"]
    spoken = {int(re.sub(r"\D", "", row[1])) for row in totals}
    assert {one.uses for one in found} <= spoken
    assert {"brightness", "caption", "plan"} <= {line.stream for line in found[0].lines}


def test_a_ledger_that_does_not_add_up_is_told(bench: Any) -> None:
    bench.run()
    path = next((bench.folder / "out" / "cells").glob("*/result.json"))
    result = json.loads(path.read_text())
    result["ledger"][0]["channel_uses"] += 1
    path.write_bytes(sealed(result))
    assert "do not sum to this total" in write_report(bench.folder / "out").read_text()


def test_the_diagram_holds_every_component_and_marks_what_is_swept(made: Any) -> None:
    _, page, source = made(SWEEP + SESSION)
    drawings = re.findall(r'<svg class="diagram".*?</svg>', source, re.DOTALL)
    assert len(drawings) == 2
    for drawing, own in zip(drawings, (("brightness", "word"), ("hostile", "oracle")), strict=True):
        names = set(re.findall(r">([^<>]+)<", drawing))
        assert {"greys", "qpsk", "noise", "flat", "alternate", "brightest", *own} <= names
    assert "segments" in page.ids
    assert re.search(
        r'class="setting segment"[^>]*><title>repeat', drawings[0]
    )  # the planner changes it


def test_swept_settings_are_marked_in_the_diagram_and_in_the_configuration(made: Any) -> None:
    _, page, source = made("sweep: {channel.snr_db: [0, 5], encoder.codec.quality: [1, 2, 3]}\n")
    swept = re.findall(r'class="setting swept"[^>]*><title>([^<]*)</title>', source)
    assert sorted(swept) == ["codec.quality 1, 2, 3", "snr_db 0, 5 dB"]
    assert "!swept '0, 5'" in page.text or "!swept 0, 5" in page.text


def test_segments_show_what_was_planned_and_what_came_into_force(made: Any) -> None:
    run, page, _ = made(SESSION + SEGMENTS)
    [cell] = run.results
    rows = [row for row in page.rows if row and row[0] in ("0", "1", "2")]
    assert len(rows) == len(cell["segments"]) == 3
    for row, segment in zip(rows, cell["segments"], strict=True):
        assert f"snr_db {segment['environment']['channel.snr_db']}" in row[1].replace("\xa0", " ")
        lost = dict(segment["planned"]) != dict(segment["in_force"])
        assert ("did not come into force" in row[2]) == lost
        assert int(re.sub(r"\D", "", row[5])) == segment["channel_uses"]
        assert int(row[6]) == segment["updates"] == 1


def test_sessions_are_drawn_over_their_segments(made: Any) -> None:
    _, _, source = made(SESSION + SEGMENTS)
    segments = source[source.index('<h2 id="segments"') : source.index('<h2 id="observations"')]
    assert segments.count("<svg") == 1 and "<b>grey-error</b>" in segments


def test_swept_sections_of_one_component_are_told_apart(made: Any) -> None:
    run, page, source = made(
        "sweep: {seed: [1, 2], channel: [{use: noise, snr_db: 3}, {use: noise, snr_db: 9}]}\n"
    )
    found = overview(run)
    assert not found.x
    assert [group.label for group in found.groups] == ["noise (SNR 3 dB)", "noise (SNR 9 dB)"]
    assert [found.place(row) for row in found.groups[0].rows] == ["seed 1", "seed 2"]
    assert not any("best mean" in one.text for one in observe(found)), (
        "nothing gets better with the seed"
    )


def test_one_cell_without_a_sweep_is_a_page(made: Any) -> None:
    run, page, _ = made()
    assert not overview(run).x
    assert "1 cell · 3 samples · semcore" in page.text and "nothing failed" in page.text


def test_a_genie_is_warned_of(made: Any) -> None:
    _, page, _ = made("selector: {use: oracle}\n")
    assert "oracle knows what a real receiver could not" in page.text


def test_failed_cells_are_told_with_their_reasons_and_the_others_stand(made: Any) -> None:
    run, page, _ = made("sweep: {channel.snr_db: [0, 5, 9]}\n", "channel.crash_db=5")
    assert len(run.results) == 2 and len(run.failures) == 1
    assert "2 of 3 cells · 3 samples each" in page.text and "1 failed" in page.text
    assert "the amplifier burnt" in page.text
    assert all(cell["id"] in page.text for cell in run.info["cells"])


def test_a_run_without_any_result_is_still_a_page(made: Any) -> None:
    run, page, _ = made("", "channel.crash_db=10")
    assert not run.results and "the amplifier burnt" in page.text


def test_missing_and_infinite_values_do_not_stop_the_page(made: Any) -> None:
    _, page, _ = made(SWEEP, "metrics=[grey-error,odd]")
    assert "No value in any cell: odd." in page.text


def test_what_is_no_run_or_is_damaged_is_refused(bench: Any, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"run\.json"):
        write_report(tmp_path)
    bench.run()
    next((bench.folder / "out" / "cells").glob("*/items.jsonl")).write_text("{")
    with pytest.raises(RunError, match="damaged"):
        write_report(bench.folder / "out")
    assert not (bench.folder / "out" / "report.html").exists()


def test_the_same_run_gives_the_same_page_and_no_global_setting_is_touched(bench: Any) -> None:
    bench.text += SWEEP
    bench.run()
    before = dict(matplotlib.rcParams)
    first = write_report(bench.folder / "out").read_bytes()
    assert write_report(bench.folder / "out").read_bytes() == first
    assert dict(matplotlib.rcParams) == before


# ------------------------------------------------------------------------------------- observations


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


def test_the_banner_names_the_line_of_the_genie_alone(made: Any) -> None:
    _, page, _ = made(SWEEP)
    banner = page.text[page.text.index("Not an honest link") :][:200]
    assert banner.startswith("Not an honest link: workflow=hostile") or banner.startswith(
        "Not an honest link: hostile"
    )
    assert "plain" not in banner and "no other line or cell uses it" in banner


def test_the_gallery_compares_streams_and_not_their_summaries() -> None:
    sent = semcore.Semantics("k",
                             {"p": semcore.Bitstream(bytes(1228)), "q": semcore.Bitstream(bytes(4)),
                                   "t": semcore.Tokens(np.arange(5), 9),
                              "f": semcore.Features(np.ones((2, 2), np.float32)),
                                   "c": semcore.Text("a")})  # fmt: skip
    there = semcore.Semantics("k", {
        "p": semcore.Bitstream(bytes(1289)), "q": semcore.Bitstream(bytes(4)),
        "c": semcore.Text("b"), "t": semcore.Tokens(np.array([0, 1, 2, 4, 4]), 9),
        "f": semcore.Features(np.full((2, 2), 1.5, np.float32)),
    })  # fmt: skip
    assert damages(sent, there) == {
        "p": "1228 bytes sent, 1289 arrived, the first 1228 are the same",
        "q": "",
        "t": "1 of 5 tokens differ",
        "f": "error energy 0.25 of the signal's",
    }
    row = {
        "sent": {"p": "[Bitstream 1228 bytes]"},
        "arrived": {"p": "[Bitstream 1289 bytes]"},
        "differs": damages(sent, there),
    }
    pieces = gallery_pieces(row, "p", row["sent"]["p"])
    assert pieces[0] == ("same", "[Bitstream 1289 bytes]"), "no sign of a summary is marked"
    assert pieces[-1] == ("wrong", "1228 bytes sent, 1289 arrived, the first 1228 are the same")
    assert compare("x" * 400, "x" * 399 + "y")[-1] == ("wrong", " … and 100 more, not all as sent")


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


# ------------------------------------------------------------------------- texts and configurations


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_comparison_shows_exactly_what_arrived(sent: str, arrived: str) -> None:
    pieces = compare(sent, arrived)
    assert "".join(text for kind, text in pieces if kind in ("same", "wrong", "extra")) == visible(
        arrived
    )
    assert (sent == arrived) == all(kind == "same" for kind, _ in pieces)


def test_texts_of_one_length_are_compared_place_by_place_and_long_ones_are_cut() -> None:
    assert compare("a brown bird", "a crowm bird") == (
        ("same", "a "), ("wrong", "c"), ("same", "row"), ("wrong", "m"), ("same", " bird")
    )  # fmt: skip
    assert compare("x" * 5000, "x" * 5000) == (
        ("same", "x" * LONGEST),
        ("cut", f" … and {5000 - LONGEST} more"),
    )


@given(st.text())
def test_a_shown_text_holds_no_character_that_acts(text: str) -> None:
    assert len(visible(text)) == len(text)
    assert not re.search(
        "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", visible(text)
    )


@given(st.lists(st.integers(), min_size=1), st.integers(2, 10))
def test_thinning_keeps_the_ends_and_the_order(values: list[int], most: int) -> None:
    kept = thinned(list(enumerate(values)), most)
    assert len(kept) == min(len(values), most)
    assert kept[0] == (0, values[0]) and kept[-1] == (len(values) - 1, values[-1])
    assert kept == sorted(set(kept))


def test_what_configurations_have_in_common_is_kept_and_the_rest_is_marked() -> None:
    one = {"channel": {"use": "awgn", "snr_db": 0, "codec": None}, "seed": 1}
    two = {"channel": {"use": "awgn", "snr_db": 5, "codec": {"use": "x"}}, "seed": 1}
    assert common([one, two]) == {
        "channel": {"use": "awgn", "snr_db": Varied((0, 5)), "codec": Varied((None, {"use": "x"}))},
        "seed": 1,
    }
    assert common([one, one]) == one
