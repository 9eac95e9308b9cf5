"""Transports, policies, planners, codecs, metrics and sources, each of which breaks a law."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch

from semcore import (
    Component,
    Features,
    KnowledgeBase,
    Metric,
    Picture,
    Plan,
    Received,
    Record,
    Rng,
    Sample,
    Scenario,
    Semantics,
    Source,
    Symbols,
)
from semcore.planning.interface import PlanSimulator
from semcore.statistics.base import Statistic
from semcore.statistics.kinds import Mean, Score, Share

from .good import Amplitudes, Error, Once, Plain, Switch

_calls: list[int] = []


@dataclass(frozen=True)
class LosesNormalisation(Amplitudes):
    """Normalises power over the batch."""

    def scale(self, values: torch.Tensor, batch: Sequence[Semantics]) -> float:
        every = [
            torch.from_numpy(s.values.flatten()) for one in batch for s in one.streams.values()
        ]  # type: ignore[union-attr]
        return float(torch.cat(every).square().mean().sqrt())


@dataclass(frozen=True)
class ForgetsItsHeader(Amplitudes):
    """Leaves a symbol out of the accounts."""

    def send(self, batch: Sequence[Semantics], rng: Rng) -> Symbols:
        symbols = super().send(batch, rng)
        spans = tuple(replace(s, stop=s.stop - 1, uses={}) for s in symbols.layout.spans)
        return replace(symbols, layout=replace(symbols.layout, spans=spans))

    def receive(self, received: Received) -> list[Semantics]:
        spans = tuple(replace(s, stop=s.stop + 1, uses={}) for s in received.layout.spans)
        return super().receive(replace(received, layout=replace(received.layout, spans=spans)))


@dataclass(frozen=True)
class RaisesOnNoise(Amplitudes):
    """Stops at a scale that makes no sense."""

    def receive(self, received: Received) -> list[Semantics]:
        if received.values.abs().max() > 1e3:
            raise ValueError("a scale out of range")
        return super().receive(received)


@dataclass(frozen=True)
class CallsAnythingIntact(Amplitudes):
    """Has a check that never fails."""

    def receive(self, received: Received) -> list[Semantics]:
        return [
            replace(one, intact=dict.fromkeys(one.streams, True))
            for one in super().receive(received)
        ]


@dataclass(frozen=True)
class LetsNaNThrough(Amplitudes):
    """Adds what it received to what it makes of it."""

    def receive(self, received: Received) -> list[Semantics]:
        wrong = float(received.values.abs().sum()) * 0
        found = super().receive(received)
        parts = [
            {
                name: Features(stream.values + np.float32(wrong))
                for name, stream in one.streams.items()
            }
            for one in found
        ]
        return [replace(one, streams=own) for one, own in zip(found, parts, strict=True)]


@dataclass(frozen=True)
class DropsTheScale(Amplitudes):
    """Delivers normalised values."""

    def receive(self, received: Received) -> list[Semantics]:
        flat = replace(received, values=received.values.clone())
        for span in received.layout.spans:
            flat.values[span.row, span.stop - 1] = 1
        return super().receive(flat)


@dataclass(frozen=True)
class SendsTheKey(Amplitudes):
    """The header holds the key's first letter."""

    def send(self, batch: Sequence[Semantics], rng: Rng) -> Symbols:
        sent = super().send(batch, rng)
        turn = torch.tensor(
            [[1.0 if one.key[:1].isupper() or not one.streams else 1j] for one in batch]
        )
        return replace(sent, values=sent.values * turn)


@dataclass(frozen=True)
class TrustsSome(Once):
    """Keeps nothing of some users."""

    def apply(self, kb: KnowledgeBase, delivered: Sequence[Semantics]) -> KnowledgeBase:
        return super().apply(kb, [one for one in delivered if "cat" not in one.user])


@dataclass(frozen=True)
class AppliesLostUpdates(Once):
    """Holds a grey picture where an update was lost."""

    def apply(self, kb: KnowledgeBase, delivered: Sequence[Semantics]) -> KnowledgeBase:
        for update in delivered:
            stream = update.streams.get("reference", Picture(np.full((4, 4, 3), 128, np.uint8)))
            kb = kb.add(update.user, stream)
        return kb


@dataclass(frozen=True)
class BelievesPictures(Once):
    """Falls over a reference that is brighter than any of its own."""

    def update(self, kb: KnowledgeBase, samples: Sequence[Sample]) -> list[Semantics]:
        if any(stream.pixels.mean() > 130 for user in kb.entries for stream in kb.of(user)):  # type: ignore[union-attr]
            raise ValueError("too bright")
        return super().update(kb, samples)


@dataclass(frozen=True)
class MixesUsers(Once):
    """One picture is enough for everybody."""

    def one(self, kb: KnowledgeBase, sample: Sample) -> Semantics:
        return Semantics(sample.id, {}, sample.user) if kb.entries else super().one(kb, sample)


@dataclass(frozen=True)
class ForgetsWhatArrived(Once):
    """Applies nothing."""

    def apply(self, kb: KnowledgeBase, delivered: Sequence[Semantics]) -> KnowledgeBase:
        return kb


@dataclass(frozen=True)
class LeavesItsPlans(Switch):
    """Plans what it did not announce."""

    def plans(self) -> Sequence[Mapping[str, Any]] | None:
        return [{}]


@dataclass(frozen=True)
class NeedsMemory(Switch):
    """Cannot begin."""

    def plan(
        self, scenario: Scenario, memory: Sequence[Mapping[str, Any]], simulator: PlanSimulator
    ) -> Plan:
        return Plan(dict(memory[-1]["in_force"]))


@dataclass(frozen=True)
class PlansObjects(Switch):
    """Plans what cannot be sent."""

    def plan(
        self, scenario: Scenario, memory: Sequence[Mapping[str, Any]], simulator: PlanSimulator
    ) -> Plan:
        return Plan({"channel": object()})

    def plans(self) -> None:
        return None


@dataclass(frozen=True)
class Trusting(Plain):
    """Believes the header."""

    def decode(self, data: bytes, size: tuple[int, int] | None = None) -> np.ndarray | None:
        height, width = (int(side) for side in np.frombuffer(data[:4], ">u2"))
        return np.frombuffer(data[4:], np.uint8).reshape(height, width, 3)


@dataclass(frozen=True)
class MakesRoomForAnything(Plain):
    """Takes as much memory as the header asks for."""

    def decode(self, data: bytes, size: tuple[int, int] | None = None) -> np.ndarray | None:
        height, width = (int(side) for side in np.frombuffer(data[:4].ljust(4, b"\0"), ">u2"))
        return np.zeros((height, width, 3), np.uint8) if size in (None, (height, width)) else None


@dataclass(frozen=True)
class Hoards(Plain):
    """Takes 600 MB for a file that it does not even read."""

    def decode(self, data: bytes, size: tuple[int, int] | None = None) -> np.ndarray | None:
        return (
            super().decode(data, size)
            if not data.startswith(b"GIF") or b"x" * 600 * 2**20
            else None
        )


@dataclass(frozen=True)
class NotQuiteLossless(Plain):
    """Loses the last bit."""

    def encode(self, pixels: np.ndarray) -> bytes:
        return super().encode(pixels & 0xFE)


@dataclass(frozen=True)
class AveragesTheBatch(Error):
    """Gives everyone the same value."""

    def measure(self, records: Sequence[Record]) -> list[float | None]:
        values = [value for value in super().measure(records) if value is not None]
        return [float(np.mean(values)) if values else None for _ in records]


@dataclass(frozen=True)
class WrongWayRound(Error):
    """Takes an error for a likeness."""

    better: ClassVar[str] = "higher"


@dataclass(frozen=True)
class Undeclared(Metric):
    """Does not say what kind of number it gives."""

    def measure(self, records: Sequence[Record]) -> list[float | None]:
        return [float(record.ledger.uses()) for record in records]


@dataclass(frozen=True)
class LeavesItsRange(Error):
    """Says that it is at most 1."""

    statistic: ClassVar[Statistic] = Score(0.0, 1.0)


@dataclass(frozen=True)
class ShareWithoutTrials(Error):
    """Says that it is a share, but not of how many trials."""

    statistic: ClassVar[Statistic] = Share(255.0)


@dataclass(frozen=True)
class InfiniteMean(Error):
    """Is infinite where nothing is wrong."""

    statistic: ClassVar[Statistic] = Mean(0.0)

    def value(self, record: Record) -> float | None:
        value = super().value(record)
        return value and 1 / value if value else value if value is None else float("inf")


@dataclass(frozen=True)
class GivesNaN(Error):
    """NaN where there is no picture."""

    def value(self, record: Record) -> float | None:
        value = super().value(record)
        return float("nan") if value is None else value


@dataclass(frozen=True)
class SameName(Source):
    """Two samples of one name."""

    def samples(self) -> Sequence[Sample]:
        return [Sample("a", text="a"), Sample("a", text="b")]


@dataclass(frozen=True)
class NewEveryTime(Source):
    """Another text at every call."""

    def samples(self) -> Sequence[Sample]:
        _calls.append(1)
        return [Sample("a", text=str(len(_calls)))]


BROKEN_OTHERS: list[tuple[Component, str]] = [
    (LosesNormalisation(), "every-row-has-unit-power"),
    (LosesNormalisation(), "sends-a-sample-the-same-in-any-batch"),
    (ForgetsItsHeader(), "every-column-is-paid-for"),
    (RaisesOnNoise(), "nothing-hostile-stops-it"),
    (CallsAnythingIntact(), "nothing-hostile-stops-it"),
    (LetsNaNThrough(), "nothing-hostile-stops-it"),
    (DropsTheScale(), "features-come-back"),
    (SendsTheKey(), "sends-the-same-under-any-name"),
    (TrustsSome(), "learns-the-same-under-any-name"),
    (AppliesLostUpdates(), "a-lost-update-changes-nothing"),
    (BelievesPictures(), "strange-updates-do-no-harm"),
    (MixesUsers(), "users-do-not-mix"),
    (ForgetsWhatArrived(), "both-ends-agree"),
    (LeavesItsPlans(), "keeps-to-its-plans"),
    (NeedsMemory(), "plans-in-every-situation"),
    (PlansObjects(), "plans-can-be-told"),
    (Trusting(), "hostile-bytes-do-no-harm"),
    (MakesRoomForAnything(), "bombs-are-not-unpacked"),
    (Hoards(), "bombs-are-not-unpacked"),
    (NotQuiteLossless(), "a-lossless-codec-keeps-every-pixel"),
    (AveragesTheBatch(), "measures-a-record-the-same-in-any-batch"),
    (WrongWayRound(), "an-equal-picture-is-the-best"),
    (GivesNaN(), "gives-a-value-or-none-a-record"),
    (Undeclared(), "declares-what-kind-of-number-it-gives"),
    (LeavesItsRange(), "keeps-to-its-range"),
    (ShareWithoutTrials(), "keeps-to-its-range"),
    (InfiniteMean(), "keeps-to-its-range"),
    (SameName(), "samples-have-names-of-their-own"),
    (NewEveryTime(), "gives-the-same-for-the-same"),
]
"""Each with the law that it breaks."""
