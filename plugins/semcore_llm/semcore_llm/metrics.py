"""How much of the text arrived: the sent and the received wording compared."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from semcore.interfaces import Record
from semcore.metrics import RecordMetric
from semcore.statistics import Score, Statistic
from semcore.types import Text

if TYPE_CHECKING:
    from sacrebleu.metrics import BLEU


def texts(record: Record) -> Iterator[tuple[str, str | None]]:
    """(sent, arrived) of each text stream that was sent; None for a lost one."""
    for name, stream in record.sent.streams.items():
        if isinstance(stream, Text):
            yield stream.value, record.arrived.text(name)


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


@dataclass(frozen=True)
class SentenceBLEU(RecordMetric):
    """Sentence BLEU of the text that arrived against the text that was sent, 0..1 (sacrebleu).

    n-grams up to four words, shorter for shorter texts (effective order), case kept, sacrebleu's tokenizer 13a. Several
    text streams count alike. A lost one has 0, equal texts have 1. None if no text was sent.

    Fields:
        smoothing: what sacrebleu puts in place of a precision of 0
    """

    reference: ClassVar[str] = "K. Papineni et al., ACL 2002; M. Post, A Call for Clarity in BLEU Scores, WMT 2018"
    cites: ClassVar[tuple[str, ...]] = ("papineni2002bleu", "post2018call")
    statistic: ClassVar[Statistic] = Score(0.0, 1.0)

    smoothing: Literal["exp", "floor", "add-k", "none"] = "exp"

    @functools.cached_property
    def _bleu(self) -> BLEU:
        from sacrebleu.metrics import BLEU

        return BLEU(effective_order=True, smooth_method=self.smoothing)

    @property
    def signature(self) -> str:
        self._bleu.sentence_score("a", ["a"])  # sacrebleu knows its signature only after the first score
        return f"BLEU|{self.version}|scale=0..1,streams=mean,lost=0|{self._bleu.get_signature()}"

    def value(self, record: Record) -> float | None:
        return _mean([self._score(sent, arrived) for sent, arrived in texts(record)])

    def _score(self, sent: str, arrived: str | None) -> float:
        if arrived is None:
            return 0.0
        if sent == arrived:
            return 1.0
        return min(1.0, self._bleu.sentence_score(arrived, [sent]).score / 100)


@dataclass(frozen=True)
class CharAccuracy(RecordMetric):
    """Share of the characters that came through: 1 − edit distance / length of the longer text, 0..1.

    Several text streams count alike. A lost one has 0, equal texts have 1. None if no text was sent.
    """

    statistic: ClassVar[Statistic] = Score(0.0, 1.0)
    method: ClassVar[str] = "levenshtein/max-length,streams=mean,lost=0"

    def value(self, record: Record) -> float | None:
        return _mean([self._score(sent, arrived) for sent, arrived in texts(record)])

    def _score(self, sent: str, arrived: str | None) -> float:
        if arrived is None:
            return 0.0
        return 1 - edit_distance(sent, arrived) / max(len(sent), len(arrived), 1)


def edit_distance(one: str, other: str) -> int:
    """Levenshtein distance: how many characters must be put in, left out or replaced."""
    import numpy as np

    codes = np.array([ord(character) for character in other], dtype=np.int64)
    steps = np.arange(len(other) + 1)
    row = steps
    for index, character in enumerate(one, start=1):
        best = np.minimum(row[1:] + 1, row[:-1] + (codes != ord(character)))
        # An insertion costs one more than the column before: a running minimum of the cost above the diagonal.
        row = np.minimum.accumulate(np.concatenate([[index], best]) - steps) + steps
    return int(row[-1])
