"""No way round the link: the receiver sees nothing of a sample but what arrived of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from semcore.interfaces import Generator, KBPolicy, Selector, SemanticEncoder, Transport
from semcore.link.multiplex import Multiplex
from semcore.link.pipeline import Pipeline, transmit
from semcore.link.pseudonyms import Pseudonyms, is_genie, named
from semcore.planning.session import run_session
from semcore.rng import Rng
from semcore.runs.cache import Cache, cached
from semcore.types import (
    Bitstream,
    Candidates,
    Knowledge,
    KnowledgeBase,
    Received,
    Sample,
    Semantics,
    Stream,
    Symbols,
)  # fmt: skip
from semcore_channels.flat import AWGN
from semcore_channels.transports.uncoded import Uncoded

from ..support.commands import call
from ..support.pipelines import SUPPORT

PEEPING = SUPPORT / "peeping.py"
PIPELINE = f"""
semcore: 1
plugins: [{PEEPING}]
source: {{use: classes}}
encoder: {{use: names-class}}
transport: {{use: uncoded}}
channel: {{use: awgn, snr_db: 20}}
generator: {{use: peeping}}
metrics: [class-found]
sweep:
  channel.snr_db: [20, -40]
"""


def results(folder: Path) -> dict[float, dict[str, Any]]:
    found = [json.loads(path.read_text()) for path in folder.glob("cells/*/result.json")]
    return {one["config"]["channel"]["snr_db"]: one for one in found}


def test_who_looks_for_the_class_everywhere_else_finds_it_by_chance(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(PIPELINE)
    assert call("run", str(tmp_path / "p.yaml"), "--out", str(tmp_path / "out")) == 0
    found = {
        snr: one["metrics"]["class-found"]["mean"] for snr, one in results(tmp_path / "out").items()
    }
    assert found == {20: 1.0, -40: 0.1}
    rows = [
        json.loads(line)
        for path in (tmp_path / "out").glob("cells/*/items.jsonl")
        for line in open(path)
    ]
    assert {row["sample"] for row in rows} == {
        f"{name}-{number:02d}" for name in CLASSES for number in range(4)
    }
    assert all(row["channel_uses"] > 0 and row["report"] for row in rows)


@pytest.mark.slow
def test_the_kit_refuses_who_looks_for_the_class_elsewhere(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call("conform", str(PEEPING)) == 1
    broken = [
        line.split()[1]
        for line in capsys.readouterr().out.splitlines()
        if line.split()[:1] == ["broken"]
    ]
    assert "draws-the-same-under-any-name" in broken


CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


# ------------------------------------------------------------------------------------ who sees what

_seen: dict[str, set[str]] = {}


def _sees(who: str, batch: Sequence[Semantics], *more: str) -> None:
    _seen.setdefault(who, set()).update(more, *((one.key, one.user) for one in batch))


@dataclass(frozen=True)
class Sends(SemanticEncoder):
    """Sends the id as bytes."""

    @property
    def streams(self) -> Mapping[str, type[Stream]]:
        return {"x": Bitstream}

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        return [Semantics(one.id, {"x": Bitstream(one.id.encode())}, one.user) for one in samples]


@dataclass(frozen=True)
class Sees(Transport):
    """Notes what it sees.

    Fields:
        inner: does the work
    """

    inner: Transport = field(default_factory=Uncoded)

    def send(self, batch: Sequence[Semantics], rng: Rng) -> Symbols:
        return self.inner.send(batch, rng)

    def receive(self, received: Received) -> list[Semantics]:
        layout = received.layout
        _sees("receive", [], *layout.keys, *(name for sender in layout.senders for name in sender))
        return self.inner.receive(received)


@dataclass(frozen=True)
class Paints(Generator):
    """Two candidates in random greys."""

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        _sees("generate", batch, *kb.entries)
        assert all(kb.of(one.user) for one in batch)
        greys = [rng.at(one.key).numpy().integers(0, 255, 2) for one in batch]
        return [
            Candidates(
                tuple(Sample(one.key, one.user, np.full((8, 8, 3), grey, np.uint8)) for grey in two)
            )
            for one, two in zip(batch, greys, strict=True)
        ]


@dataclass(frozen=True)
class Chooses(Selector):
    """The second."""

    def select(
        self, candidates: Sequence[Candidates], batch: Sequence[Semantics], kb: KnowledgeBase
    ) -> list[Sample]:
        _sees(
            "select", batch, *kb.entries, *(one.id for some in candidates for one in some.samples)
        )
        return [some.samples[1] for some in candidates]


@dataclass(frozen=True)
class Knows(Chooses):
    """Knows what an honest receiver does not."""

    genie: ClassVar[bool] = True


@dataclass(frozen=True)
class Around(Chooses):
    """Has a genie inside.

    Fields:
        inner: the genie
    """

    inner: Selector = field(default_factory=Knows)


@dataclass(frozen=True)
class Tells(KBPolicy):
    """One entry a round."""

    @property
    def streams(self) -> Mapping[str, type[Stream]]:
        return {"news": Bitstream}

    def update(self, kb: KnowledgeBase, samples: Sequence[Sample]) -> list[Semantics]:
        return [Semantics(one.id, {"news": Bitstream(b"news")}, one.user) for one in samples]

    def apply(self, kb: KnowledgeBase, delivered: Sequence[Semantics]) -> KnowledgeBase:
        _seen.setdefault("apply", set()).update(one.user for one in delivered)
        return super().apply(kb, delivered)


SAMPLES = [
    Sample(f"{name}-{number}", f"{name} owner", np.zeros((8, 8, 3), np.uint8))
    for number in (0, 1)
    for name in CLASSES
]
TRUE = {name for one in SAMPLES for name in (one.id, one.user)}


def pipeline(selector: Selector) -> Pipeline:
    return Pipeline(
        Sends(), Multiplex({"*": Sees()}), AWGN(snr_db=30.0), Paints(), selector, Tells()
    )


def sent(selector: Selector, cache: Path | None = None) -> list[Any]:
    _seen.clear()
    p = pipeline(selector)
    return list(
        run_session(
            lambda overrides: p if cache is None else cached(p, Cache(cache)), SAMPLES, Rng(3)
        )
    )


def test_the_receivers_half_sees_pseudonyms_and_results_have_true_names() -> None:
    segments = sent(Chooses())
    assert {who: names & TRUE for who, names in _seen.items() if who != "apply"} == {
        "receive": set(), "generate": set(), "select": set()
    }  # fmt: skip
    assert _seen["apply"] - TRUE, "the receiver's knowledge base has pseudonyms"
    assert not _seen["generate"] & _seen["select"] and not _seen["receive"] & _seen["generate"]
    for segment in segments:
        outcome, ids = segment.outcome, [one.id for one in segment.samples]
        assert (
            ids
            == [one.id for one in outcome.results]
            == [one.key for one in outcome.delivery.arrived]
        )
        assert [one.user for one in segment.samples] == [one.user for one in outcome.results]
        assert [one.streams["x"] for one in outcome.delivery.arrived] == [
            Bitstream(one.encode()) for one in ids
        ]
        assert (
            set(ids)
            == set(outcome.delivery.report)
            == {one.sample for one in outcome.delivery.ledger.entries}
        )
        assert all(
            sample.id == id
            for some, id in zip(outcome.candidates, ids, strict=True)
            for sample in some.samples
        )
        assert (
            outcome.knowledge.rx.entries.keys()
            == outcome.knowledge.tx.entries.keys()
            == {f"{one} owner" for one in CLASSES}
        )


@pytest.mark.parametrize("selector", [Knows(), Around()])
def test_a_genie_is_given_true_names(selector: Selector) -> None:
    sent(selector)
    assert is_genie(selector) and not is_genie(Chooses())
    assert _seen["select"] == TRUE
    assert not _seen["generate"] & TRUE


def test_no_number_and_nothing_that_is_kept_depends_on_pseudonyms(tmp_path: Path) -> None:
    def pictures(segments: Sequence[Any]) -> list[bytes]:
        return [one.image.tobytes() for segment in segments for one in segment.outcome.results]

    first = pictures(sent(Chooses()))
    assert first == pictures(sent(Chooses())) == pictures(sent(Chooses(), tmp_path / "cache"))
    kept = {path.name: path.read_bytes() for path in (tmp_path / "cache").rglob("*.npz")}
    assert pictures(sent(Chooses(), tmp_path / "cache")) == first
    assert "generate" not in _seen and "select" not in _seen, (
        "what was made is known again under other pseudonyms"
    )
    assert pictures(sent(Chooses(), tmp_path / "again")) == first
    assert kept == {path.name: path.read_bytes() for path in (tmp_path / "again").rglob("*.npz")}


def test_an_error_of_the_receivers_half_has_true_names() -> None:
    @dataclass(frozen=True)
    class Fails(Paints):
        """Stops at the first."""

        def generate(
            self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng
        ) -> list[Candidates]:
            raise ValueError(f"cannot draw {batch[0].key} of {batch[0].user}")

    p = replace(pipeline(Chooses()), generator=Fails())
    with pytest.raises(ValueError, match=r"^cannot draw airplane-0 of airplane owner$"):
        transmit(p, SAMPLES[:3], Knowledge(), Rng(1))


def test_pseudonyms_are_others_each_time_and_of_one_length() -> None:
    batch = [Semantics(one.id, {}, one.user) for one in SAMPLES]
    one, other = (Pseudonyms.of(batch, KnowledgeBase({"somebody": ()})) for _ in range(2))
    names = [name for some in (one, other) for name in (*some.keys.values(), *some.users.values())]
    assert len(set(names)) == len(names) and {len(name) for name in names} == {16}
    assert [(new.key, new.user) for new in named(one.batch(batch), batch)] == [
        (old.key, old.user) for old in batch
    ]
    assert one.true_knowledge(one.knowledge(KnowledgeBase({"somebody": ()}))).entries == {
        "somebody": ()
    }
