"""The page of a run: self-contained, every number as in the results, no caption can execute."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import matplotlib
import pytest

from semcore.analysis.findings import observe
from semcore.analysis.ledger import ledger
from semcore.analysis.overview import overview
from semcore.errors import RunError
from semcore.render.page import write_report
from semcore.render.text import table
from semcore.storage import sealed
from semcore.wording.numbers import with_interval

from ...support.report import SEGMENTS, SESSION, SWEEP


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


def test_the_banner_names_the_line_of_the_genie_alone(made: Any) -> None:
    _, page, _ = made(SWEEP)
    banner = page.text[page.text.index("Not an honest link") :][:200]
    assert banner.startswith("Not an honest link: workflow=hostile") or banner.startswith(
        "Not an honest link: hostile"
    )
    assert "plain" not in banner and "no other line or cell uses it" in banner
