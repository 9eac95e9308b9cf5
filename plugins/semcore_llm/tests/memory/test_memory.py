"""Memory: lines that are only added, whoever adds them; the nearest of them; and what they say of a
plan."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from semcore import ComponentError, Scenario, Space, Term
from semcore_llm.memory.command import command
from semcore_llm.memory.store import FOLDER, SHIPPED, Memory, append, merged, place_of, records_of
from semcore_llm.planners.estimate import Candidate, estimate, evidence_of, share_of, worth_of

SPACE = Space({"workflow": ("v2a", "a2v"), "symbols": (150, 300, 600)})
TERMS = (Term("akd", 0.0, 1.0),)


def candidate(plan: dict[str, Any], updates: bool = False) -> Candidate:
    return Candidate(plan, tuple(SPACE.axes), updates)


def line(
    snr_db: float, plan: dict[str, Any], akd: float | None, held: bool = True, number: int = 0
) -> dict[str, Any]:
    scenario = Scenario(
        number, link={"snr_db": snr_db}, utility=TERMS, knowledge={"a": ("face",)} if held else {}
    ).plain()
    outcome = {"metrics": {"akd": akd}, "delivered": 1.0, "channel_uses": 100, "update_uses": 0}
    return {
        "scenario": scenario,
        "plan": {"in_force": plan, "planner": "x"},
        "outcome": outcome,
        "versions": {},
        "seed": 1,
    }


V2A, A2V = ({"workflow": name, "symbols": 300} for name in ("v2a", "a2v"))
LINES = [
    line(snr_db, plan, akd)
    for snr_db in (0.0, 10.0)
    for plan, akd in ((V2A, 0.2 if snr_db else 0.9), (A2V, 0.5))
]
some = st.lists(st.sampled_from(LINES), max_size=6)


@given(some, some)
def test_it_does_not_matter_who_adds_what_first(one: list[Any], other: list[Any]) -> None:
    assert merged([one, other]) == merged([other, one]) == merged([merged([one]), other, one])
    assert len(merged([one, other])) == len(
        {json.dumps(item, sort_keys=True) for item in (*one, *other)}
    )


def test_lines_are_only_ever_added(tmp_path: Path) -> None:
    path = tmp_path / "memory.jsonl"
    assert (
        append(path, LINES[:2]) == 2
        and append(path, LINES[:3]) == 1
        and append(path, LINES[:3]) == 0
    )
    before = path.read_bytes()
    assert append(path, LINES) == 1 and path.read_bytes().startswith(before)
    assert merged([records_of(path)]) == merged([LINES]) and list(
        Memory.read(str(path)).lines
    ) == list(records_of(path))


def test_the_memories_of_two_machines_are_united_by_the_verb(tmp_path: Path) -> None:
    here, there, both, again = (
        tmp_path / f"{name}.jsonl" for name in ("here", "there", "both", "again")
    )
    append(here, LINES[:3])
    append(there, LINES[2:])
    for sources, into in (((here, there), both), ((there, here, there), again)):
        told = CliRunner().invoke(
            command, [*map(str, sources), "--into", str(into)], catch_exceptions=False
        )
        assert told.exit_code == 0 and "4 of " in told.output
    assert both.read_bytes() == again.read_bytes()


BAD = (
    "{",
    "[]",
    '"x"',
    "{}",
    '{"plan": {"in_force": 1}}',
    "[" * 100_000,
    '{"scenario": {}, "plan": {"in_force": {}}}',
)


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_what_is_no_line_is_told_with_its_place(tmp_path: Path, text: str) -> None:
    path = tmp_path / "memory.jsonl"
    path.write_text(json.dumps(LINES[0]) + "\n\n" + text + "\n")
    with pytest.raises(ComponentError, match=r"memory.jsonl:\d+ is not a record of a memory"):
        list(records_of(path))


def test_the_nearest_scenarios_come_first() -> None:
    lines = tuple(
        line(snr_db, V2A, 0.1, held)
        for snr_db, held in itertools.product((0.0, 4.0, 9.0), (True, False))
    )
    near = Memory(lines).nearest(Scenario(link={"snr_db": 5.0}, knowledge={"b": ("face",)}), 3)
    assert [
        (one["scenario"]["link"]["snr_db"], bool(one["scenario"]["knowledge"])) for one in near[:2]
    ] == [
        (4.0, True),
        (9.0, True),
    ]


@pytest.mark.parametrize(("snr_db", "better"), [(0.0, "a2v"), (10.0, "v2a")])
def test_the_estimate_follows_the_link(snr_db: float, better: str) -> None:
    scenario = Scenario(link={"snr_db": snr_db}, utility=TERMS, knowledge={"a": ("face",)})
    plans = [V2A, A2V]
    evidence = evidence_of(Memory(tuple(LINES)), scenario)
    told = [estimate(evidence, SPACE, candidate(plan)) for plan in plans]
    best = max(zip(told, plans, strict=True), key=lambda pair: pair[0].utility if pair[0] else 0.0)
    assert best[1]["workflow"] == better and all(
        one and 0 <= one.utility <= 1 and one.known > 0 for one in told
    )


def test_of_a_plan_that_nobody_tried_its_neighbours_speak() -> None:
    scenario = Scenario(link={"snr_db": 10.0}, utility=TERMS, knowledge={"a": ("face",)})
    evidence, others = (
        evidence_of(Memory(tuple(LINES)), scenario),
        ({"workflow": name, "symbols": 600} for name in ("v2a", "a2v")),
    )
    seen, near, far = (estimate(evidence, SPACE, candidate(plan)) for plan in (V2A, *others))
    assert seen and near and far and seen.known > near.known and near.utility > far.utility
    assert estimate(evidence_of(Memory(), scenario), SPACE, candidate(V2A)) is None


def test_a_metric_without_a_value_is_worth_nothing_and_other_spaces_do_not_count() -> None:
    lost = Memory((line(10.0, V2A, None),))
    told = estimate(
        evidence_of(lost, Scenario(link={"snr_db": 10.0}, utility=TERMS, knowledge={"a": ("x",)})),
        SPACE,
        candidate(V2A),
    )
    assert told and told.utility == 0
    assert (
        len(lost.of(SPACE).lines) == 1
        and not lost.of(Space({"workflow": ("v2a",)})).lines
        and not Memory.read("").lines
    )


def test_a_segment_bears_its_share_of_an_update() -> None:
    scenario = Scenario(utility=(Term("channel-uses", 0, 1000),))
    assert [
        worth_of(scenario, {"channel-uses": 700.0}, 600.0, share) for share in (1, 0.5, 0)
    ] == pytest.approx([0.3, 0.6, 0.9])
    assert worth_of(Scenario(), {"channel-uses": 700.0}, 600.0, 0.5) is None


@pytest.mark.parametrize("horizon", [1, 2, 3, 5])
def test_whoever_updates_every_segment_pays_every_time_and_whoever_waits_pays_once(
    horizon: int,
) -> None:
    far = Scenario(forecast=({},) * 20)
    every, never = ([{"update_uses": uses}] * 20 for uses in (100, 0))
    assert share_of(horizon, far, every) == pytest.approx(1) and share_of(
        horizon, far, never
    ) == pytest.approx(1 / horizon)
    shares = [share_of(horizon, far, [*every, *never[:rest]]) for rest in range(horizon + 2)]
    assert shares == sorted(shares, reverse=True) and shares[-1] == pytest.approx(1 / horizon)
    assert share_of(horizon, Scenario(), never) == 1, "in the last segment nothing is spread"
    assert share_of(horizon, far, []) == pytest.approx(1 / horizon)


def test_the_shipped_memory_is_of_the_projects_own_runs() -> None:
    memory = Memory.read(SHIPPED)
    assert len(memory.lines) > 300 and place_of(SHIPPED).parent == FOLDER
    assert all(
        set(one) == {"scenario", "plan", "outcome", "pipeline", "seed", "versions"}
        for one in memory.lines
    )
    assert {one["plan"]["planner"] for one in memory.lines} == {"explore"}
    assert list(memory.lines) == merged([memory.lines]), "in the order that semcore memory gives"
