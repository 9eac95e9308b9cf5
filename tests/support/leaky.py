"""Components that leak their key in every place where a component can say something."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import semcore
from semcore.interfaces import Record
from semcore.plugins import registry

KEY = semcore.Secret("SEMCORE_CANARY")


@semcore.register("source", "leaky")
@dataclass(frozen=True)
class Source(registry.load("source", "greys")):
    """Names its samples by its key.

    Fields:
        key: told to everybody
    """

    key: semcore.Secret = KEY

    def samples(self) -> Sequence[semcore.Sample]:
        return [
            replace(one, id=f"{one.id} {self.key.reveal()}", user=self.key.reveal())
            for one in super().samples()
        ]


@semcore.register("encoder", "leaky")
@dataclass(frozen=True)
class Encoder(semcore.SemanticEncoder):
    """Sends its key, prints it, logs it and warns of it.

    Fields:
        key: told to everybody
    """

    key: semcore.Secret = KEY

    @property
    def streams(self) -> Mapping[str, type[semcore.Stream]]:
        return {"caption": semcore.Text, "blob " + self.key.reveal(): semcore.Bitstream}

    def encode(
        self, samples: Sequence[semcore.Sample], kb: semcore.KnowledgeBase
    ) -> list[semcore.Semantics]:
        told = f"the key is {self.key.reveal()}, as {self!r} has it"
        print("out:", told)
        print("err:", told, file=sys.stderr)
        logging.getLogger("leaky").error("log: %s", told)
        warnings.warn("warning: " + told, stacklevel=1)
        caption, blob = self.streams
        streams = {
            caption: semcore.Text(told),
            blob: semcore.Bitstream(b"x" + self.key.reveal().encode()),
        }
        return [semcore.Semantics(one.id, streams, one.user) for one in samples]


@semcore.register("transport", "leaky")
@dataclass(frozen=True)
class Transport(registry.load("transport", "qpsk")):
    """Delivers a picture that is named by its key, too.

    Fields:
        key: told to everybody
    """

    key: semcore.Secret = KEY

    def receive(self, received: semcore.Received) -> list[semcore.Semantics]:
        look = {"look " + self.key.reveal(): semcore.Picture(np.zeros((4, 4, 3), np.uint8))}
        return [replace(one, streams={**one.streams, **look}) for one in super().receive(received)]


@semcore.register("channel", "leaky")
@dataclass(frozen=True)
class Channel(registry.load("channel", "noise")):
    """Reports its key.

    Fields:
        key: told to everybody
    """

    key: semcore.Secret = KEY

    def transmit(self, symbols: semcore.Symbols, rng: semcore.Rng) -> semcore.Received:
        got = super().transmit(symbols, rng)
        return replace(got, report=tuple({**one, self.key.reveal(): 1.0} for one in got.report))


@semcore.register("generator", "leaky")
@dataclass(frozen=True)
class Generator(registry.load("generator", "flat")):
    """Fails with its key.

    Fields:
        key: told to everybody
        fail: whether it fails
    """

    key: semcore.Secret = KEY
    fail: bool = False

    def generate(
        self, batch: Any, kb: semcore.KnowledgeBase, rng: semcore.Rng
    ) -> list[semcore.Candidates]:
        if self.fail:
            try:
                raise KeyError(self.key.reveal())
            except KeyError as error:
                raise ValueError(f"refused: Bearer {self.key.reveal()}") from error
        return super().generate(batch, kb, rng)


@semcore.register("metric", "leaky")
@dataclass(frozen=True)
class Metric(semcore.Metric):
    """Has its key in its signature.

    Fields:
        key: told to everybody
        others: more of them
    """

    key: semcore.Secret = KEY
    others: tuple[semcore.Secret, ...] = field(default=())

    @property
    def signature(self) -> str:
        return f"leaky(key={self.key.reveal()})"

    def measure(self, records: Sequence[Record]) -> list[float | None]:
        return [1.0 for _ in records]
