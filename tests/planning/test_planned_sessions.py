"""The toy of the satellite paper under limits, with trials and an oracle, in real sessions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

import semcore
from semcore.component.digest import digest
from semcore.config.configuration import Configuration, load
from semcore.planning.interface import Trial
from semcore.planning.session import Segment
from semcore.planning.simulator import LinkSimulator
from semcore.runs.cache import Cache
from semcore.runs.cell import cell_files, cell_session
from semcore.types import Plan, Scenario

from ..support.pipelines import SUPPORT

FILE = SUPPORT / "toy" / "talk.yaml"
SPACE = "space={workflow: [v2a, a2v], channel.snr_db: {from: 0, to: 30}}"
UTILITY = "scenario.utility={toy-lip-sync: {good: 1, bad: 0}, channel-uses: {good: 0, bad: 4000}}"
SPIES: list[Any] = []


@semcore.register("planner", "spy")
@dataclass(frozen=True)
class Spy(semcore.Planner):
    """Calls the last of `SPIES`, and plans what it says."""

    def plan(
        self, scenario: Scenario, memory: Sequence[Mapping[str, Any]], simulator: LinkSimulator
    ) -> Plan:
        return Plan(SPIES[-1](scenario, memory, simulator) or {})


def segments(tmp_path: Path, *overrides: str) -> list[Segment]:
    experiment: Configuration = load(FILE, [SPACE, "kb={use: psnr, threshold_db: 10}", *overrides])
    cell = experiment.cells[0]
    setup = experiment.resolve(cell)
    return list(cell_session(experiment, cell, setup.source.samples(), Cache(tmp_path)))


def spying(tmp_path: Path, spy: Any, *overrides: str) -> list[Segment]:
    SPIES.append(spy)
    try:
        return segments(tmp_path, "planner={use: spy}", UTILITY, *overrides)
    finally:
        SPIES.pop()


def uses(segment: Segment) -> int:
    return segment.outcome.delivery.ledger.uses()


GOOD = "scenario.segments=[{channel.snr_db: 20}]"


def test_what_a_plan_is_said_to_cost_is_what_it_costs(tmp_path: Path) -> None:
    """Updates and signalling included; over a link on which everything arrives."""
    said: list[int] = []

    def spy(scenario: Scenario, memory: Any, simulator: LinkSimulator) -> dict[str, Any]:
        plan = {"workflow": ("v2a", "a2v")[scenario.segment % 2]}
        said.append(simulator.cost(plan).channel_uses)
        return plan

    found = spying(tmp_path, spy, GOOD)
    assert [uses(segment) for segment in found] == said and len(set(said)) > 1


def test_a_trial_over_a_perfect_link_is_what_comes_true(tmp_path: Path) -> None:
    told: list[Trial] = []

    def spy(scenario: Scenario, memory: Any, simulator: LinkSimulator) -> dict[str, Any]:
        told.append(simulator.trial({"workflow": "a2v"}))
        assert (
            simulator.trial({"workflow": "a2v"}) == told[-1]
            and simulator.trial({"workflow": "v2a"}) != told[-1]
        )
        with pytest.raises(semcore.ComponentError, match="genie"):
            simulator.genie_trial({"workflow": "a2v"})
        return {"workflow": "a2v"}

    found = spying(tmp_path, spy, GOOD)
    notices = [
        uses(segment) - trial.channel_uses for segment, trial in zip(found, told, strict=True)
    ]
    assert notices[0] > 0 and not any(notices[1:]), (
        "a trial counts all but the plan's own signalling"
    )
    assert all(trial.utility is not None and 0 < trial.utility < 1 for trial in told)


@pytest.mark.slow
def test_a_plan_costs_the_same_where_every_pipeline_is_made_of_new_objects(tmp_path: Path) -> None:
    """An address in memory is given to another object as soon as the first one is gone."""
    wrong: list[Any] = []

    def spy(scenario: Scenario, memory: Any, simulator: LinkSimulator) -> None:
        assert simulator.build is not None

        def afresh(overrides: Mapping[str, Any], build: Any = simulator.build) -> Any:
            p = build(overrides)
            return replace(p, encoder=replace(p.encoder.inner), kb=replace(p.kb))

        plans = [
            {"workflow": name, "channel.snr_db": snr}
            for snr in range(30)
            for name in ("v2a", "a2v", "v2a")
        ]
        new = replace(simulator, build=afresh)
        wrong.extend(plan for plan in plans if new.cost(plan) != simulator.cost(plan))

    spying(tmp_path, spy, GOOD)
    assert not wrong


def test_a_planner_is_told_the_link_the_forecast_and_what_is_known(tmp_path: Path) -> None:
    seen: list[Scenario] = []
    states = (
        "scenario.segments=[{channel.snr_db: 20}, {channel.snr_db: 5, limits.channel_uses: "
        "9000}, {channel.snr_db: 9}]"
    )
    spying(
        tmp_path,
        lambda scenario, memory, simulator: seen.append(scenario),
        states,
        "scenario.limits={air_time_s: 3}",
    )
    assert [scenario.link for scenario in seen] == [{"snr_db": snr} for snr in (20, 5, 9, 20)]
    assert [len(scenario.forecast) for scenario in seen] == [2, 1, 0, 2] and seen[0].forecast[
        1
    ] == {"snr_db": 9}
    assert [dict(scenario.limits) for scenario in seen[:2]] == [
        {"air_time_s": 3},
        {"air_time_s": 3, "channel_uses": 9000},
    ]
    assert not seen[0].knowledge and all(
        held[0].startswith("[Picture ") for held in seen[1].knowledge.values()
    )


def test_the_texts_of_past_segments_are_data_and_short(tmp_path: Path) -> None:
    seen: list[Any] = []
    spying(tmp_path, lambda scenario, memory, simulator: seen.append(list(memory)), GOOD)
    assert seen[-1][0]["texts"] == ["cab", "dab"] and [len(memory) for memory in seen] == [
        0,
        1,
        2,
        3,
    ]
    assert (
        seen[-1][0]["link"] == {"snr_db": 20}
        and "utility" in seen[-1][0]
        and "metrics" not in seen[-1][0]
    )


def test_a_limit_makes_the_cheaper_workflow_come_into_force(tmp_path: Path) -> None:
    free = segments(tmp_path, "planner={use: fixed, overrides: {workflow: v2a}}", GOOD)
    most = max(uses(segment) for segment in free[1:]) - 1
    held = segments(
        tmp_path,
        "planner={use: fixed, overrides: {workflow: v2a}}",
        GOOD,
        f"scenario.limits={{channel_uses: {most}}}",
    )
    for segment, before in zip(held, free, strict=True):
        assert uses(segment) <= most or uses(segment) == 0
        assert (segment.in_force.get("workflow") == "a2v") == (0 < uses(before) > most) or uses(
            segment
        ) == 0


def test_where_nothing_fits_nothing_is_sent_and_the_receiver_makes_do(tmp_path: Path) -> None:
    found = segments(
        tmp_path, "planner={use: fixed, overrides: {}}", GOOD, "scenario.limits={channel_uses: 10}"
    )
    assert [uses(segment) for segment in found] == [0] * 4
    assert all("the guard sends nothing" in segment.plan.reasons[-1] for segment in found)
    assert all(
        len(segment.outcome.results) == 2 and not segment.outcome.knowledge.rx.entries
        for segment in found
    )


ALONE = ("{use: fixed, overrides: {workflow: a2v}}", "{use: fixed, overrides: {workflow: v2a}}")


def test_nothing_is_worth_more_in_the_first_segment_than_what_the_oracle_takes(
    tmp_path: Path,
) -> None:
    worth = {}
    for name in ("{use: oracle, horizon: 1}", *ALONE):
        experiment = load(FILE, ["space={workflow: [v2a, a2v]}", UTILITY, f"planner={name}"])
        samples = experiment.resolve(experiment.cells[0]).source.samples()
        files = cell_files("id", experiment, experiment.cells[0], samples, Cache(tmp_path))
        result = json.loads(files["result.json"])
        worth[name] = result["segments"][0]["worth"]
        assert result["genie"] == (["oracle"] if "oracle" in name else [])
    signalling = 0.05  # which the oracle does not reckon with
    assert worth.pop("{use: oracle, horizon: 1}") >= max(worth.values()) - signalling


def test_what_the_transmitter_takes_the_receiver_to_hold_is_what_it_holds(tmp_path: Path) -> None:
    """The pictures of the updates that arrived, as the codec left them."""
    believed: list[Any] = []
    coarse = [
        f"workflows.{name}.transport.reference.codec={{use: jpeg, quality: 5}}"
        for name in ("v2a", "a2v")
    ]
    states = "scenario.segments=[{channel.snr_db: 20}, {channel.snr_db: -15}, {channel.snr_db: 20}]"
    found = spying(
        tmp_path,
        lambda scenario, memory, simulator: believed.append(simulator.knowledge),
        states,
        *coarse,
    )
    after = [segment.outcome.knowledge for segment in found]
    for now, held in zip(believed[1:], after, strict=False):
        assert digest(now.rx) == digest(held.rx) and digest(now.tx) == digest(held.tx) != digest(
            now.rx
        )
    assert not believed[0].rx.entries and digest(believed[1].rx) == digest(
        believed[2].rx
    ) != digest(believed[3].rx)
