"""Semantic entropy of sentences over a knowledge base of captions."""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
import math
import string
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from semcore import ComponentError, Mean, Record, Statistic, Text
from semcore.media import read_text
from semcore.metrics import RecordMetric

STOP_WORDS = frozenset(
    "a an the and or of on in at to by with from for over under near is are was were be it its "
    "this that there".split()
)
SHIPPED = ("semcore_image", "weights/mini-caption/knowledge.txt")

Phrases = frozenset[frozenset[str]]


@dataclass(frozen=True)
class SemanticEntropy(RecordMetric):
    """Semantic entropy of the received sentence x: -log2 of the share of a knowledge base W that x
    is true of, in bit.

    W is a list of captions, each a world w, all equally likely: L(x) = |{w: w ⊨ x}| / |W|, and the
    entropy is -log2 L(x). w ⊨ x is decided on words. A phrase is a run of content words ("green
    background"); stop words end it, but "and" does not. w ⊨ x if every phrase of x is part of one
    phrase of w: a green bird is not a bird on a green background. Content words are those that W
    uses, less the stop words. Any other word, such as a damaged one, is ignored and ends the
    phrase.

    A sentence without content words, or a lost one, has 0 bit. One that is true of no world has
    log2(|W| + 1) bit, just above one that is true of a single world. Higher is not better: a wrong
    word may carry as much information as the right one. Several texts are combined. None if no text
    was sent.

    Fields:
        knowledge: path of a UTF-8 text file with one caption per line; empty: the captions shipped
            by semcore-image
    """

    unit: ClassVar[str] = "bit"
    better: ClassVar[str] = ""
    statistic: ClassVar[Statistic] = Mean(0.0)
    reference: ClassVar[str] = (
        "S. Ribouh, O. Saleem, LLM-Based Semantic Communication System for Image Transmission, "
        "equations 1-3; "
        "R. Carnap, Y. Bar-Hillel, An Outline of a Theory of Semantic Information, 1952"
    )
    cites: ClassVar[tuple[str, ...]] = ("ribouh2025large", "carnap1952outline")

    knowledge: str = ""

    @functools.cached_property
    def captions(self) -> tuple[str, ...]:
        """The captions of the knowledge base."""
        package, inside = SHIPPED
        try:
            if self.knowledge:
                lines = read_text(Path(self.knowledge)).splitlines()
            else:
                lines = (
                    (importlib.resources.files(package) / inside)
                    .read_text(encoding="utf-8")
                    .splitlines()
                )
        except (OSError, UnicodeDecodeError, ModuleNotFoundError, ComponentError) as error:
            where = str(error) if self.knowledge else f"{package} does not ship {inside} ({error})"
            raise ComponentError(
                f"SemanticEntropy.knowledge: {where}; name a text file with one caption per line, "
                "or install semcore-image"
            ) from error
        captions = tuple(line.strip() for line in lines if line.strip())
        if not captions:
            raise ComponentError(
                "SemanticEntropy.knowledge: the file holds no caption; it needs at least one line"
            )
        return captions

    @property
    def signature(self) -> str:
        digest = hashlib.sha256("\n".join(self.captions).encode()).hexdigest()[:12]
        knowledge = f"knowledge={digest},captions={len(self.captions)}"
        return f"SemanticEntropy|{self.version}|unit=bit,{knowledge}"

    def value(self, record: Record) -> float | None:
        sent = [name for name, stream in record.sent.streams.items() if isinstance(stream, Text)]
        if not sent:
            return None
        arrived = [record.arrived.text(name) or "" for name in sent]
        claims: Phrases = frozenset().union(*(phrases(text, self._content) for text in arrived))
        return self.entropy_bits(claims)

    def entropy_bits(self, claims: Phrases) -> float:
        """The entropy of a sentence that consists of `claims`."""
        true = sum(count for world, count in self._worlds.items() if entails(world, claims))
        total = len(self.captions)
        return math.log2(total / true) if true else math.log2(total + 1)

    @functools.cached_property
    def _content(self) -> frozenset[str]:
        return frozenset(word for caption in self.captions for word in words(caption)) - STOP_WORDS

    @functools.cached_property
    def _worlds(self) -> Counter[Phrases]:
        return Counter(phrases(caption, self._content) for caption in self.captions)


def words(text: str) -> list[str]:
    """The words of a text, in lower case, without the punctuation around them."""
    return [word.strip(string.punctuation) for word in text.casefold().split()]


def phrases(text: str, content: frozenset[str]) -> Phrases:
    """The phrases of a text: maximal runs of words in `content`, joined across "and"."""
    found: list[set[str]] = [set()]
    for word in words(text):
        if word in content:
            found[-1].add(word)
        elif word != "and":
            found.append(set())
    return frozenset(frozenset(phrase) for phrase in found if phrase)


def entails(world: Phrases, claims: Phrases) -> bool:
    """Whether every claim is part of one phrase of the world."""
    return all(any(claim <= phrase for phrase in world) for claim in claims)
