"""A toy of the satellite paper through the real pipeline, its costs computed here by hand.

Two speakers, four segments: a good link, one on which everything is lost, a fair one, a good one.
The planner wants the audio-driven workflow on the lost and on the fair link. Anna changes her look
in the lost segment.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semcore import KnowledgeBase, Ledger, Rng
from semcore.component.digest import digest
from semcore.config.configuration import Configuration, load
from semcore.entrypoints import naming
from semcore.planning.session import Segment, run_session
from semcore.plugins.packages import hook_manager
from semcore.runs.executors.processes import Processes
from semcore.runs.results import read_run
from semcore.runs.runner import Finished, run
from semcore.testing import run_laws

from ..support.pipelines import SUPPORT

FILE = SUPPORT / "toy" / "talk.yaml"

TEXTS = {"anna": ["cab", "bad", "ad", "bead"], "ben": ["dab", "ebb", "ceda", "ace"]}
WORKFLOW = ["v2a", "v2a", "a2v", "v2a"]
"""What is in force: the switch that was wanted for segment 1 is lost, and made in segment 2."""
NOTICES = [1, 2, 3]
"""Segments whose plan differs from what is in force, so that the receiver is told."""
UPDATES = {
    "psnr": {("anna", 0), ("ben", 0), ("anna", 1), ("anna", 2)},
    "always": {(user, segment) for user in TEXTS for segment in range(4)},
}
"""Policy -> (user, segment) of the updates sent; Anna's of 1 is lost, so `psnr` asks again in 2."""

Account = Counter[tuple[str, str, str, str]]
"""(sample, stream, kind, "uses" or "bits") -> how many."""


# ---------------------------------------------------------------------------- the accounts, by hand


def coded(sample: str, stream: str, payload: int) -> Account:
    """Channel uses of a payload in bytes over LDPC of rate 1/2 and 4-QAM, in one code block.

    A frame is a length of 1 byte (2 from 128), the payload and 3 bytes of CRC; every bit has one
    parity bit, and two coded bits make a symbol: one information bit per channel use.
    """
    header = 8 if payload < 128 else 16
    information = header + 8 * payload + 24
    bits = {"data": 8 * payload, "header": header, "crc": 24, "parity": information}
    account = Account({(sample, stream, kind, "bits"): count for kind, count in bits.items()})
    return account + Account(
        {(sample, stream, kind, "uses"): count // 2 for kind, count in bits.items()}
    )


def analog(sample: str, stream: str, values: int, repetition: int) -> Account:
    """Real numbers, two per symbol, `repetition` times after a header of 64 symbols; no bits."""
    uses = {"header": 64, "data": values // 2, "parity": values // 2 * (repetition - 1)}
    return Account({(sample, stream, kind, "uses"): count for kind, count in uses.items()})


def segment_cost(policy: str, segment: int) -> Account:
    """What both samples of a segment cost."""
    total = Account()
    for user, texts in TEXTS.items():
        sample, text = f"{user}/{segment}", texts[segment]
        total += coded(sample, "text", len(text))
        if WORKFLOW[segment] == "v2a":
            total += analog(sample, "motion", 12 * 12, 2)
        else:
            total += coded(sample, "durations", -(-4 * len(text) // 8))  # 4 bits a letter
        if (user, segment) in UPDATES[policy]:
            total += coded(sample, "reference", 16 * 16 * 3)
            total[sample, "update", "feedback", "bits"] += 1
    if segment in NOTICES:  # one byte, shared by two samples; the bit of feedback cannot be shared
        for (_, stream, kind, what), count in coded("", "plan", 1).items():
            for user in TEXTS:
                total[f"{user}/{segment}", stream, kind, what] += count // 2
        total[f"anna/{segment}", "plan", "feedback", "bits"] += 1
    return total


def account(ledger: Ledger) -> Account:
    """A ledger as a counter, without its zeros."""
    total = Account()
    for entry in ledger.entries:
        total[entry.sample, entry.stream, entry.kind, "uses"] += entry.uses
        total[entry.sample, entry.stream, entry.kind, "bits"] += entry.bits
    return +total


# -------------------------------------------------------------------------------------- one session


@pytest.fixture(scope="module")
def experiment() -> Configuration:
    return load(FILE)


@pytest.fixture(scope="module")
def sessions(experiment: Configuration) -> dict[str, list[Segment]]:
    """Policy -> the segments of its session, through `semcore.planning.session.run_session`."""
    return {name: list(session(experiment, index)) for index, name in enumerate(UPDATES)}


def session(experiment: Configuration, index: int) -> Iterator[Segment]:
    cell = experiment.cells[index]
    setup = experiment.resolve(cell)

    def build(overrides: Any) -> Any:
        return experiment.resolve(cell, overrides).pipeline

    return run_session(
        build, setup.source.samples(), Rng(setup.seed), setup.planner, setup.scenarios
    )


@pytest.fixture(params=UPDATES)
def policy(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def segments(sessions: dict[str, list[Segment]], policy: str) -> Sequence[Segment]:
    return sessions[policy]


def test_every_segment_costs_what_it_must(segments: Sequence[Segment], policy: str) -> None:
    assert len(segments) == 4
    for segment in segments:
        assert account(segment.outcome.delivery.ledger) == segment_cost(policy, segment.index)


def test_the_planner_switches_the_workflow_and_a_lost_plan_leaves_the_old_one(
    segments: Sequence[Segment],
) -> None:
    assert [segment.plan.overrides for segment in segments] == [
        {},
        {"workflow": "a2v"},
        {"workflow": "a2v"},
        {},
    ]
    assert [segment.in_force for segment in segments] == [{}, {}, {"workflow": "a2v"}, {}]
    streams = {"v2a": ["text", "motion"], "a2v": ["text", "durations"]}
    for segment, workflow in zip(segments, WORKFLOW, strict=True):
        assert [list(one.streams) for one in segment.outcome.sent] == [streams[workflow]] * 2


def test_both_ends_hold_the_same_looks_whatever_was_lost(
    segments: Sequence[Segment], policy: str
) -> None:
    held = {user: 0 for user in TEXTS}
    for segment in segments:
        knowledge = segment.outcome.knowledge
        assert digest(knowledge.tx) == digest(knowledge.rx)
        for user in TEXTS:
            held[user] += (user, segment.index) in UPDATES[policy] and segment.index != 1
            assert len(knowledge.rx.of(user)) == held[user]


def test_what_was_sent_over_a_good_link_comes_back(segments: Sequence[Segment]) -> None:
    for segment in (
        segments[0],
        segments[3],
    ):  # motion is analog: rounded to rows of the mouth it is exact
        for source, result in zip(segment.samples, segment.outcome.results, strict=True):
            assert result.text == source.text
            assert np.array_equal(result.video, source.video)
            assert np.allclose(result.audio, source.audio, atol=1e-6)


def test_the_audio_driven_workflow_keeps_the_sound_and_loses_the_pose(
    segments: Sequence[Segment],
) -> None:
    for source, result in zip(segments[2].samples, segments[2].outcome.results, strict=True):
        assert np.array_equal(result.audio, source.audio)
        assert not np.array_equal(result.video, source.video)
        rows = [
            (video == (200, 0, 0)).all(-1).any(2).sum(1) for video in (source.video, result.video)
        ]
        assert np.array_equal(*rows), "the mouth opens as far as the sound says"
        assert (result.video[:, 0, 0] == source.video[:, 0, 0]).all(), (
            "the look is the one of the knowledge base"
        )


def test_the_lost_segment_shows_the_old_look_and_has_no_text(segments: Sequence[Segment]) -> None:
    for source, result in zip(segments[1].samples, segments[1].outcome.results, strict=True):
        look = {"anna": 40, "ben": 120}[source.user]
        assert (result.video[:, 0, 0] == look).all()
        assert result.text is None


# -------------------------------------------------------------------------------------------- a run


def start(experiment: Configuration, folder: Path, jobs: int = 1) -> Finished:
    return run(experiment, folder, hook_manager([]), Processes(jobs) if jobs > 1 else None)


def files(folder: Path) -> dict[str, bytes]:
    """Everything that a run's cells hold."""
    root = folder / "cells"
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def finished(experiment: Configuration, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "talk"
    assert start(experiment, folder).failures == []
    return folder


def test_a_run_from_the_file_has_the_same_accounts(finished: Path) -> None:
    results = read_run(finished).results
    for policy, result in zip(UPDATES, results, strict=True):
        wanted = Account()
        for segment in range(4):
            for (_, stream, kind, what), count in segment_cost(policy, segment).items():
                wanted["", stream, kind, what] += count
        found = Account()
        for line in result["ledger"]:
            found["", line["stream"], line["kind"], "uses"] += line["channel_uses"]
            found["", line["stream"], line["kind"], "bits"] += line["bits"]
        assert +found == wanted
        per_segment = [
            sum(n for (*_, what), n in segment_cost(policy, i).items() if what == "uses")
            for i in range(4)
        ]
        assert [segment["channel_uses"] for segment in result["segments"]] == per_segment
        assert result["metrics"]["channel-uses"]["mean"] * 8 == pytest.approx(sum(per_segment))


@pytest.mark.slow
def test_two_jobs_give_the_same_as_one(
    experiment: Configuration, finished: Path, tmp_path: Path
) -> None:
    assert start(experiment, tmp_path / "talk", jobs=2).computed == 2
    assert files(tmp_path / "talk") == files(finished)


@pytest.mark.parametrize("keep_cache", [True, False], ids=["cache kept", "cache lost"])
def test_a_resumed_run_gives_the_same(
    experiment: Configuration, finished: Path, tmp_path: Path, keep_cache: bool
) -> None:
    folder = tmp_path / "talk"
    shutil.copytree(finished, folder)
    (next((folder / "cells").iterdir()) / "result.json").unlink()
    if not keep_cache:
        shutil.rmtree(folder / "cache")
    assert start(experiment, folder).computed == 1
    assert files(folder) == files(finished)
    assert start(experiment, folder).computed == 0


# ---------------------------------------------------------------------------------------- the parts


def test_the_toys_keep_the_laws(experiment: Configuration) -> None:
    samples = experiment.resolve(experiment.cells[0]).source.samples()[::3]
    for workflow in ("v2a", "a2v"):
        pipeline = experiment.resolve(experiment.cells[0], {"workflow": workflow}).pipeline
        sent = pipeline.encoder.encode(samples, KnowledgeBase())
        generator = pipeline.generator
        parts = [
            (pipeline.encoder, ()),
            *((part, sent) for part in (generator, generator.renderer, generator.vocoder)),
        ]
        for part, batch in parts:
            broken = [
                one
                for one in run_laws(part, samples=samples, batch=batch)
                if one.result == "broken"
            ]
            assert not broken, (
                f"{naming.name_of(type(part))}: {broken[0].law.name}: {broken[0].message}"
            )
